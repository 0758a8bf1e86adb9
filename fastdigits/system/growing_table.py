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

    A line that a kill cut short before is removed.

    Raises
    ------
    OSError
        When they cannot be written; the file is as it was.
    """
    size = _whole_size(file)
    try:
        if file.exists():
            os.truncate(file, size)
        with open(file, "ab") as table:
            table.write("".join(map(csv_line, rows if size else [header, *rows])).encode())
            table.flush()
            os.fsync(table.fileno())
    except OSError:
        if file.exists():
            os.truncate(file, size)
        raise


def _whole_size(file: Path) -> int:
    """Bytes up to the end of the last whole line; of no file 0."""
    if not file.exists():
        return 0
    end = file.stat().st_size
    with open(file, "rb") as table:
        while end:
            start = max(0, end - BLOCK)
            table.seek(start)
            found = table.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


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
    whole = content[: content.rfind(b"\n") + 1]
    rows = list(csv.reader(io.StringIO(whole.decode("utf-8-sig", errors="replace"))))
    is_cut_header = not rows and csv_line(header).encode().startswith(content)
    if not is_cut_header and (rows[:1] != [header] or any(len(row) != len(header) for row in rows)):
        raise InputError(f"{file} is no {name}; name another folder")
    return rows[1:]
