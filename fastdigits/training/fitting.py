"""Training as the commands do it: which of the two ways a name takes, and one run or one for each fold."""

from pathlib import Path

from ..folders import TRAIN, VALID, ImageFolder, ground_of_split
from ..recipes import RECIPES
from ..sources import Notes
from .arguments import FinetuneArguments, TrainArguments, TrainingArguments
from .folds import FoldResult, fit_folds
from .method import Method
from .result import Result
from .run import fit_run
from .scratch import Scratch
from .transfer import Transfer


def command_of(name: str) -> str:
    """The command that trains `name`: train for a scratch recipe, else finetune."""
    recipe = RECIPES.get(name.partition(":")[0])
    return recipe.command if recipe else FinetuneArguments.command


def method_of(name: str, data: Path, *, lasting: bool = True, **options) -> Method:
    """The way in which `name` is trained, with options of its command.

    Parameters
    ----------
    lasting : bool
        Whether a run is kept, and so gets figures and a checkpoint after every epoch.

    Raises
    ------
    InputError
        When an option makes no sense.
    """
    if command_of(name) == TrainArguments.command:
        return Scratch(TrainArguments(name, data, **options), lasting)
    return Transfer(FinetuneArguments(name, data, **options), lasting)


def fit(method: Method) -> Result | FoldResult:
    """Train with the arguments of a command: one run, or where they name folds one for each of them."""
    arguments, folder = method.arguments, method.folder()
    _notice(folder, arguments)
    if arguments.folds is None and arguments.repeats == 1:
        out = arguments.out or Path("runs", f"{method.name}-{arguments.data.name}")
        return fit_run(method.training(folder), out, arguments.resume, arguments.overwrite)
    return fit_folds(method, folder, arguments.out or Path("runs", f"{method.name}-{arguments.data.name}-folds"))


def _notice(folder: ImageFolder, arguments: TrainingArguments) -> None:
    """Say what is noticed about a folder before it is trained on; what was noticed when it was made was said then."""
    notes = Notes() if folder.manifest else Notes(folder.notes)
    if VALID not in folder.splits and arguments.folds is None:
        notes.add(f"{folder.path} has no valid pictures, so nothing measures the accuracy of this training")
    if ground_of_split(folder, TRAIN) == "light":
        notes.add(f"{folder.path} has dark digits on a light ground; the model learns them so, and turns others to it")
    if arguments.strict:
        notes.refuse()
    notes.say()
    folder.notes.add(*notes)
