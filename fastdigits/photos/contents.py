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
AT_ONCE = 256  # pictures, whose masks stay in the processor's cache


def contents_of(images: np.ndarray) -> np.ndarray:
    """What each picture, light ink on dark, uint8 (n, h, w), shows: DIGIT, BLANK, SEVERAL or OTHER, uint8 (n,)."""
    parts = [_contents(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint8)


def _contents(images: np.ndarray) -> np.ndarray:
    """As `contents_of`, of not many pictures."""
    found = np.full(len(images), DIGIT, np.uint8)
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
    inked = _count(ink)
    share = inked / (ink.shape[1] * ink.shape[2])
    is_rough = (inked > LEAST_INK) & (_changes(ink) > MOST_CHANGES * (1 - share) * inked)
    rough = np.flatnonzero(is_rough)
    is_rough[rough] = _changes(ink[rough].transpose(0, 2, 1)) > MOST_CHANGES * (1 - share[rough]) * inked[rough]
    found[(found == DIGIT) & ((share > MOST_INK) | (inked == 0) | is_rough)] = OTHER
    for row in np.flatnonzero((found == DIGIT) & _may_be_parts(ink)):
        if _parts(ink[row]) > 1:
            found[row] = SEVERAL
    return found


def _may_be_parts(ink: np.ndarray) -> np.ndarray:
    """Which masks, bool (n, h, w), have an empty column with SHARE of the ink or more on either side: bool (n,)."""
    found = np.zeros(len(ink), bool)
    columns = _columns(ink)
    parted = np.flatnonzero(np.count_nonzero(columns[:, 1:] & ~columns[:, :-1], axis=1) + columns[:, 0] > 1)
    if len(parted):
        sums = ink[parted].sum(1, dtype=np.int32)
        left = np.cumsum(sums, axis=1) / sums.sum(1, keepdims=True)
        found[parted] = ((sums == 0) & (left >= SHARE) & (left <= 1 - SHARE)).any(1)
    return found


def _columns(ink: np.ndarray) -> np.ndarray:
    """Which columns of masks bool (n, h, w) hold ink, bool (n, w): `ink.any(1)`, several points at a time."""
    word = next((word for word in (np.uint64, np.uint32) if ink.shape[2] % np.dtype(word).itemsize == 0), np.uint8)
    rows = np.ascontiguousarray(ink).view(word).transpose(1, 0, 2)
    columns = rows[0].copy()
    for row in rows[1:]:
        columns |= row
    return columns.view(bool)


def _changes(ink: np.ndarray) -> np.ndarray:
    """How often ink and paper change along the rows of masks bool (n, h, w): int (n,)."""
    return _count(ink[:, :, 1:] != ink[:, :, :-1])


def _count(masks: np.ndarray) -> np.ndarray:
    """How many points of each mask, bool (n, h, w), hold: int (n,); four times as fast as numpy's own count."""
    bits = np.packbits(masks.reshape(len(masks), -1), axis=1) if len(masks) else np.zeros((0, 1), np.uint8)
    return np.bitwise_count(bits).sum(1, dtype=np.int64)


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
