"""The stages of a training, planned before it starts: frozen head first, then the whole network."""

from dataclasses import dataclass, replace
from typing import Self

from ..system import InputError
from .schedules import peak_of

DEFAULT_HEAD_EPOCHS, DEFAULT_EPOCHS = 1, 3
PHOTO_LR_MULT = 100.0  # of fastai's fine_tune, for bodies that were trained on photographs
# bodies that were trained on digits: all is trained from the start at one rate (benchmarks/transfer.py)
DIGIT_LR_MULT, DIGIT_LR = 1.0, 4e-3


@dataclass(frozen=True)
class Stage:
    """One fit.

    Attributes
    ----------
    name : str
    epochs : int
    frozen : bool
        Train the head (and, as fastai does, the body's BatchNorm) only.
    lr : (float or None, float), or None
        Peak learning rate of the first and of the last layer group, in even steps on a log scale between them; with
        None in the first place all but the last have a tenth of the last, as fastai's slice. None as a whole: decided
        by the search before the stage.
    search : bool
        Run a learning-rate search before the stage.
    schedule : str
        How the rate goes on, as `find_schedule` reads it.
    lr_mult : float or None
        How many times smaller than the last's the first layer group's rate is, where a search decides.
    portion : float, 0..1
        How many of the training rows an epoch shows, each time others.
    """

    name: str
    epochs: int
    frozen: bool
    lr: tuple[float | None, float] | None = None
    search: bool = False
    schedule: str = "one-cycle"
    lr_mult: float | None = None
    portion: float = 1.0

    @classmethod
    def from_record(cls, record: dict) -> Self:
        """The stage that run.json holds."""
        return cls(**record | {"lr": record["lr"] and tuple(record["lr"])})

    @property
    def length(self) -> str:
        """How long it is, in words."""
        part = "" if self.portion == 1 else f" of {self.portion:.0%} of the rows"
        if self.epochs == 1:
            return f"1 epoch{part}"
        return f"{self.epochs} epochs{part}{' each' if part else ''}"

    @property
    def sentence(self) -> str:
        return f"{self.name}: {self.length}, {self.schedule}"


def epochs_within(left_s: float, training_s: float, validation_s: float, least: float) -> tuple[int, float]:
    """How many epochs fit into a time, at least one, and which portion of the rows each of them shows.

    As many whole ones as fit, or one more of fewer rows where that fits and trains on more rows in all.

    Parameters
    ----------
    left_s, training_s, validation_s : float
        Seconds that there are, and that training and validation take in an epoch of all rows.
    least : float
        The smallest portion, 0..1.
    """
    whole = int(left_s / (training_s + validation_s))
    portion = round(max(min((left_s / (whole + 1) - validation_s) / training_s, 1), least), 3)
    fits = (whole + 1) * (portion * training_s + validation_s) <= left_s + 0.001 * training_s
    if whole and not (fits and (whole + 1) * portion > whole):
        return whole, 1.0
    return whole + 1, portion


def plan_stages(
    transferred: bool,
    head_epochs: int | None,
    epochs: int | None,
    lr: float | None,
    lr_mult: float | None = None,
    last_epochs: int | None = None,
    schedule: str | None = None,
    published: tuple[Stage, ...] = (),
    of_digits: bool = False,
    digit_lr: float | None = DIGIT_LR,
) -> list[Stage]:
    """The stages of a transfer, before any learning-rate search.

    Parameters
    ----------
    transferred : bool
        Whether the body starts with knowledge; if not, there is no frozen stage.
    head_epochs, epochs : int or None
        Of the frozen and the unfrozen stage; None: the published recipe's, or the defaults.
    lr : float or None
        Peak rate of the head; None: the published recipe's, or left to a search, or from digits a rate that serves.
    lr_mult : float or None
        How many times smaller the first layers' rate is than the head's, once all are trained.
    last_epochs : int or None
        Of a published recipe's stage `last`.
    schedule : str or None
        Of every stage; None: their own one-cycles. Without `lr` those of steps are the head's in each of them.
    published : tuple of Stage
        Those of a published recipe, which take the place of the defaults.
    of_digits : bool
        Whether the body was trained on digits rather than on photographs.
    digit_lr : float or None
        The rate that serves from digits; None: a search decides there too.

    Raises
    ------
    InputError
        When head epochs or smaller rates are asked for and there is nothing to transfer, or the recipe has its own.
    """
    peak = peak_of(schedule) if schedule and lr is None else None
    lr = lr or peak
    if head_epochs and not transferred:
        raise InputError("--head-epochs needs weights to transfer; leave it out with --weights none")
    if lr_mult and not transferred:
        raise InputError("--lr-mult needs weights to transfer; leave it out with --weights none")
    if lr_mult and published:
        raise InputError("--lr-mult does not change a published recipe's rates; leave it out, or scale them by --lr")
    if published:
        wished = {"head": head_epochs, "all": epochs, "last": last_epochs}
        return _scheduled(_changed_stages(published, transferred, wished, lr), schedule, peak)
    if of_digits:
        head_epochs, lr, lr_mult = head_epochs or 0, lr or digit_lr, lr_mult or DIGIT_LR_MULT
    lr_mult = lr_mult or PHOTO_LR_MULT
    if not transferred:
        head_epochs = 0
    elif head_epochs is None:
        head_epochs = DEFAULT_HEAD_EPOCHS
    body = Stage(
        "all",
        DEFAULT_EPOCHS if epochs is None else epochs,
        frozen=False,
        lr=unfrozen_rates(lr, transferred, lr_mult) if lr else None,
        search=lr is None and head_epochs == 0,
        schedule=f"one-cycle:pct_start=0.3,div={5 if transferred else 25}",
        lr_mult=None if lr else lr_mult,
    )
    head = Stage(
        "head",
        head_epochs,
        frozen=True,
        lr=(lr, lr) if lr else None,
        search=lr is None,
        schedule="one-cycle:pct_start=0.99",  # nearly the whole stage warms up, as in fastai's fine_tune
    )
    return _scheduled([head, body] if head_epochs else [body], schedule, peak)


def unfrozen_rates(lr: float, transferred: bool, lr_mult: float) -> tuple[float, float]:
    """Peak rates of the first and the last layer group once all are trained, from the head's rate.

    As fastai's fine_tune: half the head's rate, and a fraction of that for the first layers, which need least change.
    """
    return (lr / 2 / lr_mult, lr / 2) if transferred else (lr, lr)


def _scheduled(stages: list[Stage], schedule: str | None, peak: float | None) -> list[Stage]:
    """The stages with the user's schedule, if there is one, and its peak as the last layer group's, if it has one."""
    if schedule:
        stages = [replace(stage, schedule=schedule) for stage in stages]
    if peak:
        scaled = [tuple(rate and rate * peak / stage.lr[1] for rate in stage.lr) for stage in stages]
        stages = [replace(stage, lr=rates, search=False) for stage, rates in zip(stages, scaled)]
    return stages


def _changed_stages(
    published: tuple[Stage, ...], transferred: bool, epochs: dict[str, int | None], lr: float | None
) -> list[Stage]:
    """Published stages with the user's epochs by the stage's name, 0 dropping it; `lr` scales all rates alike.

    A body that starts from nothing needs the head's rate: smaller rates for the first layers protect what they know.
    """
    stages = list(published)
    if not transferred:
        stages = [replace(stage, lr=(stage.lr[1], stage.lr[1])) for stage in published if not stage.frozen]
    stages = [stage if epochs[stage.name] is None else replace(stage, epochs=epochs[stage.name]) for stage in stages]
    stages = [stage for stage in stages if stage.epochs]
    if lr is not None:
        largest = max(stage.lr[1] for stage in (published if transferred else stages))
        stages = [replace(s, lr=tuple(rate and rate * lr / largest for rate in s.lr)) for s in stages]
    return stages
