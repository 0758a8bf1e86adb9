"""What a fit goes by, beside its stages."""

from dataclasses import dataclass

from ..recipes import Recipe
from .options import Keep, chosen_options

WITH_RECIPES = ("keep", "early_stopping", "min_delta", "clip_value", "clip_norm", "ema")  # the rest only users say


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


def chosen_rules(arguments: dict, recipe: Recipe | None) -> Rules:
    """The rules as a command was given them, else as the recipe has them, or without one as by default."""
    of_user = {name: arguments[name] for name in ("minutes", "tensorboard", "teachers")}
    return Rules(**chosen_options(WITH_RECIPES, arguments, recipe), **of_user)
