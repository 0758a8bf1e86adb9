"""What a picture shows besides one digit, as far as its ink tells: nothing, several digits, or what is no digit.

No training row of MNIST and Kannada-MNIST is taken for OTHER by these measures; 7 and 298 of 60,000 are taken for
SEVERAL, since some are written in two parts, as are nine in ten pictures of two digits beside each other.
"""

import numpy as np

from .ground import rim_levels
from .ink import LEAST_CONTRAST

DIGIT, BLANK, SEVERAL, OTHER = range(4)  # what `contents_of` tells
INK_LEVEL = 64  # gray levels above the ground from which a point is ink, in fainter pictures a quarter of the range
TALL = 0.6  # of the height of all ink; lower parts are specks, or parts of a digit
SHARE = 0.2  # of all ink; less is a sliver of a neighbour
MOST_INK = 0.6  # of a picture's points; more is no stroke
# changes between ink and paper along rows and along columns, by points of ink, of which noise has 1.9 on paper without
# ink and less the more ink there is; strokes have few in one of the two directions
MOST_CHANGES = 1.5
LEAST_INK = 12  # points of which that can be said
LOOKED_AT = 112  # pixels; larger pictures are looked at on a coarser grid
LEAST_SIDE = 8  # pixels; smaller pictures are not judged


def contents_of(images: np.ndarray) -> np.ndarray:
    """What each picture, light ink on dark, uint8 (n, h, w), shows: DIGIT, BLANK, SEVERAL or OTHER, uint8 (n,)."""
    found = np.full(len(images), DIGIT, np.uint8)
    if not images.size:
        return found
    most = images.reshape(len(images), -1).max(1).astype(np.int16)
    ground = rim_levels(images)
    flat = np.flatnonzero((most < INK_LEVEL) | (ground > LEAST_CONTRAST))
    if len(flat):
        least = images[flat].reshape(len(flat), -1).min(1)
        found[flat[most[flat] - least < LEAST_CONTRAST]] = BLANK
    if min(images.shape[1:]) < LEAST_SIDE:
        return found
    step = max(1, max(images.shape[1:]) // LOOKED_AT)
    level = (ground + np.minimum(INK_LEVEL, (most - ground) / 4)).astype(np.uint8)
    ink = images[:, ::step, ::step] > level[:, None, None]
    columns = ink.any(1)
    inked = np.count_nonzero(ink, axis=(1, 2))
    share = inked / (ink.shape[1] * ink.shape[2])
    is_rough = (inked > LEAST_INK) & (_changes(ink) > MOST_CHANGES * (1 - share) * inked)
    rough = np.flatnonzero(is_rough)
    is_rough[rough] = _changes(ink[rough].transpose(0, 2, 1)) > MOST_CHANGES * (1 - share[rough]) * inked[rough]
    found[(found == DIGIT) & ((share > MOST_INK) | (inked == 0) | is_rough)] = OTHER
    starts = np.count_nonzero(columns[:, 1:] & ~columns[:, :-1], axis=1) + columns[:, 0]
    for row in np.flatnonzero((starts > 1) & (found == DIGIT)):
        if _parts(ink[row]) > 1:
            found[row] = SEVERAL
    return found


def _changes(ink: np.ndarray) -> np.ndarray:
    """How often ink and paper change along the rows of masks bool (n, h, w): int (n,)."""
    return np.count_nonzero(ink[:, :, 1:] != ink[:, :, :-1], axis=(1, 2))


def _parts(ink: np.ndarray) -> int:
    """How many parts, each as tall as a digit, stand beside each other in a mask bool (h, w), empty columns between."""
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    height, area = np.ptp(rows) + 1, ink.sum()
    parts = 0
    for part in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        inside = ink[:, part[0] : part[-1] + 1]
        own = np.flatnonzero(inside.any(1))
        parts += np.ptp(own) + 1 >= TALL * height and inside.sum() >= SHARE * area
    return int(parts)
