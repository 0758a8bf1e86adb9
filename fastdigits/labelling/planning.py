"""What is to be labelled next, and why: of pictures without labels, and of labels that may be wrong."""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from ..answers import Inference
from .look_alikes import shares_by_look_alikes
from .order import Order, clusters_apart, doubtful, typical
from .pool import Pool
from .suspects import Suspect, neighbours, suspects_of

MOST_COMPARED = 10_000  # pictures among which the next are chosen
TOGETHER = 24  # look-alikes that are shown at once
FEW_OF_CLASS = 1.4  # pictures that stand for all others, for each class
AT_ONCE = 50  # pictures that are chosen before what was learnt of them counts
ENOUGH_ALIKE = 50  # labels of each class, after which the doubtful ones are worth more
COVERED = 5  # labels of each class, until which pictures that stand for many are worth more than doubtful ones
RUNNER_UP = 0.05  # probability from which a second class is told


@dataclass(frozen=True)
class Choice:
    """A picture that is to be looked at.

    Attributes
    ----------
    row : int
        In the pool.
    reason : str
        Why it comes now.
    guess : str or None
        What it is, as far as can be told.
    confidence : float or None
        Of the guess, 0..1.
    together : int or None
        A number that look-alikes share, which can be labelled at once.
    """

    row: int
    reason: str
    guess: str | None = None
    confidence: float | None = None
    together: int | None = None


class Planner:
    """Chooses among pictures without labels.

    Parameters
    ----------
    pool : Pool
    classes : list of str
    order : Order
    inference : Inference, optional
        Of a model of these classes; without one, the labels given so far tell what their look-alikes are.
    """

    def __init__(self, pool: Pool, classes: list[str], order: Order = "auto", inference: Inference | None = None):
        self.pool, self.classes, self.order = pool, classes, order
        self.knows_from_start = inference is not None
        self.inference = inference
        self._answers: dict[int, np.ndarray] = {}  # probabilities by row, of the model at work
        self._clusters = 0  # that were numbered

    @property
    def few(self) -> int:
        """How many pictures, or clusters, stand for all others: nearly every class is among them."""
        return math.ceil(FEW_OF_CLASS * len(self.classes))

    @property
    def waits(self) -> bool:
        """Whether nothing may be shown before a plan is made."""
        return False

    def use(self, inference: Inference) -> None:
        """Ask another model from now on."""
        self.inference, self._answers = inference, {}

    def plan(self, label_of: dict[str, str], passed_over: Container[int] = ()) -> list[Choice]:
        """The next pictures, the first of them first.

        Parameters
        ----------
        label_of : dict of str to str
            What was said by id.
        passed_over : container of int
            Rows that nobody wants to see now.
        """
        if self.order == "as-they-come":
            rows = self.pool.open_rows(label_of)
            return [Choice(int(row), "the next one") for row in rows[:MOST_COMPARED] if row not in passed_over]
        rows = self.pool.open_rows(label_of, MOST_COMPARED)
        rows = np.array([row for row in rows if row not in passed_over], int)
        if not len(rows):
            return []
        learnt = self.learnt(label_of)
        probabilities = self._probabilities(rows, learnt)
        if self._wants_alike(learnt[1]):
            return self._look_alikes(rows, probabilities)
        features = self.pool.features(rows)
        if probabilities is None or (not self.knows_from_start and len(learnt[1]) < COVERED * len(self.classes)):
            known = self.pool.features(learnt[0]) if learnt[0] else features[:0]
            chosen = typical(features, known, self.few)
            chosen = [*chosen, *typical(features, np.concatenate([known, features[chosen]]), AT_ONCE - len(chosen))]
            return [Choice(int(rows[k]), "stands for many that look like it") for k in chosen]
        chosen = doubtful(probabilities, features, AT_ONCE)
        return [self._doubt(int(rows[k]), probabilities[k]) for k in chosen]

    def learnt(self, label_of: dict[str, str]) -> tuple[list[int], list[str]]:
        """Rows and labels of the pictures that were given a class."""
        return self.pool.labelled(label_of, self.classes)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """What the model says of some rows, (n, classes)."""
        new = [row for row in rows if row not in self._answers]
        if new:
            images = self.pool.images(new)
            self._answers.update(zip(new, answers_of(self.inference, images, self.classes)))
        return np.stack([self._answers[row] for row in rows])

    def _probabilities(self, rows: np.ndarray, learnt: tuple[list[int], list[str]]) -> np.ndarray | None:
        """By the model, else by labelled look-alikes; None where fewer than two classes have a label."""
        if self.inference is not None:
            return self.probabilities(rows)
        known, labels = learnt
        if len(set(labels)) < 2:
            return None
        truth = np.array([self.classes.index(label) for label in labels])
        return shares_by_look_alikes(self.pool, np.array(known), truth, rows, len(self.classes))

    def _wants_alike(self, labels: Sequence[str]) -> bool:
        if self.order == "auto":
            return not self.knows_from_start and len(labels) < ENOUGH_ALIKE * len(self.classes)
        return self.order == "look-alikes"

    def _look_alikes(self, rows: np.ndarray, probabilities: np.ndarray | None) -> list[Choice]:
        choices = []
        for cluster in clusters_apart(self.pool.features(rows), TOGETHER, self.few, probabilities):
            self._clusters += 1  # so that clusters of two plans have different numbers
            guess = confidence = None
            if probabilities is not None:
                mean = probabilities[cluster].mean(0)
                guess, confidence = self.classes[int(mean.argmax())], float(mean.max())
            reason = f"{len(cluster)} look-alikes" if len(cluster) > 1 else "looks like no other"
            choices += [Choice(int(rows[k]), reason, guess, confidence, self._clusters) for k in cluster]
        return choices

    def _doubt(self, row: int, shares: np.ndarray) -> Choice:
        second, first = np.argsort(shares, kind="stable")[-2:]
        reason = f"{self.classes[first]} at {shares[first]:.0%}"
        if shares[second] >= RUNNER_UP:
            reason += f", or {self.classes[second]} at {shares[second]:.0%}"
        return Choice(row, reason, self.classes[first], float(shares[first]))


class SuspectPlanner:
    """Chooses among labels that may be wrong.

    Parameters
    ----------
    pool : Pool
        Read to its end.
    inference : Inference, optional
        Of a model that was not trained on these labels.
    """

    def __init__(self, pool: Pool, classes: list[str], inference: Inference | None = None):
        self.pool, self.classes, self.inference = pool, classes, inference
        self.suspects: list[Suspect] = []

    @property
    def waits(self) -> bool:
        """Whether nothing may be shown before a plan is made."""
        return not self.suspects

    def plan(self, label_of: dict[str, str], passed_over: Container[int] = ()) -> list[Choice]:
        """The pictures whose label is likeliest to be wrong, of those that nobody has looked at."""
        if not self.suspects:
            self.suspects = self._found()
        return [
            Choice(one.row, "; ".join(one.reasons) or "less sure than others of its class", one.likely, one.confidence)
            for one in self.suspects
            if self.pool.ids[one.row] not in label_of and one.row not in passed_over
        ]

    def beside(self, choice: Choice) -> dict[str, list[int]]:
        """Under the picture's own label and the likely one the rows that look most like it."""
        own = self.pool.labels[choice.row]
        return {
            label: neighbours(self._features, self._truth, choice.row, self.classes.index(label)).tolist()
            for label in dict.fromkeys([own, choice.guess])
        }

    def _found(self) -> list[Suspect]:
        rows = np.arange(len(self.pool))
        images = self.pool.images(rows)
        self._features = self.pool.features(rows)
        self._truth = np.array([self.classes.index(label) for label in self.pool.labels])
        answers = answers_of(self.inference, images, self.classes) if self.inference else None
        return suspects_of(images, self._features, self._truth, self.classes, answers)


def answers_of(inference: Inference, images: np.ndarray, classes: list[str]) -> np.ndarray:
    """What a model says of pictures uint8 (n, h, w), of classes in this order: (n, classes)."""
    columns = [inference.classes.index(name) for name in classes]
    return inference.probabilities(images)[:, columns]
