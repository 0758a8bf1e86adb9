"""The published recipes: one table of what each trains, how, on which split, and what it reached."""

import difflib
from dataclasses import dataclass

from .errors import InputError
from .splitting import SplitMethod
from .stages import Stage

MNIST, KANNADA = "MNIST", "Kannada-MNIST"


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
class Split:
    """How the recipe's rows were split; arguments of `convert`."""

    method: SplitMethod
    valid: float
    seed: int = 5


@dataclass(frozen=True)
class Recipe:
    """What `train NAME` or `finetune NAME` takes unless a flag says otherwise.

    Attributes
    ----------
    arch : str
    published : Published
    split : Split
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
        last, best or lowest-loss: whose epoch's weights are saved.
    """

    arch: str
    published: Published
    split: Split
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

    @property
    def command(self) -> str:
        return "finetune" if self.weights == "pretrained" else "train"


def _one_stage(epochs: int, lr: float, schedule: str = "constant") -> tuple[Stage, ...]:
    return (Stage("all", epochs, frozen=False, lr=(lr, lr), schedule=schedule),)


_OF_FIRST_THOUSAND = Split("first", 1000)
_SPLIT_ASSUMED = "split not published (here the first 1,000 rows)"

RECIPES = {
    "conv-elu": Recipe(
        "conv-elu",
        Published(MNIST, 2022, 0.9924, 8_400, best=0.9929, parameters=128_938),
        Split("random", 0.2, seed=141),
        _one_stage(25, 0.01, "steps:0=0.01,5=0.005,10=0.003,15=0.001,20=0.0001"),
        batch_size=32,
        clip_value=1.0,
        clip_norm=1.0,
    ),
    "conv5-bn": Recipe(
        "conv5-bn",
        Published(
            MNIST,
            2020,
            0.9919,
            4_200,
            best=0.9952,
            parameters=2_817_578,
            caveat="0.9954 on Kaggle after 500 epochs on 80/20; its own 80/20 scores began with weights "
            "that had seen those rows",
        ),
        Split("random", 0.1, seed=42),
        _one_stage(20, 1.0),
        batch_size=128,
        optimizer="adadelta",
    ),
    "mlp-300-100": Recipe(
        "mlp-300-100",
        Published(MNIST, 2023, 0.9790, 5_000, best=0.9806, gone_on=0.9802, parameters=266_610),
        Split("first", 5000),
        _one_stage(30, 0.01),
        batch_size=32,
        optimizer="sgd",
        early_stopping=5,
        keep="lowest-loss",
    ),
    "conv5x5": Recipe(
        "conv5x5",
        Published(
            MNIST,
            2022,
            0.98905,
            4_200,
            augmented=0.99238,
            parameters=857_930,
            caveat="the notebook kept the last epoch that lowered the valid loss by 0.005, ours keeps the lowest",
        ),
        Split("random", 0.1, seed=15),
        _one_stage(40, 1e-4, "plateau:factor=0.1,patience=3"),
        batch_size=32,
        early_stopping=10,
        min_delta=0.005,
        keep="lowest-loss",
    ),
    "conv5x5-tuned": Recipe(
        "conv5x5-tuned",
        Published(
            MNIST,
            2022,
            0.99738,
            4_200,
            parameters=755_146,
            caveat="the best of 90 trials, on the rows that it was chosen on; its dropouts are not published (here "
            "0.25 after blocks, 0.5 before the last layer), nor are rate, schedule, batch and stopping (here those of "
            "conv5x5)",
        ),
        Split("random", 0.1, seed=15),
        _one_stage(50, 1e-4, "plateau:factor=0.1,patience=3"),
        batch_size=32,
        augment="conv5x5",
        early_stopping=10,
        min_delta=0.005,
        keep="lowest-loss",
    ),
    "dnn-he": Recipe(
        "dnn-he",
        Published(
            KANNADA,
            2020,
            0.983,
            1_000,
            caveat="sizes, dropout, rate and batch are not published (here 300 and 100, 0.2, 0.001, 32)",
        ),
        _OF_FIRST_THOUSAND,
        _one_stage(20, 1e-3),
        batch_size=32,
    ),
    "dnn-tuned": Recipe(
        "dnn-tuned",
        Published(
            KANNADA,
            2020,
            0.978,
            1_000,
            caveat=f"0.91 on Kaggle; chosen by grid search on its rows; {_SPLIT_ASSUMED}",
        ),
        _OF_FIRST_THOUSAND,
        _one_stage(30, 1e-3),
        batch_size=10,
        optimizer="nadam",
        early_stopping=5,
    ),
    "conv3-pool": Recipe(
        "conv3-pool",
        Published(
            KANNADA,
            2020,
            0.991,
            1_000,
            best=0.995,
            parameters=105_346,
            caveat=f"0.95 on Kaggle; a warm start, so more than its 20 epochs; {_SPLIT_ASSUMED}",
        ),
        _OF_FIRST_THOUSAND,
        _one_stage(20, 1e-3),
        batch_size=32,
    ),
    "dcnn-prelu": Recipe(
        "dcnn-prelu",
        Published(
            KANNADA,
            2020,
            0.983,
            1_000,
            best=0.994,
            parameters=3_747_002,
            caveat=f"0.96 on Kaggle; stopped after 33 epochs and a warm start; {_SPLIT_ASSUMED}",
        ),
        _OF_FIRST_THOUSAND,
        _one_stage(100, 0.1),
        batch_size=32,
        optimizer="sgd",
        early_stopping=8,
    ),
    "conv8-leaky": Recipe(
        "conv8-leaky",
        Published(
            KANNADA,
            2020,
            0.9962,
            3_200,
            best=0.9969,
            parameters=1_924_106,
            caveat="validated on 3,200 of its 12,000 valid rows",
        ),
        Split("random", 0.2, seed=42),
        _one_stage(40, 0.002, "plateau:factor=0.25,patience=2,min_delta=1e-4,floor=1e-5,monitor=train_loss"),
        batch_size=64,
        optimizer="rmsprop:rho=0.9,momentum=0.1,centred=1",
        augment="conv8-leaky",
    ),
    # its lr_find runs before the frozen and before the unfrozen stage; the rates are the published ones
    "resnet50-kannada": Recipe(
        "resnet50",
        Published(KANNADA, 2020, 0.9918, 6_000, caveat="0.98 on Kaggle; the notebook left mirroring on, ours does not"),
        Split("stratified", 0.1, seed=5),
        (
            Stage("head", 4, frozen=True, lr=(1e-2, 1e-1), search=True),
            Stage("all", 5, frozen=False, lr=(2e-6, 2e-3), search=True),
            Stage("last", 3, frozen=False, lr=(None, 2e-6)),
        ),
        batch_size=64,
        optimizer="fastai-adam",
        size=32,
        weights="pretrained",
        augment="resnet50-kannada",
        scaling="standardise",
    ),
}


def find_recipe(name: str, command: str | None = None) -> Recipe:
    """The recipe called `name`; InputError when there is none, or it belongs to another command than `command`."""
    if name not in RECIPES:
        known = [key for key, recipe in RECIPES.items() if command in (None, recipe.command)]
        near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
        hint = f"near are {', '.join(near)}; " if near else ""
        raise InputError(f"{name!r} is no recipe; {hint}there are {', '.join(known)}")
    recipe = RECIPES[name]
    if command and recipe.command != command:
        raise InputError(f"{name} is a recipe of `fastdigits {recipe.command}`; run that")
    return recipe
