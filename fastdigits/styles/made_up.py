"""Signs that nobody has seen, made up by rule: lines at random, with their mirror images or without, and outlines.

What people draw beside digits has no end, and networks call much of it by the digit whose outline it has: a heart, a
house and a face are zeros to who has seen no closed line but zeros.
"""

from dataclasses import replace

import numpy as np

from .pens import Pen, ink_of_lines
from .strokes import Hand, Way

WIDEST, FINE = 0.11, 0.05  # of a sign's height; wider pens fill outlines, or the marks in them, and leave a digit
NARROW = 0.4  # of the longer side; what is narrower may be a one
WAVES = np.arange(3, 7)  # around an outline; one or two would make it an ellipse or an eight
POINTS = 24  # of a round outline


def made_up(rng: np.random.Generator, height_px: float) -> np.ndarray:
    """Ink 0..1 (h, w) of a sign that is made up, by anybody's hand and pen."""
    while True:
        strokes, widest = (_lines(rng), WIDEST) if rng.random() < 0.5 else _outline(rng)
        way = Way(" | ".join(_as_text(points, corner, rng) for points, corner in strokes))
        lines = Hand.drawn(rng).write(way, rng)
        if not is_narrow(np.vstack(lines)):
            pen = Pen.drawn(rng)
            return ink_of_lines(lines, replace(pen, width=min(pen.width, widest)), height_px, rng)


def is_narrow(points: np.ndarray) -> bool:
    """Whether points (n, 2) lie in so narrow a box that a line through them may be a one."""
    sides = np.ptp(points, axis=0)
    return bool(sides.min() <= NARROW * sides.max())


def _as_text(points: np.ndarray, corner: float, rng: np.random.Generator) -> str:
    """Points of a stroke as `Way` reads them, each a corner with such a chance."""
    return " ".join(f"{x:.2f},{y:.2f}{'!' if rng.random() < corner else ''}" for x, y in points)


def _lines(rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Three to five strokes, or two or three and their mirror images; each with its chance of corners."""
    corner, mirrored = rng.choice([0.1, 0.6, 1.0]), rng.random() < 0.5
    strokes = []
    for _ in range(rng.integers(2, 4) if mirrored else rng.integers(3, 6)):
        points = rng.uniform((0, 0), (6, 10), (rng.integers(2, 5), 2))
        strokes.append((points, corner))
        if mirrored:
            strokes.append((points * (-1, 1) + (rng.uniform(5, 8), 0), corner))
    return strokes


def _outline(rng: np.random.Generator) -> tuple[list[tuple[np.ndarray, float]], float]:
    """A closed line, round or with corners, and the widest pen for it.

    It is no ellipse, or it has two to four marks inside, which ask for a fine pen.
    """
    marks = int(rng.integers(2, 5)) if rng.random() < 0.5 else 0
    has_corners = rng.random() < 0.5
    count = int(rng.integers(6, 10)) if has_corners else POINTS
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 2 * np.pi)
    if has_corners:
        radii = rng.uniform(0.75, 1, count)
        if not marks or rng.random() < 0.5:
            dents = rng.choice(count, rng.integers(1, 1 + count // 2), replace=False)
            between = np.cos(2 * np.pi / count)  # of a corner that lies on the line between its neighbours
            radii[dents] *= between * rng.uniform(0.1, 0.7, len(dents))
    else:
        waviness = rng.uniform(0 if marks else 0.35, 0.8) * rng.dirichlet(np.ones(len(WAVES)))
        radii = 1 + waviness @ np.cos(WAVES[:, None] * angles + rng.uniform(0, 2 * np.pi, (len(WAVES), 1)))
    points = np.stack([4 + 4 * radii * np.cos(angles), 5 + 4.5 * radii * np.sin(angles)], axis=1)
    strokes = [(np.vstack([points, points[:1]]), float(has_corners))]
    for _ in range(marks):
        middle = rng.uniform((2.2, 3), (5.8, 7))
        shape = (rng.integers(2, 4), 2)
        strokes.append((middle + rng.choice([-1, 1], shape) * rng.uniform(0.3, 1.2, shape), 0.3))
    return strokes, FINE if marks else WIDEST
