"""How the learning rate goes on through a stage: `constant`, `one-cycle`, `steps` by epoch, or down on a `plateau`."""

from dataclasses import dataclass

from ..system import InputError, read_spec, with_settings

LOSSES = ("valid_loss", "train_loss")
SCHEDULES = {
    "constant": {},
    "one-cycle": {"pct_start": 0.25, "div": 25.0},
    "steps": None,
    "plateau": {"factor": 0.1, "patience": 10.0, "min_delta": 1e-4, "floor": 0.0, "monitor": LOSSES[0]},
}


@dataclass(frozen=True)
class OneCycle:
    """Up and down again within the stage, by batch (Smith and Topin 2017, arXiv:1708.07120).

    Attributes
    ----------
    pct_start, div : float
        Share of the stage in which the rate rises, and the peak over the first rate.
    """

    pct_start: float
    div: float


@dataclass(frozen=True)
class Constant:
    """One rate throughout."""

    def rate(self, lr: float, history: list[dict]) -> float:
        return lr


@dataclass(frozen=True)
class Steps:
    """Constant pieces.

    Attributes
    ----------
    rates : dict of int to float
        The rate from that epoch on, the first epoch being 0.
    """

    rates: dict[int, float]

    @property
    def peak(self) -> float:
        return max(self.rates.values())

    def rate(self, lr: float, history: list[dict]) -> float:
        """That of the epoch after those in `history`, all rates scaled so that their peak is `lr`."""
        return self.rates[max(epoch for epoch in self.rates if epoch <= len(history))] * lr / self.peak


@dataclass(frozen=True)
class Plateau:
    """Smaller by `factor` whenever the loss has not fallen by `min_delta` for `patience` epochs, down to `floor`.

    Keras's ReduceLROnPlateau: it lowers the rate after `patience` such epochs, where torch's waits for one more.
    """

    factor: float
    patience: float
    min_delta: float
    floor: float
    monitor: str

    def rate(self, lr: float, history: list[dict]) -> float:
        """The rate that the rows of the stage so far lead to, so that a resumed run has nothing to remember."""
        lowest, waited = float("inf"), 0
        for row in history:
            if row[self.monitor] < lowest - self.min_delta:
                lowest, waited = row[self.monitor], 0
            else:
                waited += 1
            if waited >= self.patience:
                lr, waited = min(lr, max(lr * self.factor, self.floor)), 0
        return lr


EpochSchedule = Constant | Steps | Plateau


def find_schedule(text: str) -> OneCycle | EpochSchedule:
    """The schedule that a text such as `one-cycle`, `steps:0=0.01,5=0.001` or `plateau:patience=3` names.

    Raises
    ------
    InputError
        When it names none, or with values that make no sense.
    """
    name, settings = read_spec("--schedule", text, SCHEDULES)
    if name == "constant":
        return Constant()
    if name == "one-cycle":
        if not (0 < settings["pct_start"] < 1 and settings["div"] >= 1):
            raise InputError(f"--schedule {text} makes no sense; accepted are 0 < pct_start < 1 and div of 1 or more")
        return OneCycle(**settings)
    if name == "steps":
        rates = {int(epoch): rate for epoch, rate in settings.items()}
        if 0 not in rates or min(rates.values()) <= 0:
            raise InputError(f"--schedule {text} makes no sense; give the rate from epoch 0 on, and rates above 0")
        return Steps(dict(sorted(rates.items())))
    return _plateau(text, settings)


def peak_of(text: str) -> float | None:
    """The peak rate that a schedule brings with it, as steps do; None of the others, which take any."""
    schedule = find_schedule(text)
    return schedule.peak if isinstance(schedule, Steps) else None


def without_valid(text: str) -> str:
    """The same schedule where no valid pictures are: a plateau is then one of the train loss."""
    schedule = find_schedule(text)
    if not (isinstance(schedule, Plateau) and schedule.monitor == "valid_loss"):
        return text
    return with_settings(text, "monitor=train_loss")


def _plateau(text: str, settings: dict) -> Plateau:
    if settings["monitor"] not in LOSSES:
        raise InputError(f"--schedule {text}: monitor is {settings['monitor']!r}; accepted are {', '.join(LOSSES)}")
    if not (0 < settings["factor"] < 1 and settings["patience"] >= 1):
        raise InputError(f"--schedule {text} makes no sense; accepted are 0 < factor < 1 and patience of 1 or more")
    return Plateau(**settings)
