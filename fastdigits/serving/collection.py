"""Digits that people draw for a data set: a pixel table and who wrote each row, ready for `convert --groups`."""

import csv
import io
import os
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..outputs import whole_file, writable
from ..photos import SIDE
from .limits import Refusal

DIGITS_FILE, WRITERS_FILE = "digits.csv", "writers.csv"
DIGITS_HEADER = ["id", "label", *(f"pixel{k}" for k in range(SIDE * SIDE))]
WRITERS_HEADER = ["id", "writer"]
MOST_DIGITS = 100_000


class Collection:
    """Drawn digits in a folder: `digits.csv` with labels and pixels, `writers.csv` with the writer of each id.

    Every digit is on disk before its writer is thanked. A folder that holds a collection is gone on with.

    Parameters
    ----------
    folder : Path
    classes : list of str
        Labels that are asked for.

    Raises
    ------
    InputError
        When the folder cannot be written, or holds tables of another kind.
    """

    def __init__(self, folder: Path, classes: list[str]):
        self.folder, self.classes = Path(folder), classes
        self.digits_file, self.writers_file = self.folder / DIGITS_FILE, self.folder / WRITERS_FILE
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.label_of = {row[0]: row[1] for row in _rows(self.digits_file, DIGITS_HEADER)}
            writers = _rows(self.writers_file, WRITERS_HEADER)
        self.writer_of = {id_: writer for id_, writer in writers if id_ in self.label_of}
        if len(self.writer_of) != len(self.label_of):
            raise InputError(f"{self.writers_file} does not name the writer of each id in {DIGITS_FILE}; mend it")
        numbers = [int(name[1:]) for _, name in writers if name[1:].isdecimal()]
        self.last_writer = max(numbers, default=0)
        self.last_digit = max((int(id_[1:]) for id_, _ in writers if id_[1:].isdecimal()), default=0)

    def __len__(self) -> int:
        return len(self.label_of)

    def drawn_by(self, writer: str) -> int:
        """How many digits are by one writer."""
        return sum(name == writer for name in self.writer_of.values())

    def new_writer(self) -> str:
        """A name that nobody has: w0001, w0002, ..."""
        self.last_writer += 1
        return f"w{self.last_writer:04}"

    def add(self, image: np.ndarray, label: str, writer: str | None) -> tuple[str, str]:
        """Keep a digit, uint8 (28, 28); the id and the writer, who is a new one where none is given."""
        if label not in self.classes:
            raise Refusal(400, f"the label is {label[:80]!r}; accepted are {', '.join(self.classes)}")
        if writer is not None and not (writer[:1] == "w" and 0 < _number(writer) <= self.last_writer):
            raise Refusal(400, f"there is no writer {writer[:80]!r}; leave the writer out to become one")
        if not image.any():
            raise Refusal(400, "nothing was drawn")
        if len(self) >= MOST_DIGITS:
            raise Refusal(413, f"the collection is full: {MOST_DIGITS:,} digits")
        writer = writer or self.new_writer()
        self.last_digit += 1
        id_ = f"d{self.last_digit:06}"
        # the writer first: an id without a digit is ignored, a digit without a writer could not be split by writers
        _append(self.writers_file, [id_, writer], WRITERS_HEADER)
        _append(self.digits_file, [id_, label, *image.ravel().tolist()], DIGITS_HEADER)
        self.label_of[id_], self.writer_of[id_] = label, writer
        return id_, writer

    def take_back(self, id_: str, writer: str) -> None:
        """Remove a digit of that writer."""
        if self.writer_of.get(id_) != writer:
            raise Refusal(404, f"{writer[:80]!r} has drawn no digit {id_[:80]!r}")
        for file, header in ((self.digits_file, DIGITS_HEADER), (self.writers_file, WRITERS_HEADER)):
            kept = [row for row in _rows(file, header) if row[0] != id_]
            with whole_file(file) as partial:
                partial.write_text("".join(map(_line, [header, *kept])), encoding="utf-8")
        del self.label_of[id_], self.writer_of[id_]


def _number(writer: str) -> int:
    return int(writer[1:]) if writer[1:].isascii() and writer[1:].isdecimal() else 0


def _line(row: list) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue()


def _append(file: Path, row: list, header: list[str]) -> None:
    """Add a row to a csv, after its header where it is new, and see it on disk."""
    is_new = not file.exists() or file.stat().st_size == 0
    with open(file, "ab") as table:
        table.write(((_line(header) if is_new else "") + _line(row)).encode())
        table.flush()
        os.fsync(table.fileno())


def _rows(file: Path, header: list[str]) -> list[list[str]]:
    """The rows of a csv with that header; none where there is no file. A line that a kill cut short is removed."""
    if not file.exists():
        return []
    whole = file.read_bytes()
    if not whole.endswith(b"\n"):
        whole = whole[: whole.rfind(b"\n") + 1]
        os.truncate(file, len(whole))
    rows = list(csv.reader(io.StringIO(whole.decode("utf-8", errors="replace"))))
    if rows and (rows[0] != header or any(len(row) != len(header) for row in rows)):
        raise InputError(f"{file} is no table of a collection; name another folder")
    return rows[1:]
