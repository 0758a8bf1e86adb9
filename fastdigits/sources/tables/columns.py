"""Which column of a table is what: by the names of its header line, or without one by their number and values."""

import io
import re
import shlex
from collections import Counter

from ...system import InputError
from ..location import Location
from ..notes import Notes
from ..pixels import square_side
from .rows import Columns

ID_NAMES = ("id", "imageid")
LABEL_NAMES = ("label", "labels", "class", "target", "digit", "character", "y")  # the first that is there
UNNAMED = re.compile(
    r"(unnamed: \d+|__index_level_\d+__)?$"
)  # what pandas calls, or leaves empty for, the numbers of its rows
SEEN_LINES, MOST_LABELS = 200, 64  # of a table without header, by which its label column is told
SEEN_CHARACTERS = 16_000_000


def is_header(fields: list[str]) -> bool:
    """Names, or pandas's default names 0..n-1, which are numbers but count up by one."""
    return not all(is_number(field) for field in fields) or (
        len(fields) > 4 and fields == [str(k) for k in range(len(fields))]
    )


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def columns_by_name(names: list[str], where: str, notes: Notes, label_column: str | None = None) -> Columns:
    """Columns of a table with a header line; `notes` gets what was decided by itself.

    Parameters
    ----------
    label_column : str, optional
        Which of them holds the labels, where no usual name tells it.

    Raises
    ------
    InputError
        When a column occurs twice, or is neither id, label nor pixel.
    """
    lower = [name.strip().lower() for name in names]
    twice = [name for name, count in Counter(lower).items() if count > 1]
    if twice:
        raise InputError(f"{where} has the column {twice[0]!r} more than once; give every column its own name")
    ids = [k for k, name in enumerate(lower) if name in ID_NAMES]
    labels = _label_columns(lower, where, label_column)
    if labels and label_column is None and lower[labels[0]] != LABEL_NAMES[0]:
        notes.add(_label_note(where, names[labels[0]]))
    if len(ids) > 1:
        raise InputError(f"{where} has two id columns, {names[ids[0]]!r} and {names[ids[1]]!r}; keep one")
    unnamed = [k for k, name in enumerate(lower) if UNNAMED.match(name)]
    for k in unnamed:
        notes.add(f"{where}: the column {names[k]!r}, pandas's row numbers, was left out")
    pixels = [k for k in range(len(names)) if k not in ids + labels + unnamed]
    numbered = {k: tuple(int(n) for n in re.findall(r"\d{1,18}", lower[k])) for k in pixels}
    stranger = next((k for k in pixels if not numbered[k]), None)
    if stranger is not None and len({bool(number) for number in numbered.values()}) > 1:
        raise InputError(
            f"{where} has the column {names[stranger]!r}, which is neither id, label nor a numbered pixel; if it holds "
            f"the labels, name it: --label-column {shlex.quote(names[stranger])}; else drop it"
        )
    if stranger is None and len(set(numbered.values())) == len(pixels):
        pixels.sort(key=numbered.get)  # pixel2 before pixel10, 1x2 before 2x1, whatever their order in the file
    return Columns(list(names), ids[0] if ids else None, labels[0] if labels else None, pixels)


def packed_columns(names: list[str], packed: str, where: str, notes: Notes, label_column: str | None = None) -> Columns:
    """Columns of a table in which `packed` holds a whole picture in each row; `notes` gets those that are not used."""
    lower = [name.strip().lower() for name in names]
    ids = [k for k, name in enumerate(lower) if name in ID_NAMES][:1]
    labels = _label_columns(lower, where, label_column)
    if labels and label_column is None and lower[labels[0]] != LABEL_NAMES[0]:
        notes.add(_label_note(where, names[labels[0]]))
    place = names.index(packed)
    unused = [name for k, name in enumerate(names) if k not in {place, *ids, *labels}]
    if unused:
        notes.add(f"{where}: of its columns {', '.join(map(repr, unused[:4]))} were not used")
    return Columns(list(names), ids[0] if ids else None, labels[0] if labels else None, [place])


def _label_note(where: str, name: str) -> str:
    return f"{where}: the column {name!r} was read as the label"


def _label_columns(lower: list[str], where: str, label_column: str | None) -> list[int]:
    """The place of the label column, by the name that was given or by a usual one; none where there is none."""
    if label_column is not None:
        if label_column.strip().lower() not in lower:
            shown = ", ".join(lower[:4])
            raise InputError(f"{where} has no column {label_column!r} (--label-column); its first ones are {shown}")
        return [lower.index(label_column.strip().lower())]
    return [lower.index(name) for name in LABEL_NAMES if name in lower][:1]


def columns_by_count(n: int, location: Location, delimiter: str, notes: Notes) -> Columns:
    """Columns of a table without header: pixels; label, pixels; pixels, label; or id, label, pixels."""
    where, squares = location.name, {side * side for side in range(2, 2000)}
    names = [str(k + 1) for k in range(n)]
    if n in squares:
        return Columns(names, None, None, list(range(n)))
    if n - 1 in squares and _is_label_last(location, delimiter):
        notes.add(f"{where}: no header line; the last column was read as the label, the first being a black corner")
        return Columns(names, None, n - 1, list(range(n - 1)))
    if n - 1 in squares:
        notes.add(f"{where}: no header line; the first column was read as the label")
        return Columns(names, None, 0, list(range(1, n)))
    if n - 2 in squares:
        notes.add(f"{where}: no header line; the first two columns were read as id and label")
        return Columns(names, 0, 1, list(range(2, n)))
    square_side(n, where)  # raises: one pixel is no picture either
    raise InputError(f"{where} has no header line and {n} columns; expected label and pixels")


def _is_label_last(location: Location, delimiter: str) -> bool:
    """Whether the first rows begin with a corner that stays black, and end with a few values mixed, as no corner does.

    Of a table that is sorted by its labels neither can be told, and they stand in their usual place.
    """
    firsts, lasts, left = set(), Counter(), SEEN_CHARACTERS
    with location.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        try:
            while sum(lasts.values()) < SEEN_LINES and (line := text.readline(left)):
                left -= len(line)
                if line.strip() and left > 0:
                    firsts.add(line.partition(delimiter)[0].strip())
                    lasts[line.rpartition(delimiter)[2].strip()] += 1
        except UnicodeDecodeError:
            raise not_utf8(location) from None
    is_mixed = 1 < len(lasts) <= MOST_LABELS and max(lasts.values()) <= sum(lasts.values()) / 2
    return firsts == {"0"} and is_mixed


def not_utf8(location: Location) -> InputError:
    return InputError(f"{location.name} is not UTF-8 text; save it as csv in UTF-8")
