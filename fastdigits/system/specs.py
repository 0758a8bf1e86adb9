"""Settings as one short text, `NAME[:key=value,...]`: the same on the command line, in the recipes and in run.json."""

import math

from .errors import InputError

Settings = dict[str, float | str]


def read_spec(flag: str, text: str, accepted: dict[str, Settings | None]) -> tuple[str, Settings]:
    """The name in `text` and its settings, those that it leaves out by default.

    Parameters
    ----------
    flag : str
        What the user wrote it after, for the error.
    text : str
        Such as `sgd`, `sgd:momentum=0.9` or `steps:0=0.01,5=0.001`.
    accepted : dict of name to defaults
        None in place of defaults: the keys are whole numbers and nothing has a default.

    Raises
    ------
    InputError
        When the name or a key is unknown, or a value is no number where one is needed.
    """
    name, _, rest = text.partition(":")
    if name not in accepted:
        raise InputError(f"{flag} {name!r} is unknown; accepted are {', '.join(accepted)}")
    defaults = accepted[name]
    given = dict(_pair(flag, part, name, defaults) for part in rest.split(",") if part)
    if defaults is None and not given:
        raise InputError(f"{flag} {name} needs values; write {name}:0=0.01,5=0.001 for 0.01 and from epoch 5 on 0.001")
    return name, {**(defaults or {}), **given}


def with_settings(text: str, settings: str) -> str:
    """The text with further settings, written key=value,key=value; of a key that it has, the later one counts."""
    return f"{text}{',' if ':' in text else ':'}{settings}"


def _pair(flag: str, part: str, name: str, defaults: Settings | None) -> tuple[str, float | str]:
    key, _, value = part.partition("=")
    known = key.isdecimal() if defaults is None else key in defaults
    if not known:
        keys = "whole numbers of epochs" if defaults is None else ", ".join(defaults) or "nothing"
        raise InputError(f"{flag} {name} has no {key!r}; after its colon are accepted {keys}")
    if defaults and isinstance(defaults[key], str):
        return key, value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{flag} {name}:{part} is no number; {key} takes one")
    return key, number
