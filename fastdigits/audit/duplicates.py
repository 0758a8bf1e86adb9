"""Pictures that occur more than once: exact copies, and near ones, such as a copy that was shifted or dotted."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

NEAR = 0.12  # distance over mean length; of 60,000 MNIST digits no two different ones are as near
COMPONENTS = 32
BLOCK_ROWS = 256
MOST_ROWS = 100_000  # of a search for near copies, whose time grows with the square
MOST_PAIRS = 100_000  # that are listed
SEARCHED_PX = 28  # larger pictures are compared at this size


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


def find_copies(images: np.ndarray) -> tuple[list[CopyPair], list[str]]:
    """Exact and near copies among pictures, pictures of one gray level left out; equal pictures follow their first.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, w)
        Light on dark.

    Returns
    -------
    pairs : list of CopyPair
        The exact ones first, then the nearest.
    notes : list of str
        What the search left out.
    """
    flat = images.reshape(len(images), -1)
    first_of, rows = _first_rows(flat), np.arange(len(flat))
    is_blank = flat.min(1) == flat.max(1)
    pairs = [CopyPair(int(first_of[row]), int(row), True, 0.0) for row in rows[(first_of != rows) & ~is_blank]]
    different = rows[(first_of == rows) & ~is_blank]
    notes = []
    if len(different) > MOST_ROWS:
        notes.append(f"near copies were looked for among the first {MOST_ROWS:,} of {len(different):,} pictures")
        different = different[:MOST_ROWS]
    near = list(islice(_near_pairs(_searched(images[different])), MOST_PAIRS))
    if len(near) == MOST_PAIRS:
        notes.append(f"there are more than {MOST_PAIRS:,} near copies; the search ended there")
    pairs += [CopyPair(int(different[a]), int(different[b]), False, distance) for a, b, distance in near]
    return sorted(pairs, key=lambda pair: (not pair.exact, pair.distance, pair.first, pair.second)), notes


def _searched(images: np.ndarray) -> np.ndarray:
    """Pictures uint8 (n, h, w), the large ones smaller."""
    if max(images.shape[1:]) <= SEARCHED_PX or not len(images):
        return images
    import torch

    from ..folders import resize, to_float

    parts = [
        resize(to_float(torch.from_numpy(images[start : start + BLOCK_ROWS])[:, None]), SEARCHED_PX)
        for start in range(0, len(images), BLOCK_ROWS)
    ]
    return torch.cat(parts)[:, 0].mul(255).round().to(torch.uint8).numpy()


def _first_rows(flat: np.ndarray) -> np.ndarray:
    """For each row of uint8 (n, pixels) the first row that is equal to it."""
    whole = np.ascontiguousarray(flat).view(np.dtype((np.void, flat.shape[1])))[:, 0]
    _, first, group_of = np.unique(whole, return_index=True, return_inverse=True)
    return first[group_of]


def _centred(images: np.ndarray) -> np.ndarray:
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

    if len(images) < 2:
        return
    flat = _centred(images).reshape(len(images), -1).astype(np.float32)
    lengths = torch.from_numpy(np.linalg.norm(flat, axis=1))
    around_mean = flat - flat.mean(0)
    components = np.linalg.eigh((around_mean.T @ around_mean).astype(np.float64)).eigenvectors[:, -COMPONENTS:]
    points = torch.from_numpy(around_mean @ components.astype(np.float32))
    squares = (points**2).sum(1)
    for start in range(0, len(points), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        squared = squares[block, None] + squares[None, start:] - 2 * points[block] @ points[start:].T
        reach = NEAR * (lengths[block, None] + lengths[None, start:]) / 2
        found = torch.nonzero((squared < reach**2).triu(1)).numpy() + start
        for part in range(0, len(found), BLOCK_ROWS):
            first, second = found[part : part + BLOCK_ROWS].T
            apart = np.linalg.norm(flat[first] - flat[second], axis=1)
            distances = 2 * apart / (lengths[first] + lengths[second]).numpy()
            yield from ((int(a), int(b), float(d)) for a, b, d in zip(first, second, distances) if d < NEAR)
