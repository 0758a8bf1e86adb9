"""Light ink on a dark ground, or dark ink on a light one: told picture by picture, and turned."""

from typing import Literal

import numpy as np

from .ink import LEAST_CONTRAST

Ground = Literal["auto", "dark", "light"]  # what the user says that the pictures' ground is
LEAST_SIDE = 8  # pixels; smaller pictures have hardly any ground
# of a picture's range of gray levels: the rim of a light ground is above LIGHT, that of a dark one below DARK; and most
# of its pixels are on that side, which is not asked where the rim is black. All rows of MNIST and Kannada-MNIST are
# told so, and all of them when they are turned.
DARK, LIGHT, MOST = 1 / 3, 2 / 3, 0.6


def rim_levels(images: np.ndarray) -> np.ndarray:
    """Mean gray level of the outermost pixels of each picture, uint8 (n, h, w): float32 (n,)."""
    rims = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return rims.mean(1, dtype=np.float32)


def is_on_light(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures, uint8 (n, h, w), clearly show dark ink on a light ground, and which ones light ink on a dark one.

    Returns
    -------
    on_light, on_dark : ndarray of bool, shape (n,)
        Both False where it is not clear.
    """
    n = len(images)
    on_light, on_dark = np.zeros(n, bool), np.zeros(n, bool)
    if not n or min(images.shape[1:]) < LEAST_SIDE:
        return on_light, on_dark
    rim = rim_levels(images)
    flat = images.reshape(n, -1)
    most = flat.max(1).astype(np.int16)
    # nearly all pictures of tables end here, which saves most of the time
    on_dark[:] = (rim < DARK * most) & (rim < 2 * LEAST_CONTRAST) & (most >= LEAST_CONTRAST)
    rest = np.flatnonzero(~on_dark)
    if len(rest):
        flat, rim, most = flat[rest], rim[rest], most[rest]
        least = flat.min(1).astype(np.int16)
        spread = most - least
        share = (rim - least) / np.maximum(spread, 1)
        above = (flat > ((least + most) // 2)[:, None]).mean(1)
        clear = spread >= LEAST_CONTRAST
        on_light[rest] = clear & (share > LIGHT) & (above > MOST)
        on_dark[rest] = clear & (share < DARK) & (above < 1 - MOST)
    return on_light, on_dark


class Turning:
    """Brings pictures to light ink on a dark ground, as MNIST's.

    Each picture that is clear is judged by itself; one that is not (its ink touches the rim on all sides, it is blank)
    goes with most of the clear ones before and beside it.

    Parameters
    ----------
    ground : {'auto', 'dark', 'light'}
        Of the pictures, where the user knows it.

    Attributes
    ----------
    seen, turned, unclear : int
        Pictures so far; `unclear` are those whose ground could not be told.
    """

    def __init__(self, ground: Ground = "auto"):
        self.ground = ground
        self.seen, self.turned, self.unclear, self.light, self.dark = 0, 0, 0, 0, 0

    def turn(self, images: np.ndarray) -> np.ndarray:
        """The pictures, uint8 (n, h, w), those on a light ground turned; the same array where there are none."""
        self.seen += len(images)
        if self.ground == "dark":
            return images
        if self.ground == "light":
            self.turned += len(images)
            return 255 - images
        on_light, on_dark = is_on_light(images)
        self.light += int(on_light.sum())
        self.dark += int(on_dark.sum())
        if min(images.shape[1:]) >= LEAST_SIDE:
            self.unclear += int((~on_light & ~on_dark).sum())
        chosen = ~on_dark if self.light > self.dark else on_light
        if not chosen.any():
            return images
        self.turned += int(chosen.sum())
        if chosen.all():
            return 255 - images
        turned = images.copy()
        turned[chosen] = 255 - turned[chosen]
        return turned
