"""Csv tables that grow by a line, each of which is on disk, whole, before anybody is told so; nothing is rewritten."""

import csv
import io
import os
from pathlib import Path

from .errors import InputError


def csv_line(row: list) -> str:
    """A row as a line of csv, with its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue()


def append_rows(file: Path, rows: list[list], header: list[str]) -> None:
    """Add rows to a csv, after its header where it is new, and see them on disk: all of them or none.

    Raises
    ------
    OSError
        When they cannot be written; the file is as it was.
    """
    size = file.stat().st_size if file.exists() else 0
    try:
        with open(file, "ab") as table:
            table.write("".join(map(csv_line, rows if size else [header, *rows])).encode())
            table.flush()
            os.fsync(table.fileno())
    except OSError:
        if file.exists():
            os.truncate(file, size)
        raise


def grown_rows(file: Path, header: list[str], name: str) -> list[list[str]]:
    """The rows of a csv with that header; none where there is no file. A line that a kill cut short is removed.

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
    rows = list(csv.reader(io.StringIO(whole.decode("utf-8", errors="replace"))))
    is_cut_header = not rows and csv_line(header).encode().startswith(content)
    if not is_cut_header and (rows[:1] != [header] or any(len(row) != len(header) for row in rows)):
        raise InputError(f"{file} is no {name}; name another folder")
    if len(whole) < len(content):
        os.truncate(file, len(whole))
    return rows[1:]
