"""What `train` and `finetune` can be called with, the words of what both take, and what makes no sense."""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from cyclopts import Parameter

from ..models import NONE, PRETRAINED, starting_weights_of
from ..system import InputError, Precision, check_seed, plain_number

Keep = Literal["last", "best", "lowest-loss", "last-fall"]
Scaling = Literal["normalise", "centre", "standardise"]
OnEpoch = Annotated[Callable[[dict], None] | None, Parameter(parse=False)]  # of Python, not of the command line

NOT_RECORDED = ("resume", "overwrite", "out", "strict", "on_epoch")  # where to write and how, and who listens
CHECKED_WORDS = {"precision": Precision.__args__, "keep": Keep.__args__, "scaling": Scaling.__args__}
CHECKED_NUMBERS = {  # option: its least value, and whether that value itself is allowed
    "epochs": (1, True),
    "head_epochs": (0, True),
    "last_epochs": (0, True),
    "size": (1, True),
    "batch_size": (2, True),  # batch normalisation needs two pictures
    "early_stopping": (0, True),
    "min_delta": (0, True),
    "clip_value": (0, True),
    "clip_norm": (0, True),
    "minutes": (0, False),
    "lr": (0, False),
    "lr_mult": (1, True),
}
BELOW_ONE = ("label_smoothing", "ema")


@dataclass(kw_only=True)
class TrainingArguments:
    """What both commands take. What is None is as the recipe has it, else as by default.

    Parameters
    ----------
    data
        An image folder made by convert, or by hand as train/<label>/ and valid/<label>/.
    optimizer
        sgd and muon (momentum), adam, adamw, nadam (momentum, rho, eps), adadelta (rho, eps), rmsprop (rho, momentum,
        eps, centred=1), fastai-adam (the default of finetune; one-cycle changes its momentum). All take weight_decay;
        only fastai-adam does not apply it to biases and normalisation layers.
    batch_size
        Pictures in one step; by default as in the recipe (of digitnet an eighth of few rows, at least 16), for finetune
        64, or 32 if there are fewer than 640 rows.
    augment
        none, light (the default of finetune), medium (that of digitnet), strong, or a recipe's: conv5-bn, conv5x5,
        conv8-leaky, resnet50-kannada. Never a mirror.
    scaling
        How the pixels are scaled, with statistics of the training rows: normalise (0..1), centre (their mean is
        subtracted), standardise (and divided by their standard deviation; the default of finetune). Only with --weights
        none, because weights come with their own scaling.
    clip_value
        Gradients are cut to -value..value; 0: they are not.
    clip_norm
        The gradient of each tensor is clipped separately to this norm; 0: no clipping.
    early_stopping
        End a stage after this many epochs in a row in which the validation loss was not lower by `min_delta`; 0: never.
    min_delta
        See early_stopping.
    keep
        Which weights are saved: those of the last epoch (last, the default of finetune), of the epoch with the best
        accuracy on the validation set (best), of the epoch with the lowest validation loss (lowest-loss), or of the
        last epoch in which that loss fell by `min_delta` (last-fall; these are the weights that Keras's early stopping
        restores).
    label_smoothing
        Share of each label's weight that is spread over all classes, such as 0.05.
    ema
        Validate and save the moving average of the weights with this decay, such as 0.999; 0: the weights themselves.
    balance
        Show every class equally often, for tables in which some classes have far fewer rows: the rows of small classes
        come several times an epoch. Changes nothing where all classes have as many rows.
    reject
        Also learn to say that a picture shows several digits or none: such pictures are drawn, and mixed into the
        batches. Answers about them get the verdict several or other.
    styles
        Also learn from drawn digits 0 to 9 in ways of writing that a table may lack: ones with a long upstroke, sevens
        with a bar, sixes with a small loop, slashed zeros, printed digits.
    teachers
        Models to learn from (distillation): their mean probabilities on each picture count as much as the labels.
    minutes
        Measure the speed and set the epochs, and how many of the rows each of them shows, so that training takes
        about this long. Without --epochs and --folds, in one process, and not for resnet50-kannada.
    precision
        auto: bf16 or fp16 where the machine is fast at it, else fp32.
    tensorboard
        Write each epoch's numbers for TensorBoard, into a time-stamped folder inside the run.
    normalise
        Cut the digit out of each picture of a folder made by hand and bring it to the form of MNIST's pictures; by
        default where the weights that training starts from, or a teacher, were trained on such pictures.
    folds
        Cross-validation: train this many times, each time on all folds of the labelled rows but one, and score on that
        one. If groups such as writers are known, no group is in both the training folds and the scored fold.
    repeats
        How many times to repeat the folds, each time with another seed.
    seed
        Same seed, same machine: same numbers, on a CPU; on a GPU nearly the same.
    strict
        End with an error, and make no run, when there is anything to notice about the image folder: pictures that were
        left out, no valid pictures, digits on a light ground.
    out
        The run directory; by default runs/<name>-<data>, of folds runs/<name>-<data>-folds.
    resume
        Go on with the interrupted run at `out`; give the other options as before.
    overwrite
        Replace the run at `out`.
    on_epoch
        Only in Python: a function that is called with each epoch's row of history.csv; if it raises an exception, the
        training ends.
    """

    epochs: int | None = None
    lr: float | None = None
    schedule: str | None = None
    size: int | None = None
    optimizer: str | None = None
    batch_size: int | None = None
    augment: str | None = None
    scaling: Scaling | None = None
    clip_value: float | None = None
    clip_norm: float | None = None
    early_stopping: int | None = None
    min_delta: float | None = None
    keep: Keep | None = None
    label_smoothing: float | None = None
    ema: float | None = None
    balance: bool = False
    reject: bool = False
    styles: bool = False
    teachers: list[str] | None = None
    minutes: float | None = None
    precision: Precision = "auto"
    tensorboard: bool = False
    normalise: bool | None = None
    folds: int | None = None
    repeats: int = 1
    seed: int = 5
    strict: bool = False
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    on_epoch: OnEpoch = None

    def __post_init__(self):
        for field in fields(self):
            setattr(self, field.name, plain_number(getattr(self, field.name)))
        self.data, self.weights = Path(self.data), str(self.weights)
        self.out = Path(self.out) if self.out else None
        teachers = [self.teachers] if isinstance(self.teachers, (str, Path)) else self.teachers
        self.teachers = [str(teacher) for teacher in teachers] if teachers else teachers
        self._check()

    def _check(self) -> None:
        """InputError for an option that makes no sense."""
        if self.minutes is not None and self.epochs is not None:
            raise InputError("--minutes sets the epochs itself; leave out --epochs")
        if self.folds and self.minutes:
            raise InputError("--minutes are those of one training; with --folds leave them out and pass --epochs")
        check_seed(self.seed)
        for name, accepted in CHECKED_WORDS.items():
            value = getattr(self, name)
            if value is not None and value not in accepted:
                raise InputError(f"--{name} {value!r} is unknown; accepted are {', '.join(accepted)}")
        for name, (least, allowed) in CHECKED_NUMBERS.items():
            value = getattr(self, name, None)
            if value is not None and not (math.isfinite(value) and (value >= least if allowed else value > least)):
                accepted = f"{least} or more" if allowed else f"a number above {least}"
                raise InputError(f"--{name.replace('_', '-')} {value} makes no sense; accepted is {accepted}")
        for name in BELOW_ONE:
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                flag = name.replace("_", "-")
                raise InputError(f"--{flag} {value} makes no sense; accepted are 0 or more and below 1")

    @property
    def models(self) -> list[str]:
        """What is learnt from: the starting weights and the teachers."""
        return [self.weights, *(self.teachers or [])]

    def record(self) -> dict:
        """As run.json holds them: without what says where to write and how."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in NOT_RECORDED}
        return given | {"data": str(self.data)}


@dataclass
class TrainArguments(TrainingArguments):
    """Of `train`."""

    command: ClassVar[str] = "train"

    recipe: str
    data: Path
    _: KW_ONLY
    weights: str = NONE


@dataclass
class FinetuneArguments(TrainingArguments):
    """Of `finetune`."""

    command: ClassVar[str] = "finetune"

    arch: str
    data: Path
    _: KW_ONLY
    head_epochs: int | None = None
    last_epochs: int | None = None
    lr_mult: float | None = None
    weights: str = PRETRAINED

    def __post_init__(self):
        super().__post_init__()
        self.weights = starting_weights_of(self.arch, self.weights)
