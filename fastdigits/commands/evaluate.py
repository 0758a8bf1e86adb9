"""evaluate(): how good a model is on labelled pictures, with intervals."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..answers import Inference, open_models, split_probabilities, table_probabilities
from ..folders import TEST, TRAIN, VALID, ImageFolder, is_image_folder, read_folder
from ..scores import (
    MIXED_SIZES_PX,
    WISHED_ACCURACY,
    Evaluation,
    StressScore,
    class_numbers,
    compare,
    score,
    stress_scores,
    stressed_rows,
)
from ..sources import PixelSource, is_picture_folder, open_source
from ..system import InputError, check_output, write_json


def evaluate(
    model: str,
    data: str,
    *,
    split: Literal["train", "valid", "test"] | None = None,
    ensemble: list[str] | None = None,
    against: str | None = None,
    wished_accuracy: float = WISHED_ACCURACY,
    stress: bool = False,
    tta: bool = False,
    normalise: bool | None = None,
    out: Path | None = None,
    overwrite: bool = False,
) -> Evaluation:
    """Score a model on labelled pictures, with 95 % intervals: accuracy, F1, calibration, by class and by group.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada.
    data
        An image folder, or a table with labels as for convert.
    split
        Which pictures: by default valid of an image folder, all rows of a table. test also names the test part of a
        zip, npz or data set that has one.
    ensemble
        More models; probabilities are averaged.
    against
        Another model, to compare with on the same pictures by McNemar's test.
    wished_accuracy
        0..1; of what is left when doubtful pictures are rejected.
    stress
        Show the same pictures thinner, thicker, smaller, larger, shifted, slanted, turned, blurred, with noise and with
        lines, in three strengths each: accuracy against strength.
    tta
        Test-time augmentation, as for predict; the result says so.
    normalise
        As for predict, of a folder made by hand.
    out
        A JSON file to write the scores to.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        When the model or the data are wrong, have no labels, or labels that the model does not know.
    """
    if out is not None:
        check_output(Path(out), overwrite)
    if not 0 < wished_accuracy <= 1:
        raise InputError(
            f"--wished-accuracy {wished_accuracy:g} makes no sense; accepted are 0.999 and the like, up to 1"
        )
    inference = Inference(open_models([model, *(ensemble or [])]), exact=True, normalise=normalise, tta=tta)
    pictures = _labelled_pictures(data, split, inference.normalise)
    probabilities, labels, groups = pictures.probabilities(inference)
    name = pictures.name + (", with test-time augmentation" if tta else "")
    evaluation = score(labels, probabilities, inference.classes, name, groups, wished_accuracy)
    if against is not None:
        other = Inference(open_models([model, against])[1:], exact=True, tta=tta)
        theirs, *_ = pictures.probabilities(other)
        truth = class_numbers(labels, inference.classes)
        right = [answers.argmax(1) == truth for answers in (probabilities, theirs)]
        evaluation.comparison = compare(" + ".join([str(model), *(ensemble or [])]), str(against), *right)
    if stress:
        evaluation.stress = pictures.stress_scores(inference, labels)
    if out is not None:
        write_json(Path(out), asdict(evaluation))
    return evaluation


@dataclass
class _LabelledPictures:
    """What is evaluated: a split of an image folder, or a table, which is read as often as it is asked about."""

    name: str
    folder: ImageFolder | None
    split: str | None
    table: PixelSource | None

    def probabilities(self, inference: Inference) -> tuple[np.ndarray, list[str], list[str] | None]:
        """Class probabilities (n, classes), true labels and, where they are known, groups."""
        if self.folder:
            part = self.folder.split(self.split)
            _check_labels(part.labels, inference.classes, self.name)
            return split_probabilities(inference, self.folder, self.split), part.labels, part.groups
        _, labels, probabilities = table_probabilities(inference, self.table)
        _check_labels(labels, inference.classes, self.name)
        return probabilities, labels, None

    def stress_scores(self, inference: Inference, labels: list[str]) -> list[StressScore]:
        """Accuracy against the strength of each stress, on some of the pictures, whose `labels` these are."""
        chosen = stressed_rows(len(labels))
        truth = class_numbers([labels[row] for row in chosen], inference.classes)
        return stress_scores(inference, self._pictures(chosen), truth)

    def _pictures(self, rows: np.ndarray) -> np.ndarray:
        """The pictures of the given rows, which ascend: uint8 (n, h, h); those of mixed sizes in one."""
        if self.folder:
            from ..folders import split_images

            return split_images(self.folder, self.split, self.folder.size or MIXED_SIZES_PX, rows)
        found, first = [], 0
        for chunk in self.table.chunks():
            found.append(chunk.images[rows[(rows >= first) & (rows < first + len(chunk.ids))] - first])
            first += len(chunk.ids)
        return np.concatenate(found)


def _labelled_pictures(data: str, split: str | None, normalise: bool) -> _LabelledPictures:
    """What `data` and `split` name; InputError when it has no labels."""
    if is_image_folder(Path(data)):
        split = split or VALID
        folder, name = read_folder(data, normalise), f"{data} ({split})"
        if folder.split(split).labels is None:
            raise _no_labels(name)
        return _LabelledPictures(name, folder, split, None)
    table = _part_of(open_source(data, normalise=normalise and is_picture_folder(Path(data))), split)
    if not table.has_labels:
        raise _no_labels(table.name)
    return _LabelledPictures(table.name, None, None, table)


def _part_of(table: PixelSource, split: str | None) -> PixelSource:
    """The table itself, or its test part when `split` asks for it."""
    if split is None or (split == TRAIN and table.test):
        return table
    if split == TEST and table.test:
        return table.test
    raise InputError(f"{table.name} has no part called {split}; leave out --split, or pass an image folder")


def _check_labels(labels: list[str], classes: list[str], name: str) -> None:
    unknown = sorted(set(labels) - set(classes))
    if unknown:
        raise InputError(f"{name} has the label {unknown[0]!r}, which the model does not know ({', '.join(classes)})")


def _no_labels(name: str) -> InputError:
    return InputError(f"{name} has no labels, so nothing can be scored; use `fastdigits predict`")
