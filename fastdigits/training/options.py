"""The options of a training that are left out, as the recipe has them or else as by default; and the rules of a fit."""

from dataclasses import dataclass

from ..recipes import DEFAULT_EPOCHS, Recipe
from .arguments import Keep, TrainingArguments

# what makes the Learner; other options plan its stages, are a fit's rules, or say where to write
LEARNER_OPTIONS = (
    "size",
    "batch_size",
    "weights",
    "augment",
    "scaling",
    "optimizer",
    "label_smoothing",
    "balance",
    "reject",
    "styles",
    "precision",
    "seed",
)
RULES_OF_RECIPES = ("keep", "early_stopping", "min_delta", "clip_value", "clip_norm", "ema")  # the rest only users say
LEAST_STEPS = 120  # of the unfrozen stage by default: few rows are seen more often
SMALLEST_BATCH = 16  # of recipes; few rows take several steps an epoch all the same
SMALL_BATCH, FEW_ROWS = 32, 640  # fewer rows than that take the small one
DEFAULTS = {
    "batch_size": 64,
    "augment": "light",
    "scaling": "standardise",
    "optimizer": "fastai-adam",
    "schedule": "one-cycle",
    "keep": "last",
    "min_delta": 0.0,
    "label_smoothing": 0.0,
    "balance": False,
    "reject": False,
    "styles": False,
}


def default_batch_size(rows: int) -> int:
    """Pictures a step of a training on so many rows."""
    return SMALL_BATCH if rows < FEW_ROWS else DEFAULTS["batch_size"]


def default_epochs(rows: int, batch_size: int) -> int:
    """Epochs of a training on so many rows, with the whole network unfrozen."""
    return max(DEFAULT_EPOCHS, _epochs_of_steps(rows, batch_size))


def _epochs_of_steps(rows: int, batch_size: int) -> int:
    """Epochs that have LEAST_STEPS together."""
    return -(-LEAST_STEPS // max(1, rows // batch_size))


def enough_steps(recipe: Recipe, rows: int, batch_size: int | None) -> dict:
    """A batch size, that of the user if given, and epochs with which a recipe trains few rows often enough."""
    batch_size = batch_size or max(2, min(recipe.batch_size, max(SMALLEST_BATCH, rows // 8)))
    return {"batch_size": batch_size, "epochs": max(recipe.stages[0].epochs, _epochs_of_steps(rows, batch_size))}


def chosen_options(names: tuple[str, ...], given: dict, recipe: Recipe | None) -> dict:
    """The options called `names`: as given, else as the recipe has them, or without one as by default."""

    def fallback(name: str):
        return getattr(recipe, name, DEFAULTS.get(name)) if recipe else DEFAULTS.get(name)

    return {name: fallback(name) if given.get(name) is None else given[name] for name in names}


@dataclass(frozen=True)
class Rules:
    """What a fit goes by, beside its stages.

    Attributes
    ----------
    keep : Keep
        Whose epoch's weights are saved at the end.
    early_stopping : int or None
        Epochs without a valid loss lower by `min_delta` after which a stage ends; None or 0: it does not.
    clip_value, clip_norm : float or None
        Of gradients.
    ema : float or None
        Decay of the average of the weights that takes their place; None or 0: it does not.
    teachers : list of str or None
        Models whose answers are learnt too.
    minutes : float or None
        What the last stage's epochs are set by.
    tensorboard : bool
    """

    keep: Keep
    early_stopping: int | None
    min_delta: float
    clip_value: float | None
    clip_norm: float | None
    ema: float | None
    minutes: float | None
    tensorboard: bool
    teachers: list[str] | None = None


def chosen_rules(arguments: TrainingArguments, recipe: Recipe | None) -> Rules:
    """The rules as a command was given them, else as the recipe has them, or without one as by default."""
    of_user = {name: getattr(arguments, name) for name in ("minutes", "tensorboard", "teachers")}
    return Rules(**chosen_options(RULES_OF_RECIPES, vars(arguments), recipe), **of_user)
