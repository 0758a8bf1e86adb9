"""The order in which an epoch shows rows, of which some may count more than others."""

import random

import numpy as np


def class_weights(labels: list[str]) -> np.ndarray:
    """Weights, float (n,), by which each class is shown equally often: the inverse of how many rows it has."""
    _, number, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return 1 / counts[number]


def weighted_order(weights: np.ndarray, generator: random.Random) -> list[int]:
    """As many rows as there are weights, each as often as its weight's share says, in random order.

    Systematic sampling: a row whose share is worth 2.3 rows comes two or three times, one worth 0.4 once or not at all,
    and with equal weights every row comes once.

    Parameters
    ----------
    weights : ndarray of float, shape (n,), 0 or more
    generator : random.Random
    """
    n = len(weights)
    order = np.array(generator.sample(range(n), n))
    order = order[np.argsort(weights[order], kind="stable")]  # rows of one class together, whose shares then add up
    ends = np.cumsum(weights[order])
    marks = (generator.random() + np.arange(n)) * (ends[-1] / n)
    chosen = order[np.searchsorted(ends, marks, side="right").clip(0, n - 1)].tolist()
    generator.shuffle(chosen)
    return chosen
