"""The image folder that a training is about: read as its models want it, and with what judges it."""

from ..folders import VALID, ImageFolder, check_normalise, read_folder
from ..models import DESCRIPTION_FILE, model_folder, read_description
from ..system import InputError
from .arguments import TrainingArguments

BY_VALID = "best, lowest-loss or last-fall"


def training_folder(arguments: TrainingArguments) -> ImageFolder:
    """The image folder to train on; one made by hand is normalised if wished, or if that of a model learnt from was."""
    if arguments.normalise is None:
        return read_folder(arguments.data, any(_is_normalising(model) for model in arguments.models))
    folder = read_folder(arguments.data, arguments.normalise)
    check_normalise(folder, arguments.normalise)
    return folder


def check_valid(folder: ImageFolder, arguments: TrainingArguments) -> None:
    """InputError when a folder without valid pictures is to be judged by them."""
    if VALID not in folder.splits and (arguments.early_stopping or arguments.keep not in (None, "last")):
        raise InputError(f"{folder.path} has no valid pictures, which early stopping and --keep {BY_VALID} need")


def _is_normalising(model: str) -> bool:
    place = model_folder(model)
    return (place / DESCRIPTION_FILE).is_file() and read_description(place).get("normalise", False)
