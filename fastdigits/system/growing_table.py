"""Csv tables that grow by a line, each of which is on disk, whole, before anybody is told so; nothing is rewritten."""

import csv
import io
import os
from pathlib import Path

from .errors import InputError

BLOCK = 65_536  # bytes that are looked through at once for the end of a line


def csv_line(row: list) -> str:
    """A row as a line of csv, with its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue()


def append_rows(file: Path, rows: list[list], header: list[str]) -> None:
    """Add rows to a csv, after its header where it is new, and see them on disk: all of them or none.

    A line that a kill cut short before is removed, unless another program has saved the file since.

    Raises
    ------
    OSError
        When they cannot be written; the file is as it was.
    """
    size, is_open = _whole_size(file, header)
    try:
        if file.exists():
            os.truncate(file, size)
        with open(file, "ab") as table:
            text = "".join(map(csv_line, rows if size else [header, *rows]))
            table.write(f"\n{text}".encode() if is_open else text.encode())
            table.flush()
            os.fsync(table.fileno())
    except OSError:
        if file.exists():
            os.truncate(file, size)
        raise


def _is_saved_by_others(first_line: bytes, header: list[str]) -> bool:
    """Whether a table begins with our header as we do not write it: with a mark, quotes or another end of line.

    Then its last line is whole, though no end of line may follow.
    """
    if first_line == csv_line(header).encode() or not first_line.endswith(b"\n"):
        return False
    return next(csv.reader([first_line.decode("utf-8-sig", errors="replace")]), None) == header


def _whole_size(file: Path, header: list[str]) -> tuple[int, bool]:
    """Bytes up to the end of the last whole line, of no file 0; and whether an end of line is missing there."""
    if not file.exists():
        return 0, False
    end = file.stat().st_size
    with open(file, "rb") as table:
        if _is_saved_by_others(table.readline(BLOCK), header):
            table.seek(end - 1)
            return end, table.read(1) != b"\n"
        while end:
            start = max(0, end - BLOCK)
            table.seek(start)
            found = table.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1, False
            end = start
    return 0, False


def grown_rows(file: Path, header: list[str], name: str) -> list[list[str]]:
    """The rows of a csv with that header; none where there is no file. A line that is cut short is not yet one.

    Parameters
    ----------
    file : Path
    header : list of str
    name : str
        What the file should be, for messages.

    Raises
    ------
    InputError
        When the file has other columns.
    """
    if not file.exists():
        return []
    content = file.read_bytes()
    is_saved_by_others = _is_saved_by_others(content[: content.find(b"\n") + 1], header)
    whole = content if is_saved_by_others else content[: content.rfind(b"\n") + 1]
    rows = list(csv.reader(io.StringIO(whole.decode("utf-8-sig", errors="replace"))))
    is_cut_header = not rows and csv_line(header).encode().startswith(content)
    if not is_cut_header and (rows[:1] != [header] or any(len(row) != len(header) for row in rows)):
        raise InputError(f"{file} is no {name}; name another folder")
    return rows[1:]
