"""Rows of a table, and how they become chunks of pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..pixels import CHUNK_ROWS, Chunk, GrayLevels, class_name, label_texts

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Columns:
    """What each column of a table is: positions of the id, the label and the pixels in reading order."""

    names: list[str]
    id: int | None
    label: int | None
    pixels: list[int]

    def pixel_name(self, k: int) -> str:
        """How messages call the pixel `k` of a row."""
        if len(self.pixels) == 1:  # a whole picture stands in it
            return f"{self.names[self.pixels[0]]!r}, pixel {k}"
        return repr(self.names[self.pixels[k]])


@dataclass(frozen=True)
class Rows:
    """Some rows of a table: pixel values (n, pixels) of any number type, ids and labels where it has them."""

    values: np.ndarray
    ids: list[str] | None
    labels: list[str] | None


def texts_of(batch: "pa.RecordBatch", position: int | None) -> list[str] | None:
    """The texts of a column of an arrow batch; None where there is no such column."""
    if position is None:
        return None
    return [text.strip() for text in label_texts(batch.column(position).to_numpy(zero_copy_only=False))]


def rows_of(batch: "pa.RecordBatch", columns: Columns, *_) -> Rows:
    """The rows of an arrow batch, whose columns stand in the order of `columns`."""
    values = np.stack([batch.column(k).to_numpy(zero_copy_only=False) for k in columns.pixels], axis=1)
    return Rows(values, texts_of(batch, columns.id), texts_of(batch, columns.label))


def row_chunks(tables: Iterator[Rows], levels: GrayLevels, side: int) -> Iterator[Chunk]:
    """The rows as chunks of CHUNK_ROWS pictures, the last one shorter; rows without ids are numbered."""
    images, ids, labels, first = [], [], [], 0

    def chunk() -> Chunk:
        return Chunk(np.concatenate(images).reshape(-1, side, side), ids, labels or None)

    for rows in tables:
        start, values = 0, levels.to_uint8(rows.values, first + len(ids) + 1)
        while start < len(values):
            part = slice(start, start + CHUNK_ROWS - len(ids))
            start = part.stop
            images.append(values[part])
            n = len(images[-1])
            ids += rows.ids[part] if rows.ids else [str(k) for k in range(first + len(ids), first + len(ids) + n)]
            labels += map(class_name, rows.labels[part]) if rows.labels else []
            if len(ids) == CHUNK_ROWS:
                yield chunk()
                first, images, ids, labels = first + len(ids), [], [], []
    if ids:
        yield chunk()
