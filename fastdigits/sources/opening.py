"""From what the user typed to a PixelSource."""

import glob
import re
from pathlib import Path

from ..photos import Ground, is_picture, list_pictures
from ..system import InputError
from .arrays import files_in, idx_set_source, idx_source, npz_source
from .gate import through_gate
from .joined import join_tables
from .location import Location, archive_members
from .named import NAMES, named_source
from .picture_folder import has_pictures, lies_deeper, picture_folder_source
from .pixels import PixelSource
from .tables.delimited import columns_of, csv_source
from .tables.parquet import parquet_source

IMAGE_FOLDER_PARTS = (
    "manifest.json",
    *("train", "training", "valid", "val", "validation", "dev"),
)  # see `folders`, which stands below this package
CSV_ENDINGS = (".csv", ".tsv", ".txt", ".data", ".dat", ".train", ".test", ".tra", ".tes")  # the last six of old sets
MOST_NAMING = 4  # columns of a csv that names pictures
PARQUET_ENDINGS = (".parquet", ".pq")
ACCEPTED = "csv, csv.gz, zip, parquet, npz, idx files, a folder of pictures, " + ", ".join(NAMES)


def open_tables(
    sources: list[str | Path], to_predict: bool = False, label_column: str | None = None, ground: Ground = "auto"
) -> PixelSource:
    """One source of the rows of all; `parts/*.csv` stands for all files that fit, 2.csv before 10.csv.

    Parameters
    ----------
    to_predict : bool
        Take the test table of each source that has one.
    label_column, ground : str
        As of `open_source`.

    Raises
    ------
    InputError
        When a pattern fits nothing, or the tables are not alike; and as `open_source`.
    """
    found: list[str | Path] = []
    for source in sources:
        if any(sign in str(source) for sign in "*?[") and not Path(source).exists():
            fitting = sorted(glob.glob(str(source)), key=_numbered)
            if not fitting:
                raise InputError(f"no file fits {source}")
            found += fitting
        else:
            found.append(source)
    opened = [open_source(source, label_column=label_column, ground=ground) for source in found]
    if to_predict:
        opened = [table.test or table for table in opened]
    return opened[0] if len(opened) == 1 else join_tables(opened)


def _is_table_file(path: Path) -> bool:
    """By its name, or as a table in a zip archive."""
    return _is_table(path.name) or path.suffix.lower() == ".zip"


def _numbered(path: str) -> list[tuple[bool, int, str]]:
    """A key that puts 2.csv before 10.csv."""
    parts = re.split(r"(\d+)", path)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def open_source(
    source: str | Path,
    labels: Path | None = None,
    normalise: bool = False,
    label_column: str | None = None,
    ground: Ground = "auto",
) -> PixelSource:
    """A readable source of pictures.

    Parameters
    ----------
    source : str or Path
        A csv table (plain, .gz, .zip), a competition's zip or folder with train and test tables,
        `archive.zip/member.csv`,
        a parquet table, an npz archive, an idx file or the folder of MNIST's four, `sklearn:digits`,
        `torchvision:NAME`, or a folder of pictures.
    labels : Path, optional
        A csv of the labels of a folder's pictures.
    normalise : bool
        Bring pictures of a folder to the form of MNIST's; see `photos`.
    label_column : str, optional
        Of a table: the column that holds the labels, where no usual name tells it.
    ground : {'auto', 'dark', 'light'}
        Of the pictures: told from each by default. Those on a light ground are turned.

    Returns
    -------
    PixelSource
        Its columns and picture size are checked; its rows are checked as its chunks are read.

    Raises
    ------
    InputError
        When the source is missing, of an unknown kind, or not a table of square gray pictures.
    """
    opened = _opened(source, labels, normalise, label_column, ground)
    return through_gate(opened, "dark" if normalise else ground)


def _opened(
    source: str | Path, labels: Path | None, normalise: bool, label_column: str | None, ground: Ground
) -> PixelSource:
    path = Path(source)
    if label_column and not (path.is_dir() and holds_tables(path)) and not _is_table_file(path):
        raise InputError(f"--label-column is for tables with a header line, and {source} is none; leave it out")
    if path.is_dir():
        _refuse_names_of_pictures(path)
    if path.is_dir() and is_trained_on(path):
        raise InputError(f"{path} is an image folder already; train on it, or pass the table that it was made from")
    if path.is_dir() and (is_picture_folder(path) or (labels and has_pictures(path))):
        return picture_folder_source(path, labels, normalise, ground)
    if labels or normalise:
        flag = "--labels" if labels else "--normalise"
        raise InputError(f"{flag} is for a folder of pictures, and {source} is none; leave it out")
    if ":" in str(source) and not path.exists():
        return named_source(str(source))
    tables = tables_of(path)
    if path.is_dir() and not tables and not _holds_idx(path) and lies_deeper(path):
        return picture_folder_source(path, labels, normalise, ground)  # which says where they lie
    if path.is_dir() and not tables:
        return idx_set_source(path)
    if tables == [] and _holds_idx(path):  # in a zip archive
        return idx_set_source(path)
    if tables is None:
        return _file_source(locate(path), label_column)
    return _competition_source(path, tables, label_column)


def is_trained_on(path: Path) -> bool:
    """Whether a folder has the parts of an image folder that training needs, so that it is no source of one."""
    return any((path / name).exists() for name in IMAGE_FOLDER_PARTS)


def is_picture_folder(path: Path) -> bool:
    """Whether the pictures in a folder, or in its subfolders, are what it is there for."""
    return path.is_dir() and not is_competition(path) and has_pictures(path)


def is_competition(folder: Path) -> bool:
    """Whether a folder has a table called train, or MNIST's idx files, beside whatever pictures."""
    try:
        tables = tables_of(folder) or []
    except InputError:  # a damaged archive beside pictures is none of ours
        tables = []
    return any(table.file_name.partition(".")[0] == "train" for table in tables) or _holds_idx(folder)


def holds_tables(folder: Path) -> bool:
    """Whether pixel tables, or MNIST's idx files, lie in a folder."""
    return bool(tables_of(folder)) or _holds_idx(folder)


def _holds_idx(place: Path) -> bool:
    """Whether idx files of pictures lie in a folder or a zip archive."""
    return any("idx3" in name for name in files_in(place))


def tables_of(path: Path) -> list[Location] | None:
    """The tables in a zip archive or a folder; None for a file of another kind."""
    if path.is_dir():
        files = [file for file in sorted(path.iterdir()) if file.is_file()]
        packed = [_packed_tables(file) for file in files if file.suffix.lower() == ".zip"]
        return [Location(file) for file in files if _is_table(file.name)] + [t[0] for t in packed if len(t) == 1]
    location = locate(path)
    return _packed_tables(path) if location.file_name.endswith(".zip") else None


def _packed_tables(archive: Path) -> list[Location]:
    return [Location(archive, name) for name in archive_members(archive) if _is_table(name)]


def locate(path: Path) -> Location:
    """The file at `path`, or the member of the zip archive that a parent of `path` is."""
    if path.is_file():
        return Location(path)
    for archive in path.parents:
        if archive.suffix.lower() == ".zip" and archive.is_file():
            member = path.relative_to(archive).as_posix()
            members = archive_members(archive)
            if member not in members:
                raise InputError(f"{archive} has no {member}; it holds {', '.join(members) or 'nothing'}")
            return Location(archive, member)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a pipe or device, which cannot be read twice; save it as a file and pass that")
    raise InputError(f"{path} does not exist; pass {ACCEPTED}")


def _file_source(location: Location, label_column: str | None = None) -> PixelSource:
    name = location.file_name
    if location.path.stat().st_size == 0:
        raise InputError(f"{location.name} is empty; pass a table of pixel rows")
    if name.endswith(CSV_ENDINGS):
        return csv_source(location, label_column)
    if name.endswith(PARQUET_ENDINGS):
        return parquet_source(location, label_column)
    if name.endswith(".npz") and location.member is None:
        return npz_source(location)
    if "idx3" in name:
        return idx_source(location)
    raise InputError(f"{location.name} is of no known kind; accepted are {ACCEPTED}")


def _competition_source(path: Path, tables: list[Location], label_column: str | None) -> PixelSource:
    """The table of a zip archive or folder; a competition's train table, with its test table as `.test`."""
    if len(tables) == 1:
        return _file_source(tables[0], label_column)
    named, left_out = _by_name(path, tables)
    if "train" not in named:
        if path.is_file() and any(is_picture(Path(name)) for name in archive_members(path)):
            raise InputError(f"{path} holds pictures; unpack it, and pass the folder")
        listed = ", ".join(table.member or table.path.name for table in tables) or "no table"
        raise InputError(f"{path} holds {listed} and none is called train; pass one as {path}/NAME")
    source = _file_source(named["train"], label_column)
    if "test" in named:
        has_column = named["test"].file_name.endswith(CSV_ENDINGS) and label_column in columns_of(named["test"])
        source.test = _file_source(named["test"], label_column if has_column else None)
    source.notes.add(*left_out)
    return source


def _by_name(path: Path, tables: list[Location]) -> tuple[dict[str, Location], list[str]]:
    """The tables of a competition by name, and notes; InputError where two are called train, or test.

    But a table that is packed counts no more where it lies unpacked beside.
    """
    plain = {table.file_name: table for table in tables if table.member is None and table.path.suffix != ".gz"}
    named: dict[str, Location] = {}
    notes = []
    for table in tables:
        name, beside = table.file_name.partition(".")[0], plain.get(table.file_name)
        if path.is_dir() and beside is not None and beside is not table:
            notes.append(f"{path}: {table.path.name} was left out beside {beside.path.name}")
            continue
        other = named.setdefault(name, table)
        if other is not table and name in ("train", "test"):
            both = " and ".join(one.member if path.is_file() else one.path.name for one in (other, table))
            raise InputError(
                f"{path} holds {both}, and it is not clear which one is meant; remove one, or pass the other"
            )
    return named, notes


def _refuse_names_of_pictures(folder: Path) -> None:
    """InputError where a csv in a folder names the pictures of a folder of its own name, train.csv those of train/."""
    for table in folder.iterdir():
        pictures = table.with_suffix("")
        if table.suffix == ".csv" and list_pictures(pictures) and len(columns_of(Location(table))) <= MOST_NAMING:
            raise InputError(f"{table} names the pictures of {pictures}: pass both, as `{pictures} --labels {table}`")


def _is_table(name: str) -> bool:
    """By its name; those of a leading dot are what macOS puts beside tables."""
    if name.rpartition("/")[2].startswith("."):
        return False
    return name.lower().removesuffix(".gz").endswith(CSV_ENDINGS + PARQUET_ENDINGS)
