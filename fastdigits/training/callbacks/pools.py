"""What is drawn to be mixed into a folder's batches: digits in rare styles, and what shows no single digit."""

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ...folders import TRAIN, ImageFolder, evenly_spaced, ground_of_split, on_dark, resized, split_images
from ...models import OUTLIERS
from ...photos import SIDE, normalised
from ...scores import known_share
from ...styles import DIGITS, KINDS_OF_DIGITS, SEEN_KINDS, SEVERAL_DIGITS, drawn_digits, drawn_others, side_by_side
from ...system import InputError, progress_bar
from .drawn import Pool

LATIN = "digitnet-mnist"  # knows the digits 0 to 9, by which a folder is found to hold them
KNOWN_SHARE = 0.5  # of the training pictures that it is right about then
PAIRED = 1 / 6  # of pictures without a single digit, made of two training pictures each
LOOKED_AT = 2_000  # training pictures
DIGIT_SIDE, INK_LEVEL = 20, 40  # of a digit in MNIST's form, in pixels; gray level above which a point is ink
COMPARED_SIDE, AS_DIGITS = 14, 0.25  # pixels; of digits, whose nearest neighbour is further than a look-alike's


@dataclass(frozen=True)
class Drawing:
    """How much is drawn of something.

    Attributes
    ----------
    what : str
    share : float
        Of a Pool.
    of_rows : float
        Pictures that are drawn, for each training row; at least `least` and at most `most`.
    """

    what: str
    share: float
    of_rows: float
    least: int
    most: int

    def count(self, rows: int) -> int:
        return int(np.clip(rows * self.of_rows, self.least, self.most))


STYLES = Drawing("digits in many styles", 1 / 3, 0.4, 1_840, 23_000)
NO_DIGITS = Drawing("several digits or none", 1 / 6, 0.25, 1_750, 15_000)


@dataclass(frozen=True)
class Form:
    """How a folder's pictures look, as far as drawn ones have to look alike.

    Attributes
    ----------
    in_form : bool
        Whether drawn pictures are brought to MNIST's form; else they are photos of a sign with paper around.
    side : int
        Pixels. In MNIST's form so much of the middle of 28 is shown: less where the folder's digits fill their
        pictures.
    """

    in_form: bool
    side: int

    @classmethod
    def of(cls, folder: ImageFolder, size: int, images: np.ndarray) -> "Form":
        """Of a folder that is trained on at `size` pixels, by some of its pictures, light ink on dark."""
        shown = min(size, folder.size or size)
        if not folder.is_normalised and (folder.size or size) > SIDE:
            return cls(False, shown)
        ink = images > INK_LEVEL
        extents = [np.ptp(np.flatnonzero(one.any(axis))) + 1 for one in ink if one.any() for axis in (0, 1)]
        longer = np.reshape(extents, (-1, 2)).max(1) if extents else [DIGIT_SIDE]
        return cls(True, int(np.clip(round(DIGIT_SIDE * images.shape[-1] / np.median(longer)), DIGIT_SIDE, SIDE)))

    def fitted(self, pictures: list[np.ndarray]) -> np.ndarray:
        """Drawn pictures, light ink on dark, as the folder's look: uint8 (n, side, side)."""
        if not self.in_form:
            return np.concatenate([resized(picture[None], self.side) for picture in pictures])
        before = (SIDE - self.side) // 2
        return np.stack(pictures)[:, before : before + self.side, before : before + self.side]


def style_pool(folder: ImageFolder, size: int, seed: int) -> Pool:
    """Digits in the styles of `styles`, for a folder whose classes are digits.

    Raises
    ------
    InputError
        When it has other classes.
    """
    if not set(folder.classes) <= set(DIGITS):
        others = ", ".join(sorted(set(folder.classes) - set(DIGITS))[:5])
        raise InputError(
            f"--styles draws the digits 0 to 9, and {folder.path} has other classes ({others}); leave it out"
        )
    form = Form.of(folder, size, _some_pictures(folder, size))
    found = _first(STYLES.count(len(folder.split(TRAIN))), STYLES, drawn_digits, seed, folder.classes, form)
    labels = [folder.classes.index(label) for _, label, _ in found]
    return _pool(folder, form.fitted([picture for picture, *_ in found]), labels, STYLES.share)


def outlier_pool(folder: ImageFolder, size: int, seed: int) -> Pool:
    """Pictures that show several digits or none; some of several are made of pairs of the folder's.

    What is drawn depends on the classes. Signs may be classes themselves where these are no digits, and numbers of two
    digits where a class has such a name. Of digits that are not those of 0 to 9, what looks like them is left out.
    """
    images, rng = _some_pictures(folder, size), np.random.default_rng(seed)
    form, count = Form.of(folder, size, images), NO_DIGITS.count(len(folder.split(TRAIN)))
    are_digits = all(label.isdecimal() and len(label) == 1 for label in folder.classes)
    kinds = SEEN_KINDS if are_digits else KINDS_OF_DIGITS
    pairs = int(count * PAIRED)
    if any(len(label) > 1 for label in folder.classes):
        kinds, pairs = tuple(kind for kind in kinds if kind not in (SEVERAL_DIGITS, "text")), 0
    found = _first(count - pairs, NO_DIGITS, drawn_others, seed, kinds, form)
    pictures = [picture for picture, _ in found]
    several, other = (len(folder.classes) + OUTLIERS.index(name) for name in ("several", "other"))
    labels = [several if kind == SEVERAL_DIGITS else other for _, kind in found]
    if are_digits and (known_share(LATIN, folder, TRAIN) or 0) < KNOWN_SHARE:
        is_sign = np.array([kind not in KINDS_OF_DIGITS for _, kind in found])
        kept = np.flatnonzero(~(is_sign & _looks_like(pictures, images)))
        pictures, labels = [pictures[row] for row in kept], [labels[row] for row in kept]
    inked = images[(images > INK_LEVEL).any((1, 2))]
    for _ in range(pairs if len(inked) else 0):
        pair = side_by_side(*inked[rng.integers(len(inked), size=2)], rng)
        pictures.append(normalised(pair, "dark") if form.in_form else pair)
        labels.append(several)
    return _pool(folder, form.fitted(pictures), labels, NO_DIGITS.share)


def _some_pictures(folder: ImageFolder, size: int) -> np.ndarray:
    """Training pictures, light ink on dark, uint8 (n, h, h)."""
    return on_dark(folder, split_images(folder, TRAIN, size, evenly_spaced(len(folder.split(TRAIN)), LOOKED_AT)))


def _first(count: int, drawing: Drawing, draw: Callable, seed: int, names: tuple[str, ...], form: Form) -> list[tuple]:
    """The first pictures of what `draw` draws, with what they are."""
    stream, found = _stream(draw, seed, tuple(names), form.in_form)
    if count > len(found):
        print(f"drawing {count:,} pictures of {drawing.what}", flush=True)
        with progress_bar("drawing pictures", count - len(found)) as advance:
            try:
                for one in itertools.islice(stream, count - len(found)):
                    found.append(one)
                    advance(1)
            except BaseException:  # such as Ctrl-C in a notebook, after which the stream would give nothing more
                _stream.cache_clear()
                raise
    return found[:count]


@lru_cache(maxsize=4)
def _stream(draw: Callable, seed: int, names: tuple[str, ...], in_form: bool) -> tuple[Iterator[tuple], list[tuple]]:
    """Drawn pictures without end, and those of them that were taken already: another fold trains with the same ones."""
    return draw(sys.maxsize, seed, names, in_form), []


def _looks_like(pictures: list[np.ndarray], images: np.ndarray) -> np.ndarray:
    """Which pictures lie as near to some of `images` as these lie to each other: bool (n,)."""
    drawn = _features(np.concatenate([resized(picture[None], COMPARED_SIDE) for picture in pictures]))
    digits = _features(resized(images, COMPARED_SIDE))
    among = digits @ digits.T
    np.fill_diagonal(among, -1)
    return (drawn @ digits.T).max(1) > np.quantile(among.max(1), AS_DIGITS)


def _features(images: np.ndarray) -> np.ndarray:
    """Pictures as vectors of length 1, whose products are their likeness: float (n, pixels)."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _pool(folder: ImageFolder, pictures: np.ndarray, labels: list[int], share: float) -> Pool:
    images = 255 - pictures if ground_of_split(folder, TRAIN) == "light" else pictures
    return Pool(torch.from_numpy(np.ascontiguousarray(images)), torch.tensor(labels), share)
