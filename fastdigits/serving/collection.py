"""Digits that people draw for a data set: a pixel table and who wrote each row, ready for `convert --groups`."""

import csv
import io
import os
import secrets
from pathlib import Path

import numpy as np

from ..photos import SIDE
from ..system import InputError, whole_file, writable
from .limits import Refusal

DIGITS_FILE, WRITERS_FILE, TOKENS_FILE = "digits.csv", "writers.csv", ".tokens.csv"
DIGITS_HEADER = ["id", "label", *(f"pixel{k}" for k in range(SIDE * SIDE))]
WRITERS_HEADER, TOKENS_HEADER = ["id", "writer"], ["token", "writer"]
MOST_DIGITS = 100_000


class Collection:
    """Drawn digits in a folder: `digits.csv` with labels and pixels, `writers.csv` with the writer of each id.

    Every digit is on disk before its writer is thanked. A folder that holds a collection is gone on with. Writers are
    numbered; what they have drawn is theirs by a random token, which is kept beside the tables.

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
        self.tokens_file = self.folder / TOKENS_FILE
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            label_of = {row[0]: row[1] for row in _rows(self.digits_file, DIGITS_HEADER)}
            writers = _rows(self.writers_file, WRITERS_HEADER)
            self.writer_of_token = dict(_rows(self.tokens_file, TOKENS_HEADER))
        self.writer_of = {id_: writer for id_, writer in writers if id_ in label_of}
        if len(self.writer_of) != len(label_of):
            raise InputError(f"{self.writers_file} does not name the writer of each id in {DIGITS_FILE}; mend it")
        names = [writer for _, writer in writers] + list(self.writer_of_token.values())
        self.last_writer = max(map(_number, names), default=0)
        self.last_digit = max((_number(id_) for id_, _ in writers), default=0)

    def __len__(self) -> int:
        return len(self.writer_of)

    def drawn_with(self, token: str) -> int:
        """How many digits are by the writer who has that token."""
        writer = self.writer_of_token.get(token)
        return sum(name == writer for name in self.writer_of.values())

    def add(self, image: np.ndarray, label: str, token: str | None) -> tuple[str, str]:
        """Keep a digit, uint8 (28, 28); its id and its writer's token, a new one's where none is given."""
        if label not in self.classes:
            raise Refusal(400, f"the label is {label[:80]!r}; accepted are {', '.join(self.classes)}")
        if token is not None and token not in self.writer_of_token:
            raise Refusal(404, "there is no writer of that token; leave it out to become one")
        if not image.any():
            raise Refusal(400, "nothing was drawn")
        if len(self) >= MOST_DIGITS:
            raise Refusal(413, f"the collection is full: {MOST_DIGITS:,} digits")
        token = token or self._new_writer()
        writer = self.writer_of_token[token]
        id_ = f"d{self.last_digit + 1:06}"
        # the writer first: an id without a digit is ignored, a digit without a writer could not be split by writers
        _append(self.writers_file, [id_, writer], WRITERS_HEADER)
        self.last_digit += 1
        _append(self.digits_file, [id_, label, *image.ravel().tolist()], DIGITS_HEADER)
        self.writer_of[id_] = writer
        return id_, token

    def _new_writer(self) -> str:
        """The token of a writer whom nobody else is: w0001, w0002, ..."""
        token = secrets.token_urlsafe(12)
        writer = f"w{self.last_writer + 1:04}"
        _append(self.tokens_file, [token, writer], TOKENS_HEADER)
        self.last_writer += 1
        self.writer_of_token[token] = writer
        return token

    def take_back(self, id_: str, token: str) -> None:
        """Remove a digit of the writer who has that token."""
        if token not in self.writer_of_token or self.writer_of.get(id_) != self.writer_of_token[token]:
            raise Refusal(404, f"you have drawn no digit {id_[:80]!r}")
        for file, header in ((self.digits_file, DIGITS_HEADER), (self.writers_file, WRITERS_HEADER)):
            kept = [row for row in _rows(file, header) if row[0] != id_]
            with whole_file(file) as partial:
                partial.write_text("".join(map(_line, [header, *kept])), encoding="utf-8")
        del self.writer_of[id_]


def _number(name: str) -> int:
    """Of a writer or digit; 0 for a name that is none of ours."""
    return int(name[1:]) if name[1:].isascii() and name[1:].isdecimal() and len(name) < 12 else 0


def _line(row: list) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue()


def _append(file: Path, row: list, header: list[str]) -> None:
    """Add a row to a csv, after its header where it is new, and see it on disk, whole or not at all."""
    size = file.stat().st_size if file.exists() else 0
    try:
        with open(file, "ab") as table:
            table.write(((_line(header) if not size else "") + _line(row)).encode())
            table.flush()
            os.fsync(table.fileno())
    except OSError as error:
        if file.exists():
            os.truncate(file, size)
        raise Refusal(507, f"the digit cannot be kept: {error.strerror}") from None


def _rows(file: Path, header: list[str]) -> list[list[str]]:
    """The rows of a csv with that header; none where there is no file. A line that a kill cut short is removed."""
    if not file.exists():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    rows = list(csv.reader(io.StringIO(whole.decode("utf-8", errors="replace"))))
    is_cut_header = not rows and _line(header).encode().startswith(content)
    if not is_cut_header and (rows[:1] != [header] or any(len(row) != len(header) for row in rows)):
        raise InputError(f"{file} is no table of a collection; name another folder")
    if len(whole) < len(content):
        os.truncate(file, len(whole))
    return rows[1:]
