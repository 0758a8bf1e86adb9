"""The history of a run: a csv with one row an epoch, which grows by a line."""

import csv
import os
from pathlib import Path

from ..system import room_for, whole_file

LOSSES, SCORES = ("train_loss", "valid_loss"), ("accuracy", "precision", "recall", "f1")
HISTORY_COLUMNS = ("stage", "epoch", *LOSSES, *SCORES, "lr", "seconds")


def read_history(path: Path) -> list[dict]:
    """One row an epoch, as numbers where they are."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {name: value if name == "stage" else _number(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def append_history(path: Path, row: dict) -> None:
    """Add one epoch, with the header line when it is the first."""
    is_new = not path.exists()
    with room_for(path), path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
        file.flush()
        os.fsync(file.fileno())


def write_history(path: Path, rows: list[dict]) -> None:
    """Write all rows anew."""
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _number(text: str) -> float | None:
    return float(text) if text else None
