"""Labels of a labelled set to look at again: likely errors, copies labelled otherwise, blank and strange pictures."""

from dataclasses import dataclass, field

import numpy as np

from ..audit import find_copies, held_out_probabilities, random_folds
from ..folders import evenly_spaced
from ..photos import BLANK, OTHER, contents_of
from ..scores import find_suspects

NEIGHBOURS = 4  # of each class, that are shown beside a suspect
COPY_FIRST, BLANK_FIRST = 1, 2  # what comes before labels that are merely unlikely
MOST_OTHERS = 20_000
STRANGE = 0.002  # share of the pictures that are told to be unlike all others


@dataclass
class Suspect:
    """A picture whose label is to be looked at.

    Attributes
    ----------
    row : int
    likely : str
        The likeliest label but the one that it has.
    confidence : float
        Of the likely label, 0..1.
    reasons : list of str
    """

    row: int
    likely: str
    confidence: float
    reasons: list[str] = field(default_factory=list)


def suspects_of(
    images: np.ndarray, features: np.ndarray, truth: np.ndarray, classes: list[str], answers: np.ndarray | None = None
) -> list[Suspect]:
    """All pictures, those first whose label is the likeliest to be wrong; what is nothing but unlikely has no reason.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, w)
        Light on dark.
    features : ndarray of float32, shape (n, d)
        As the quick classifier takes them.
    truth : ndarray of int, shape (n,)
        Index of the class that each is labelled with.
    classes : list of str
    answers : ndarray, shape (n, classes), optional
        Probabilities by a model that was not trained on these labels, which count as much as the quick classifier's.
    """
    probabilities = _held_out(features, truth, len(classes))
    if answers is not None:
        probabilities = (probabilities + answers) / 2
    own = probabilities[np.arange(len(truth)), truth]
    others = probabilities.copy()
    others[np.arange(len(truth)), truth] = -1
    likely = others.argmax(1)
    reasons: list[list[str]] = [[] for _ in truth]
    first = np.zeros(len(truth))
    for one in find_suspects(truth, probabilities, classes):
        reasons[one.row].append(f"looks like {one.likely} ({one.likely_probability:.0%})")
    for pair in find_copies(images)[0]:
        if truth[pair.first] != truth[pair.second]:
            kind = "equal to" if pair.exact else "nearly equal to"
            for row, other in ((pair.first, pair.second), (pair.second, pair.first)):
                reasons[row].append(f"{kind} a picture that is labelled {classes[truth[other]]}")
                likely[row], first[row] = truth[other], COPY_FIRST
    for row, content in enumerate(contents_of(images)):
        if content in (BLANK, OTHER):
            reasons[row].append("blank: no ink" if content == BLANK else "no light digit on dark: noise, or a surface")
            first[row] = BLANK_FIRST
    written = np.flatnonzero(first < BLANK_FIRST)
    for row in written[_strange(features[written], max(1, round(STRANGE * len(truth))))]:
        reasons[row].append("unlike all others")
    order = np.lexsort((own - probabilities[np.arange(len(truth)), likely], -first))
    return [
        Suspect(int(row), classes[likely[row]], float(probabilities[row, likely[row]]), reasons[row]) for row in order
    ]


def neighbours(features: np.ndarray, truth: np.ndarray, row: int, label: int) -> np.ndarray:
    """The rows of one class that look most like a picture, int (at most 4,), the nearest first; not itself."""
    rows = np.flatnonzero(truth == label)
    rows = rows[rows != row]
    return rows[np.argsort(-(features[rows] @ features[row]), kind="stable")[:NEIGHBOURS]]


def _held_out(features: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Calibrated probabilities (n, classes) by a quick classifier that has not seen the row."""
    present, own = np.unique(truth, return_inverse=True)
    probabilities = np.zeros((len(truth), classes))
    probabilities[:, present], _ = held_out_probabilities(features, own, random_folds(len(truth)))
    return probabilities


def _strange(features: np.ndarray, most: int) -> np.ndarray:
    """The pictures whose nearest other, among 20,000, is the farthest: int (most,)."""
    others = evenly_spaced(len(features), MOST_OTHERS)
    nearest = np.empty(len(features), np.float32)
    for start in range(0, len(features), 512):
        rows = np.arange(start, min(start + 512, len(features)))
        likeness = features[rows] @ features[others].T
        likeness[rows[:, None] == others] = -1
        nearest[rows] = likeness.max(1)
    return np.argsort(nearest, kind="stable")[:most]
