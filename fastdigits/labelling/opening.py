"""From what the user names to a labelling: the pictures, what was said of them before, and who chooses."""

from pathlib import Path

from ..answers import Inference, open_model
from ..folders import TEST, is_image_folder, labelled_source, read_folder, split_source
from ..photos import Ground, natural_order
from ..sources import PixelSource, open_source, open_tables
from ..system import InputError
from .planning import Order, Planner, SuspectPlanner
from .pool import Pool
from .sheets import sheets_source

DIGITS = [str(digit) for digit in range(10)]


def source_to_label(
    source: str | Path,
    out: Path,
    suspects: bool = False,
    sheets: bool = False,
    normalise: bool = False,
    ground: Ground = "auto",
) -> PixelSource:
    """The pictures to label, or with `suspects` those whose labels are to be looked at.

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
        if suspects or normalise:
            raise InputError(f"--sheets goes without {'--suspects' if suspects else '--normalise'}")
        return sheets_source(path, out)
    if path.is_dir() and is_image_folder(path):
        folder = read_folder(path, normalise)
        return labelled_source(folder, ground) if suspects else split_source(folder, TEST, ground)
    table = open_source(path, None, True, None, ground) if normalise else open_tables([source], ground=ground)
    if suspects and not table.has_labels:
        raise InputError(f"{table.name} has no labels that could be wrong; leave out --suspects")
    if not suspects and table.has_labels:
        if table.test is None:
            raise InputError(f"{table.name} has labels already; pass --suspects to look at those that may be wrong")
        return table.test
    return table


def classes_to_label(pool: Pool, classes: list[str] | None, model: str | None, suspects: bool) -> list[str]:
    """The classes that are asked for: those of the labels to be looked at; else as given, the model's, or the digits.

    Raises
    ------
    InputError
        When a class is given twice, or there is only one.
    """
    if suspects:
        chosen = sorted(set(pool.labels) | set(classes or ()), key=natural_order)
    else:
        chosen = list(classes or (open_model(model).classes if model else DIGITS))
    if len(set(chosen)) < max(2, len(chosen)):
        raise InputError(f"the classes {' '.join(chosen)} make no sense; name two or more, each once")
    return chosen


def planner_of(
    pool: Pool, classes: list[str], order: Order, model: str | None, suspects: bool
) -> Planner | SuspectPlanner:
    """Who chooses among the pictures of a pool; InputError when the model does not know a class."""
    if order not in Order.__args__:
        raise InputError(f"--order {order!r} is unknown; accepted are {', '.join(Order.__args__)}")
    inference = None
    if model is not None:
        inference = Inference([open_model(model)])
        missing = [name for name in classes if name not in inference.classes]
        if missing:
            raise InputError(f"{model} knows no class {missing[0]!r}; it tells {', '.join(inference.classes)}")
    if suspects:
        return SuspectPlanner(pool, classes, inference)
    return Planner(pool, classes, order, inference)
