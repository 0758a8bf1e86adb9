"""What took long to find out, kept between processes in the user's cache folder."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .errors import InputError
from .files import write_json


def cache_folder() -> Path:
    """Where things are kept that can be had again: $XDG_CACHE_HOME/fastdigits, by default ~/.cache/fastdigits."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastdigits"


def remembered(what: str, of: str, find: Callable[[], dict]) -> dict:
    """What `find` gives, found once as long as `of`, a text that names all that it depends on, stays the same.

    Parameters
    ----------
    what : str
        A name for it, of one file in the cache.
    of : str
    find : callable () -> dict
        JSON's types alone.
    """
    file = cache_folder() / f"{what}.json"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["of"] == of:
            return kept["found"]
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or not one of ours
        pass
    found = find()
    with suppress(InputError, OSError):  # a disk that is full or cannot be written costs time, and nothing else
        write_json(file, {"of": of, "found": found}, indent=None)
    return found
