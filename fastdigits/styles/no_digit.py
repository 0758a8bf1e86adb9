"""Pictures that show no single digit, by kind: several digits, letters, scribbles, text, blots and more.

A kind is a function of a random generator that gives ink, float 0..1 (h, w).
"""

from collections.abc import Callable, Iterable

import numpy as np

from .digits import STYLES
from .made_up import is_narrow, made_up
from .pens import Pen, ink_of_lines, ink_of_text
from .signs import LETTERS, LOOK_ALIKES, OTHER_SCRIPTS, PRINTED_SCRIPTS, SIGNS
from .strokes import Hand, Way

Ink = Callable[[np.random.Generator], np.ndarray]
PRINTED_LETTERS = [chr(code) for code in range(33, 127) if not chr(code).isdecimal() and chr(code) not in LOOK_ALIKES]
PRINTED_LETTERS = [sign for sign in PRINTED_LETTERS if sign not in "'`.,:;()/\\[]{}_\"^~-"]
TURNABLE = "234567"  # digits that turned by 90 degrees are none
LEAST_PX, MOST_PX = 24, 100  # height of a sign
WILD = 5  # a wild line's least length, of its longer side; those of digits are shorter


def written(ways: list[Way], rng: np.random.Generator, hand: Hand | None = None, turned: float = 0) -> np.ndarray:
    """Ink of one sign in one of some ways, by anybody's hand and pen."""
    lines = (hand or Hand.drawn(rng)).write(ways[rng.integers(len(ways))], rng, turned)
    return ink_of_lines(lines, Pen.drawn(rng), sign_height(rng), rng)


def sign_height(rng: np.random.Generator) -> float:
    """In pixels."""
    return float(np.exp(rng.uniform(np.log(LEAST_PX), np.log(MOST_PX))))


def _any_digit(rng: np.random.Generator, digits: str = "0123456789") -> list[Way]:
    styles = list(STYLES[digits[rng.integers(len(digits))]].values())
    return styles[rng.integers(len(styles))]


def _several(rng: np.random.Generator) -> np.ndarray:
    """Two digits beside each other, sometimes three to five; near, touching or apart, written or printed."""
    count = int(rng.choice([2, 3, 4, 5], p=[0.6, 0.2, 0.15, 0.05]))
    if rng.random() < 0.2:
        return ink_of_text("".join(rng.choice(list("0123456789"), count)), sign_height(rng), rng)
    hand = Hand.drawn(rng)
    lines = _in_a_row((hand.write(_any_digit(rng)[0], rng) for _ in range(count)), (-0.02, 0.35), rng, unsteady=0.05)
    return ink_of_lines(lines, Pen.drawn(rng), sign_height(rng), rng)


def _in_a_row(
    signs: Iterable[list[np.ndarray]], gaps: tuple[float, float], rng: np.random.Generator, unsteady: float = 0.0
) -> list[np.ndarray]:
    """The lines of signs one beside the other: with gaps from .. to, and up or down by a deviation, of their height."""
    lines, right = [], 0.0
    for sign in signs:
        across = np.vstack(sign)[:, 0]
        for line in sign:
            lines.append(line + np.array([right - across.min(), rng.normal(0, unsteady) if unsteady else 0]))
        right += np.ptp(across) + rng.uniform(*gaps)
    return lines


def _piece(rng: np.random.Generator) -> np.ndarray:
    """What a window between two digits shows: the right part of one and the left part of the next."""
    hand, height, pen = Hand.drawn(rng), sign_height(rng), Pen.drawn(rng)
    left, right = (ink_of_lines(hand.write(_any_digit(rng, "023456890")[0], rng), pen, height, rng) for _ in range(2))
    left, right = (
        left[:, int(rng.uniform(0.4, 0.6) * left.shape[1]) :],
        right[:, : int(rng.uniform(0.4, 0.6) * right.shape[1])],
    )
    gap = max(2, int(rng.uniform(0.08, 0.35) * height))
    ink = np.zeros((max(len(left), len(right)), left.shape[1] + gap + right.shape[1]), np.float32)
    ink[: len(left), : left.shape[1]], ink[: len(right), left.shape[1] + gap :] = left, right
    return ink


def _letter(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.4:
        return ink_of_text(PRINTED_LETTERS[rng.integers(len(PRINTED_LETTERS))], sign_height(rng), rng)
    return written(list(LETTERS.values()), rng)


def _other_script(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        return ink_of_text(PRINTED_SCRIPTS[rng.integers(len(PRINTED_SCRIPTS))], sign_height(rng), rng, ("DejaVuSans",))
    return written(list(OTHER_SCRIPTS.values()), rng)


def _sign(rng: np.random.Generator) -> np.ndarray:
    """A sign, or a small drawing."""
    return written(list(SIGNS.values()), rng, turned=rng.normal(0, 0.2))


def _made_up(rng: np.random.Generator) -> np.ndarray:
    return made_up(rng, sign_height(rng))


def _turned(rng: np.random.Generator) -> np.ndarray:
    """A digit that lies on its side."""
    return written(_any_digit(rng, TURNABLE), rng, turned=rng.choice([-1, 1]) * rng.uniform(1.3, 1.8))


def _scribble(rng: np.random.Generator) -> np.ndarray:
    """A wild line, a zigzag, or hatching."""
    count = int(rng.integers(12, 30))
    kind = rng.random()
    if kind < 0.5:
        points = _wild_line(count, rng)
    elif kind < 0.8:
        points = np.stack([np.linspace(0, 9, count), 5 + 4 * (-1) ** np.arange(count)], axis=1)
        points += rng.normal(0, 0.6, points.shape)
    else:
        angles = np.linspace(0, rng.uniform(4, 9) * np.pi, count * 2)
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(-5, 5, (count * 2, 1))
    points = (points - points.min(0)) * 10 / max(np.ptp(points, axis=0).max(), 1e-3)
    corner = "!" if rng.random() < 0.4 else ""
    return written([Way(" ".join(f"{x:.2f},{y:.2f}{corner}" for x, y in points))], rng)


def _wild_line(count: int, rng: np.random.Generator) -> np.ndarray:
    """Points (count, 2) of a line at random that is longer and less straight than a digit's."""
    while True:
        points = np.cumsum(rng.normal(0, 3, (count, 2)), axis=0)
        length = np.hypot(*np.diff(points, axis=0).T).sum()
        if length > WILD * np.ptp(points, axis=0).max() and not is_narrow(points):
            return points


def _crossed_out(rng: np.random.Generator) -> np.ndarray:
    """A digit that somebody crossed out, by several lines or a zigzag."""
    hand = Hand.drawn(rng)
    lines = hand.write(_any_digit(rng)[0], rng)
    (low_x, low_y), (high_x, high_y) = (f(np.vstack(lines), axis=0) for f in (np.min, np.max))
    if rng.random() < 0.5:
        for _ in range(rng.integers(3, 6)):
            y, dy = rng.uniform(low_y, high_y, 2)
            lines.append(np.array([[low_x - rng.uniform(0, 0.3), y], [high_x + rng.uniform(0, 0.3), dy]]))
    else:
        count = int(rng.integers(5, 12))
        x = np.linspace(low_x - 0.15, high_x + 0.15, count)
        y = np.where(
            np.arange(count) % 2, rng.uniform(low_y, low_y + 0.4, count), rng.uniform(high_y - 0.4, high_y, count)
        )
        lines.append(np.stack([x, y], axis=1))
    return ink_of_lines(lines, Pen.drawn(rng), sign_height(rng), rng)


def _text(rng: np.random.Generator) -> np.ndarray:
    """A word or some lines of print or of writing."""
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIKLMNOPRSTUVW")
    words = ["".join(rng.choice(letters, rng.integers(3, 9))) for _ in range(rng.integers(1, 10))]
    rows = [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]
    if rng.random() < 0.7:
        size = rng.uniform(10, 30)
        inks = [ink_of_text(row, size, rng) for row in rows]
    else:
        hand, pen, size = Hand.drawn(rng), Pen(rng.uniform(0.05, 0.1)), rng.uniform(14, 40)
        letters = list(LETTERS.values())
        signs = (hand.write(letters[rng.integers(len(letters))], rng) for _ in words[0][:6])
        inks = [ink_of_lines(_in_a_row(signs, (0.05, 0.3), rng), pen, size, rng)]
    height, width = sum(len(ink) + 6 for ink in inks), max(ink.shape[1] for ink in inks)
    page, top = np.zeros((height, width), np.float32), 0
    for ink in inks:
        page[top : top + len(ink), : ink.shape[1]] = ink
        top += len(ink) + 6
    return page


def _blot(rng: np.random.Generator) -> np.ndarray:
    """One to four filled spots, of which a single one is not as long as a one."""
    side = int(sign_height(rng))
    y, x = np.mgrid[0:side, 0:side] / side
    ink = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(1, 5)):
        angle, radius = rng.uniform(0, np.pi), rng.uniform(0.12, 0.4)
        flat = rng.uniform(0.6, 1)
        dx, dy = x - rng.uniform(0.3, 0.7), y - rng.uniform(0.3, 0.7)
        u, v = np.cos(angle) * dx + np.sin(angle) * dy, (np.cos(angle) * dy - np.sin(angle) * dx) / flat
        wave = 1 + rng.uniform(0, 0.25) * np.sin(rng.integers(3, 9) * np.arctan2(v, u) + rng.uniform(0, 6))
        ink[np.hypot(u, v) < radius * wave] = 1
    return ink


def _specks(rng: np.random.Generator) -> np.ndarray:
    """Dust: a few specks on paper."""
    side = int(rng.uniform(40, 120))
    ink = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(2, 12)):
        row, column = rng.integers(0, side - 4, 2)
        height, width = rng.integers(1, 4, 2)
        ink[row : row + height, column : column + width] = rng.uniform(0.4, 1)
    return ink


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Grain, coarse or fine, as bad light and strong compression leave it."""
    from scipy.ndimage import gaussian_filter

    side = int(rng.uniform(28, 90))
    grain = gaussian_filter(rng.normal(size=(side, side)), rng.uniform(0.5, 0.06 * side))
    return (((grain / grain.std()) - rng.uniform(0.3, 1.6)) * rng.uniform(0.5, 3)).clip(0, 1).astype(np.float32)


def _paper(rng: np.random.Generator) -> np.ndarray:
    """Nothing at all."""
    return np.zeros((int(rng.uniform(20, 100)), int(rng.uniform(20, 100))), np.float32)


SEVERAL_DIGITS, MADE_UP = "several digits", "made-up sign"
KINDS: dict[str, Ink] = {
    SEVERAL_DIGITS: _several,
    "piece": _piece,
    "letter": _letter,
    "other script": _other_script,
    "sign or drawing": _sign,
    MADE_UP: _made_up,
    "turned digit": _turned,
    "scribble": _scribble,
    "crossed out": _crossed_out,
    "text": _text,
    "blot": _blot,
    "specks": _specks,
    "noise": _noise,
    "paper": _paper,
}
SEEN_KINDS = tuple(kind for kind in KINDS if kind != "paper")
FREQUENT = {"scribble": 3}  # times in a row that a kind is drawn; scribbles take more forms than any other
# of what digits themselves make; letters and signs may be the classes of another alphabet
KINDS_OF_DIGITS = (SEVERAL_DIGITS, "piece", "scribble", "crossed out", "text", "blot", "specks", "noise")
