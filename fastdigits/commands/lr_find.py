"""lr_find(): the learning-rate range test by itself, its curve and its choice."""

from dataclasses import dataclass
from pathlib import Path

from ..models import PRETRAINED
from ..runs import Run
from ..system import Precision, check_output, whole_folder
from ..training import FinetuneArguments, Transfer, find_lr, prepare_learner, write_search


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
    weights: str = PRETRAINED,
    augment: str | None = None,
    optimizer: str | None = None,
    precision: Precision = "auto",
    seed: int = 5,
    out: Path | None = None,
    overwrite: bool = False,
) -> LearningRate:
    """Search for a learning rate: draw the curve, and suggest a rate, or say why a default is taken.

    The search is that of finetune: with weights that were trained on photographs, only the head is trained during the
    search, otherwise the whole network. Without --lr, finetune searches by itself where it does not start from digits;
    train takes its recipe's rate. Pictures of `--reject` and `--styles` are not drawn for it.

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
    arguments = FinetuneArguments(
        arch,
        data,
        size=size,
        batch_size=batch_size,
        weights=weights,
        augment=augment,
        optimizer=optimizer,
        precision=precision,
        seed=seed,
    )
    method = Transfer(arguments)
    out = Path(out) if out else Path("runs", f"lr-find-{method.name}-{Path(data).name}")
    check_output(out, overwrite, Run(out).lr_find_csv.name)
    folder = method.folder()
    prepared = prepare_learner(method.backbone, folder, **method.learner_options(folder, arguments.record()))
    learner = prepared.learner
    head_first = prepared.transferred and not prepared.of_digits
    if head_first:
        learner.freeze()
    search = find_lr(learner)
    with whole_folder(out) as partial:
        stage = "head" if head_first else "all"
        write_search({stage: search}, Run(partial).lr_find_csv, Run(partial).lr_find_png)
    return LearningRate(search["lr"], search["fallback"], Run(out).lr_find_csv, Run(out).lr_find_png)
