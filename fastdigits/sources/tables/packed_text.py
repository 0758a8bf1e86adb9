"""Text tables in which one field holds all pixels of a row: "0 12 255 ..." or "[0, 12, 255, ...]"."""

import csv
import io
from collections.abc import Iterator

import numpy as np

from ...system import InputError
from ..location import Location
from ..pixels import CHUNK_ROWS
from .columns import not_utf8
from .rows import Columns, Rows

LEAST_NUMBERS = 16  # in a field that holds a picture
BETWEEN = str.maketrans("[](),;\t\n", "        ")


def numbers_in(text: str) -> np.ndarray | None:
    """The numbers of a field that holds nothing but some numbers, float (n,); None where it holds other things."""
    fields = text.translate(BETWEEN).split()
    try:
        return np.array(fields, np.float32) if len(fields) >= LEAST_NUMBERS else None
    except ValueError:
        return None


def packed_column(location: Location, delimiter: str, names: list[str], skipped_lines: int) -> tuple[str, int] | None:
    """The name of the column that holds a picture in the first row, and how many pixels that has; None without one."""
    try:
        row = next(_records(location, delimiter, skipped_lines), None)
    except InputError:  # which the reader of pixel columns says with the row
        return None
    if row is None or len(row) != len(names):
        return None
    for name, field in zip(names, row):
        found = numbers_in(field) if len(field) > 2 * LEAST_NUMBERS - 2 else None
        if found is not None:
            return name, len(found)
    return None


def packed_text_rows(
    location: Location, columns: Columns, delimiter: str, skipped_lines: int, n_pixels: int
) -> Iterator[Rows]:
    """The rows of a table whose pixels stand in the one field of `columns.pixels`."""
    (place,) = columns.pixels
    waiting: list[list[str]] = []
    done = 0
    for record in _records(location, delimiter, skipped_lines):
        waiting.append(record)
        if len(waiting) == CHUNK_ROWS:
            yield _rows(waiting, columns, place, n_pixels, location.name, done)
            done, waiting = done + len(waiting), []
    if waiting:
        yield _rows(waiting, columns, place, n_pixels, location.name, done)


def _records(location: Location, delimiter: str, skipped_lines: int) -> Iterator[list[str]]:
    with location.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        try:
            for _ in range(skipped_lines):
                text.readline()
            yield from (record for record in csv.reader(text, delimiter=delimiter) if record)
        except UnicodeDecodeError:
            raise not_utf8(location) from None
        except csv.Error as error:
            raise InputError(f"{location.name} cannot be read as csv: {error}") from None


def _rows(records: list[list[str]], columns: Columns, place: int, n_pixels: int, where: str, first: int) -> Rows:
    values = np.empty((len(records), n_pixels), np.float32)
    for k, record in enumerate(records):
        found = numbers_in(record[place]) if len(record) == len(columns.names) else None
        if found is None or len(found) != n_pixels:
            raise InputError(
                f"row {first + k + 1} of {where}, column {columns.names[place]!r}: no {n_pixels} numbers, which the "
                "first row has; was a line cut?"
            )
        values[k] = found

    def texts(position: int | None) -> list[str] | None:
        return None if position is None else [record[position].strip() for record in records]

    return Rows(values, texts(columns.id), texts(columns.label))
