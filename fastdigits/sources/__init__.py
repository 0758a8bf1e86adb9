"""Every kind of pixel source, read as streamed chunks of square gray pictures.

csv · csv.gz · csv.zip · competition zip · parquet ─ tables.py ─┐
npz · idx ─ arrays.py ──────────────────────────────────────────┼─▶ PixelSource ─▶ Chunk, Chunk, ...
sklearn:digits · torchvision:NAME ─ named.py ───────────────────┘
"""

from .missing import refuse_missing_values
from .opening import (
    holds_tables,
    is_competition,
    is_picture_folder,
    is_trained_on,
    open_source,
    open_tables,
    submission_sample,
)
from .picture_folder import has_pictures
from .pixels import Chunk, PixelSource, refuse_other_size
from .small_csv import read_small_csv

__all__ = [
    "Chunk",
    "PixelSource",
    "has_pictures",
    "holds_tables",
    "is_competition",
    "is_picture_folder",
    "is_trained_on",
    "open_source",
    "open_tables",
    "read_small_csv",
    "refuse_missing_values",
    "refuse_other_size",
    "submission_sample",
]
