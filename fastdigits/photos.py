"""Pictures from life: a photo or scan of one digit, brought to the form of MNIST's pictures.

White on black, the digit 20 pixels tall or wide, its centre of mass in the middle of 28x28 pixels (LeCun et al. 1998).
"""

import numpy as np

SIDE, DIGIT_SIDE = 28, 20  # pixels
WORKING_SIDE = 400  # larger photos are averaged down to about this before anything else
BORDER_LEVEL = 12  # mean gray level under which the border of a picture of SIDE pixels counts as black
LEAST_CONTRAST = 20  # gray levels between ink and paper; less is a blank sheet
PAPER_GRID = 48  # pixels to which a photo is brought to find how bright its paper is
LINE, LINE_WIDTH = 0.8, 0.05  # of the picture's width or height; ink so long, straight and thin is ruling
SPECK = 0.04  # of the largest blot's area; what is smaller is dirt


def normalised(gray: np.ndarray) -> np.ndarray:
    """The digit of a photo as MNIST would have it; a picture that has this form already stays as it is.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
        One digit, dark on light or light on dark, anywhere in the picture.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        Black where no ink was found.
    """
    if has_form(gray):
        return gray
    ink = without_lines(ink_of(_averaged_down(gray)))
    blots = digit_blots(ink)
    if not blots.any():
        return np.zeros((SIDE, SIDE), np.uint8)
    return cut_out(ink, blots)


def cut_out(ink: np.ndarray, blots: np.ndarray) -> np.ndarray:
    """The digit whose points are `blots`, bool (h, w), not all of them False: uint8 (28, 28) in MNIST's form."""
    rows, columns = (np.flatnonzero(blots.any(axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return _centred(_fitted(np.where(blots, ink, 0)[box] / np.percentile(ink[blots], 75)))


def has_form(gray: np.ndarray) -> bool:
    """Whether a picture is 28x28 pixels with a black border."""
    if gray.shape != (SIDE, SIDE):
        return False
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return bool(border.mean() < BORDER_LEVEL)


def _averaged_down(gray: np.ndarray) -> np.ndarray:
    """Float gray levels of a photo whose longer side is less than twice WORKING_SIDE."""
    factor = max(1, min(max(gray.shape) // WORKING_SIDE, *gray.shape))
    return averaged(gray, factor)


def averaged(gray: np.ndarray, factor: int) -> np.ndarray:
    """Float gray levels of a photo (h, w), smaller by a whole factor."""
    height, width = (side // factor for side in gray.shape)
    blocks = gray[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return blocks.mean((1, 3), dtype=np.float32)


def ink_of(gray: np.ndarray, neighbourhood: float = 1.0) -> np.ndarray:
    """How much darker (or on dark paper, lighter) than its paper each point is: gray levels, float (h, w), 0 or more.

    Paper is what most of the neighbourhood is, a share of the photo's height and width; its brightness may change
    across the photo.
    """
    from scipy.ndimage import percentile_filter, zoom

    paper = np.median(gray)
    is_dark_ink = np.maximum(paper - gray, 0).sum() >= np.maximum(gray - paper, 0).sum()
    dark = gray if is_dark_ink else 255 - gray
    small = zoom(dark, [min(1, PAPER_GRID / side) for side in dark.shape], order=1)
    # high in the order of brightness, since a bold digit may be most of its neighbourhood
    paper_around = percentile_filter(
        small, 80, size=[int(side * neighbourhood) // 2 * 2 + 1 for side in small.shape], mode="nearest"
    )
    paper_around = zoom(paper_around, [a / b for a, b in zip(dark.shape, paper_around.shape)], order=1)
    return np.maximum(paper_around - dark, 0)


def without_lines(ink: np.ndarray, long: float = LINE) -> np.ndarray:
    """The ink without what runs straight through a share of the picture: the lines of ruled or squared paper."""
    from scipy.ndimage import grey_opening

    lines = np.zeros_like(ink)
    for axis, side in enumerate(ink.shape):
        along, across = [1, 1], [1, 1]
        along[axis], across[1 - axis] = max(2, int(side * long)), max(3, int(ink.shape[1 - axis] * LINE_WIDTH))
        straight = grey_opening(ink, size=along, mode="nearest")
        lines = np.maximum(lines, straight - grey_opening(straight, size=across, mode="nearest"))
    return ink - lines


def digit_blots(ink: np.ndarray) -> np.ndarray:
    """Which points belong to the digit, bool (h, w): all blots of ink but specks, and lines that end at the border."""
    from scipy.ndimage import binary_dilation, find_objects, label

    level = otsu_level(ink)
    mask = ink > level
    if not mask.any() or mask.all() or ink[mask].mean() - ink[~mask].mean() < LEAST_CONTRAST:
        return np.zeros_like(mask)
    numbers, _ = label(mask, np.ones((3, 3)))
    areas = np.bincount(numbers.ravel())[1:]
    inside = np.array([not _touches_border(box, mask.shape) for box in find_objects(numbers)])
    if not (inside & (areas >= SPECK * areas.max())).any():
        inside[:] = True  # the digit itself is cut off
    kept = inside & (areas >= SPECK * areas[inside].max())
    blots = np.concatenate([[False], kept])[numbers]
    return binary_dilation(blots, iterations=max(1, max(ink.shape) // 100)) & (ink > level / 3)


def _touches_border(box: tuple[slice, slice], shape: tuple[int, int]) -> bool:
    return any(part.start == 0 or part.stop == side for part, side in zip(box, shape))


def otsu_level(values: np.ndarray) -> float:
    """The level that parts values into two classes whose means lie furthest apart (Otsu 1979, IEEE SMC 9:62)."""
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * centres)[:-1]
    above, total = counts.sum() - below, (counts * centres).sum()
    distance = sums / np.maximum(below, 1) - (total - sums) / np.maximum(above, 1)
    apart = below * above * distance**2
    return float(edges[1:-1][apart >= apart.max() * (1 - 1e-9)].mean())  # the middle of a gap


def _fitted(digit: np.ndarray) -> np.ndarray:
    """A cut-out digit, resized so that its longer side is DIGIT_SIDE pixels: float 0..1."""
    import torch
    import torch.nn.functional as F

    shape = [max(1, round(side * DIGIT_SIDE / max(digit.shape))) for side in digit.shape]
    picture = torch.from_numpy(np.ascontiguousarray(digit, np.float32))[None, None]
    resized = F.interpolate(picture, shape, mode="bilinear", align_corners=False, antialias=True)[0, 0].numpy()
    return (resized / max(resized.max(), 1e-6)).clip(0, 1) if resized.max() < 1 else resized.clip(0, 1)


def _centred(digit: np.ndarray) -> np.ndarray:
    """The digit in a black picture, its centre of mass in the middle, or as near as it fits: uint8 (28, 28)."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    starts = []
    for axis, side in enumerate(digit.shape):
        mass = digit.sum(1 - axis)
        centre = (mass * np.arange(side)).sum() / mass.sum()
        starts.append(int(np.clip(round(SIDE / 2 - 0.5 - centre), 0, SIDE - side)))
    top, left = starts
    picture[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return picture
