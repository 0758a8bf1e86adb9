"""A classifier of digits that is solved in seconds, for questions about a table rather than for use.

Directions of strokes in cells, as histograms of oriented gradients (Dalal and Triggs 2005, CVPR), then random features
of a Gaussian kernel (Rahimi and Recht 2007, NeurIPS) and ridge regression.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..folders import resize, to_float
from ..scores import fit_temperature

SIDE_PX, CELL_PX, DIRECTIONS = 28, 4, 8
KERNEL_FEATURES, GAMMA = 2000, 1.5
RIDGE = 100.0  # by folds of writers, 50 to 20,000 rows; smaller ones fail where rows are about as many as features
CHUNK = 4096


def stroke_features(images: np.ndarray) -> np.ndarray:
    """Directions of strokes in 7 x 7 cells, of unit length: float32 (n, 392), of pictures uint8 (n, h, w)."""
    return np.concatenate([_strokes(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)])


def _strokes(images: np.ndarray) -> np.ndarray:
    pictures = resize(to_float(torch.tensor(images)[:, None]), SIDE_PX)
    padded = F.pad(pictures, (1, 1, 1, 1))
    right, down = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2], padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    strength = (right**2 + down**2).sqrt()
    turn = torch.atan2(down, right) / (2 * torch.pi) * DIRECTIONS  # -4..4
    apart = (turn - torch.arange(DIRECTIONS).view(1, -1, 1, 1)) % DIRECTIONS
    near = torch.minimum(apart, DIRECTIONS - apart)
    maps = strength * (1 - near).clamp(min=0)  # each gradient is shared by the two directions beside it
    cells = F.avg_pool2d(maps, CELL_PX + 4, CELL_PX, padding=2)  # overlapping
    features = cells.flatten(1).sqrt()
    return F.normalize(features).numpy()


def held_out_scores(features: np.ndarray, truth: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """The scores that each row is given by a classifier which has not seen its fold.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
    truth : ndarray of int, shape (n,)
    fold_of : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of float32, shape (n, classes)
        The largest is the answer.
    """
    kernel, targets = RandomFeatures(features.shape[1]), _targets(truth)
    folds = np.unique(fold_of)
    sums = {fold: Sums.empty(targets.shape[1]) for fold in folds}
    for rows, values in kernel.chunks(features):
        for fold in np.unique(fold_of[rows]):
            inside = torch.from_numpy(np.flatnonzero(fold_of[rows] == fold))
            sums[fold].add(values[inside], targets[rows][inside])
    everything = Sums.empty(targets.shape[1])
    for part in sums.values():
        everything.merge(part)
    weights = {fold: everything.without(part).solved() for fold, part in sums.items()}
    scores = np.zeros(targets.shape, np.float32)
    for rows, values in kernel.chunks(features):
        for fold in np.unique(fold_of[rows]):
            inside = np.flatnonzero(fold_of[rows] == fold)
            scores[rows][inside] = (values[torch.from_numpy(inside)] @ weights[fold]).numpy()
    return scores


def held_out_probabilities(features: np.ndarray, truth: np.ndarray, fold_of: np.ndarray) -> tuple[np.ndarray, float]:
    """`held_out_scores` as calibrated probabilities (n, classes), and the temperature that calibrates them."""
    scores = held_out_scores(features, truth, fold_of)
    temperature = fit_temperature(as_probabilities(scores), truth)
    return as_probabilities(scores, temperature), temperature


def as_probabilities(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Scores (n, classes) as probabilities; the lower the temperature, the surer."""
    from scipy.special import softmax

    return softmax(scores / temperature, axis=1)


def scores_of_others(features: np.ndarray, truth: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The scores, float32 (m, classes), that rows `others` (m, d) are given by a classifier of all rows."""
    kernel, targets = RandomFeatures(features.shape[1]), _targets(truth)
    sums = Sums.empty(targets.shape[1])
    for rows, values in kernel.chunks(features):
        sums.add(values, targets[rows])
    weights = sums.solved()
    parts = [(values @ weights).numpy() for _, values in kernel.chunks(others)]
    return np.concatenate(parts) if parts else np.zeros((0, targets.shape[1]), np.float32)


def _targets(truth: np.ndarray) -> torch.Tensor:
    return F.one_hot(torch.from_numpy(truth)).float() * 2 - 1


class RandomFeatures:
    """Cosines of random projections, whose products stand for a Gaussian kernel.

    Parameters
    ----------
    dimensions : int
        Of the features that they are made of.
    """

    def __init__(self, dimensions: int):
        generator = torch.Generator().manual_seed(0)
        self.directions = torch.randn(dimensions, KERNEL_FEATURES, generator=generator) * (2 * GAMMA) ** 0.5
        self.phases = torch.rand(KERNEL_FEATURES, generator=generator) * 2 * torch.pi

    def chunks(self, features: np.ndarray) -> Iterator[tuple[slice, torch.Tensor]]:
        """Some rows after the other, with their values, float (rows, width)."""
        for start in range(0, len(features), CHUNK):
            rows = slice(start, start + CHUNK)
            yield rows, torch.cos(torch.from_numpy(features[rows]) @ self.directions + self.phases)


@dataclass
class Sums:
    """What ridge regression needs of its rows: the sums of their products.

    Attributes
    ----------
    gram : Tensor, shape (KERNEL_FEATURES, KERNEL_FEATURES)
    products : Tensor, shape (KERNEL_FEATURES, classes)
        With the targets.
    """

    gram: torch.Tensor
    products: torch.Tensor

    @classmethod
    def empty(cls, classes: int) -> "Sums":
        return cls(torch.zeros(KERNEL_FEATURES, KERNEL_FEATURES), torch.zeros(KERNEL_FEATURES, classes))

    def add(self, values: torch.Tensor, targets: torch.Tensor) -> None:
        self.gram += values.T @ values
        self.products += values.T @ targets

    def merge(self, other: "Sums") -> None:
        self.gram, self.products = self.gram + other.gram, self.products + other.products

    def without(self, part: "Sums") -> "Sums":
        return Sums(self.gram - part.gram, self.products - part.products)

    def solved(self) -> torch.Tensor:
        """Weights (KERNEL_FEATURES, classes)."""
        return torch.linalg.solve(self.gram + RIDGE * torch.eye(KERNEL_FEATURES), self.products)
