"""Who works at a page: a name for each browser, by a random token that only that browser has."""

import secrets
import threading
from collections.abc import Iterable
from pathlib import Path

from ..system import append_rows, grown_rows

TOKENS_FILE, TOKENS_HEADER = ".tokens.csv", ["token", "writer"]


class People:
    """Names w0001, w0002, ... by token, in a csv that is gone on with. All methods may be called from several threads.

    Parameters
    ----------
    folder : Path
        Of that csv.
    named : iterable of str
        Names that were given before, of which none is given again.

    Raises
    ------
    InputError
        When the file is another table.
    """

    def __init__(self, folder: Path, named: Iterable[str] = ()):
        self.file = folder / TOKENS_FILE
        self._name_of: dict[str, str] = dict(grown_rows(self.file, TOKENS_HEADER, "table of tokens"))
        self._lock = threading.Lock()  # two at once would get one name
        self._last = max(map(number_of, [*named, *self._name_of.values()]), default=0)

    def name_of(self, token: str | None) -> str | None:
        """None of a token that nobody was given."""
        return None if token is None else self._name_of.get(token)

    def new(self) -> str:
        """The token of somebody whom nobody else is; OSError when it cannot be kept."""
        token = secrets.token_urlsafe(12)
        with self._lock:
            name = f"w{self._last + 1:04}"
            append_rows(self.file, [[token, name]], TOKENS_HEADER)
            self._last += 1
            self._name_of[token] = name
        return token


def number_of(name: str) -> int:
    """Of a writer or digit, such as w0001; 0 for a name that is none of ours."""
    return int(name[1:]) if name[1:].isascii() and name[1:].isdecimal() and len(name) < 12 else 0
