"""By which pictures an export is checked, and how far it answers otherwise than the model that it was made from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..answers import Inference, Predictions, answer, source_to_predict
from ..folders import (
    TRAIN,
    VALID,
    ImageFolder,
    is_image_folder,
    read_folder,
    resized,
    split_source,
    spread_pictures,
    spread_rows,
)
from ..models import CALIBRATION_PICTURES, OnnxModel, SavedModel
from ..runs import Run, unchanged_folder
from ..sources import PixelSource
from ..system import InputError
from .scoring import class_numbers
from .valid_answers import read_answers

CHECKED_PICTURES = 256
# Of a probability. On one device batches of another size differ by about 1e-6; a GPU multiplies in TF32.
TOLERANCE = {True: 1e-4, False: 1e-2}
MOST_CHANGED, FEW_CHANGED = 0.01, 3  # of the answers, by int8; of few pictures so many may change
LEAST_CALIBRATION = 64  # pictures


@dataclass(frozen=True)
class ExportCheck:
    """How an export was checked.

    Attributes
    ----------
    pictures : int
        By which it was checked.
    largest_difference : float
        Of a probability.
    real : bool
        Whether the pictures are valid ones of the run.
    changed : int or None
        In int8: how many of `pictures` get another answer, a label or "no single digit"; else None.
    accuracies : (float, float) or None
        In int8: of the model and of its int8 form, where the labels are known.
    """

    pictures: int
    largest_difference: float
    real: bool
    changed: int | None = None
    accuracies: tuple[float, float] | None = None

    def __str__(self) -> str:
        if self.changed is not None:
            kind = "valid pictures" if self.real else "calibration pictures that no range was measured on"
            told = f"in int8; of {self.pictures:,} {kind} {self.changed:,} get another answer"
            if self.accuracies:
                told += ", accuracy {:.2%} instead of {:.2%}".format(*reversed(self.accuracies))
            return f"{told}; probabilities differ by {self.largest_difference:.2f} at most"
        kind = "valid pictures" if self.real else "drawn pictures, since the run's own are not at hand"
        return (
            f"checked on {self.pictures} {kind}: same labels, "
            f"probabilities differ by {self.largest_difference:.1e} at most"
        )


def reference_answers(path: Path, saved: SavedModel) -> tuple[np.ndarray, np.ndarray, bool]:
    """Pictures uint8 (n, h, w), the probabilities that an export must repeat, and whether the pictures are real.

    A run whose data are still as they were gives its own valid pictures and recorded predictions.
    """
    run = Run(path)
    folder = unchanged_folder(run) if run.predictions_file.is_file() else None
    if folder:
        images = next(split_source(folder, VALID).chunks()).images[:CHECKED_PICTURES]
        return images, read_answers(run, rows=len(images)).probabilities, True
    drawn = drawn_pictures(saved.size)
    return drawn, saved.probabilities(drawn), False


def drawn_pictures(size: int) -> np.ndarray:
    """Noise that shows whether two forms of a model compute the same, uint8 (32, size, size)."""
    return np.random.default_rng(0).integers(0, 256, (32, size, size), dtype=np.uint8)


def calibration_pictures(model: str, saved: SavedModel, own: ImageFolder | None, given: str | None) -> np.ndarray:
    """Some pictures like those of training, uint8 (n, h, w), light ink on dark, spread over all that are there."""
    if not own and not given:
        raise InputError(
            f"--int8 measures ranges on training pictures, and those of {model} are not at hand; pass "
            "--calibration with a table or a folder of such pictures"
        )
    folder = read_folder(Path(given), saved.normalise) if given and is_image_folder(Path(given)) else own
    if folder:
        _, images = spread_pictures(folder, TRAIN, saved.size, CALIBRATION_PICTURES)
    else:
        images = _some_of(source_to_predict(given, normalise=saved.normalise), saved.size)
    if len(images) < LEAST_CALIBRATION:
        raise InputError(
            f"--int8 needs {LEAST_CALIBRATION} pictures or more to measure ranges on, and {given or folder.path} has "
            f"{len(images)}"
        )
    return images


def _some_of(source: PixelSource, size: int) -> np.ndarray:
    """At most CALIBRATION_PICTURES of a source, spread over it, uint8 (n, size, size); what was noticed is said."""
    kept, rng = [], np.random.default_rng(0)
    for chunk in source.chunks():
        n = len(chunk.ids)
        share = n if source.rows is None else min(n, -(-n * CALIBRATION_PICTURES // max(source.rows, 1)))
        kept.append(resized(chunk.images[np.sort(rng.choice(n, share, replace=False))], size))
    source.notes.say()
    images = np.concatenate(kept) if kept else np.zeros((0, size, size), np.uint8)
    return images[spread_rows(len(images), CALIBRATION_PICTURES)]


def int8_on_valid(found: OnnxModel, saved: SavedModel, folder: ImageFolder) -> ExportCheck:
    """How far int8 answers otherwise on the valid pictures of the folder that the model was trained on."""
    truth = class_numbers(folder.split(VALID).labels, folder.classes)
    answers = [answer(Inference([one], exact=True), split_source(folder, VALID)) for one in (saved, found)]
    made = _compared(*answers, saved)
    accuracies = tuple(float((one.probabilities.argmax(1) == truth).mean()) for one in answers)
    return replace(made, real=True, accuracies=accuracies)


def int8_on_others(found: OnnxModel, saved: SavedModel, images: np.ndarray) -> ExportCheck:
    """How far int8 answers otherwise on pictures that its ranges were not measured on."""
    ids = [str(row) for row in range(len(images))]
    answers = []
    for one in (saved, found):
        inference = Inference([one], exact=True)
        shares, judge = inference.shares(images), inference.judge
        outliers = judge.outliers(shares)
        answers.append(Predictions(ids, judge.probabilities(shares), judge.classes, outliers=outliers))
    return _compared(*answers, saved)


def _compared(before: Predictions, after: Predictions, saved: SavedModel) -> ExportCheck:
    """How many answers differ; InputError when they are many."""
    is_other = before.probabilities.argmax(1) != after.probabilities.argmax(1)
    if saved.above is not None:
        told = [one.outliers.sum(1) > saved.above for one in (before, after)]
        is_other |= told[0] != told[1]
    changed, n = int(is_other.sum()), len(is_other)
    if changed > max(MOST_CHANGED * n, FEW_CHANGED):
        raise InputError(
            f"in int8 {changed / n:.1%} of the answers are others; export it without --int8, or pass --calibration "
            "with pictures that are more like those of training"
        )
    difference = float(np.abs(after.probabilities - before.probabilities).max())
    return ExportCheck(n, difference, real=False, changed=changed)


def pictures_of_other_sizes(size: int) -> list[np.ndarray]:
    """Drawn pictures, uint8 (8, h, w), that are smaller and larger than the network's."""
    drawn = np.random.default_rng(0)
    shapes = [(size // 2 + 1, size // 2 + 1), (size + 9, size + 9), (2 * size, 3 * size)]
    return [drawn.integers(0, 256, (8, *shape), dtype=np.uint8) for shape in shapes]


def checked_difference(found: np.ndarray, expected: np.ndarray, device: str) -> float:
    """Largest difference of two tables of probabilities; RuntimeError when it is no rounding or labels differ."""
    difference = float(np.abs(found - expected).max())
    other_labels = int((found.argmax(1) != expected.argmax(1)).sum())
    if not difference <= TOLERANCE[device == "cpu"] or other_labels:
        raise RuntimeError(
            f"the export differs from the model by {difference:.2e} in a probability and in {other_labels} labels; "
            "nothing is kept"
        )
    return difference
