"""Digits that people draw for a data set: a pixel table and who wrote each row, ready for `convert --groups`."""

from collections import Counter
from pathlib import Path

import numpy as np

from ..pages import DIGITS_FILE, WRITERS_FILE
from ..photos import SIDE
from ..system import InputError, append_rows, csv_line, grown_rows, whole_file, writable
from .limits import Refusal
from .people import People, number_of

DIGITS_HEADER = ["id", "label", *(f"pixel{k}" for k in range(SIDE * SIDE))]
WRITERS_HEADER = ["id", "writer"]
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
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            label_of = {row[0]: row[1] for row in _rows(self.digits_file, DIGITS_HEADER)}
            writers = _rows(self.writers_file, WRITERS_HEADER)
            self.people = People(self.folder, [writer for _, writer in writers])
        self.writer_of = {id_: writer for id_, writer in writers if id_ in label_of}
        if len(self.writer_of) != len(label_of):
            raise InputError(f"{self.writers_file} does not name the writer of each id in {DIGITS_FILE}; mend it")
        self._drawn = Counter(self.writer_of.values())  # digits of each writer
        self.last_digit = max((number_of(id_) for id_, _ in writers), default=0)

    def __len__(self) -> int:
        return len(self.writer_of)

    def drawn_with(self, token: str) -> int:
        """How many digits are by the writer who has that token."""
        return self._drawn[self.people.name_of(token)]

    def add(self, image: np.ndarray, label: str, token: str | None) -> tuple[str, str]:
        """Keep a digit, uint8 (28, 28); its id and its writer's token, a new one's where none is given."""
        if label not in self.classes:
            raise Refusal(400, f"the label is {label[:80]!r}; accepted are {', '.join(self.classes)}")
        if token is not None and self.people.name_of(token) is None:
            raise Refusal(404, "there is no writer of that token; leave it out to become one")
        if not image.any():
            raise Refusal(400, "nothing was drawn")
        if len(self) >= MOST_DIGITS:
            raise Refusal(413, f"the collection is full: {MOST_DIGITS:,} digits")
        token = token or self._new_writer()
        writer = self.people.name_of(token)
        id_ = f"d{self.last_digit + 1:06}"
        # the writer first: an id without a digit is ignored, a digit without a writer could not be split by writers
        _append(self.writers_file, [id_, writer], WRITERS_HEADER)
        self.last_digit += 1
        _append(self.digits_file, [id_, label, *image.ravel().tolist()], DIGITS_HEADER)
        self.writer_of[id_] = writer
        self._drawn[writer] += 1
        return id_, token

    def _new_writer(self) -> str:
        try:
            return self.people.new()
        except OSError as error:
            raise _unkept(error) from None

    def take_back(self, id_: str, token: str) -> None:
        """Remove a digit of the writer who has that token."""
        writer = self.people.name_of(token)
        if writer is None or self.writer_of.get(id_) != writer:
            raise Refusal(404, f"you have drawn no digit {id_[:80]!r}")
        for file, header in ((self.digits_file, DIGITS_HEADER), (self.writers_file, WRITERS_HEADER)):
            kept = [row for row in _rows(file, header) if row[0] != id_]
            with whole_file(file) as partial:
                partial.write_text("".join(map(csv_line, [header, *kept])), encoding="utf-8")
        del self.writer_of[id_]
        self._drawn[writer] -= 1


def _append(file: Path, row: list, header: list[str]) -> None:
    try:
        append_rows(file, [row], header)
    except OSError as error:
        raise _unkept(error) from None


def _unkept(error: OSError) -> Refusal:
    return Refusal(507, f"the digit cannot be kept: {error.strerror}")


def _rows(file: Path, header: list[str]) -> list[list[str]]:
    return grown_rows(file, header, "table of a collection")
