"""The splits of an image folder: their names, their rows, and where their pictures lie."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..system import InputError

TRAIN, VALID, TEST = "train", "valid", "test"
OTHER_NAMES = {  # of folders that were made by hand
    TRAIN: ("train", "training"),
    VALID: ("valid", "val", "validation", "dev"),
    TEST: ("test", "testing"),
}


@dataclass
class Split:
    """One split of an image folder, in the order of the table that it came from.

    Attributes
    ----------
    file_names : sequence of str
        With their folders.
    ids : list of str
    labels, groups : list of str, or None where unknown
    own_ids : bool
        Whether the ids came with the source, rather than being row numbers.
    weights : ndarray of float, shape (n,), or None
        How much each row counts in training beside the others; None: all alike.
    """

    file_names: Sequence[str]
    ids: list[str]
    labels: list[str] | None
    groups: list[str] | None = None
    own_ids: bool = True
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def files(self) -> list[Path]:
        """The pictures; made when first asked for, since many paths take longer than many texts."""
        return [Path(name) for name in self.file_names]


class PictureNames(Sequence):
    """Where the pictures of a split lie, made when asked for: a million texts would be most of what a folder takes.

    Parameters
    ----------
    folder : Path
    split : str
    ids : list of str, length n
    labels : list of str, length n, or None
    """

    def __init__(self, folder: Path, split: str, ids: list[str], labels: list[str] | None):
        self.folder, self.split, self.ids = str(folder), split, ids
        self.labels = None if split == TEST else labels  # test pictures lie flat

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        return picture_file(self.folder, self.split, self.labels and self.labels[place], self.ids[place])

    def __eq__(self, other) -> bool:
        return len(self) == len(other) and all(one == another for one, another in zip(self, other))


def picture_file(folder: Path | str, split: str, label: str | None, id_: str) -> str:
    """Where a picture lies: test pictures flat, others under their label. A text, since there are many."""
    where = split if split == TEST else f"{split}{os.sep}{label}"
    return f"{folder}{os.sep}{where}{os.sep}{id_}.png"  # os.path.join takes ten times as long


def split_places(path: Path) -> dict[str, Path]:
    """The folders of a folder's splits, by whichever of their usual names they have."""
    places = {}
    for split, names in OTHER_NAMES.items():
        found = [path / name for name in names if (path / name).is_dir()]
        if len(found) > 1:
            raise InputError(f"{path} has both {found[0].name}/ and {found[1].name}/; keep one of them")
        if found:
            places[split] = found[0]
    return places
