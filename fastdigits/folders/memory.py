"""Pictures in memory as an image folder, for training that has no files."""

import hashlib
from pathlib import Path

import numpy as np

from ..photos import natural_order
from ..sources import class_name
from ..system import InputError
from .layout import ImageFolder
from .pixel_sums import PixelSums
from .splits import TRAIN, VALID, PictureNames, Split
from .splitting import choose_valid


def memory_folder(
    images: np.ndarray, labels: list[str], weights: np.ndarray | None = None, valid: np.ndarray | None = None
) -> ImageFolder:
    """Pictures in memory as an image folder.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, h)
    labels : list of str, length n
    weights : ndarray of float, shape (n,), optional
        How much each training row counts beside the others.
    valid : ndarray of int, optional
        Rows that are kept apart; by default all are trained on.
    """
    path, of_valid = Path("arrays"), np.zeros(len(images), bool)
    of_valid[[] if valid is None else valid] = True
    sums = PixelSums()
    sums.add(images[~of_valid])
    mean, std = sums.statistics()
    digest = hashlib.sha256(images.tobytes() + "\n".join(labels).encode()).hexdigest()
    classes = sorted(set(labels), key=natural_order)
    manifest = {
        "source": {"name": "arrays", "sha256": digest},
        "split": {"method": "none", "valid": 0, "seed": 0, "groups": None},
        "pixels": {"mean": mean, "std": std},
        "ground": "dark",
    }
    parts = {TRAIN: np.flatnonzero(~of_valid)} | ({} if valid is None else {VALID: np.flatnonzero(of_valid)})
    splits = {}
    for name, rows in parts.items():
        ids, own = [str(row) for row in rows], [labels[row] for row in rows]
        counted = weights[rows] if weights is not None and name == TRAIN else None
        splits[name] = Split(PictureNames(path, name, ids, own), ids, own, own_ids=False, weights=counted)
    pictures = {name: images[rows] for name, rows in parts.items()} if VALID in parts else {TRAIN: images}
    return ImageFolder(path, classes, images.shape[1], splits, digest, manifest, images=pictures)


def usable_names(labels: list[str]) -> list[str]:
    """Names of classes: the labels themselves, if they can be part of a path, else numbers."""
    names = [class_name(label) for label in labels]
    usable = all(name.isalnum() for name in names) and len({name.lower() for name in names}) == len(names)
    return names if usable else [f"class{number}" for number in range(len(names))]


def held_back(numbers: np.ndarray, share: float, seed: int) -> np.ndarray | None:
    """Rows of each class, int (k,), to keep apart from training; None of a share of 0.

    Raises
    ------
    ValueError
        When the share is none, or a class would have no row on one side.
    """
    if not 0 <= share < 1:
        raise ValueError(f"validation_fraction={share:g} makes no sense; accepted are 0 or more and below 1")
    if not share:
        return None
    try:
        return np.flatnonzero(choose_valid(numbers.tolist(), share, "stratified", seed))
    except InputError:
        counts = np.bincount(numbers)
        raise ValueError(
            f"validation_fraction={share:g} of {len(numbers)} rows cannot hold all {np.count_nonzero(counts)} classes "
            f"on both sides, of which the rarest has {counts[counts > 0].min()}; use 0, or add rows"
        ) from None
