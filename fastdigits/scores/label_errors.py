"""Labels that are likely wrong, by confident learning (Northcutt et al. 2021, JAIR 70:1373, arXiv:1911.00068)."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Suspect:
    """A picture whose label is likely wrong.

    Attributes
    ----------
    row : int
        Of the pictures that were looked at.
    label, likely : str
        As it stands, and as the model would have it.
    own_probability, likely_probability : float
        Of the two labels.
    """

    row: int
    label: str
    likely: str
    own_probability: float
    likely_probability: float


def find_suspects(truth: np.ndarray, probabilities: np.ndarray, classes: list[str]) -> list[Suspect]:
    """Pictures whose label is likely wrong, the likeliest first.

    A class's threshold is the mean probability that the model gives it over the pictures so labelled. A picture is
    counted for the likeliest of the classes whose threshold it reaches; where that is not its label, it is a suspect.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
        Index of the class that each picture is labelled with.
    probabilities : ndarray, shape (n, classes), rows sum to 1
        Of a model that was not trained on these pictures.
    classes : list of str
    """
    thresholds = np.full(len(classes), np.inf)
    for k in np.unique(truth):
        thresholds[k] = probabilities[truth == k, k].mean()
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = reached.argmax(1)
    rows = np.flatnonzero((reached.max(1) >= 0) & (likely != truth))
    own, other = probabilities[rows, truth[rows]], probabilities[rows, likely[rows]]
    order = np.argsort(own - other, kind="stable")
    return [
        Suspect(int(rows[k]), classes[truth[rows[k]]], classes[likely[rows[k]]], float(own[k]), float(other[k]))
        for k in order
    ]
