"""lr_find(): the learning-rate range test, its curve and its choice."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..folders import TRAIN
from ..models import starting_weights_of
from ..recipes import PHOTO_LR_MULT, Stage, default_batch_size, unfrozen_rates
from ..runs import Run
from ..system import Precision, check_output, whole_file, whole_folder
from .learner import find_preset, prepare_learner, run_name
from .options import LEARNER_OPTIONS, check_options, chosen_options, training_folder

FALLBACK_LR = 2e-3  # fastai's fine_tune default, taken when the search finds nothing
SEARCH_BATCHES = 100
SEARCH_SKIPS = (10, 5)  # first and last batches that tell nothing, as fastai skips them
LEAST_POINTS = 10  # a curve of fewer has no valley


def find_lr(learner, batches: int | None = None) -> dict:
    """fastai's learning-rate range test (Smith 2015, arXiv:1506.01186); weights are as before afterwards.

    Parameters
    ----------
    learner : fastai.learner.Learner
    batches : int, optional
        How many to try, SEARCH_BATCHES by default.

    Returns
    -------
    dict
        lrs, losses (lists of float, one a batch), lr (the choice), fallback (None, or why the choice is a default).
    """
    from fastai.callback.schedule import valley

    from .callbacks.batch import RangeTest

    batches = batches or SEARCH_BATCHES
    with learner.no_logging():
        learner.fit(batches // max(1, len(learner.dls.train)) + 1, cbs=RangeTest(num_it=batches))
    skip_first, skip_last = SEARCH_SKIPS
    points = list(zip(learner.recorder.lrs, (float(loss) for loss in learner.recorder.losses)))
    points = [(float(lr), loss) for lr, loss in points[skip_first : len(points) - skip_last] if np.isfinite(loss)]
    lrs, losses = [lr for lr, _ in points], [loss for _, loss in points]
    search = {"lrs": lrs, "losses": losses, "lr": FALLBACK_LR, "fallback": None}
    if len(points) < LEAST_POINTS:
        search["fallback"] = f"only {len(points)} batches were usable"
    elif min(losses) > 0.95 * losses[0]:
        search["fallback"] = "the loss did not fall at any rate"
    else:
        search["lr"] = valley(lrs, losses, batches)[0]
    return search


def note_search(run: Run, stage: Stage, search: dict) -> None:
    """Into run.json, lr_find.csv and lr_find.png."""
    record = run.record()
    record["lr_find"] = {**record.get("lr_find", {}), stage.name: search}
    run.write_record(record)
    write_search(record["lr_find"], run.lr_find_csv, run.lr_find_png)


def searched_rates(run: Run, stage: Stage, transferred: bool) -> tuple[float, float]:
    """Peak rates of a stage that has none of its own, from the run's first search."""
    record = run.record()
    lr = next(iter(record["lr_find"].values()))["lr"]
    # the stages of runs that an older version began have no lr_mult
    lr_mult = stage.lr_mult or record["arguments"].get("lr_mult") or PHOTO_LR_MULT
    return (lr, lr) if stage.frozen else unfrozen_rates(lr, transferred, lr_mult)


def search_line(stage: str, search: dict) -> str:
    """A search's choice in one plain line."""
    why = f" (fallback: {search['fallback']})" if search["fallback"] else ""
    return f"learning-rate search · {stage} · {search['lr']:.2e}{why}"


def write_search(searches: dict[str, dict], csv_file: Path, png_file: Path) -> None:
    """The curve of each stage's search as a table `stage,lr,loss` and as a picture."""
    import pandas as pd

    from ..figures import draw_lr_find

    tables = [
        pd.DataFrame({"stage": stage, "lr": search["lrs"], "loss": search["losses"]})
        for stage, search in searches.items()
    ]
    with whole_file(csv_file) as partial:
        pd.concat(tables).to_csv(partial, index=False)
    draw_lr_find(searches, png_file)


@dataclass(frozen=True)
class LearningRate:
    """What a learning-rate search suggests, and where its curve lies."""

    lr: float
    fallback: str | None
    csv: Path
    png: Path

    def __rich__(self) -> str:
        why = f" (fallback: {self.fallback})" if self.fallback else ""
        return f"learning rate {self.lr:.2e}{why}\nwritten to {self.csv} and {self.png}"

    __str__ = __rich__


def lr_find(
    arch: str,
    data: Path,
    *,
    size: int | None = None,
    batch_size: int | None = None,
    weights: str = "pretrained",
    augment: str | None = None,
    optimizer: str | None = None,
    precision: Precision = "auto",
    seed: int = 5,
    out: Path | None = None,
    overwrite: bool = False,
) -> LearningRate:
    """Search for a learning rate: the curve as PNG and CSV and the suggestion, or a stated fallback.

    As finetune does it: with weights that were trained on photographs the head alone is searched, else all of it.

    Parameters
    ----------
    arch
        As for finetune.
    data
        An image folder.
    size
        Picture height and width in pixels for the network; by default what the network was made for, or the
        next multiple of 32.
    batch_size
        Pictures a step; by default as finetune.
    weights
        As for finetune.
    augment
        As for finetune.
    optimizer
        As for finetune.
    precision
        As for finetune.
    seed
        Same seed, same machine: same curve.
    out
        Folder for lr_find.csv and lr_find.png; by default runs/lr-find-<arch>-<data>.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    LearningRate

    Raises
    ------
    InputError
        When an option, the data or the weights are wrong.
    """
    weights = starting_weights_of(arch, str(weights))
    options = {"size": size, "batch_size": batch_size, "weights": weights, "augment": augment, "optimizer": optimizer}
    options |= {"precision": precision, "seed": seed}
    check_options(options)
    backbone, preset = find_preset(arch)
    out = Path(out) if out else Path("runs", f"lr-find-{run_name(arch)}-{Path(data).name}")
    check_output(out, overwrite, Run(out).lr_find_csv.name)
    folder = training_folder(data, None, [weights])
    if not preset:
        options["batch_size"] = batch_size or default_batch_size(len(folder.split(TRAIN)))
    prepared = prepare_learner(backbone, folder, **chosen_options(LEARNER_OPTIONS, options, preset))
    learner = prepared.learner
    head_first = prepared.transferred and not prepared.of_digits
    if head_first:
        learner.freeze()
    search = find_lr(learner)
    with whole_folder(out) as partial:
        stage = "head" if head_first else "all"
        write_search({stage: search}, Run(partial).lr_find_csv, Run(partial).lr_find_png)
    return LearningRate(search["lr"], search["fallback"], Run(out).lr_find_csv, Run(out).lr_find_png)
