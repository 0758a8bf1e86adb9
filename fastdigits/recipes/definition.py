"""What a recipe is: a network, how it is trained, on which split, and what it reached where it was published."""

from dataclasses import dataclass

from ..folders import SplitRule
from .stages import Stage


@dataclass(frozen=True)
class Published:
    """What a notebook reached.

    Attributes
    ----------
    table : str
        Whose rows: MNIST (as Kaggle's Digit Recognizer or whole) or Kannada-MNIST.
    year : int
    accuracy : float
        On its valid rows, of the weights that it ended with.
    valid_rows : int
        How many those were; a thousand where the notebook does not say.
    best : float or None
        Of its best epoch.
    augmented : float or None
        As `accuracy`, with the recipe's augmentation switched on.
    gone_on : float or None
        As `accuracy`, after going on from the best weights with the same recipe.
    parameters : int or None
        Trainable ones, where they were published.
    caveat : str
        What to know before comparing.
    """

    table: str
    year: int
    accuracy: float
    valid_rows: int
    best: float | None = None
    augmented: float | None = None
    gone_on: float | None = None
    parameters: int | None = None
    caveat: str = ""


@dataclass(frozen=True)
class Recipe:
    """What `train NAME` or `finetune NAME` takes unless a flag says otherwise.

    Attributes
    ----------
    arch : str
    published : Published or None
        None for a recipe of our own.
    split : SplitRule
    stages : tuple of Stage
        A scratch recipe has one.
    batch_size : int
    optimizer : str
        As `find_optimizer` reads it.
    size : int
        Pixels.
    weights : 'none' or 'pretrained'
    augment : str
    scaling : str
        normalise, centre or standardise; with pretrained weights their own.
    clip_value, clip_norm : float or None
        Largest value of a gradient, largest norm of each tensor's gradient.
    early_stopping : int or None
        Epochs in a row whose valid loss is not lower by `min_delta`.
    min_delta : float
    keep : str
        last, best, lowest-loss or last-fall: whose epoch's weights are saved.
    label_smoothing : float
        Share of each label's weight that is spread over all classes.
    ema : float or None
        Decay of the moving average of the weights that is validated and saved.
    """

    arch: str
    published: Published | None
    split: SplitRule
    stages: tuple[Stage, ...]
    batch_size: int
    optimizer: str = "adam"
    size: int = 28
    weights: str = "none"
    augment: str = "none"
    scaling: str = "normalise"
    clip_value: float | None = None
    clip_norm: float | None = None
    early_stopping: int | None = None
    min_delta: float = 0.0
    keep: str = "last"
    label_smoothing: float = 0.0
    ema: float | None = None

    @property
    def command(self) -> str:
        return "finetune" if self.weights == "pretrained" else "train"


def one_stage(epochs: int, lr: float, schedule: str = "constant") -> tuple[Stage, ...]:
    """The one stage of a network that starts from nothing."""
    return (Stage("all", epochs, frozen=False, lr=(lr, lr), schedule=schedule),)
