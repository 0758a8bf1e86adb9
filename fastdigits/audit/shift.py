"""How other rows differ from those of a table: whether one can tell them apart, in what, and what that costs."""

from dataclasses import dataclass, field

import numpy as np

from ..folders import measured, spread_rows
from ..photos import differences, summary_of
from ..scores import Expectation, expected, kept_of_valid
from .writers import folds_by, random_folds

MOST_LEARNT, MOST_ASKED, MOST_APART = 8_000, 5_000, 3_000  # rows; of the two that are to be told apart, of each
LEAST_ROWS = 50
UNLIKE = 12  # rows that are shown
ALIKE, APART = 0.55, 0.75  # AUC up to which two sets are alike, and from which they are clearly not
TOLD = 4  # differences


@dataclass
class Shift:
    """How other rows differ from those with labels.

    Attributes
    ----------
    rows : int
        Others.
    auc : float
        How well a quick classifier that has not seen a row tells from which of both it is: the chance that it ranks two
        of them rightly, 0.5 where they are alike and 1 where one sees it from each.
    by_chance : float
        The AUC that rows of one table hardly exceed: two standard errors above 0.5, and at least 0.55.
    differences : list of str
        In what they differ, the largest first.
    unlike : list of int
        Positions of the rows that are most unlike those with labels, the most unlike first.
    expectation : Expectation or None
        Of the quick classifier on the others; None where the first have no labels.
    """

    rows: int
    auc: float
    by_chance: float
    differences: list[str]
    unlike: list[int] = field(default_factory=list)
    expectation: Expectation | None = None

    def sentences(self) -> list[str]:
        """What it means, a line each."""
        how = "look like the labelled ones" if self.auc <= self.by_chance else "differ from the labelled ones"
        how = (
            "are by other hands, or written or scanned in another way"
            if self.auc >= max(APART, self.by_chance)
            else how
        )
        lines = [f"the test rows {how} (a quick classifier tells them apart with AUC {self.auc:.2f}, 0.5 is by chance)"]
        if self.differences:
            lines[0] += f"; they are {', '.join(self.differences[:TOLD])}"
        if self.expectation:
            lines.append(f"quick classifier: {self.expectation.told('on held-out labelled rows')}")
        return lines


def shift_of(
    images: np.ndarray,
    truth: np.ndarray | None,
    others: np.ndarray,
    groups: np.ndarray | None = None,
    by_hand: str | None = None,
) -> Shift | None:
    """How `others` differ from `images`; None where either are too few (50) to tell.

    Parameters
    ----------
    images, others : ndarray of uint8, shape (n, h, w) and (m, h, w)
        Light ink on dark; the first in the order of their table.
    truth : ndarray of int, shape (n,), or None
        Index of the class of each of `images`.
    groups : ndarray of str, shape (n,), optional
    by_hand : 'groups', 'row blocks' or None
        What is held back together, as an Audit says.
    """
    if min(len(images), len(others)) < LEAST_ROWS:
        return None
    from .quick_classifier import as_probabilities, held_out_probabilities, scores_of_others, stroke_features

    rows, asked = spread_rows(len(images), MOST_LEARNT), spread_rows(len(others), MOST_ASKED)
    looks = [measured(part) for part in (images[rows], others[asked])]
    apart = differences(summary_of(looks[0]), summary_of(looks[1]), len(looks[1]))
    features, others_features = stroke_features(images[rows]), stroke_features(others[asked])
    auc, unlike = _told_apart(features, others_features)
    counts = (min(len(part), MOST_APART) for part in (rows, asked))
    found = Shift(len(others), auc, _by_chance(*counts), [str(one) for one in apart], asked[unlike].tolist())
    if truth is not None:
        truth = truth[rows]
        folds = folds_by(by_hand, truth, None if groups is None else groups[rows])
        probabilities, temperature = held_out_probabilities(features, truth, folds)
        kept = kept_of_valid(probabilities, truth, np.bincount(truth))
        scores = scores_of_others(features, truth, others_features)
        found.expectation = expected([kept], as_probabilities(scores, temperature))
    return found


def _by_chance(n: int, m: int) -> float:
    """Two standard errors of the AUC of n and m rows that are alike, above 0.5 (Mann and Whitney 1947); or ALIKE."""
    return max(ALIKE, 0.5 + 2 * ((n + m + 1) / (12 * n * m)) ** 0.5)


def _told_apart(features: np.ndarray, others: np.ndarray) -> tuple[float, np.ndarray]:
    """The AUC of telling both apart, and which `others` are most unlike the first, int (12,)."""
    from sklearn.metrics import roc_auc_score

    from .quick_classifier import held_out_scores

    first, second = (spread_rows(len(part), MOST_APART) for part in (features, others))
    both = np.concatenate([features[first], others[second]])
    is_other = np.repeat([0, 1], [len(first), len(second)])
    scores = held_out_scores(both, is_other, random_folds(len(both)))
    lead = scores[:, 1] - scores[:, 0]
    return float(roc_auc_score(is_other, lead)), second[np.argsort(-lead[len(first) :], kind="stable")[:UNLIKE]]
