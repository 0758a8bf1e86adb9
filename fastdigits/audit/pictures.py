"""All pictures of a table or an image folder in memory, in the order of their table."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..folders import TEST, TRAIN, ImageFolder, is_image_folder, is_small, read_folder, read_groups, split_source
from ..photos import Ground, natural_order
from ..sources import Notes, PixelSource, open_source, refuse_missing_values, refuse_other_size
from ..system import InputError, progress_bar

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
    notes: Notes = field(default_factory=Notes)

    @property
    def classes(self) -> list[str]:
        return sorted({label for label in self.labels if label is not None}, key=natural_order)

    @property
    def labelled(self) -> np.ndarray:
        """Rows of train and valid with a label, int (k,)."""
        has_label = np.array([label is not None for label in self.labels])
        return np.flatnonzero(has_label & (self.splits != TEST))


def read_pictures(
    source: str,
    test: str | None = None,
    groups: Path | None = None,
    label_column: str | None = None,
    ground: Ground = "auto",
    normalise: bool = False,
) -> Pictures:
    """Every picture of a table or an image folder, in the order of its table where that is known.

    Raises
    ------
    InputError
        When source, test or groups are wrong; of a table with gaps it says how many and where.
    """
    if Path(source).is_dir() and is_image_folder(Path(source)):
        if test:
            raise InputError(f"{source} is an image folder; --test goes with a table")
        if label_column:
            raise InputError(f"{source} is an image folder; --label-column goes with a table")
        if normalise:
            raise InputError(f"{source} is an image folder; --normalise goes with a folder of photos or scans")
        pictures = _of_folder(read_folder(source), ground)
    else:
        try:
            table = open_source(source, label_column=label_column, ground=ground, normalise=normalise)
            pictures = _of_table(table, test, ground, normalise)
        except InputError:
            refuse_missing_values(Path(source))
            raise
    if groups is not None:
        labelled = pictures.labelled
        pictures.groups = np.full(len(pictures.ids), "", dtype=object)
        pictures.groups[labelled] = read_groups(Path(groups), [pictures.ids[row] for row in labelled])
    return pictures


def _of_table(table: PixelSource, test: str | None, ground: Ground, normalise: bool) -> Pictures:
    test_table = open_source(test, ground=ground, normalise=normalise) if test else table.test
    if test_table:
        refuse_other_size(table, test_table)
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
    notes = Notes()
    for _, part in parts:
        notes.add(*part.notes)
    return Pictures(table.name, np.concatenate(images), ids, np.array(splits), labels, notes=notes)


def _of_folder(folder: ImageFolder, ground: Ground) -> Pictures:
    from ..folders import resized

    images, ids, splits, labels, groups, notes = [], [], [], [], [], Notes(folder.notes)
    for name, split in folder.splits.items():
        source, side = split_source(folder, name, ground), folder.size if is_small(folder) else SIDE_PX
        with progress_bar(f"reading {name}", source.rows) as advance:
            for chunk in source.chunks():
                images.append(chunk.images if chunk.images.shape[1:] == (side, side) else resized(chunk.images, side))
                advance(len(chunk.ids))
        notes.add(*source.notes)
        if side != folder.size:
            notes.add(f"large pictures, or such of mixed sizes, were looked at and compared at {SIDE_PX} px")
        ids += split.ids
        splits += [name] * len(split)
        labels += split.labels or [None] * len(split)
        groups += (split.groups if name != TEST else None) or [""] * len(split)
    order, in_order = _table_order(ids, splits, folder)
    known = np.array(groups, object)[order] if any(groups) else None
    stacked = np.concatenate(images)[order]
    ids, splits, labels = ([values[row] for row in order] for values in (ids, splits, labels))
    return Pictures(str(folder.path), stacked, ids, np.array(splits), labels, known, in_order, notes)


def _table_order(ids: list[str], splits: list[str], folder: ImageFolder) -> tuple[list[int], bool]:
    """Rows in the order of the table that train and valid were made from, and whether whole-number ids tell it."""
    rows = [row for row, split in enumerate(splits) if split != TEST]
    others = [row for row, split in enumerate(splits) if split == TEST]
    if folder.manifest and all(ids[row].isdecimal() for row in rows):
        return sorted(rows, key=lambda row: int(ids[row])) + others, True
    return rows + others, False
