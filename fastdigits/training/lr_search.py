"""The learning-rate range test: its curve, its choice, and where both are written."""

from pathlib import Path

import numpy as np

from ..recipes import PHOTO_LR_MULT, Stage, unfrozen_rates
from ..runs import Run
from ..system import whole_file

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


def rate_line(stage: str, search: dict) -> str:
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
