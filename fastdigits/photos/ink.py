"""Ink on paper: how much darker, or on dark paper lighter, than its paper each point of a photo is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LEAST_CONTRAST = 20  # gray levels between ink and paper; less is a blank sheet
PAPER_GRID, INK_GRID = 48, 192  # pixels to which a photo is averaged down, at least, to look at its paper, at its ink
SPECK = 0.04  # of the largest blot's area; what is smaller is dirt
STROKE = 0.6  # of a photo of one digit; strokes are narrower, or shorter
MOST_INK = 0.4  # of the area; what is more is paper
FIT_ROUNDS, SETTLED = 12, 0.01  # at most so many, until nothing changes by more gray levels
RIDGE = 1e-11  # of the weights' sum: pictures of few rows or columns have no one answer
MOST_GAIN = 3.0  # of contrast in a shadow


def averaged(gray: np.ndarray, *factors: int) -> np.ndarray:
    """Float gray levels of a photo (h, w), smaller by a whole factor, or by one for each axis."""
    down, across = factors if len(factors) == 2 else factors * 2
    height, width = gray.shape[0] // down, gray.shape[1] // across
    blocks = gray[: height * down, : width * across].reshape(height, down, width, across)
    return blocks.mean((1, 3), dtype=np.float32)


def digit_ink(gray: np.ndarray, is_dark: bool | None = None) -> np.ndarray:
    """The ink of a photo of one digit: gray levels, float (h, w), 0 or more.

    The light may change across the paper, as a slope or a bulge, and shadows may have hard edges.

    Parameters
    ----------
    gray : ndarray, shape (h, w)
    is_dark : bool, optional
        Whether the ink is darker than its paper, where that is known.
    """
    small, finer = (averaged(gray, *(max(1, side // grid) for side in gray.shape)) for grid in (PAPER_GRID, INK_GRID))
    light = _light_on(small)
    if is_dark is None:
        is_dark = _is_dark_ink(small - light, finer - _enlarged(light, finer.shape))
    if not is_dark:
        gray, small, light = 255 - gray, 255 - small, 255 - light
    paper = _enlarged(light + _without_strokes(small - light), gray.shape)
    ink = np.maximum(paper - gray, 0)
    if is_dark:  # in a shadow paper and ink lie nearer to each other
        ink *= np.clip(np.median(paper) / np.maximum(paper, 1), 1 / MOST_GAIN, MOST_GAIN)
    return ink


def sheet_ink(gray: np.ndarray, neighbourhood: float) -> np.ndarray:
    """The ink of a sheet of many digits: gray levels, float (h, w), 0 or more.

    Paper is what most of a point's neighbourhood is, a share of the photo's height and width.
    """
    from scipy.ndimage import percentile_filter, zoom

    paper = np.median(gray)
    is_dark = np.maximum(paper - gray, 0).sum() >= np.maximum(gray - paper, 0).sum()
    dark = gray if is_dark else 255 - gray
    small = zoom(dark, [min(1, PAPER_GRID / side) for side in dark.shape], order=1)
    # high in the order of brightness, since a bold digit may be most of its neighbourhood
    size = [int(side * neighbourhood) // 2 * 2 + 1 for side in small.shape]
    paper_around = percentile_filter(small, 80, size=size, mode="nearest")
    paper_around = zoom(paper_around, [a / b for a, b in zip(dark.shape, paper_around.shape)], order=1)
    return np.maximum(paper_around - dark, 0)


def otsu_level(values: np.ndarray) -> float:
    """The level that parts values into two classes whose means lie furthest apart (Otsu 1979, IEEE SMC 9:62)."""
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * centres)[:-1]
    above, total = counts.sum() - below, (counts * centres).sum()
    distance = sums / np.maximum(below, 1) - (total - sums) / np.maximum(above, 1)
    apart = below * above * distance**2
    return float(edges[1:-1][apart >= apart.max() * (1 - 1e-9)].mean())  # the middle of a gap


@dataclass(frozen=True)
class Blots:
    """Connected points of a mask.

    Attributes
    ----------
    numbers : ndarray of int, shape (h, w)
        Whose each point is, from 1; 0 where the mask is False.
    boxes : list of (slice, slice)
    areas, at_border : ndarray of int, shape (n,)
        Points of each, and how many of them lie at the picture's border.
    """

    numbers: np.ndarray
    boxes: list[tuple[slice, slice]]
    areas: np.ndarray
    at_border: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Which ones touch no border, bool (n,)."""
        return self.at_border == 0

    def larger_than_specks(self, among: np.ndarray) -> np.ndarray:
        """Which of those `among`, bool (n,), at least one of them True, are no dirt beside the largest: bool (n,)."""
        return among & (self.areas >= SPECK * self.areas[among].max())


def blots_of(mask: np.ndarray) -> Blots:
    """The blots of a mask, bool (h, w); points that touch at a corner belong together."""
    from scipy.ndimage import find_objects, label

    numbers, n = label(mask, np.ones((3, 3)))
    border = np.concatenate([numbers[0], numbers[-1], numbers[1:-1, 0], numbers[1:-1, -1]])
    areas, at_border = (np.bincount(points, minlength=n + 1)[1:] for points in (numbers.ravel(), border))
    return Blots(numbers, find_objects(numbers), areas, at_border)


def inked(ink: np.ndarray) -> tuple[np.ndarray, float]:
    """Which points hold ink, bool (h, w), and Otsu's level, above which they lie; none where contrast is too small."""
    level = otsu_level(ink)
    mask = ink > level
    if not mask.any() or mask.all() or ink[mask].mean() - ink[~mask].mean() < LEAST_CONTRAST:
        return np.zeros_like(mask), level
    return mask, level


def _light_on(small: np.ndarray) -> np.ndarray:
    """The light on the paper as a surface of second order, float (h, w): the one on which most points agree.

    Least squares, in which points count the less the further they lie from the surface before (Cauchy's weights).
    """
    rows, columns = (np.linspace(-1, 1, side) for side in small.shape)
    row, column = (part.ravel() for part in np.meshgrid(rows, columns, indexing="ij"))
    terms = np.stack([np.ones_like(row), row, column, row * row, row * column, column * column], axis=1)
    values = small.ravel()
    surface = np.full_like(values, np.median(values))
    for _ in range(FIT_ROUNDS):
        scale = max(3.0, 1.5 * np.median(np.abs(values - surface)))
        weights = 1 / (1 + ((values - surface) / scale) ** 2)
        weighted = terms * (weights**2)[:, None]
        sums = weighted.T @ terms
        sums += RIDGE * sums[0, 0] * np.eye(len(sums))
        before, surface = surface, terms @ np.linalg.solve(sums, weighted.T @ values)
        if np.abs(surface - before).max() < SETTLED:
            break
    return surface.reshape(small.shape)


def _without_strokes(flat: np.ndarray) -> np.ndarray:
    """Gray levels in which dark strokes are as bright as what is around them; other edges stay where they are."""
    from scipy.ndimage import grey_closing

    return grey_closing(flat, size=[max(1, int(side * STROKE)) // 2 * 2 + 1 for side in flat.shape], mode="nearest")


def _enlarged(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from scipy.ndimage import zoom

    return zoom(small, [a / b for a, b in zip(shape, small.shape)], order=1, mode="nearest", grid_mode=True)


def _is_dark_ink(flat: np.ndarray, finer: np.ndarray) -> bool:
    """Whether the ink is darker than its paper, whose level is about 0 in both, `finer` being larger than `flat`."""
    return next((dark > light for dark, light in _votes(flat, finer) if dark != light), True)


def _votes(flat: np.ndarray, finer: np.ndarray) -> Iterator[tuple[float, float]]:
    """For dark ink and for light ink, one sign after the other: the next is for when this one says nothing."""
    dark, light = np.maximum(-flat, 0), np.maximum(flat, 0)
    # a digit, unlike a shadow or a table's edge, lies inside the picture; a thin one is seen on the finer grid alone,
    # where ruling is seen too
    yield _inner_ink(dark, 3), _inner_ink(light, 3)
    yield _inner_ink(np.maximum(-finer, 0), 9), _inner_ink(np.maximum(finer, 0), 9)
    # in a shadow it has no outline of its own; without shadows the digit spans more than the paper that it encloses
    yield _span(_without_strokes(flat) - flat), _span(_without_strokes(-flat) + flat)
    yield float(dark.sum()), float(light.sum())  # it ends at the border: most is paper


def _inner_ink(ink: np.ndarray, least: int) -> float:
    """The ink of all blots that have so many points at least and lie mostly away from the border."""
    blots = blots_of(ink > LEAST_CONTRAST)
    sums = np.bincount(blots.numbers.ravel(), weights=ink.ravel(), minlength=1)[1:]
    return float(sums[(blots.at_border < min(ink.shape) / 2) & (blots.areas >= least)].sum())


def _span(ink: np.ndarray) -> int:
    """The area of the box around all blots of ink inside the picture; 0 when there are none, or it is mostly ink."""
    mask, _ = inked(ink)
    blots = blots_of(mask)
    if mask.mean() > MOST_INK or not blots.inside.any():
        return 0
    kept = blots.larger_than_specks(blots.inside)
    boxes = [box for box, is_kept in zip(blots.boxes, kept) if is_kept]
    height, width = (max(box[axis].stop for box in boxes) - min(box[axis].start for box in boxes) for axis in (0, 1))
    return height * width
