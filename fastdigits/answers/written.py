"""Tables of answers as files: csv, or packed csv."""

from pathlib import Path

from ..system import InputError, check_output, whole_file

ENDINGS = (".csv", ".csv.gz", ".txt")


def check_table_file(out: Path, overwrite: bool) -> None:
    """InputError when a table cannot be written at `out`: it exists, or its name says that it is something else."""
    if out.suffix and not out.name.lower().endswith(ENDINGS):
        raise InputError(f"{out} would not be what its name says; name a .csv or .csv.gz file")
    check_output(out, overwrite)


def write_table(table: "pandas.DataFrame", out: Path) -> None:  # noqa: F821 (pandas is loaded only where it is used)
    """Write a table whole or not at all; packed where the name ends in .gz, the same rows to the same bytes."""
    packed = {"method": "gzip", "mtime": 0} if out.suffix.lower() == ".gz" else None
    with whole_file(out) as partial:
        table.to_csv(partial, index=False, compression=packed)
