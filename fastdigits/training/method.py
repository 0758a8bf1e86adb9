"""How a command trains with its arguments: on which folder, and what on it."""

from ..folders import VALID, ImageFolder, check_normalise, read_folder
from ..models import DESCRIPTION_FILE, Backbone, model_folder, read_description
from ..system import InputError
from .arguments import TrainingArguments
from .run import Training

BY_VALID = "best, lowest-loss or last-fall"


class Method:
    """What a command does with its arguments, which are checked when it is made, as far as they need no data.

    Attributes
    ----------
    arguments : TrainingArguments
    lasting : bool
        Whether a run is kept, and so gets figures and a checkpoint after every epoch.
    name : str
        Of the run directory, unless the user names it.
    backbone : Backbone
    """

    name: str
    backbone: Backbone

    def __init__(self, arguments: TrainingArguments, lasting: bool = True):
        self.arguments, self.lasting = arguments, lasting

    def folder(self) -> ImageFolder:
        """The image folder to train on; one made by hand is normalised if wished, or if that of a model used was."""
        data, wished = self.arguments.data, self.arguments.normalise
        if wished is None:
            return read_folder(data, any(_is_normalising(model) for model in self.arguments.models))
        folder = read_folder(data, wished)
        check_normalise(folder, wished)
        return folder

    def training(self, folder: ImageFolder, **changes) -> Training:
        """What is trained on a folder; `changes` to the arguments, such as a fold's number, are recorded with them."""
        arguments = self.arguments
        if VALID not in folder.splits and (arguments.early_stopping or arguments.keep not in (None, "last")):
            raise InputError(f"{folder.path} has no valid pictures, which early stopping and --keep {BY_VALID} need")
        record = arguments.record() | changes
        chosen = self.choose(folder, record)
        return Training(folder, self.backbone, record, **chosen, on_epoch=arguments.on_epoch, lasting=self.lasting)

    def choose(self, folder: ImageFolder, record: dict) -> dict:
        """Of a Training its options, plan and rules, by what the user, the recipe and the folder say."""
        raise NotImplementedError


def _is_normalising(model: str) -> bool:
    place = model_folder(model)
    return (place / DESCRIPTION_FILE).is_file() and read_description(place).get("normalise", False)
