"""Pictures drawn by rule, as photos and in MNIST's form: digits by style, and what is no digit by kind."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..photos import Turning, normalised
from .camera import COARSE, photograph
from .digits import LEANING, OFTEN, STEEP, STYLES
from .no_digit import FREQUENT, KINDS, MADE_UP, SEEN_KINDS, sign_height, written
from .pens import ink_of_text
from .strokes import Hand

INK_LEVEL = 40  # gray level above which a point is ink
DIGITS = tuple(STYLES)
PRINTED = "printed"  # the style of digits in print


def styles_of(digit: str) -> list[str]:
    """The names of a digit's styles."""
    return [*STYLES[digit], PRINTED]


def digit_photo(digit: str, style: str, rng: np.random.Generator, coarse: float = COARSE) -> np.ndarray:
    """A digit '0' to '9' in one of its styles, as a photo or as drawn on a screen: uint8 (h, w).

    A share `coarse`, 0..1, of them is a few pixels high.
    """
    if style == PRINTED:
        ink = ink_of_text(digit, sign_height(rng), rng)
    else:
        turned = rng.choice([-1, 1]) * rng.uniform(*LEANING[style]) if style in LEANING else 0.0
        hand = Hand.drawn(rng).steep() if style in STEEP else Hand.drawn(rng)
        ink = written(STYLES[digit][style], rng, hand, turned)
    return photograph(ink, rng, coarse)


def no_digit_photo(kind: str, rng: np.random.Generator, coarse: float = COARSE) -> np.ndarray:
    """A picture of a kind of KINDS that shows no single digit, uint8 (h, w); `coarse` as of `digit_photo`.

    Made-up signs are never coarse: on few pixels nobody could tell many of them from digits.
    """
    return photograph(KINDS[kind](rng), rng, 0.0 if kind == MADE_UP else coarse)


def drawn_digits(
    n: int, seed: int, digits: Sequence[str] = DIGITS, in_form: bool = True
) -> Iterator[tuple[np.ndarray, str, str]]:
    """`n` digits, each with its label and style, one style after the other; where nothing is seen, another is drawn.

    Two styles that are taken for each other, ones with an upstroke and plain sevens, come several times in a row.

    Parameters
    ----------
    in_form : bool
        Whether they are brought to MNIST's form, uint8 (28, 28); else they are as `digit_photo` gives them, of any
        size, turned to light ink on dark.
    """
    known, rng = [(digit, style) for digit in digits for style in styles_of(digit)], np.random.default_rng(seed)
    in_turn = itertools.cycle(about for about in known for _ in range(OFTEN.get(about, 1)))
    drawn = ((_as_seen(digit_photo(*about, rng), in_form), *about) for about in in_turn)
    return itertools.islice((found for found in drawn if found[0].any()), n)


def drawn_others(
    n: int, seed: int, kinds: Sequence[str] = SEEN_KINDS, in_form: bool = True
) -> Iterator[tuple[np.ndarray, str]]:
    """`n` pictures that show no single digit, with their kind; those on which nothing is seen are left out.

    Kinds come in turn, those of FREQUENT several times in a row. On empty paper, the kind that is not among SEEN_KINDS,
    nothing ever is.

    Parameters
    ----------
    in_form : bool
        As of `drawn_digits`.
    """
    rng = np.random.default_rng(seed)
    in_turn = itertools.cycle(kind for kind in kinds for _ in range(FREQUENT.get(kind, 1)))
    drawn = ((_as_seen(no_digit_photo(kind, rng), in_form), kind) for kind in in_turn)
    return itertools.islice((found for found in drawn if found[0].any()), n)


def _as_seen(photo: np.ndarray, in_form: bool) -> np.ndarray:
    return normalised(photo) if in_form else Turning("auto").turn(photo[None])[0]


def side_by_side(left: np.ndarray, right: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two pictures of one size, light ink on dark, uint8 (h, h), as one picture of both, uint8 (w, w)."""
    parts = [picture[:, np.flatnonzero((picture > INK_LEVEL).any(0))] for picture in (left, right)]
    gap = np.zeros((len(left), int(rng.integers(0, max(2, len(left) // 6)))), np.uint8)
    row = np.concatenate([parts[0], gap, parts[1]], axis=1)
    side = max(row.shape) + 4
    top, before = ((side - length) // 2 for length in row.shape)
    return np.pad(row, ((top, side - row.shape[0] - top), (before, side - row.shape[1] - before)))
