"""What took long to find out, kept between processes in the user's cache folder."""

import json
from collections.abc import Callable
from contextlib import suppress

from .errors import InputError
from .files import write_json


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
    from platformdirs import user_cache_path

    file = user_cache_path("fastdigits", appauthor=False) / f"{what}.json"
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
