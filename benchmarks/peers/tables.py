"""The tables that every tool gets: train.csv with labels, test.csv without, and, for us alone, the truth."""

from pathlib import Path

from fastdigits import read_folder
from fastdigits.folders import TRAIN, VALID, spread_rows

from ..digitnet import folders_of

TABLES = ("mnist", "kannada")
ROWS = (10_000, 0)  # to train on; 0 is all


def table_folder(table: str, rows: int, data: Path, work: Path) -> Path:
    """A folder with train.csv, test.csv and truth.csv (label, group), made where it is not yet."""
    import pandas as pd

    place = work / f"{table}-{rows or 'all'}"
    if (place / "truth.csv").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    _, part = folders_of(table, data, work)
    folder, pixels = read_folder(part), pd.read_csv(data / table / "train.csv.gz")
    pixels = pixels[["label", *(name for name in pixels.columns if name not in ("id", "label"))]]
    train, valid = (folder.split(name) for name in (TRAIN, VALID))
    numbers = [int(id_) for id_ in train.ids]
    chosen = spread_rows(len(numbers), rows) if rows else range(len(numbers))
    pixels.iloc[[numbers[k] for k in chosen]].to_csv(place / "train.csv", index=False)
    pixels.iloc[[int(id_) for id_ in valid.ids]].drop(columns="label").to_csv(place / "test.csv", index=False)
    groups = valid.groups or [""] * len(valid)
    pd.DataFrame({"label": valid.labels, "group": groups}).to_csv(place / "truth.csv", index=False)
    return place
