"""Numbers as gray levels: which of them mean black and white. Tables, picture files and arrays go by this one rule."""

from dataclasses import dataclass

import numpy as np

# what a scale may end at: shares, 1 to 6 bits (some count to 16 or 64), 8 bits, and scans of 10 to 16 bits
WHITES = (1, 3, 7, 15, 16, 31, 63, 64, 255, 1023, 4095, 16_383, 65_535)
FEW_LEVELS = 64  # scales that end here or before are of fewer than 8 bits
ROUNDING = 1e-4  # of white, by which numbers that were computed may lie outside


@dataclass(frozen=True)
class GrayScale:
    """Which numbers are black and white."""

    black: float
    white: float

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Which values lie beyond black or white by more than rounding: bool, of their shape."""
        slack = ROUNDING * (self.white - self.black)
        return (values < self.black - slack) | (values > self.white + slack)

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Gray levels 0..255 of numbers on this scale; what lies outside becomes black or white."""
        if self == BYTES and values.dtype == np.uint8:
            return values
        if self == BYTES:
            return np.rint(values).clip(0, 255).astype(np.uint8)
        shares = (np.asarray(values, np.float64) - self.black) / (self.white - self.black)
        return np.rint(shares.clip(0, 1) * 255).astype(np.uint8)


BYTES, SHARES, SIGNED_SHARES = GrayScale(0, 255), GrayScale(0, 1), GrayScale(-1, 1)


def scale_of(least: float, most: float, whole: bool = True) -> GrayScale | None:
    """The scale that numbers from `least` to `most` are on; None where that is none of gray levels.

    0..1 and -1..1 are shares of white. Other numbers begin at 0, and white is the least of WHITES that none of them
    goes beyond; those of fewer than 8 bits are all `whole`.
    """
    if least >= 0:
        if not whole and 1 + ROUNDING < most <= FEW_LEVELS:
            return None
        white = next((white for white in WHITES if most <= white * (1 + ROUNDING)), None)
        if most == 0:
            return BYTES
        return None if white is None else GrayScale(0, white)
    within = least >= -1 - ROUNDING and most <= 1 + ROUNDING
    return SIGNED_SHARES if within and least < -0.5 < 0.5 < most else None
