"""What a user names to be predicted: of a data set or a folder the part that is there for it."""

from pathlib import Path

from ..folders import MANIFEST, TEST, read_folder, split_source
from ..photos import PICTURE_ENDINGS, Ground, is_picture, left_out, list_pictures, picture_ids
from ..sources import (
    Notes,
    PixelSource,
    has_pictures,
    holds_tables,
    is_competition,
    is_picture_folder,
    is_trained_on,
    open_source,
    open_tables,
    picture_files_source,
    through_gate,
)
from ..system import InputError


def table_to_predict(sources: list[str], label_column: str | None = None, ground: Ground = "auto") -> PixelSource:
    """The table to predict: of a competition's zip or a whole data set the part that is there to be predicted."""
    for source in sources:
        if Path(source).is_dir() and not holds_tables(Path(source)):
            raise InputError(f"{source} is no table; --also and --shard are for tables of pixels")
    return open_tables(sources, to_predict=True, label_column=label_column, ground=ground)


def source_to_predict(
    source: str,
    also: list[str] | None = None,
    *,
    normalise: bool = False,
    label_column: str | None = None,
    ground: Ground = "auto",
) -> PixelSource:
    """All pictures to predict of a table, a picture, a folder of pictures or an image folder.

    Parameters
    ----------
    source : str
    also : list of str, optional
        More tables.
    normalise : bool
        Bring picture files to the form of MNIST's.
    label_column, ground : str
        As of `open_source`.
    """
    path = Path(source)
    if also or (not path.exists() and not is_picture(path)):  # a pattern, or a name such as sklearn:digits
        return table_to_predict([source, *(also or [])], label_column, ground)
    found = _pictures_to_predict(path, normalise, ground)
    if found is not None:
        if label_column:
            raise InputError(f"--label-column is for tables with a header line, and {source} is none; leave it out")
        return found
    table = open_source(source, None, normalise and is_picture_folder(path), label_column, ground)
    return table.test or table  # of a competition's zip or a whole data set, the part that is there to be predicted


def _pictures_to_predict(path: Path, normalise: bool, ground: Ground) -> PixelSource | None:
    """A picture, a folder of pictures without labels, or the test pictures of an image folder; None for all else."""
    if is_picture(path) and not path.is_dir():
        return _of_files(path.name, [path], [path.name], normalise, ground, own_ids=False)  # row 1 of a submission
    has_tables = path.is_dir() and is_competition(path)  # which count for more than pictures beside them
    # but not for more than an image folder's own
    if (path / MANIFEST).is_file() or ((path / TEST).is_dir() and (is_trained_on(path) or not has_tables)):
        return split_source(read_folder(path, normalise), TEST, ground)
    files = list_pictures(path)
    if files and not has_tables:
        return _of_files(path.name, files, picture_ids(files), normalise, ground, notes=Notes(left_out(path)))
    if path.is_dir() and not holds_tables(path) and not has_pictures(path):
        raise InputError(f"{path} holds no pictures; pass a folder of {', '.join(PICTURE_ENDINGS)} files or a table")
    return None


def _of_files(name: str, files: list[Path], ids: list[str], normalise: bool, ground: Ground, **options) -> PixelSource:
    found = picture_files_source(name, files, ids, None, normalise=normalise, ground=ground, **options)
    return through_gate(found, "dark" if normalise else ground)
