"""Writing: a way is the strokes of a sign as points, a hand is how somebody bends, slants and rounds them.

Points are read from text such as `0,3 3,0! 3,10 | 1,10 5,10`: x to the right, y down, signs about 10 high; `!` marks a
corner, and `|` lifts the pen.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

HEIGHT = 10.0  # of signs in the text of their ways
STEPS = 12  # of a curve from one point of a way to the next
JITTER = 0.05  # deviation of each point, of the height
BEND = 0.04  # of the plane, of the height
STEEP_SLANT = 0.2  # radians, of a steep hand at most
HOOK = 0.12  # of the height: the longest that a pen leaves at the end of a stroke


@dataclass(frozen=True)
class Way:
    """A way of writing a sign: anything between two extremes, whose strokes have equally many points.

    Parameters
    ----------
    first : str
        Strokes as text, see the module.
    last : str, optional
        The other extreme, such as a larger loop; by default there is but one.
    """

    first: str
    last: str | None = None

    @cached_property
    def _strokes(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each stroke both extremes (points, 2) and which points are corners (points,)."""
        firsts, lasts = (text.split("|") for text in (self.first, self.last or self.first))
        return [(_points(a), _points(b), _corners(a)) for a, b in zip(firsts, lasts, strict=True)]

    def between(self, share: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Points (k, 2) and corners (k,) of each stroke, `share` 0..1 of the way from the first extreme to the last."""
        return [(a + share * (b - a), corners) for a, b, corners in self._strokes]


def _points(text: str) -> np.ndarray:
    return np.array([[float(x) for x in point.rstrip("!").split(",")] for point in text.split()]) / HEIGHT


def _corners(text: str) -> np.ndarray:
    return np.array([point.endswith("!") for point in text.split()])


@dataclass(frozen=True)
class Hand:
    """How somebody writes at the moment.

    Attributes
    ----------
    jitter : float
        Deviation of each point, of a sign's height.
    aspect : float
        Width of signs, times that of their ways.
    slant, turn : float
        Radians; positive: to the right, clockwise.
    bend : ndarray, shape (2, 3)
        Amplitude and wave numbers of a smooth bend of the plane, for x and for y.
    rounding : float
        How far quick writing rounds corners off, of the height.
    hooks : float
        0..1, chance of a hook at the end of a stroke.
    """

    jitter: float
    aspect: float
    slant: float
    turn: float
    bend: np.ndarray
    rounding: float
    hooks: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Hand":
        return cls(
            jitter=JITTER * rng.uniform(0.2, 1.2),
            aspect=float(np.clip(np.exp(rng.normal(0.05, 0.22)), 0.55, 1.6)),
            slant=rng.normal(0.12, 0.2),
            turn=rng.normal(0, 0.08),
            bend=np.stack([rng.normal(0, BEND, 2), *rng.uniform(-5, 5, (2, 2))], axis=1),
            rounding=rng.uniform(0, 0.05) * (rng.random() < 0.6),
            hooks=rng.uniform(0, 0.15) * (rng.random() < 0.3),
        )

    def steep(self) -> "Hand":
        """The same hand, neither wide nor much slanted."""
        return replace(self, aspect=min(self.aspect, 1.0), slant=min(self.slant, STEEP_SLANT))

    def write(self, way: Way, rng: np.random.Generator, turned: float = 0.0) -> list[np.ndarray]:
        """The sign as lines (m, 2), about one high, with its top left near 0, 0; `turned` by so many radians."""
        lines = []
        for points, corners in way.between(rng.random()):
            moved = points + rng.normal(0, self.jitter, points.shape)
            line = self._rounded(_curve(moved, corners))
            lines.append(self._with_hook(line, rng) if rng.random() < self.hooks else line)
        return [_turned(self._bent(line), self.turn + turned) for line in lines]

    def _rounded(self, line: np.ndarray) -> np.ndarray:
        from scipy.ndimage import gaussian_filter1d

        length = np.hypot(*np.diff(line, axis=0).T).sum()
        points = self.rounding * len(line) / max(length, 1e-6)
        return gaussian_filter1d(line, points, axis=0, mode="nearest") if points > 0.5 else line

    def _with_hook(self, line: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The line with what the pen leaves as it comes down or is lifted."""
        hook = rng.normal(0, HOOK / 2, 2)
        return np.vstack([line[0] + hook, line]) if rng.random() < 0.5 else np.vstack([line, line[-1] + hook])

    def _bent(self, line: np.ndarray) -> np.ndarray:
        amplitudes, waves = self.bend[:, 0], self.bend[:, 1:]
        x, y = (line + amplitudes * np.sin(line @ waves.T)).T
        return np.stack([(x - self.slant * (y - 0.5)) * self.aspect, y], axis=1)


def _turned(line: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return line @ np.array([[cos, sin], [-sin, cos]])


def _curve(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A smooth line (m, 2) through all points but for their corners (Catmull and Rom 1974)."""
    ends = [0, *np.flatnonzero(corners), len(points) - 1]
    pieces = [_smooth(points[start : end + 1]) for start, end in pairwise(ends) if end > start]
    return np.vstack(pieces)


def _smooth(points: np.ndarray) -> np.ndarray:
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, STEPS)[:, None, None]
    line = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return line.transpose(1, 0, 2).reshape(-1, 2)
