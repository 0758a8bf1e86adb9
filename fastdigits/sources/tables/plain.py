"""The usual pixel csv, whole numbers and nothing else, read with a few passes over its bytes.

A general parser looks at one field after the other; here numpy looks at a megabyte at once, which is several times
faster. Whatever is not plain (quotes, blanks, fractions, signs, text) is left to the general parser in `delimited`.
"""

import io
from collections.abc import Generator
from typing import BinaryIO

import numpy as np

from .rows import Columns, Rows

BLOCK_BYTES = 1 << 20  # the arrays of a block fit the processor's cache
LONGEST_ROW = 8 << 20
ZERO, NEWLINE = b"0\n"  # as numbers


def plain_rows(stream: BinaryIO, columns: Columns, delimiter: str) -> Generator[Rows, None, bytes]:
    """Rows of a csv `stream` (at the first one) as long as they are plain; returns what was read and not understood.

    That is empty at the end of the stream; else it starts with the first row of the block that is not plain.
    """
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        end = block.rfind(b"\n") + 1
        lines, rest = rest + block[:end], block[end:]
        if end == 0:  # a row longer than the block, or the last one
            rest = lines + rest
            if len(rest) > LONGEST_ROW:
                return rest
            continue
        rows = parse_plain(lines, columns, delimiter)
        if rows is None:
            return lines + rest
        yield rows
    rows = parse_plain(rest + b"\n", columns, delimiter) if rest else None
    if rows is None:
        return rest
    yield rows
    return b""


def parse_plain(lines: bytes, columns: Columns, delimiter: str) -> Rows | None:
    """The rows of whole `lines`; None unless every field is digits and every pixel 0..255."""
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    content = np.frombuffer(lines, np.uint8)
    digits = content - np.uint8(ZERO)  # what is no digit becomes 10 or more
    ends = np.flatnonzero(digits > 9)  # of the fields
    if len(ends) % len(columns.names):
        return None
    ends = ends.reshape(-1, len(columns.names))
    if (content[ends[:, :-1]] != ord(delimiter)).any() or (content[ends[:, -1]] != NEWLINE).any():
        return None
    lengths = np.diff(ends.ravel(), prepend=-1).reshape(ends.shape) - 1
    values = _numbers(digits, ends, lengths, columns.pixels)
    texts = [_texts(lines, ends, lengths, position) for position in (columns.id, columns.label)]
    if values is None or any(text is not None and "" in text for text in texts):
        return None
    return Rows(values, *texts)


def _numbers(digits: np.ndarray, ends: np.ndarray, lengths: np.ndarray, pixels: list[int]) -> np.ndarray | None:
    """The pixels' values uint8 (n, pixels); None when one is empty, has four digits or is above 255."""
    in_order = pixels == list(range(pixels[0], pixels[0] + len(pixels)))
    chosen = slice(pixels[0], pixels[0] + len(pixels)) if in_order else pixels
    lengths = lengths[:, chosen]
    if lengths.min() < 1 or lengths.max() > 3:
        return None
    is_digit = digits < 10
    units = (digits * is_digit).astype(np.uint16)
    numbers = units.copy()  # at each byte the number that its last three digits make
    numbers[1:] += 10 * units[:-1]
    numbers[2:] += 100 * (units[:-2] * is_digit[1:-1])
    values = numbers[ends[:, chosen] - 1]
    return None if values.max() > 255 else values.astype(np.uint8)


def _texts(lines: bytes, ends: np.ndarray, lengths: np.ndarray, position: int | None) -> list[str] | None:
    if position is None:
        return None
    bounds = zip(ends[:, position].tolist(), lengths[:, position].tolist())
    return [lines[end - length : end].decode("ascii") for end, length in bounds]


class Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already and come first again."""

    def __init__(self, first: bytes, stream: BinaryIO):
        self.first, self.stream = io.BytesIO(first), stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        content = self.first.read(len(buffer)) or self.stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
