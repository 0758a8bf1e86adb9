"""A folder of picture files as a source: its subfolders are labels, or a csv names each file's label."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..photos import SIDE, Ground, left_out, list_pictures, natural_order, picture_id, picture_ids, picture_size
from ..system import InputError
from .labels.log import NO_DIGIT, UNSURE
from .notes import Notes
from .picture_files import picture_files_source
from .pixels import PixelSource, class_name
from .tables.small import read_small_csv

FILE_NAMES = ("file", "filename", "file_name", "name", "image", "id")
HINT = "pass a folder whose subfolders are labels, or pictures with --labels NAMES.csv"


@dataclass(frozen=True)
class LabelledFile:
    """A picture file, its id and, where it is known, its label."""

    file: Path
    id: str
    label: str | None


def picture_folder_source(
    folder: Path, labels: Path | None = None, normalise: bool = False, ground: Ground = "auto"
) -> PixelSource:
    """The pictures in `folder`: those of its subfolders, whose names are labels, or those that lie in it flat.

    Parameters
    ----------
    folder : Path
    labels : Path, optional
        A csv with a file column and a label column, for flat pictures.
    normalise : bool
        Bring each picture to the form of MNIST's, see `photos`; without it all must be equal squares.
    ground : {'auto', 'dark', 'light'}
        As of `picture_files_source`.

    Raises
    ------
    InputError
        When there are no pictures, two would have one id, or their sizes differ.
    """
    notes = Notes()
    notes.add(*(line for place in [folder, *_folders_below(folder)] for line in left_out(place)))
    files = _files_of_table(folder, labels) if labels else _files_of_folder(folder, notes)
    _check_ids(files)
    unnamed = len(list_pictures(folder)) - len(files) if labels else 0
    if unnamed:
        notes.add(f"{unnamed} pictures of {folder} are not named in {labels} and were left out")
    has_labels = files[0].label is not None
    return picture_files_source(
        folder.name,
        [one.file for one in files],
        [one.id for one in files],
        [one.label for one in files] if has_labels else None,
        normalise=normalise,
        ground=ground,
        size=SIDE if normalise else _common_side(folder, files),
        notes=notes,
    )


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def has_pictures(folder: Path) -> bool:
    """Whether pictures lie in a folder or in its subfolders."""
    return any(list_pictures(place) for place in [folder, *folder.iterdir()])


def lies_deeper(folder: Path) -> bool:
    """Whether pictures lie two folders down."""
    return any(_deeper_pictures(place) for place in _subfolders(folder))


def _check_ids(files: list[LabelledFile]) -> None:
    first: dict[str, Path] = {}
    for one in files:
        other = first.setdefault(one.id.lower(), one.file)
        if other is not one.file:
            raise InputError(f"{other} and {one.file} would both have the id {one.id!r}; rename one")


def _folders_below(folder: Path) -> list[Path]:
    """The folders below a folder, but hidden ones."""
    found = []
    for place, names, _ in os.walk(folder):  # which asks no file what it is
        names[:] = sorted(name for name in names if not name.startswith("."))
        found += [Path(place, name) for name in names]
    return found


def _deeper_pictures(folder: Path) -> list[Path]:
    """Pictures in the folders below a folder."""
    return [file for path in sorted(_folders_below(folder)) for file in list_pictures(path)]


def _deeper_note(folder: Path, deeper: dict[str, list[Path]]) -> str:
    found = [f"{len(files)} of class {label!r}" for label, files in deeper.items() if files]
    return f"{folder}: pictures that lie in folders below their class's were taken too ({', '.join(found[:4])})"


def _files_of_folder(folder: Path, notes: Notes) -> list[LabelledFile]:
    flat, named = list_pictures(folder), []
    labels = sorted((path.name for path in _subfolders(folder)), key=natural_order)
    for label in labels:
        named += [(label, file) for file in list_pictures(folder / label)]
    deeper = {label: _deeper_pictures(folder / label) for label in labels}
    if any(deeper.values()):
        if not named:
            first = min((file for files in deeper.values() for file in files), key=lambda file: (len(file.parts), file))
            raise InputError(
                f"{folder} has its pictures two folders down ({first.relative_to(folder)}); {HINT}, such as "
                f"{first.parent.parent}"
            )
        notes.add(_deeper_note(folder, deeper))
        named += [(label, file) for label in labels for file in deeper[label]]
    empty = [label for label in labels if not deeper[label] and not list_pictures(folder / label)]
    if empty and named:
        notes.add(f"{folder}: no pictures lie in {', '.join(empty[:4])}, of which there is no class then")
    if flat and named:
        raise InputError(f"{folder} has pictures both in it ({flat[0].name}) and in subfolders; {HINT}")
    if not flat and not named:
        raise InputError(f"{folder} holds no pictures; {HINT}")
    if flat:
        return [LabelledFile(file, id_, None) for file, id_ in zip(flat, picture_ids(flat))]
    stems = Counter(file.stem.lower() for _, file in named)
    return [
        LabelledFile(file, picture_id(file) if stems[file.stem.lower()] == 1 else f"{label}-{picture_id(file)}", label)
        for label, file in named
    ]


def _files_of_table(folder: Path, table: Path) -> list[LabelledFile]:
    content = read_small_csv(table, keep_default_na=False)
    column_of = {name.strip().lower(): name for name in content.columns}
    file_column = next((column_of[name] for name in FILE_NAMES if name in column_of), None)
    if file_column is None or "label" not in column_of:
        raise InputError(
            f"{table} has the columns {', '.join(content.columns)}; --labels takes a csv with a file column and a "
            "label column"
        )
    pictures = list_pictures(folder)
    by_name, ids = {file.name: file for file in pictures}, dict(zip(pictures, picture_ids(pictures)))
    stems = Counter(file.stem for file in pictures)
    by_stem = {file.stem: file for file in pictures}
    rows: dict[Path, int] = {}
    files = []
    for row, (name, label) in enumerate(zip(content[file_column], content[column_of["label"]]), start=1):
        name, label = name.strip(), label.strip()
        file = by_name.get(name) or by_stem.get(name)
        if file is None:
            raise InputError(f"row {row} of {table} names {name!r}, which {folder} does not hold")
        if name not in by_name and stems[name] > 1:
            raise InputError(
                f"row {row} of {table} names {name!r}, and {folder} has several of that name; name it with its ending"
            )
        if file in rows:
            raise InputError(f"rows {rows[file]} and {row} of {table} both name {file.name!r}; leave out one")
        if label in (NO_DIGIT, UNSURE):
            raise InputError(
                f"row {row} of {table} has the label {label!r}, which `label` gives to what is of no class; pass its "
                "labels.csv as it wrote it"
            )
        rows[file] = row
        files.append(LabelledFile(file, ids[file], class_name(label)))
    if not files:
        raise InputError(f"{table} has no rows; give each picture its label")
    return files


def _common_side(folder: Path, files: list[LabelledFile]) -> int:
    """Side in pixels of equal square pictures."""
    sizes = Counter(picture_size(one.file) for one in files)
    (width, height), _ = sizes.most_common(1)[0]
    if len(sizes) > 1 or width != height:
        found = ", ".join(f"{w}x{h}" for w, h in list(sizes)[:4])
        raise InputError(
            f"{folder} has pictures of {found} px, and an image folder needs equal squares; pass --normalise to cut "
            "out each digit"
        )
    return width
