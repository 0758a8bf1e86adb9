"""What a split hides: whether rows stand in the order of their writers, and how much a new writer costs."""

from dataclasses import dataclass

import numpy as np

from .scores import Interval, wilson_interval

FOLDS = 5
MOST_ROWS = 60_000  # more are thinned out evenly
LEAST_ROWS = 200
ALIKE = 0.97  # distance of rows that follow each other over that of any two, above which the order tells nothing
SEED = 0


@dataclass
class OrderOfHands:
    """How alike rows of one class are, by how far apart they stand in the table.

    Attributes
    ----------
    row_distances : list of float
        How many rows lie between two of a class, on average.
    likeness : list of float
        Mean distance of such rows over that of any two rows of their class: 1 where the order tells nothing.
    by_hand : bool
        Whether rows near each other are alike, as where one writer's rows follow each other.
    block_rows : int or None
        About how many rows stand together.
    """

    row_distances: list[float]
    likeness: list[float]
    by_hand: bool
    block_rows: int | None


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
        The interval from the spread of the folds.
    fold_accuracies : list of float
        Of the five folds of hands.
    order : OrderOfHands or None
        None without an order.
    """

    rows: int
    random_accuracy: float
    random_interval: Interval
    by_hand: str | None
    hand_accuracy: float | None
    hand_interval: Interval | None
    fold_accuracies: list[float]
    order: OrderOfHands | None

    def sentences(self) -> list[str]:
        """What it means, a line each."""
        lines = []
        if self.order and self.order.by_hand:
            lines.append(
                f"rows near each other are alike ({self.order.likeness[0]:.2f} of the usual distance): the table is "
                "in the "
                f"order of its writers, in blocks of about {self.order.block_rows:,} rows"
            )
        elif self.order:
            lines.append("the order of the rows tells nothing of writers")
        low, high = self.random_interval
        lines.append(
            f"quick classifier, {FOLDS} folds of random rows: {self.random_accuracy:.2%} ({low:.2%} .. {high:.2%})"
        )
        if self.by_hand is None:
            lines.append(
                "hands cannot be told apart, so the accuracy on a new writer cannot be foreseen; expect less than on "
                "random rows, and pass --groups if writers are known"
            )
            return lines
        low, high = self.hand_interval
        times = (1 - self.hand_accuracy) / max(1 - self.random_accuracy, 1e-9)
        lines += [
            f"quick classifier, {FOLDS} folds of {self.by_hand}: {self.hand_accuracy:.2%} ({low:.2%} .. "
            f"{high:.2%}), the "
            f"worst fold {min(self.fold_accuracies):.2%}: {times:.1f} times the mistakes",
            "so a score on random rows flatters by "
            f"{100 * (self.random_accuracy - self.hand_accuracy):.2f} points; what no split of these rows can "
            "foresee are "
            "writers unlike all of these",
        ]
        return lines


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
    from .quick_classifier import held_out_predictions, stroke_features

    if len(images) < LEAST_ROWS:
        return None
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), MOST_ROWS)).round().astype(int))
    features, truth = stroke_features(images[rows]), truth[rows]
    order = order_of_hands(features, truth, len(images) / len(rows)) if in_order else None
    random_folds = np.random.default_rng(SEED).permutation(np.arange(len(rows)) % FOLDS)
    right = held_out_predictions(features, truth, random_folds) == truth
    hand_folds, by_hand = None, None
    if groups is not None and len(np.unique(groups[rows])) >= FOLDS:
        hand_folds, by_hand = group_folds(truth, groups[rows]), "groups"
    elif groups is None and order and order.by_hand:
        hand_folds, by_hand = np.arange(len(rows)) * FOLDS // len(rows), "row blocks"
    random = float(right.mean()), wilson_interval(int(right.sum()), len(right))
    if by_hand is None:
        return Audit(len(rows), *random, None, None, None, [], order)
    hand_right = held_out_predictions(features, truth, hand_folds) == truth
    accuracies = [float(hand_right[hand_folds == fold].mean()) for fold in range(FOLDS)]
    return Audit(
        len(rows), *random, by_hand, float(hand_right.mean()), _interval_of_folds(accuracies), accuracies, order
    )


def group_folds(truth: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Five folds, int (n,), no group in two of them, classes in proportion."""
    from sklearn.model_selection import StratifiedGroupKFold

    fold_of = np.zeros(len(truth), int)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for fold, (_, held_out) in enumerate(splitter.split(truth, truth, groups)):
        fold_of[held_out] = fold
    return fold_of


def _interval_of_folds(accuracies: list[float]) -> Interval:
    """95 % interval of the folds' mean by Student's t (Student 1908, Biometrika 6:1); folds share training rows."""
    from scipy.stats import t

    mean, n = float(np.mean(accuracies)), len(accuracies)
    reach = float(t.ppf(0.975, n - 1)) * float(np.std(accuracies, ddof=1)) / n**0.5
    return max(mean - reach, 0.0), min(mean + reach, 1.0)


def order_of_hands(features: np.ndarray, truth: np.ndarray, rows_each: float = 1.0) -> OrderOfHands:
    """How alike rows are by their distance in the table.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        Of unit length, in the order of the table.
    truth : ndarray of int, shape (n,)
    rows_each : float
        Rows of the table that each of these stands for.
    """
    rng = np.random.default_rng(SEED)
    members = [np.flatnonzero(truth == k) for k in np.unique(truth)]
    n_classes = len(members)
    usual = _mean_distance(features, [(rows, rng.permutation(rows)) for rows in members])
    longest = min(len(rows) for rows in members) // 2
    lags = np.unique(np.geomspace(1, max(longest, 1), 24).round().astype(int))
    likeness = [
        _mean_distance(features, [(rows[:-lag], rows[lag:]) for rows in members if len(rows) > lag]) / usual
        for lag in lags
    ]
    by_hand = likeness[0] < ALIKE
    block = None
    if by_hand:
        # rows of one block meet ever fewer of their own the farther apart they stand: none at the block's length
        half = (1 + likeness[0]) / 2
        beyond = next((lag for lag, value in zip(lags, likeness) if value > half), lags[-1])
        block = int(2 * beyond * n_classes * rows_each)
    return OrderOfHands((lags * n_classes * rows_each).tolist(), likeness, bool(by_hand), block)


def _mean_distance(features: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean squared distance of rows of unit length, over all pairs (rows, rows)."""
    total = sum(float((2 - 2 * np.einsum("nd,nd->n", features[a], features[b])).sum()) for a, b in pairs)
    return total / max(sum(len(a) for a, _ in pairs), 1)
