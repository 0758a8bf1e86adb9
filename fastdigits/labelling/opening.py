"""From what the user names to a labelling: the pictures, what was said of them before, and who chooses."""

from dataclasses import dataclass
from pathlib import Path

from ..answers import Inference, open_model
from ..folders import TEST, check_name, is_image_folder, labelled_source, read_folder, split_source
from ..photos import Ground, natural_order
from ..sources import PixelSource, open_source, open_tables
from ..system import InputError
from .order import Order
from .planning import Planner, SuspectPlanner
from .pool import Pool
from .sheets import sheets_source

TEN_DIGITS = [str(digit) for digit in range(10)]


def source_to_label(
    source: str | Path,
    out: Path,
    suspects: bool = False,
    sheets: bool = False,
    normalise: bool = False,
    ground: Ground = "auto",
) -> tuple[PixelSource, bool]:
    """The pictures to label, or with `suspects` those with labels; and whether they have the form of MNIST's.

    Parameters
    ----------
    source : str or Path
        A table, a folder of pictures, or an image folder: its test pictures, or with `suspects` its train and valid
        ones.
    out : Path
        Where the digits of sheets are kept.
    suspects, sheets, normalise : bool
    ground : {'auto', 'dark', 'light'}

    Raises
    ------
    InputError
        When there are no pictures of that kind.
    """
    path = Path(source)
    if sheets:
        for option, is_given in (("--suspects", suspects), ("--normalise", normalise), ("--ground", ground != "auto")):
            if is_given:
                raise InputError(f"--sheets goes without {option}")
        return sheets_source(path, out), True
    if path.is_dir() and is_image_folder(path):
        folder = read_folder(path, normalise)
        if suspects:
            return labelled_source(folder, ground), folder.is_normalised
        if TEST in folder.splits and folder.split(TEST).labels:
            raise InputError(f"{path / TEST} has labels already; pass --suspects to look at those of train and valid")
        return split_source(folder, TEST, ground), folder.is_normalised
    table = open_source(path, None, True, None, ground) if normalise else open_tables([source], ground=ground)
    if suspects and not table.has_labels:
        raise InputError(f"{table.name} has no labels that could be wrong; leave out --suspects")
    if not suspects and table.has_labels:
        if table.test is None:
            raise InputError(f"{table.name} has labels already; pass --suspects to look at those that may be wrong")
        return table.test, normalise
    return table, normalise


@dataclass
class Opened:
    """What a labelling begins with.

    Attributes
    ----------
    pool : Pool
        Read already where labels are looked at.
    planner : Planner or SuspectPlanner
    is_normalised : bool
        Whether the pictures have the form of MNIST's, as photos are brought to.
    can_be_tuned : bool
        Whether the model that was named can be trained on.
    """

    pool: Pool
    planner: Planner | SuspectPlanner
    is_normalised: bool
    can_be_tuned: bool


def open_labelling(
    source: str | Path,
    out: Path,
    model: str | None,
    *,
    suspects: bool = False,
    order: Order = "auto",
    classes: list[str] | None = None,
    sheets: bool = False,
    normalise: bool = False,
    ground: Ground = "auto",
) -> Opened:
    """Open what `label` and `label_queue` are asked for.

    Raises
    ------
    InputError
        When the source, the model, the classes or the order are wrong.
    """
    if order not in Order.__args__:
        raise InputError(f"--order {order!r} is unknown; accepted are {', '.join(Order.__args__)}")
    if suspects and order != "auto":
        raise InputError("--suspects has an order of its own; leave out --order")
    pictures, is_normalised = source_to_label(source, out, suspects, sheets, normalise, ground)
    pool, inference = Pool(pictures), None
    if suspects:
        pool.read()
    opened = open_model(model) if model is not None else None
    names = classes_to_label(pool, classes, opened.classes if opened else None, suspects)
    if opened is not None:
        missing = [name for name in names if name not in opened.classes]
        if missing:
            raise InputError(f"{model} knows no class {missing[0]!r}; it tells {', '.join(opened.classes)}")
        inference = Inference([opened])
    planner = SuspectPlanner(pool, names, inference) if suspects else Planner(pool, names, order, inference)
    return Opened(pool, planner, is_normalised, opened is not None and opened.in_torch)


def classes_to_label(pool: Pool, classes: list[str] | None, of_model: list[str] | None, suspects: bool) -> list[str]:
    """The classes that are asked for: those of the labels to be looked at; else as given, the model's, or the digits.

    Raises
    ------
    InputError
        When a class is given twice or cannot be the name of a folder, or there is only one.
    """
    if suspects:
        chosen = sorted(set(pool.labels) | set(classes or ()), key=natural_order)
    else:
        chosen = list(classes or of_model or TEN_DIGITS)
    if len(set(chosen)) < max(2, len(chosen)):
        raise InputError(f"the classes {' '.join(chosen)} make no sense; name two or more, each once")
    for name in chosen:
        check_name(name, "class", "--classes")
        if name.startswith("("):
            raise InputError(f"--classes: {name!r} begins with a bracket, as what is no class does; name it otherwise")
    return chosen
