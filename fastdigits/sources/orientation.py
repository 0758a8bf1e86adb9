"""Whether pictures with labels are stored upright, or transposed, turned or mirrored, as EMNIST's own files are.

A linear classifier of ten digits, of each script known here, is asked about some rows in all eight orientations: it is
right about few digits, but about far fewer where they lie the wrong way.
"""

from functools import cache
from pathlib import Path

import numpy as np

ORIENTATION_FILE = Path(__file__).parent / "orientation.npz"  # made by benchmarks/orientation.py
CELLS = 7  # each way
ASKED_ROWS, ROWS_OF_A_LABEL, LEAST_ROWS = 500, 50, 50
LEAST_RIGHT, LEAST_LEAD = 0.6, 0.25  # shares of rows: right in the best orientation, and by how much more than upright
WAYS = {  # what has to be done to the pictures (n, h, w)
    "upright": lambda images: images,
    "transposed": lambda images: images.transpose(0, 2, 1),
    "turned left by 90 degrees": lambda images: np.rot90(images, -1, (1, 2)),
    "turned right by 90 degrees": lambda images: np.rot90(images, 1, (1, 2)),
    "turned by 180 degrees": lambda images: images[:, ::-1, ::-1],
    "mirrored": lambda images: images[:, :, ::-1],
    "upside down": lambda images: images[:, ::-1],
    "transposed and turned by 180 degrees": lambda images: images.transpose(0, 2, 1)[:, ::-1, ::-1],
}
REMEDY = {"transposed": "numpy.transpose(images, (0, 2, 1))"}


class Asked:
    """Some rows of each label, from wherever they stand in a table, about which the classifier is asked at its end."""

    def __init__(self):
        self.images: list[np.ndarray] = []
        self.labels: list[str] = []
        self.left: dict[str, int] = {}

    def add(self, images: np.ndarray, labels: list[str]) -> None:
        """Take in what is still wanted of a chunk, uint8 (n, h, w)."""
        if len(self.labels) == ASKED_ROWS:
            return
        for row, label in enumerate(labels):
            left = self.left.get(label, ROWS_OF_A_LABEL)
            if left and len(self.labels) < ASKED_ROWS:
                self.left[label] = left - 1
                self.images.append(images[row].copy())  # a view would keep the whole chunk
                self.labels.append(label)

    def note(self, name: str) -> list[str]:
        """As `orientation_note`; none for pictures of several sizes."""
        if len({image.shape for image in self.images}) != 1:
            return []
        return orientation_note(name, np.stack(self.images), self.labels)


def orientation_note(name: str, images: np.ndarray, labels: list[str]) -> list[str]:
    """A line when pictures, uint8 (n, h, w), light on dark, with labels 0..9, do not lie upright; else none."""
    images, labels = images[:ASKED_ROWS], labels[:ASKED_ROWS]
    if len(labels) < LEAST_ROWS or min(images.shape[1:]) < CELLS or not set(labels) <= set("0123456789"):
        return []
    if len(set(labels)) < 3:  # so few classes are told by chance
        return []
    truth = np.array(labels).astype(int)
    right = {way: _share_right(turn(images), truth) for way, turn in WAYS.items()}
    best = max(right, key=right.get)
    if right[best] < LEAST_RIGHT or right[best] < right["upright"] + LEAST_LEAD:
        return []
    remedy = f", with {REMEDY[best]}," if best in REMEDY else ""
    return [
        f"{name}: the digits seem to be stored {best}: a quick test is right about {right[best]:.0%} of the rows when "
        f"they are brought upright, about {right['upright']:.0%} as they are; bring them upright{remedy} first"
    ]


def _share_right(images: np.ndarray, truth: np.ndarray) -> float:
    """Share of pictures that the linear classifier of some script is right about."""
    features = orientation_features(images)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    return max(float(((features @ weights).argmax(1) == truth).mean()) for weights in _weights())


def orientation_features(images: np.ndarray) -> np.ndarray:
    """Mean gray levels in CELLS x CELLS cells, of unit length: float (n, cells), of pictures uint8 (n, h, w)."""
    height, width = images.shape[1:]
    rows, columns = (np.arange(CELLS) * side // CELLS for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float64), rows, axis=1), columns, axis=2)
    flat = sums.reshape(len(images), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)


@cache
def _weights() -> np.ndarray:
    """(scripts, features + 1, 10)"""
    with np.load(ORIENTATION_FILE) as file:
        return file["weights"].astype(np.float64)
