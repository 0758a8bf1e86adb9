"""Csv files of a few columns that go with a table: groups, labels, predictions, a sample submission."""

from pathlib import Path
from typing import IO

from ...system import InputError


def read_small_csv(file: Path | IO[bytes], name: str | None = None, **options) -> "pd.DataFrame":  # noqa: F821
    """The file as a table of texts.

    Parameters
    ----------
    file : Path or binary stream
    name : str, optional
        What the user knows a stream by.
    **options
        Of pandas.read_csv.

    Raises
    ------
    InputError
        When it cannot be read, or is damaged or cut short.
    """
    import pandas as pd

    try:
        return pd.read_csv(file, **{"dtype": str, **options})
    except (EOFError, ValueError, OSError) as error:  # pandas' own and wrong encodings are ValueErrors
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{name or file} cannot be read as csv: {reason}") from None
