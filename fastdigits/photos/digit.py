"""Pictures from life: a photo or scan of one digit, brought to the form of MNIST's pictures.

White on black, the digit 20 pixels tall or wide, its centre of mass in the middle of 28x28 pixels (LeCun et al. 1998).
"""

import numpy as np
from PIL import Image

from .ground import Ground
from .ink import averaged, blots_of, digit_ink, inked

SIDE, DIGIT_SIDE = 28, 20  # pixels
WORKING_SIDE = 400  # larger photos are averaged down to about this before anything else
# all but five of MNIST's and Kannada-MNIST's 120,000 training rows have the form by these signs
BORDER_LEVEL = 24  # mean gray level of the border, at most
INK_LEVEL, EXTENTS = 40, (17, 23)  # pixels above this level are so many rows or columns long, whichever is more
OFF_CENTRE = 2.5  # pixels each way from the centre of mass to the middle, at most
RULED_SIDE = 60  # pixels; in smaller pictures a straight stroke is a one, not ruling
LINE, LINE_WIDTH = 0.8, 0.05  # of the picture's width or height; ink so long, straight and thin is ruling
LINE_LEVEL = 1.0  # gray levels above the paper; fainter ruling cannot be seen


def normalised(gray: np.ndarray, ground: Ground = "auto") -> np.ndarray:
    """The digit of a photo as MNIST would have it; a picture that has this form already stays as it is.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
        One digit, dark on light or light on dark, anywhere in the picture.
    ground : {'auto', 'dark', 'light'}
        Of the picture, where it is known.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        Black where no ink was found.
    """
    if ground != "light" and has_form(gray):
        return gray
    ink = digit_ink(_averaged_down(gray), None if ground == "auto" else ground == "light")
    if min(gray.shape) >= RULED_SIDE:
        ink = without_lines(ink)
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
    """Whether a picture is 28x28 pixels, white on black, with a digit of about 20 pixels in the middle."""
    if gray.shape != (SIDE, SIDE):
        return False
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    mask = gray > INK_LEVEL
    if border.mean() >= BORDER_LEVEL or not mask.any():
        return False
    extents = [np.ptp(np.flatnonzero(mask.any(axis))) + 1 for axis in (0, 1)]
    centre = [gray.sum(axis) @ np.arange(SIDE) / gray.sum() for axis in (0, 1)]
    middle = (SIDE - 1) / 2
    return EXTENTS[0] <= max(extents) <= EXTENTS[1] and max(abs(c - middle) for c in centre) <= OFF_CENTRE


def _averaged_down(gray: np.ndarray) -> np.ndarray:
    """Float gray levels of a photo whose longer side is less than twice WORKING_SIDE."""
    factor = max(1, min(max(gray.shape) // WORKING_SIDE, *gray.shape))
    return averaged(gray, factor)


def without_lines(ink: np.ndarray, long: float = LINE) -> np.ndarray:
    """The ink without what runs straight through a share of the picture: the lines of ruled or squared paper."""
    from scipy.ndimage import grey_dilation, grey_erosion, grey_opening

    lines = None
    for axis, side in enumerate(ink.shape):
        along, across = [1, 1], [1, 1]
        along[axis], across[1 - axis] = max(2, int(side * long)), max(3, int(ink.shape[1 - axis] * LINE_WIDTH))
        eroded = grey_erosion(ink, size=along, mode="nearest")
        if eroded.max() < LINE_LEVEL:
            continue
        straight = grey_dilation(eroded, size=along, mode="nearest")
        found = straight - grey_opening(straight, size=across, mode="nearest")
        lines = found if lines is None else np.maximum(lines, found)
    return ink if lines is None else ink - lines


def digit_blots(ink: np.ndarray) -> np.ndarray:
    """Which points belong to the digit, bool (h, w): all blots of ink but specks, and lines that end at the border."""
    from scipy.ndimage import binary_dilation

    mask, level = inked(ink)
    if not mask.any():
        return mask
    blots = blots_of(mask)
    all_blots = np.ones(len(blots.areas), bool)
    is_inside = (blots.larger_than_specks(all_blots) & blots.inside).any()  # else the digit itself is cut off
    kept = blots.larger_than_specks(blots.inside if is_inside else all_blots)
    points = np.concatenate([[False], kept])[blots.numbers]
    return binary_dilation(points, iterations=max(1, max(ink.shape) // 100)) & (ink > level / 3)


def _fitted(digit: np.ndarray) -> np.ndarray:
    """A cut-out digit, resized so that its longer side is DIGIT_SIDE pixels: float 0..1."""
    height, width = (max(1, round(side * DIGIT_SIDE / max(digit.shape))) for side in digit.shape)
    picture = Image.fromarray(np.ascontiguousarray(digit, np.float32))
    resized = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
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
