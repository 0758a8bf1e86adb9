"""The options of training: which there are, what they are by default, and what makes no sense."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..folders import VALID, ImageFolder, check_normalise, read_folder
from ..models import DESCRIPTION_FILE, model_folder, read_description
from ..recipes import Recipe
from ..system import InputError, Precision, check_seed, plain_number

Keep = Literal["last", "best", "lowest-loss", "last-fall"]
Scaling = Literal["normalise", "centre", "standardise"]
OnEpoch = Annotated[Callable[[dict], None] | None, Parameter(parse=False)]  # of Python, not of the command line

# what plans a transfer's stages, and what makes the Learner; other options are a fit's rules, or say where to write
STAGE_OPTIONS = ("epochs", "head_epochs", "last_epochs", "lr", "lr_mult", "schedule")
LEARNER_OPTIONS = (
    "size",
    "batch_size",
    "weights",
    "augment",
    "scaling",
    "optimizer",
    "label_smoothing",
    "precision",
    "seed",
)
BY_VALID = "best, lowest-loss or last-fall"
NOT_RECORDED = ("resume", "overwrite", "out", "on_epoch")  # where to write and how, and who listens
DEFAULTS = {
    "batch_size": 64,
    "augment": "light",
    "scaling": "standardise",
    "optimizer": "fastai-adam",
    "schedule": "one-cycle",
    "keep": "last",
    "min_delta": 0.0,
    "label_smoothing": 0.0,
}
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


def check_options(options: dict) -> None:
    """InputError for an option (name to value or None) that makes no sense."""
    check_seed(options["seed"])
    for name, accepted in CHECKED_WORDS.items():
        if options.get(name) is not None and options[name] not in accepted:
            raise InputError(f"--{name} {options[name]!r} is unknown; accepted are {', '.join(accepted)}")
    for name, (least, allowed) in CHECKED_NUMBERS.items():
        value = options.get(name)
        if value is not None and not (math.isfinite(value) and (value >= least if allowed else value > least)):
            accepted = f"{least} or more" if allowed else f"a number above {least}"
            raise InputError(f"--{name.replace('_', '-')} {value} makes no sense; accepted is {accepted}")
    for name in BELOW_ONE:
        if options.get(name) is not None and not 0 <= options[name] < 1:
            flag = name.replace("_", "-")
            raise InputError(f"--{flag} {options[name]} makes no sense; accepted are 0 or more and below 1")


def chosen_options(names: tuple[str, ...], given: dict, recipe: Recipe | None) -> dict:
    """The options called `names`: as given, else as the recipe has them, or without one as by default."""

    def fallback(name: str):
        return getattr(recipe, name, None) if recipe else DEFAULTS.get(name)

    return {name: fallback(name) if given.get(name) is None else given[name] for name in names}


def given_arguments(given: dict) -> dict:
    """What a command was called with, checked, as run.json holds it: without what says where to write and how."""
    arguments = {name: plain_number(value) for name, value in given.items() if name not in NOT_RECORDED}
    arguments |= {"data": str(Path(given["data"])), "weights": str(given["weights"])}
    if given.get("teachers"):
        arguments["teachers"] = [str(teacher) for teacher in given["teachers"]]
    if given.get("minutes") is not None and given.get("epochs") is not None:
        raise InputError("--minutes sets the epochs itself; leave out --epochs")
    if given.get("folds") and given.get("minutes"):
        raise InputError("--minutes are those of one training; with --folds leave them out and pass --epochs")
    check_options(arguments)
    return arguments


def check_valid(folder: ImageFolder, early_stopping: int | None, keep: str | None) -> None:
    """InputError when a folder without valid pictures is to be judged by them."""
    if VALID not in folder.splits and (early_stopping or keep not in (None, "last")):
        raise InputError(f"{folder.path} has no valid pictures, which early stopping and --keep {BY_VALID} need")


def training_folder(data: Path, normalise: bool | None, models: list[str]) -> ImageFolder:
    """The image folder to train on; one made by hand is normalised if wished, or if that of one of `models` was.

    Parameters
    ----------
    models : list of str
        Starting weights and teachers.
    """
    if normalise is None:
        return read_folder(data, any(_is_normalising(model) for model in models))
    folder = read_folder(data, normalise)
    check_normalise(folder, normalise)
    return folder


def _is_normalising(model: str) -> bool:
    place = model_folder(model)
    return (place / DESCRIPTION_FILE).is_file() and read_description(place).get("normalise", False)
