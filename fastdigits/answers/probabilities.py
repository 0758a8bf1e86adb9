"""What models say about picture files, splits of image folders, and tables, read a part at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..folders import ImageFolder, decoded_split
from ..photos import read_gray
from ..sources import PixelSource
from ..system import progress_bar
from .inference import Inference

READ_PIXELS = 64_000_000  # of large pictures that are read before they are predicted together
READ_PICTURES = 4096  # files that are read before they are predicted together; the largest batch


def file_probabilities(inference: Inference, files: list[Path], normalise: bool, what: str = "pictures") -> np.ndarray:
    """Mean class probabilities for picture files of any size, normalised if wished: float32 (n, classes)."""
    rows = []
    with progress_bar(what, len(files)) as advance:
        for images in _equal_sized(files, normalise):
            rows.append(inference.probabilities(images))
            advance(len(images))
    return np.concatenate(rows)


def split_probabilities(inference: Inference, folder: ImageFolder, split: str) -> np.ndarray:
    """Mean class probabilities for a split of an image folder, decoded where it is: float32 (n, classes)."""
    decoded = decoded_split(folder, split)
    if decoded is None:
        return file_probabilities(inference, folder.split(split).files, folder.normalise, split)
    rows, images = [], decoded.images
    with progress_bar(split, len(images)) as advance:
        for start in range(0, len(images), READ_PICTURES):
            rows.append(inference.probabilities(images[start : start + READ_PICTURES]))
            advance(len(rows[-1]))
    return np.concatenate(rows)


def _equal_sized(files: list[Path], normalise: bool) -> Iterator[np.ndarray]:
    """Runs of consecutive pictures of one size, as uint8 (n, h, w)."""
    waiting: list[np.ndarray] = []
    for file in files:
        gray = read_gray(file, normalise)
        most = READ_PIXELS // gray.size
        if waiting and (gray.shape != waiting[0].shape or len(waiting) == max(1, min(READ_PICTURES, most))):
            yield np.stack(waiting)
            waiting = []
        waiting.append(gray)
    if waiting:
        yield np.stack(waiting)


def table_probabilities(inference: Inference, table: PixelSource) -> tuple[list[str], list[str] | None, np.ndarray]:
    """Ids, labels (None without) and mean class probabilities (n, classes) of a table, read as a stream."""
    ids, labels, rows = [], [], []
    with progress_bar("rows", table.rows) as advance:
        for chunk in table.chunks():
            ids += chunk.ids
            labels += chunk.labels or []
            rows.append(inference.probabilities(chunk.images))
            advance(len(chunk.ids))
    for note in table.notes:
        print(note)
    found = np.concatenate(rows) if rows else np.zeros((0, len(inference.classes)), np.float32)
    return ids, labels if table.has_labels else None, found
