"""Labelled pictures to score a model on: a split of an image folder, or a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..answers import Inference, split_probabilities, table_probabilities
from ..folders import TEST, TRAIN, VALID, ImageFolder, is_image_folder, read_folder
from ..sources import PixelSource, is_picture_folder, open_source
from ..system import InputError
from .scoring import class_numbers
from .stress import MIXED_SIZES_PX, StressScore, stress_scores, stressed_rows


@dataclass
class LabelledPictures:
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


def labelled_pictures(data: str, split: str | None, normalise: bool) -> LabelledPictures:
    """What `data` and `split` name; InputError when it has no labels."""
    if is_image_folder(Path(data)):
        split = split or VALID
        folder, name = read_folder(data, normalise), f"{data} ({split})"
        if folder.split(split).labels is None:
            raise _no_labels(name)
        return LabelledPictures(name, folder, split, None)
    table = _part_of(open_source(data, normalise=normalise and is_picture_folder(Path(data))), split)
    if not table.has_labels:
        raise _no_labels(table.name)
    return LabelledPictures(table.name, None, None, table)


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
