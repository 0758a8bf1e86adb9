"""A classifier of digits that is solved in seconds, for questions about a table rather than for use.

Directions of strokes in cells, as histograms of oriented gradients (Dalal and Triggs 2005, CVPR), then random features
of a Gaussian kernel (Rahimi and Recht 2007, NeurIPS) and ridge regression.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from ..folders import resize, to_float

SIDE_PX, CELL_PX, DIRECTIONS = 28, 4, 8
KERNEL_FEATURES, GAMMA, RIDGE = 2000, 1.5, 1e-2
CHUNK = 4096


def stroke_features(images: np.ndarray) -> np.ndarray:
    """Directions of strokes in 7 x 7 cells, of unit length: float32 (n, 392), of pictures uint8 (n, h, w)."""
    return np.concatenate([_strokes(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)])


def _strokes(images: np.ndarray) -> np.ndarray:
    pictures = resize(to_float(torch.from_numpy(np.ascontiguousarray(images))[:, None]), SIDE_PX)
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


def held_out_predictions(features: np.ndarray, truth: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """The class that each row is given by a classifier which has not seen its fold.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
    truth : ndarray of int, shape (n,)
    fold_of : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of int, shape (n,)
    """
    generator = torch.Generator().manual_seed(0)
    width = min(KERNEL_FEATURES, len(features))  # more than rows tell no more
    directions = torch.randn(features.shape[1], width, generator=generator) * (2 * GAMMA) ** 0.5
    phases = torch.rand(width, generator=generator) * 2 * torch.pi

    def kernel_features() -> Iterator[tuple[slice, torch.Tensor]]:
        for start in range(0, len(features), CHUNK):
            rows = slice(start, start + CHUNK)
            yield rows, torch.cos(torch.from_numpy(features[rows]) @ directions + phases)

    targets = F.one_hot(torch.from_numpy(truth)).float() * 2 - 1
    folds = np.unique(fold_of)
    grams = {fold: torch.zeros(width, width) for fold in folds}
    products = {fold: torch.zeros(width, targets.shape[1]) for fold in folds}
    for rows, kernel in kernel_features():
        for fold in np.unique(fold_of[rows]):
            inside = torch.from_numpy(np.flatnonzero(fold_of[rows] == fold))
            grams[fold] += kernel[inside].T @ kernel[inside]
            products[fold] += kernel[inside].T @ targets[rows][inside]
    all_grams, all_products = sum(grams.values()), sum(products.values())
    weights = {}
    for fold in folds:
        n_others = int((fold_of != fold).sum())
        ridge = RIDGE * n_others / width * torch.eye(width)
        weights[fold] = torch.linalg.solve(all_grams - grams[fold] + ridge, all_products - products[fold])
    predicted = np.zeros(len(truth), int)
    for rows, kernel in kernel_features():
        for fold in np.unique(fold_of[rows]):
            inside = np.flatnonzero(fold_of[rows] == fold)
            predicted[rows][inside] = (kernel[torch.from_numpy(inside)] @ weights[fold]).argmax(1).numpy()
    return predicted
