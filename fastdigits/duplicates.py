"""Pictures that occur more than once: exact copies, and near ones, such as a copy that was shifted or dotted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

NEAR = 0.15  # distance over mean length: what different digits hardly ever reach
COMPONENTS = 32
BLOCK_ROWS = 2048
MOST_ROWS = 100_000  # of a search for near copies, whose time grows with the square


@dataclass
class CopyPair:
    """Two rows with the same picture, or nearly.

    Attributes
    ----------
    first, second : int
        Rows, first < second.
    exact : bool
        Whether they are equal, pixel by pixel.
    distance : float
        Length of their difference over their mean length, once both are centred.
    """

    first: int
    second: int
    exact: bool
    distance: float


def find_copies(images: np.ndarray) -> list[CopyPair]:
    """Exact and near copies among pictures uint8 (n, h, w), blank ones left out; equal pictures follow their first.

    Near ones are looked for among the first 100,000 pictures.
    """
    flat = images.reshape(len(images), -1)
    first_of = _first_rows(flat)
    is_blank = ~flat.any(1)
    pairs = [
        CopyPair(int(first_of[row]), int(row), True, 0.0)
        for row in np.flatnonzero((first_of != np.arange(len(flat))) & ~is_blank)
    ]
    different = np.flatnonzero((first_of == np.arange(len(flat))) & ~is_blank)[:MOST_ROWS]
    pairs += [
        CopyPair(int(different[a]), int(different[b]), False, distance)
        for a, b, distance in _near_pairs(images[different])
    ]
    return sorted(pairs, key=lambda pair: (not pair.exact, pair.distance, pair.first, pair.second))


def _first_rows(flat: np.ndarray) -> np.ndarray:
    """For each row of uint8 (n, pixels) the first row that is equal to it."""
    whole = np.ascontiguousarray(flat).view(np.dtype((np.void, flat.shape[1])))[:, 0]
    _, first, group_of = np.unique(whole, return_index=True, return_inverse=True)
    return first[group_of]


def centred(images: np.ndarray) -> np.ndarray:
    """Pictures uint8 (n, h, w) moved by whole pixels so that their centres of mass are in the middle."""
    _, height, width = images.shape
    mass = np.maximum(images.sum((1, 2), dtype=np.float64), 1)
    down = np.einsum("nhw,h->n", images, np.arange(height), dtype=np.float64) / mass
    right = np.einsum("nhw,w->n", images, np.arange(width), dtype=np.float64) / mass
    moves = np.rint(np.stack([(height - 1) / 2 - down, (width - 1) / 2 - right], 1)).astype(int)
    moved = np.zeros_like(images)
    for move in np.unique(moves, axis=0):
        rows = np.flatnonzero((moves == move).all(1))
        (to_y, from_y), (to_x, from_x) = (_overlap(step, side) for step, side in zip(move, (height, width)))
        moved[rows[:, None, None], to_y[:, None], to_x] = images[rows[:, None, None], from_y[:, None], from_x]
    return moved


def _overlap(step: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the pixels of one axis go, and where they come from."""
    to = np.arange(max(step, 0), side + min(step, 0))
    return to, to - step


def _near_pairs(images: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Pairs of pictures uint8 (n, h, w) that are nearer than NEAR, and their distance.

    The first principal components bound the distance from below, so that none is missed.
    """
    import torch
    from sklearn.decomposition import PCA

    if len(images) < 2:
        return
    flat = centred(images).reshape(len(images), -1).astype(np.float32)
    lengths = torch.from_numpy(np.linalg.norm(flat, axis=1))
    n_components = min(COMPONENTS, *flat.shape)
    points = torch.from_numpy(PCA(n_components, svd_solver="randomized", random_state=0).fit_transform(flat))
    squares = (points**2).sum(1)
    for start in range(0, len(points), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        squared = squares[block, None] + squares[None, start:] - 2 * points[block] @ points[start:].T
        reach = NEAR * (lengths[block, None] + lengths[None, start:]) / 2
        for a, b in torch.nonzero((squared < reach**2).triu(1)).numpy() + start:
            distance = float(np.linalg.norm(flat[a] - flat[b])) / float(lengths[a] + lengths[b]) * 2
            if distance < NEAR:
                yield int(a), int(b), distance
