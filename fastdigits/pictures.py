"""All pictures of a table or an image folder in memory, in the order of their table."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .decoded import decoded_split
from .errors import InputError
from .folders import TEST, TRAIN, ImageFolder, class_order, read_folder
from .progress import progress_bar
from .sources import PixelSource, open_source
from .splitting import read_groups

SIDE_PX = 28  # of pictures of mixed sizes


@dataclass
class Pictures:
    """All pictures of a source in memory.

    Attributes
    ----------
    name : str
    images : ndarray of uint8, shape (n, h, w)
    ids : list of str, length n
    splits : ndarray of str, shape (n,)
        train, valid or test.
    labels : list of (str or None), length n
    groups : ndarray of str, shape (n,), or None
        Empty where unknown.
    in_order : bool
        Whether labelled rows stand in the order of their table.
    notes : list of str
    """

    name: str
    images: np.ndarray
    ids: list[str]
    splits: np.ndarray
    labels: list[str | None]
    groups: np.ndarray | None = None
    in_order: bool = True
    notes: list[str] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return sorted({label for label in self.labels if label is not None}, key=class_order)

    @property
    def labelled(self) -> np.ndarray:
        """Rows with a label, int (k,)."""
        return np.array([row for row, label in enumerate(self.labels) if label is not None], int)


def read_pictures(source: str, test: str | None = None, groups: Path | None = None) -> Pictures:
    """Every picture of a table or an image folder, in the order of its table where that is known."""
    if Path(source).is_dir() and not any("idx3" in file.name for file in Path(source).iterdir()):
        if test:
            raise InputError(f"{source} is an image folder; --test goes with a table")
        pictures = _of_folder(read_folder(source))
    else:
        pictures = _of_table(open_source(source), test)
    if groups is not None:
        labelled = pictures.labelled
        pictures.groups = np.full(len(pictures.ids), "", dtype=object)
        pictures.groups[labelled] = read_groups(Path(groups), [pictures.ids[row] for row in labelled])
    return pictures


def _of_table(table: PixelSource, test: str | None) -> Pictures:
    test_table = open_source(test) if test else table.test
    if test_table and test_table.size != table.size:
        raise InputError(
            f"{test_table.name} has {test_table.size}x{test_table.size} pictures, {table.name} has "
            f"{table.size}x{table.size}; train and test pictures must have one size"
        )
    parts = [(TRAIN if table.has_labels else TEST, table), *([(TEST, test_table)] if test_table else [])]
    images, ids, splits, labels = [], [], [], []
    for split, part in parts:
        with progress_bar(f"reading {split}", part.rows) as advance:
            for chunk in part.chunks():
                images.append(chunk.images)
                ids += chunk.ids
                splits += [split] * len(chunk.ids)
                labels += chunk.labels if chunk.labels and split == TRAIN else [None] * len(chunk.ids)
                advance(len(chunk.ids))
    notes = [note for _, part in parts for note in part.notes]
    return Pictures(table.name, np.concatenate(images), ids, np.array(splits), labels, notes=notes)


def _of_folder(folder: ImageFolder) -> Pictures:
    from .inputs import same_size

    images, ids, splits, labels, groups = [], [], [], [], []
    for name, split in folder.splits.items():
        decoded = decoded_split(folder, name)
        images.append(decoded.images if decoded else same_size(split.files, SIDE_PX))
        ids += split.ids
        splits += [name] * len(split)
        labels += split.labels or [None] * len(split)
        groups += split.groups or [""] * len(split)
    order, in_order = _table_order(ids, labels, folder)
    known = np.array(groups, object)[order] if any(groups) else None
    stacked = np.concatenate(images)[order]
    ids, splits, labels = ([values[row] for row in order] for values in (ids, splits, labels))
    return Pictures(str(folder.path), stacked, ids, np.array(splits), labels, known, in_order)


def _table_order(ids: list[str], labels: list[str | None], folder: ImageFolder) -> tuple[list[int], bool]:
    """Rows in the order of the table that the folder was made from, and whether that is known: by whole-number ids."""
    rows = list(range(len(ids)))
    labelled = [row for row in rows if labels[row] is not None]
    if folder.manifest and all(ids[row].isdecimal() for row in labelled):
        others = [row for row in rows if labels[row] is None]
        return sorted(labelled, key=lambda row: int(ids[row])) + others, True
    return rows, False
