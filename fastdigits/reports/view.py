"""A finished run as its report sees it: model, answers, mistakes, pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..answers import open_model
from ..folders import VALID, ImageFolder, split_images
from ..models import SavedModel
from ..runs import Run, unchanged_folder
from ..scores import Evaluation, Suspect, ValidAnswers, class_numbers, find_suspects, read_answers

BATCH = 256


@dataclass
class View:
    """A finished run with what its report is made of.

    Attributes
    ----------
    run : Run
    saved : SavedModel
    answers : ValidAnswers
        To n pictures.
    folder : ImageFolder or None
        None where the data were moved or changed since.
    """

    run: Run
    saved: SavedModel
    answers: ValidAnswers
    folder: ImageFolder | None

    @property
    def ids(self) -> list[str]:
        return self.answers.ids

    @property
    def probabilities(self) -> np.ndarray:
        return self.answers.probabilities

    @cached_property
    def evaluation(self) -> Evaluation:
        return self.answers.evaluation(f"{self.run.record()['data']} ({VALID})")

    @cached_property
    def truth(self) -> np.ndarray:
        return class_numbers(self.answers.labels, self.saved.classes)

    @cached_property
    def predicted(self) -> np.ndarray:
        return self.probabilities.argmax(1)

    @cached_property
    def mistakes(self) -> np.ndarray:
        """Rows that are wrong: those of the most confused pair first, in each pair the surest first."""
        rows = np.flatnonzero(self.predicted != self.truth)
        pairs, confidence = self.evaluation.confused_pairs, self.probabilities.max(1)
        return np.array(sorted(rows, key=lambda row: (-pairs[self.pair(row)], self.pair(row), -confidence[row])), int)

    @property
    def surest_mistakes(self) -> np.ndarray:
        """Rows that are wrong, those with the highest confidence first."""
        return self.mistakes[np.argsort(-self.probabilities[self.mistakes].max(1), kind="stable")]

    @cached_property
    def suspects(self) -> list[Suspect]:
        """Labels that are likely wrong, the likeliest first."""
        return find_suspects(self.truth, self.probabilities, self.saved.classes)

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
    return View(run, open_model(run.path), read_answers(run), unchanged_folder(run))
