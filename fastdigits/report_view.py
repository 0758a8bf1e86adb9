"""A finished run with what its report is made of."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .decoded import decoded_split
from .errors import InputError
from .folders import VALID, ImageFolder, read_folder
from .inputs import same_size
from .prediction import open_model
from .runs import Run
from .saved import SavedModel
from .scores import Evaluation, class_numbers, score

BATCH = 256


@dataclass
class View:
    """A finished run with what its report is made of.

    Attributes
    ----------
    run : Run
    saved : SavedModel
    ids, labels : list of str, length n
        Of the valid pictures.
    probabilities : ndarray of float32, shape (n, classes)
    folder : ImageFolder or None
        None where the data were moved or changed since.
    """

    run: Run
    saved: SavedModel
    ids: list[str]
    labels: list[str]
    probabilities: np.ndarray
    folder: ImageFolder | None

    @cached_property
    def evaluation(self) -> Evaluation:
        groups = self.folder.split(VALID).groups if self.folder else None
        name = f"{self.run.record()['data']} ({VALID})"
        return score(self.labels, self.probabilities, self.saved.classes, name, groups)

    @cached_property
    def truth(self) -> np.ndarray:
        return class_numbers(self.labels, self.saved.classes)

    @cached_property
    def predicted(self) -> np.ndarray:
        return self.probabilities.argmax(1)

    @cached_property
    def mistakes(self) -> np.ndarray:
        """Rows that are wrong: those of the most confused pair first, in each pair the surest first."""
        rows = np.flatnonzero(self.predicted != self.truth)
        pairs = Counter(self.pair(row) for row in rows)
        confidence = self.probabilities.max(1)
        return np.array(sorted(rows, key=lambda row: (-pairs[self.pair(row)], self.pair(row), -confidence[row])), int)

    def pair(self, row: int) -> tuple[str, str]:
        """True and predicted label."""
        return self.saved.classes[self.truth[row]], self.saved.classes[self.predicted[row]]

    @cached_property
    def images(self) -> np.ndarray | None:
        """The valid pictures, uint8 (n, h, w); None where they are not at hand."""
        return split_images(self.folder, VALID, self.saved.size) if self.folder else None

    def title(self, row: int) -> str:
        true, predicted = self.pair(row)
        return f"{true} → {predicted}, {self.probabilities[row].max():.0%}"

    def batches(self, images: np.ndarray) -> Iterator:
        """Pictures as the model sees them, float (n, channels, size, size), batch after batch."""
        for start in range(0, len(images), BATCH):
            yield self.saved.model_input(np.ascontiguousarray(images[start : start + BATCH]))


def open_view(run: Run) -> View:
    """What the report of a finished run is made of; InputError when it has no valid pictures."""
    import pandas as pd

    if not run.predictions_file.is_file():
        raise InputError(f"{run.path} has no scores, since all its rows were trained on; train with valid pictures")
    saved, record = open_model(run.path), run.record()
    table = pd.read_csv(run.predictions_file, dtype={"id": str, "true": str, "label": str})
    probabilities = table[[f"p_{label}" for label in saved.classes]].to_numpy(np.float32)
    try:
        folder = read_folder(record["data"])
    except InputError:
        folder = None
    if folder and folder.digest != record["data_digest"]:
        folder = None
    return View(run, saved, table["id"].tolist(), table["true"].tolist(), probabilities, folder)


def split_images(folder: ImageFolder, split: str, size: int, rows: np.ndarray | None = None) -> np.ndarray:
    """Pictures of a split (or its `rows`) as uint8 (n, h, w); those of mixed sizes at `size` pixels."""
    rows = np.arange(len(folder.split(split))) if rows is None else rows
    decoded = decoded_split(folder, split)
    if decoded:
        return np.asarray(decoded.images[rows])
    files = folder.split(split).files
    return same_size([files[row] for row in rows], size)
