"""What a split hides: how much less a classifier has on new writers than on rows held back at random."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..scores import Interval, class_numbers, wilson_interval
from .pictures import Pictures
from .row_order import LEAST_ROWS, OrderOfHands, order_of_hands, stand_by_hand

FOLDS = 5
MOST_ROWS = 60_000  # more are thinned out evenly
SEED = 0


@dataclass
class Audit:
    """What a quick classifier scores when rows are held back at random, and when whole hands are.

    Attributes
    ----------
    rows : int
        How many were used.
    random_accuracy, random_interval : float, (float, float)
    by_hand : 'groups', 'row blocks' or None
        What was held back together; None where neither groups nor the order tell hands apart.
    hand_accuracy, hand_interval : float, (float, float), or None
        The mean of the folds, and its interval from their spread.
    fold_accuracies : list of float
        Of the five folds of hands.
    order : OrderOfHands or None
        None without an order.
    groups : int or None
        How many there are, where they were given.
    """

    rows: int
    random_accuracy: float
    random_interval: Interval
    by_hand: str | None
    hand_accuracy: float | None
    hand_interval: Interval | None
    fold_accuracies: list[float]
    order: OrderOfHands | None
    groups: int | None = None

    def sentences(self) -> list[str]:
        """What it means, a line each."""
        low, high = self.random_interval
        random = f"quick classifier, {FOLDS} folds of random rows: {self.random_accuracy:.2%} ({low:.2%} .. {high:.2%})"
        return [*self._of_order(), random, *(self._of_hands() if self.by_hand else [self._no_hands()])]

    def _of_order(self) -> list[str]:
        if self.order is None:
            return []
        if not self.order.by_hand:
            return ["the order of the rows tells nothing of writers"]
        return [
            f"rows near each other are alike ({self.order.likeness[0]:.2f} of the usual distance): the table is in the "
            f"order of its writers, in blocks of about {self.order.block_rows:,} rows"
        ]

    def _no_hands(self) -> str:
        if self.groups is not None:
            return f"there are {self.groups} groups; {FOLDS} or more would tell what a new writer costs"
        return (
            "hands cannot be told apart, so the accuracy on a new writer cannot be foreseen; expect less than on "
            "random rows, and pass --groups if the writers are known"
        )

    def _of_hands(self) -> list[str]:
        (low, high), lost = self.hand_interval, self.random_accuracy - self.hand_accuracy
        times = ""
        if self.random_accuracy < 1 and lost > 0:
            times = f", {(1 - self.hand_accuracy) / (1 - self.random_accuracy):.1f} times the mistakes"
        held_back = (
            f"quick classifier, {FOLDS} folds of {self.by_hand}: {self.hand_accuracy:.2%} ({low:.2%} .. {high:.2%})"
            f"{times}; the worst fold has {min(self.fold_accuracies):.2%}"
        )
        flatters = (
            f"a score on random rows flatters by about {100 * lost:.2f} points"
            if lost > 0
            else "a score on random rows does not flatter here"
        )
        return [held_back, f"{flatters}; what no split of these rows can foresee are writers unlike all of these"]


def audit_rows(
    images: np.ndarray, truth: np.ndarray, groups: np.ndarray | None = None, in_order: bool = True
) -> Audit | None:
    """Audit labelled rows; None where there are too few (200) to tell anything.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, w)
        In the order of the table.
    truth : ndarray of int, shape (n,)
        Index of the class.
    groups : ndarray of str, shape (n,), optional
    in_order : bool
        Whether the table's order is known.
    """
    from .quick_classifier import held_out_scores, stroke_features

    if len(images) < LEAST_ROWS:
        return None
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), MOST_ROWS)).round().astype(int))
    features, truth = stroke_features(images[rows]), truth[rows]
    order = order_of_hands(features, truth, rows) if in_order else None
    right = held_out_scores(features, truth, random_folds(len(rows))).argmax(1) == truth
    random = float(right.mean()), wilson_interval(int(right.sum()), len(right))
    n_groups = None if groups is None else len(np.unique(groups[rows]))
    if n_groups is not None and n_groups >= FOLDS:
        by_hand = "groups"
    elif n_groups is None and order and order.by_hand:
        by_hand = "row blocks"
    else:
        return Audit(len(rows), *random, None, None, None, [], order, n_groups)
    hand_folds = folds_by(by_hand, truth, None if groups is None else groups[rows])
    hand_right = held_out_scores(features, truth, hand_folds).argmax(1) == truth
    accuracies = [float(hand_right[hand_folds == fold].mean()) for fold in range(FOLDS)]
    hands = float(np.mean(accuracies)), _interval_of_folds(accuracies)
    return Audit(len(rows), *random, by_hand, *hands, accuracies, order, n_groups)


def random_folds(n: int) -> np.ndarray:
    """Five folds, int (n,), at random."""
    return np.random.default_rng(SEED).permutation(np.arange(n) % FOLDS)


def folds_by(by_hand: str | None, truth: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Five folds, int (n,), by 'groups' or 'row blocks', where that can be; else at random."""
    if by_hand == "groups" and len(np.unique(groups)) >= FOLDS:
        return group_folds(truth, groups)
    return block_folds(truth) if by_hand == "row blocks" else random_folds(len(truth))


def block_folds(truth: np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """Folds, int (n,), of rows that follow each other, the same share of every class in each."""
    fold_of = np.zeros(len(truth), int)
    for label in np.unique(truth):
        rows = np.flatnonzero(truth == label)  # by class, since a table may be sorted by label first
        fold_of[rows] = np.arange(len(rows)) * folds // len(rows)
    return fold_of


def write_blocks(pictures: Pictures, blocks: int, file: Path) -> bool:
    """Write a csv of which block of rows each labelled row is in, where rows near each other are of one hand.

    Returns
    -------
    bool
        Whether they are; else nothing is written.
    """
    import pandas as pd

    labelled = pictures.labelled
    truth = class_numbers([pictures.labels[row] for row in labelled], pictures.classes)
    if len(truth) < LEAST_ROWS or np.bincount(truth).min() < blocks:
        return False
    if not stand_by_hand([pictures.images[labelled]], truth):
        return False
    ids = [pictures.ids[row] for row in labelled]
    pd.DataFrame({"id": ids, "block": block_folds(truth, blocks)}).to_csv(file, index=False)
    return True


def group_folds(truth: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Five folds, int (n,), no group in two of them, classes in proportion."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    can_stratify = np.bincount(truth).min() >= FOLDS
    splitter = (StratifiedGroupKFold if can_stratify else GroupKFold)(FOLDS, shuffle=True, random_state=SEED)
    fold_of = np.zeros(len(truth), int)
    for fold, (_, held_out) in enumerate(splitter.split(truth, truth, groups)):
        fold_of[held_out] = fold
    return fold_of


def _interval_of_folds(accuracies: list[float]) -> Interval:
    """95 % interval of the folds' mean by Student's t (Student 1908, Biometrika 6:1); folds share training rows."""
    from scipy.stats import t

    mean, n = float(np.mean(accuracies)), len(accuracies)
    reach = float(t.ppf(0.975, n - 1)) * float(np.std(accuracies, ddof=1)) / n**0.5
    return max(mean - reach, 0.0), min(mean + reach, 1.0)
