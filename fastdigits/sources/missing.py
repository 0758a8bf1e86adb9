"""Gaps in a table: how many, where."""

from pathlib import Path

from ..system import InputError

NAMED_COLUMNS = 5


def refuse_missing_values(path: Path) -> None:
    """InputError that says how many values a csv or parquet table lacks and where; nothing for other files."""
    import pandas as pd

    if not path.is_file():
        return
    try:
        table = pd.read_parquet(path) if path.suffix in (".parquet", ".pq") else pd.read_csv(path, low_memory=False)
    except (ValueError, OSError):  # no table at all, or none that pandas reads: others say what is wrong
        return
    gaps = table.isna()
    by_column = gaps.sum()
    by_column = by_column[by_column > 0]
    if len(by_column):
        named = ", ".join(f"{name}: {count}" for name, count in by_column[:NAMED_COLUMNS].items())
        more = ", ..." if len(by_column) > NAMED_COLUMNS else ""
        raise InputError(
            f"{path.name} has {by_column.sum():,} missing values in {len(by_column)} of {len(table.columns)} columns "
            f"({named}{more}), the first in row {int(gaps.any(axis=1).to_numpy().argmax()) + 1}; fill them or drop the "
            "rows"
        ) from None
