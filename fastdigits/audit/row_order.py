"""Whether the rows of a table stand in the order of their writers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

ALIKE = 0.97  # likeness of rows that follow each other, above which the order tells nothing
LAGS = 24
LEAST_ROWS, MOST_LOOKED_AT = 200, 30_000  # fewer tell nothing, of more a part is enough
SAME = 1e-6
SEED = 0


@dataclass
class OrderOfHands:
    """How alike rows of one class are, by how far apart they stand in the table.

    Attributes
    ----------
    row_distances : list of float
        How many rows lie between two of a class, on average.
    likeness : list of float
        Mean squared distance of their strokes over that of any two rows of a class: 1 where the order tells nothing.
    by_hand : bool
        Whether rows near each other are alike, as where one writer's rows follow each other.
    block_rows : int or None
        About how many rows stand together.
    """

    row_distances: list[float]
    likeness: list[float]
    by_hand: bool
    block_rows: int | None


def stand_by_hand(images: Iterable[np.ndarray], truth: np.ndarray) -> bool:
    """Whether rows near each other in a table are of one hand.

    Parameters
    ----------
    images : iterable of ndarray of uint8, shape (some, h, w)
        Its pictures in their order, some at a time.
    truth : ndarray of int, shape (n,)
        The class of each, or what a model takes for it.
    """
    from .quick_classifier import stroke_features

    if len(truth) < LEAST_ROWS:
        return False
    step, seen, features = max(1, len(truth) // MOST_LOOKED_AT), 0, []
    for part in images:
        features.append(stroke_features(part[-seen % step :: step]))
        seen += len(part)
    rows = np.arange(0, len(truth), step)
    order = order_of_hands(np.concatenate(features), truth[rows], rows)
    return order is not None and order.by_hand


def order_of_hands(features: np.ndarray, truth: np.ndarray, rows: np.ndarray) -> OrderOfHands | None:
    """How alike rows of a class are by their distance in the table; None where all are the same.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        Of unit length, in the order of the table.
    truth : ndarray of int, shape (n,)
    rows : ndarray of int, shape (n,)
        Their places in the table.
    """
    rng = np.random.default_rng(SEED)
    classes = [np.flatnonzero(truth == label) for label in np.unique(truth)]
    usual = _mean_distance(features, [(members, rng.permutation(members)) for members in classes])
    if usual < SAME:
        return None
    longest = int(np.median([len(members) for members in classes])) // 2
    lags = np.unique(np.geomspace(1, max(longest, 1), LAGS).round().astype(int))
    distances, likeness = [], []
    for lag in lags:
        pairs = [(members[:-lag], members[lag:]) for members in classes if len(members) > lag]
        distances.append(float(np.median(np.concatenate([rows[b] - rows[a] for a, b in pairs]))))
        likeness.append(_mean_distance(features, pairs) / usual)
    by_hand = likeness[0] < ALIKE
    return OrderOfHands(distances, likeness, by_hand, _block_rows(distances, likeness) if by_hand else None)


def _block_rows(distances: list[float], likeness: list[float]) -> int:
    """How long blocks of one hand are: twice the distance at which half of the likeness is gone.

    Of two rows so far apart as half a block, half of the pairs still stand in one block.
    """
    half = (1 + likeness[0]) / 2
    k = next((k for k, value in enumerate(likeness) if value > half), len(likeness) - 1)
    if k == 0 or likeness[k] <= likeness[k - 1]:
        return round(2 * distances[k])
    share = (half - likeness[k - 1]) / (likeness[k] - likeness[k - 1])
    return round(2 * (distances[k - 1] + share * (distances[k] - distances[k - 1])))


def _mean_distance(features: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean squared distance of rows of unit length, over all pairs (rows, rows)."""
    total = sum(float((2 - 2 * np.einsum("nd,nd->n", features[a], features[b])).sum()) for a, b in pairs)
    return total / max(sum(len(a) for a, _ in pairs), 1)
