"""What every source gives: chunks of pictures with ids and labels, gray levels checked on the way."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..photos import BYTES, FEW_LEVELS, GrayScale, scale_of
from ..system import InputError
from .notes import Notes

CHUNK_ROWS = 4096
WHOLE = re.compile(r"(?<=\d)\.0+$")  # behind nothing but digits
LEAST_DEEP, DEEP_SHARE = 50, 0.05  # pixels, and share of those not black; where fewer are above 255, they are slips
LEAST_PIXELS = 64  # of a picture; the numbers of smaller ones tell no scale


@dataclass
class Chunk:
    """Some consecutive rows of a source.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, h, w)
        Gray levels 0..255; h == w but in picture files as they are.
    ids : list of str, length n
        The table's own ids, or the row's number counted from 0.
    labels : list of str, length n, or None
        None when the source has no labels.
    contents : ndarray of uint8, shape (n,), or None
        What each picture shows, see `photos.contents_of`; None before they passed the gate.
    """

    images: np.ndarray
    ids: list[str]
    labels: list[str] | None
    contents: np.ndarray | None = None

    def some(self, rows: np.ndarray) -> "Chunk":
        """Some of its rows, int (k,), counted from 0."""
        labels = None if self.labels is None else [self.labels[k] for k in rows]
        contents = None if self.contents is None else self.contents[rows]
        return Chunk(self.images[rows], [self.ids[k] for k in rows], labels, contents)


@dataclass
class PixelSource:
    """A readable source of square gray pictures.

    Attributes
    ----------
    name : str
        How messages call it.
    size : int or None
        Height and width of a picture in pixels; None where they may differ, of which a chunk has equal ones.
    has_ids, has_labels : bool
        Whether the source carries its own ids, and labels.
    chunks : callable () -> iterator of Chunk
        Reads the source from its start, in order, at most CHUNK_ROWS rows at a time.
    rows : int or None
        Number of rows where the format tells it beforehand.
    notes : Notes
        What the reader decided by itself and the user should know; complete once the chunks are read.
    test : PixelSource or None
        The test table that came in the same file, folder or data set.
    digest : callable () -> str
        sha256 of the bytes read.
    """

    name: str
    size: int | None
    has_ids: bool
    has_labels: bool
    chunks: Callable[[], Iterator[Chunk]]
    digest: Callable[[], str]
    rows: int | None = None
    notes: Notes = field(default_factory=Notes)
    test: "PixelSource | None" = None


def refuse_other_size(table: PixelSource, test_table: PixelSource) -> None:
    """InputError unless both have pictures of one size."""
    if test_table.size != table.size:
        raise InputError(
            f"{test_table.name} has {test_table.size}x{test_table.size} pictures, {table.name} has "
            f"{table.size}x{table.size}; train and test pictures must have one size"
        )


def square_side(n_pixels: int, where: str) -> int:
    """Side in pixels of a square picture of `n_pixels` pixels; InputError when no square."""
    side = math.isqrt(n_pixels)
    if side * side != n_pixels or side == 0:
        near = f"{side**2} ({side}x{side}) or {(side + 1) ** 2} ({side + 1}x{side + 1})"
        raise InputError(
            f"{where} has {n_pixels} pixel columns, which is no square; expected e.g. {near}; "
            "was a column dropped, or is one of them neither id, label nor pixel?"
        )
    return side


class GrayLevels:
    """Turns one source's numbers into gray levels 0..255; its first chunk tells the scale, by the rule of `photos`.

    `notes` gets a line where the scale is not 0..255.
    """

    def __init__(self, name: str, column_name: Callable[[int], str], notes: Notes):
        self.name, self.column_name, self.notes = name, column_name, notes
        self.scale: GrayScale | None = None

    def to_uint8(self, values: np.ndarray, first_row: int) -> np.ndarray:
        """Checked gray levels of one chunk.

        Parameters
        ----------
        values : ndarray of any number type, shape (n, pixels)
        first_row : int
            The chunk's first row, counted from 1, for messages.

        Returns
        -------
        ndarray of uint8, shape (n, pixels)
        """
        if values.dtype == np.int8 and values.min(initial=0) < 0:
            raise InputError(f"{self.name} holds int8, in which gray levels above 127 turn negative; save it as uint8")
        are_bytes = values.dtype == np.uint8
        if not are_bytes:
            self._refuse(~np.isfinite(values), values, first_row, "is not a number")
        if self.scale is None:
            self.scale = self._scale_of(values)
        if are_bytes and self.scale == BYTES:
            return values
        accepted = "0..255" if self.scale == BYTES else f"{_range(self.scale)} like the rows before it"
        self._refuse(self.scale.outside(values), values, first_row, f"is outside {accepted}")
        if self.scale == BYTES and np.issubdtype(values.dtype, np.floating):
            # rounded where the row has gray levels beside them; else they are of another scale
            alone = (values.max(1, initial=0) <= FEW_LEVELS)[:, None] & (values != np.floor(values))
            self._refuse(alone, values, first_row, "is neither a whole number 0..255 nor in a table of 0..1")
        return self.scale.to_uint8(values)

    def _scale_of(self, values: np.ndarray) -> GrayScale:
        if values.size == 0:
            return BYTES
        whole = not np.issubdtype(values.dtype, np.floating) or bool((values == np.floor(values)).all())
        scale = scale_of(float(values.min()), float(values.max()), whole) or BYTES
        if 1 < scale.white <= FEW_LEVELS and values.shape[1] < LEAST_PIXELS:
            return BYTES
        deep = values > BYTES.white
        if scale.white > BYTES.white and deep.sum() < max(LEAST_DEEP, DEEP_SHARE * (values > 0).sum()):
            return BYTES  # a few slips, not another scale
        if scale != BYTES:
            self.notes.add(f"{self.name}: its numbers {_range(scale)} were read as black..white")
        return scale

    def _refuse(self, wrong: np.ndarray, values: np.ndarray, first_row: int, what: str) -> None:
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise InputError(
                f"row {first_row + row} of {self.name}, column {self.column_name(column)}: "
                f"{values[row, column]:g} {what}; gray levels are whole numbers 0..255 or fractions 0..1"
            )


def scale_of_array(rows: np.ndarray, name: str, notes: Notes) -> GrayScale:
    """Which numbers of an array (n, pixels) are black and white, by the rule of tables; else its least and most."""
    least, most = float(rows.min()), float(rows.max())
    scale = scale_of(least, most, bool((rows == np.floor(rows)).all()))
    if scale is None:
        scale = GrayScale(least, most if most > least else least + 1)
    if scale != BYTES:
        notes.add(f"{name}: its numbers {_range(scale)} were read as black..white")
    return scale


def _range(scale: GrayScale) -> str:
    return f"{scale.black:g}..{scale.white:g}"


def label_texts(values: np.ndarray) -> list[str]:
    """Labels as texts; bytes are read as UTF-8, and whole numbers that were stored as floats lose their `.0`."""
    texts = (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in values.tolist())
    return list(map(class_name, texts)) if np.issubdtype(values.dtype, np.floating) else list(texts)


def class_name(label: str) -> str:
    """A label without the `.0` of whole numbers that were written as floats, as pandas does beside missing values."""
    return WHOLE.sub("", label)
