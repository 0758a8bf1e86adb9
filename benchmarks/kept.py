"""Results that are kept as csv, a row at a time, so that an interrupted benchmark goes on where it was."""

import csv
from pathlib import Path
from statistics import mean, stdev


def append_row(path: Path, row: dict) -> None:
    """Add a row, with a header line when it is the first."""
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row.keys())
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def kept_rows(path: Path) -> list[dict[str, str]]:
    """All rows as texts; none where there is no file yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def mean_and_deviation(rows: list[dict[str, str]], digits: int) -> str:
    """`97.3 ± 0.2`: the rows' accuracies in percent."""
    accuracies = [100 * float(row["accuracy"]) for row in rows]
    if not accuracies:
        return "not run yet"
    spread = f" ± {stdev(accuracies):.{digits}f}" if len(accuracies) > 1 else ""
    return f"{mean(accuracies):.{digits}f}{spread}"
