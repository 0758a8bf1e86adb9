"""Tables in parquet: pixels in columns, in one column of lists, or as picture files in one column."""

import io
from collections.abc import Iterator

import numpy as np

from ...photos import gray_levels
from ...system import InputError
from ..location import Location
from ..notes import Notes
from ..pixels import CHUNK_ROWS, Chunk, GrayLevels, PixelSource, square_side
from .columns import ID_NAMES, LABEL_NAMES, columns_by_name, packed_columns
from .rows import Columns, Rows, row_chunks, rows_of, texts_of

FILE_BYTES = "bytes"  # the field of a struct in which Hugging Face keeps a picture file


def parquet_source(location: Location, label_column: str | None = None) -> PixelSource:
    """A parquet table with the columns of a csv one; its pixels may also stand in one column, as lists or files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with location.open() as stream:
            file = pq.ParquetFile(stream)
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError):
        raise InputError(f"{location.name} is no parquet file, or is cut short; write it again") from None
    if rows == 0:
        raise InputError(f"{location.name} has no rows; pass the table with its pixel rows")
    notes = Notes()
    known = {*ID_NAMES, *LABEL_NAMES, (label_column or "").strip().lower()}  # whose bytes are texts
    free = [name for name in schema.names if name.strip().lower() not in known]
    packed = next((name for name in free if _is_packed(schema.field(name).type)), None)
    if packed is not None:
        columns, read = packed_columns(schema.names, packed, location.name, notes, label_column), _packed_rows
        side = _packed_side(location, columns)
    else:
        columns, read = columns_by_name(schema.names, location.name, notes, label_column), rows_of
        _refuse_texts(columns, schema, location.name)
        side = square_side(len(columns.pixels), location.name)

    def chunks() -> Iterator[Chunk]:
        levels = GrayLevels(location.name, columns.pixel_name, notes)
        yield from row_chunks(_rows(location, columns, read), levels, side)

    has_ids, has_labels = columns.id is not None, columns.label is not None
    return PixelSource(location.name, side, has_ids, has_labels, chunks, location.digest, rows=rows, notes=notes)


def _is_packed(kind: "pa.DataType") -> bool:  # noqa: F821 (pyarrow is loaded only where it is used)
    """Whether a column of this type holds a whole picture in each row: its file's bytes, or a list of pixels."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index(FILE_BYTES) >= 0
    return any(
        check(kind)
        for check in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_list, pa.types.is_large_list)
    ) or pa.types.is_fixed_size_list(kind)


def _refuse_texts(columns: Columns, schema: "pa.Schema", where: str) -> None:  # noqa: F821
    import pyarrow as pa

    for position in columns.pixels:
        kind = schema.field(position).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise InputError(
                f"{where}, column {columns.names[position]!r} holds {kind}; pixel columns hold numbers 0..255"
            )


def _packed_side(location: Location, columns: Columns) -> int:
    """Side in pixels of the pictures, by the first row."""
    first = next(_rows(location, columns, _packed_rows, at_once=1))
    return square_side(first.values.shape[1], f"row 1 of {location.name}")


def _rows(location: Location, columns: Columns, read, at_once: int = CHUNK_ROWS) -> Iterator[Rows]:
    """The table's rows, a part at a time; `read` makes Rows of an arrow batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with location.open() as stream:
        try:
            row = 0
            for batch in pq.ParquetFile(stream).iter_batches(at_once):
                _refuse_null(batch, columns, location.name, row)
                yield read(batch, columns, location.name, row)
                row += len(batch)
        except (pa.ArrowException, OSError):  # arrow's words for damage
            raise InputError(f"{location.name} is damaged or cut short; write it again") from None


def _refuse_null(batch: "pa.RecordBatch", columns: Columns, where: str, row: int) -> None:  # noqa: F821
    for k in [*columns.pixels, columns.id, columns.label]:
        if k is not None and batch.column(k).null_count:
            wrong = row + 1 + int(np.flatnonzero(batch.column(k).is_null().to_numpy(zero_copy_only=False))[0])
            raise InputError(
                f"row {wrong} of {where}, column {columns.names[k]!r}: the value is missing; fill it or drop the row"
            )


def _packed_rows(batch: "pa.RecordBatch", columns: Columns, where: str, first: int) -> Rows:  # noqa: F821
    """Rows whose pixels stand in one column, as lists of numbers (also one in another) or as picture files."""
    import pyarrow as pa

    (place,) = columns.pixels
    column = batch.column(place)
    if pa.types.is_struct(column.type):
        column = column.field(FILE_BYTES)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        pictures = [_decoded(data.as_py(), where, first + k + 1) for k, data in enumerate(column)]
    else:
        pictures = [_numbers(cell.as_py(), where, first + k + 1) for k, cell in enumerate(column)]
    size = pictures[0].size
    for k, picture in enumerate(pictures):
        square = picture.ndim == 1 or picture.shape[0] == picture.shape[1]
        if picture.size != size or not square:
            here, there = ("x".join(map(str, one.shape)) for one in (picture, pictures[0]))
            raise InputError(
                f"row {first + k + 1} of {where}, {columns.names[place]!r}: the picture is {here}, others {there}; "
                "all must be equal squares: save them as files and convert the folder with --normalise"
            )
    values = np.stack([picture.ravel() for picture in pictures])
    return Rows(values, texts_of(batch, columns.id), texts_of(batch, columns.label))


def _numbers(cell: list, where: str, row: int) -> np.ndarray:
    """The numbers of a list, or of one in another."""
    try:
        found = np.asarray(cell)
    except ValueError:  # lists of several lengths
        found = np.asarray(None)
    if not np.issubdtype(found.dtype, np.number):
        raise InputError(f"row {row} of {where} holds no list of numbers as its picture; write gray levels 0..255")
    return found


def _decoded(data: bytes | None, where: str, row: int) -> np.ndarray:
    """The gray levels of a picture file, uint8 (h, w)."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return gray_levels(picture)
    except Exception:  # of which Pillow has many kinds for damage
        raise InputError(f"row {row} of {where} holds no readable picture; replace or drop it") from None
