"""Pictures to evaluate a model on: a split of an image folder, or a table; with labels where it is to be scored."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..answers import Inference, Predictions, answer
from ..folders import TEST, TRAIN, VALID, is_image_folder, read_folder, resized, split_source
from ..photos import Ground
from ..sources import PixelSource, is_picture_folder, open_source
from ..system import InputError
from .scoring import class_numbers
from .stress import MIXED_SIZES_PX, StressScore, stress_scores, stressed_rows


@dataclass
class EvaluatedPictures:
    """What is evaluated: pictures, mostly with labels, and where they are known groups; read once a question."""

    source: PixelSource
    groups: list[str] | None = None

    def answers(self, inference: Inference) -> Predictions:
        """What the model says; InputError for labels that it does not know."""
        found = answer(inference, self.source)
        unknown = sorted(set(found.truth or []) - set(inference.classes))
        if unknown:
            raise InputError(
                f"{self.source.name} has the label {unknown[0]!r}, which the model does not know "
                f"({', '.join(inference.classes)})"
            )
        return found

    def stress_scores(self, inference: Inference, labels: list[str]) -> list[StressScore]:
        """Accuracy against the strength of each stress, on some of the pictures, whose `labels` these are."""
        chosen = stressed_rows(len(labels))
        truth = class_numbers([labels[row] for row in chosen], inference.classes)
        return stress_scores(inference, self._pictures(chosen), truth)

    def _pictures(self, rows: np.ndarray) -> np.ndarray:
        """The pictures of the given rows, which ascend: uint8 (n, h, h); those of mixed sizes in one."""
        found, first = [], 0
        for chunk in self.source.chunks():
            chosen = chunk.images[rows[(rows >= first) & (rows < first + len(chunk.ids))] - first]
            first += len(chunk.ids)
            if len(chosen):
                found.append(chosen if self.source.size else resized(chosen, MIXED_SIZES_PX))
        return np.concatenate(found)


def evaluated_pictures(
    data: str, split: str | None, normalise: bool, ground: Ground = "auto", label_column: str | None = None
) -> EvaluatedPictures:
    """What `data` and `split` name, with or without labels."""
    if is_image_folder(Path(data)):
        if label_column:
            raise InputError(f"{data} is an image folder; --label-column goes with a table")
        folder, split = read_folder(data, normalise), split or VALID
        return EvaluatedPictures(split_source(folder, split, ground), folder.split(split).groups)
    normalise = normalise and is_picture_folder(Path(data))
    table = open_source(data, normalise=normalise, ground=ground, label_column=label_column)
    return EvaluatedPictures(_part_of(table, split))


def _part_of(table: PixelSource, split: str | None) -> PixelSource:
    """The table itself, or its test part when `split` asks for it."""
    if split is None or (split == TRAIN and table.test):
        return table
    if split == TEST and table.test:
        return table.test
    raise InputError(f"{table.name} has no part called {split}; leave out --split, or pass an image folder")
