"""Which of the two ways of training a name takes: from nothing as `train` does, or as `finetune` does."""

from pathlib import Path

from ..recipes import RECIPES
from .arguments import FinetuneArguments, TrainArguments
from .scratch import Scratch
from .transfer import Transfer

Method = Scratch | Transfer


def command_of(name: str) -> str:
    """The command that trains `name`: train for a scratch recipe, else finetune."""
    recipe = RECIPES.get(name.partition(":")[0])
    return recipe.command if recipe else "finetune"


def method_of(name: str, data: Path, *, draw: bool = True, **options) -> Method:
    """The way in which `name` is trained, with options of its command.

    Parameters
    ----------
    draw : bool
        Whether a run gets its figures.

    Raises
    ------
    InputError
        When an option makes no sense.
    """
    if command_of(name) == TrainArguments.command:
        return Scratch(TrainArguments(name, data, **options), draw)
    return Transfer(FinetuneArguments(name, data, **options), draw)
