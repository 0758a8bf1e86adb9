"""The image folder: split names, label folders, and the manifest that is written last.

DATA/train/<label>/<id>.png   valid/<label>/<id>.png   test/<id>.png   manifest.json
"""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..photos import (
    SIDE,
    is_picture,
    left_out,
    list_pictures,
    natural_order,
    picture_id,
    picture_ids,
    picture_size,
    read_gray,
)
from ..sources import Notes, has_pictures
from ..system import InputError
from .pixel_sums import PixelSums
from .splits import OTHER_NAMES, TEST, TRAIN, VALID, PictureNames, Split, split_places

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = 1
STATISTICS_PICTURES = 2000  # enough for a mean and deviation of folders that were not made by `convert`


@dataclass
class ImageFolder:
    """A readable image folder.

    Attributes
    ----------
    path : Path
    classes : list of str
        In the order of the model's outputs.
    size : int or None
        Height and width in pixels when all pictures are equal squares, else None.
    splits : dict of str to Split
        Only splits that have pictures.
    digest : str
        sha256 of the manifest, or of the file listing where there is none.
    manifest : dict or None
        None for a folder that was not made by `convert`.
    normalise : bool
        Whether each picture is brought to the form of MNIST's when it is read, see `photos`.
    whole : ImageFolder or None
        What this one is a part of, when it has no place of its own on disk; see `folds`.
    images : dict of str to ndarray of uint8, shape (n, h, h), or None
        The pictures of each split, when they lie in memory alone; their files' names only stand for them.
    notes : Notes
        What was noticed while it was read, or before that when it was made.
    grounds : dict of str to str
        Of the splits that `ground_of_split` was asked about.
    """

    path: Path
    classes: list[str]
    size: int | None
    splits: dict[str, Split]
    digest: str
    manifest: dict | None = None
    normalise: bool = False
    whole: "ImageFolder | None" = None
    images: dict[str, np.ndarray] | None = None
    notes: Notes = field(default_factory=Notes)
    grounds: dict[str, Literal["dark", "light"]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def is_normalised(self) -> bool:
        """Whether its pictures have the form of MNIST's, since they are brought to it now or were by `convert`."""
        converted = (self.whole or self).manifest
        return self.normalise or bool(converted and converted.get("normalised"))

    @property
    def is_gated(self) -> bool:
        """Whether its pictures are light digits on dark as they are, since they passed the gate when it was made."""
        made = (self.whole or self).manifest
        return self.is_normalised or bool(made and "ground" in made)

    def split(self, name: str) -> Split:
        """The split called `name`; InputError when it has no pictures."""
        if name not in self.splits:
            raise InputError(f"{self.path} has no {name} pictures; it has {', '.join(self.splits)}")
        return self.splits[name]

    def __rich__(self) -> str:
        counts = ", ".join(f"{len(split):,} {name}" for name, split in self.splits.items())
        size = f"{self.size}x{self.size} px" if self.size else "mixed sizes"
        return f"{self.path}: {counts}; {len(self.classes)} classes; {size}"

    __str__ = __rich__


def read_folder(path: str | Path, normalise: bool = False) -> ImageFolder:
    """The image folder at `path`: made by `convert`, or by hand as train/<label>/ and valid/<label>/.

    Parameters
    ----------
    path : str or Path
    normalise : bool
        Bring each picture of a folder made by hand to the form of MNIST's when it is read.

    Raises
    ------
    InputError
        When there is no such folder, its manifest is unreadable or names files that are gone.
    """
    path = Path(path)
    if path.is_file():
        raise InputError(
            f"{path} is a file, and an image folder is needed: `fastdigits convert {path} DATA` makes DATA of it"
        )
    if not path.is_dir():
        raise InputError(f"{path} is no folder; make one with `fastdigits convert SOURCE {path}`")
    folder = _read_manifest(path) if (path / MANIFEST).is_file() else _scan_folder(path, normalise)
    if not folder.splits:
        places = f"{path} holds no pictures under {TRAIN}/<label>/ or {TEST}/"
        if has_pictures(path):
            raise InputError(f"{places}, but elsewhere; split them first: `fastdigits convert {path} DATA --normalise`")
        raise InputError(f"{places}; make it with `fastdigits convert`")
    return folder


def is_image_folder(path: Path) -> bool:
    """Whether a folder was made by `convert`, or has train/, valid/ or test/ as one made by hand."""
    return (path / MANIFEST).is_file() or any(
        (path / name).is_dir() for names in OTHER_NAMES.values() for name in names
    )


def check_normalise(folder: ImageFolder, normalise: bool) -> None:
    """InputError when a folder that `convert` made is to be read in the other form, which only its photos could be."""
    if normalise != folder.is_normalised:
        asked, how = ("--normalise", "with") if normalise else ("--no-normalise", "without")
        raise InputError(
            f"{folder.path} was made by convert, so {asked} comes too late; convert the photos again {how} --normalise"
        )


def _read_manifest(path: Path) -> ImageFolder:
    content = (path / MANIFEST).read_bytes()
    try:
        manifest = json.loads(content)
        if manifest["schema"] != MANIFEST_SCHEMA:
            found = manifest["schema"]
            raise InputError(
                f"{path / MANIFEST} has schema {found}, this fastdigits reads {MANIFEST_SCHEMA}; upgrade it"
            )
        splits = _manifest_splits(path, manifest["rows"])
        classes, size = manifest["classes"], manifest["size"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path / MANIFEST} is damaged; convert again with --overwrite") from None
    digest, notes = hashlib.sha256(content).hexdigest(), Notes(manifest.get("notes", []))
    return ImageFolder(path, classes, size, splits, digest, manifest, notes=notes)


def _manifest_splits(path: Path, rows_of: dict[str, dict]) -> dict[str, Split]:
    splits = {}
    for name, rows in rows_of.items():
        files = PictureNames(path, name, rows["ids"], rows["labels"])
        _check_present(path, name, files)
        splits[name] = Split(files, rows["ids"], rows["labels"], rows["groups"], rows["own_ids"])
    return splits


def _check_present(path: Path, split: str, files: PictureNames) -> None:
    """InputError when a picture is gone; folder by folder, since the names of all would take much memory."""
    rows_of: dict[str | None, list[int]] = {}
    for row, label in enumerate(files.labels if files.labels is not None else [None] * len(files)):
        rows_of.setdefault(label, []).append(row)
    gone = []
    for label, rows in rows_of.items():
        folder = os.path.join(path, split, label or "")
        present = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        gone += [row for row in rows if f"{files.ids[row]}.png" not in present]
    if gone:
        raise InputError(f"{len(gone)} pictures of {path / MANIFEST} are gone, e.g. {files[min(gone)]}; convert again")


def _scan_folder(path: Path, normalise: bool) -> ImageFolder:
    splits: dict[str, Split] = {}
    notes = Notes()
    for name, place in split_places(path).items():
        for inside in [place, *(folder for folder in place.iterdir() if folder.is_dir())]:
            notes.add(*left_out(inside))
        files = sorted(file for file in place.glob("*/*") if is_picture(file) and not file.parent.name.startswith("."))
        flat, deeper = list_pictures(place), [file for file in place.glob("*/*/**/*") if is_picture(file)]
        if deeper:
            raise InputError(
                f"{deeper[0]} lies below its class's folder; an image folder holds {place.name}/<label>/<picture>"
            )
        if flat and (files or name != TEST):
            raise InputError(
                f"{flat[0]} has no label: pictures of {place.name} lie in folders called by their labels, as "
                f"{place.name}/7/{flat[0].name}; or convert them with --labels"
            )
        if flat:  # test pictures without labels
            splits[name] = Split([str(file) for file in flat], picture_ids(flat), None)
        elif files:
            labels = [file.parent.name for file in files]
            splits[name] = Split([str(file) for file in files], [picture_id(file) for file in files], labels)
    classes = sorted({label for split in splits.values() for label in split.labels or ()}, key=natural_order)
    listing = "\n".join(
        f"{file.relative_to(path)} {file.stat().st_size}" for split in splits.values() for file in split.files
    )
    if normalise:
        listing += "\nnormalised"
    size = SIDE if normalise else _common_size([file for split in splits.values() for file in split.files])
    digest = hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()  # names may be in another encoding
    return ImageFolder(path, classes, size, splits, digest, normalise=normalise, notes=notes)


def _common_size(files: list[Path]) -> int | None:
    """Side in pixels of equal square pictures, None when they differ; headers are read, not pixels."""
    sizes = set()
    for file in files:
        sizes.add(picture_size(file))
        if len(sizes) > 1:
            return None
    width, height = sizes.pop() if sizes else (0, 1)
    return width if width == height else None


def pixel_statistics(folder: ImageFolder) -> tuple[float, float]:
    """Mean and standard deviation of the training pictures' gray levels, on the scale 0..1."""
    if folder.manifest:
        return folder.manifest["pixels"]["mean"], folder.manifest["pixels"]["std"]
    files = folder.split(TRAIN).files
    step = max(1, len(files) // STATISTICS_PICTURES)
    sums = PixelSums()
    for file in files[::step]:
        sums.add(read_gray(file, folder.normalise)[None])
    return sums.statistics()


def check_trainable(folder: ImageFolder) -> None:
    """InputError unless there are at least two classes and each stands in train, and in valid where there is one."""
    if len(folder.classes) < 2:
        only = f"the one class {folder.classes[0]!r}" if folder.classes else "no labelled pictures"
        raise InputError(f"{folder.path} has {only}; training needs two classes or more")
    for name in (TRAIN, VALID):
        if name == TRAIN or name in folder.splits:
            counts = Counter(folder.split(name).labels)
            missing = [label for label in folder.classes if not counts[label]]
            if missing:
                raise InputError(
                    f"{folder.path / name} has no pictures of the class {missing[0]!r}; "
                    "convert with --split stratified, or give every class some rows"
                )
