"""Pictures in memory as an image folder, for training that has no files."""

import hashlib
from pathlib import Path

import numpy as np

from ..photos import natural_order
from .layout import ImageFolder
from .pixel_sums import PixelSums
from .splits import TRAIN, PictureNames, Split


def memory_folder(images: np.ndarray, labels: list[str], weights: np.ndarray | None = None) -> ImageFolder:
    """Pictures in memory as an image folder, all of them to train on.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, h)
    labels : list of str, length n
    weights : ndarray of float, shape (n,), optional
        How much each row counts beside the others.
    """
    path, ids = Path("arrays"), [str(row) for row in range(len(images))]
    sums = PixelSums()
    sums.add(images)
    mean, std = sums.statistics()
    digest = hashlib.sha256(images.tobytes() + "\n".join(labels).encode()).hexdigest()
    classes = sorted(set(labels), key=natural_order)
    manifest = {
        "source": {"name": "arrays", "sha256": digest},
        "split": {"method": "none", "valid": 0, "seed": 0, "groups": None},
        "pixels": {"mean": mean, "std": std},
        "ground": "dark",
    }
    splits = {TRAIN: Split(PictureNames(path, TRAIN, ids, labels), ids, labels, own_ids=False, weights=weights)}
    return ImageFolder(path, classes, images.shape[1], splits, digest, manifest, images={TRAIN: images})
