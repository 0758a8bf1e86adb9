"""Pixel tables: csv (plain, packed) and parquet, columns in any order and letter case."""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..system import InputError
from .columns import columns_by_count, columns_by_name, is_header, is_number, not_utf8
from .location import Location
from .notes import Notes
from .pixels import CHUNK_ROWS, Chunk, GrayLevels, PixelSource, class_name, label_texts, square_side
from .plain_csv import Columns, Rejoined, Rows, plain_rows

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_HEADER = 16_000_000  # characters of the first line
CSV_BLOCK_BYTES = 8 << 20  # what pyarrow parses at a time; a wide row must fit


def csv_source(location: Location, label_column: str | None = None) -> PixelSource:
    """A csv table; the delimiter (comma, semicolon, tab) and the header line are recognised."""
    delimiter, first, lines_before = _first_record(location)
    has_header = is_header(first)
    notes = Notes()
    if has_header:
        columns = columns_by_name(first, location.name, notes, label_column)
    elif label_column:
        raise InputError(f"{location.name} has no header line, so no column has a name; leave out --label-column")
    else:
        columns = columns_by_count(len(first), location, delimiter, notes)
    side = square_side(len(columns.pixels), location.name)

    def chunks() -> Iterator[Chunk]:
        rows = _csv_rows(location, columns, delimiter, lines_before + has_header)
        chunk = None
        for chunk in _chunks(rows, GrayLevels(location.name, columns.pixel_name, notes), side):
            yield chunk
        if chunk is None:
            raise _no_rows(location)

    return PixelSource(
        location.name, side, columns.id is not None, columns.label is not None, chunks, location.digest, notes=notes
    )


def parquet_source(location: Location, label_column: str | None = None) -> PixelSource:
    """A parquet table with the same columns as a csv one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with location.open() as stream:
            file = pq.ParquetFile(stream)
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError):
        raise InputError(f"{location.name} is no parquet file, or is cut short; write it again") from None
    notes = Notes()
    columns = columns_by_name(schema.names, location.name, notes, label_column)
    for position in columns.pixels:
        kind = schema.field(position).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise InputError(
                f"{location.name}, column {columns.names[position]!r} holds {kind}; pixel columns hold numbers 0..255"
            )
    side = square_side(len(columns.pixels), location.name)
    if rows == 0:
        raise InputError(f"{location.name} has no rows; pass the table with its pixel rows")

    def chunks() -> Iterator[Chunk]:
        levels = GrayLevels(location.name, columns.pixel_name, notes)
        with location.open() as stream:
            try:
                batches = pq.ParquetFile(stream).iter_batches(CHUNK_ROWS)
                yield from _chunks(_parquet_rows(batches, columns, location.name), levels, side)
            except (pa.ArrowException, OSError):  # arrow's words for damage
                raise InputError(f"{location.name} is damaged or cut short; write it again") from None

    has_ids, has_labels = columns.id is not None, columns.label is not None
    return PixelSource(location.name, side, has_ids, has_labels, chunks, location.digest, rows=rows, notes=notes)


def _first_record(location: Location) -> tuple[str, list[str], int]:
    """The delimiter, the fields of the first line that is not empty, and the number of lines before it."""
    with location.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        try:
            lines = iter(lambda: text.readline(LONGEST_HEADER), "")  # what is no table may be one endless line
            lines_before, line = next(((k, line) for k, line in enumerate(lines) if line.strip()), (0, None))
        except UnicodeDecodeError:
            raise not_utf8(location) from None
    if line is None:
        raise InputError(f"{location.name} is empty; pass a table of pixel rows")
    delimiter = max(",;\t", key=line.count)
    try:
        fields = next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"the first line of {location.name} is no line of a table ({error}); is it a csv?") from None
    return delimiter, [field.strip() for field in fields], lines_before


def _csv_rows(location: Location, columns: Columns, delimiter: str, skipped_lines: int) -> Iterator[Rows]:
    """The table's rows: plain ones quickly; from the first block that has others, pyarrow reads on."""
    with location.open() as stream:
        head = b"".join(stream.readline() for _ in range(skipped_lines))
        if b"\r" in head.replace(b"\r\n", b""):  # the lines end in another way, so the head may hold all of them
            unread, unread_head = head, skipped_lines
        else:
            unread, unread_head = (yield from plain_rows(stream, columns, delimiter)), 0
        if unread:
            import pyarrow as pa

            try:
                yield from _pyarrow_rows(io.BufferedReader(Rejoined(unread, stream)), columns, delimiter, unread_head)
            except pa.ArrowInvalid as error:
                raise _csv_mistake(location, columns, delimiter, skipped_lines, str(error)) from None


def _pyarrow_rows(stream: BinaryIO, columns: Columns, delimiter: str, skipped_lines: int) -> Iterator[Rows]:
    import pyarrow as pa
    import pyarrow.csv as pc

    names = [f"{k}" for k in range(len(columns.names))]  # by position: names in the file need not be unique
    types = {name: pa.float32() for name in names}
    types |= {names[k]: pa.string() for k in (columns.id, columns.label) if k is not None}
    read = pc.ReadOptions(column_names=names, skip_rows=skipped_lines, block_size=CSV_BLOCK_BYTES)
    convert = pc.ConvertOptions(column_types=types, strings_can_be_null=False)
    parse = pc.ParseOptions(delimiter=delimiter)
    for batch in pc.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert):
        if any(batch.column(k).null_count for k in columns.pixels):
            raise pa.ArrowInvalid("empty or NaN value")
        yield _rows_of(batch, columns)


def _csv_mistake(
    location: Location, columns: Columns, delimiter: str, skipped_lines: int, parser_said: str
) -> InputError:
    """The first row that pyarrow could not read, found again line by line, in words."""
    row = 0
    try:
        with location.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
            rows = (fields for fields in csv.reader(islice(text, skipped_lines, None), delimiter=delimiter) if fields)
            for row, fields in enumerate(rows, start=1):
                mistake = _record_mistake(fields, columns)
                if mistake:
                    return InputError(f"row {row} of {location.name}{mistake}")
    except UnicodeDecodeError:
        return not_utf8(location)
    except csv.Error as error:
        return InputError(f"row {row + 1} of {location.name} cannot be read as csv: {error}")
    if row == 0:
        return _no_rows(location)
    return InputError(f"{location.name} cannot be read as csv: {parser_said.splitlines()[0]}")


def _no_rows(location: Location) -> InputError:
    return InputError(f"{location.name} has a header line and no rows; pass the table with its pixel rows")


def _record_mistake(fields: list[str], columns: Columns) -> str | None:
    """What is wrong with one record, to stand behind "row N of FILE"; None when it is well."""
    if len(fields) != len(columns.names):
        n_pixels = max(len(fields) - len(columns.names) + len(columns.pixels), 0)
        return f" has {n_pixels} pixels, expected {len(columns.pixels)}; was a column dropped or a line cut?"
    for k in columns.pixels:
        found = fields[k].strip()
        if not is_number(found) or found.lower().lstrip("+-") == "nan":
            return (
                f", column {columns.names[k]!r}: {repr(found) if found else 'an empty field'} is not a number; "
                "gray levels are whole numbers 0..255 or fractions 0..1"
            )
    return None


def _parquet_rows(batches: "Iterator[pa.RecordBatch]", columns: Columns, where: str) -> Iterator[Rows]:
    row = 0
    for batch in batches:
        _refuse_null(batch, columns, where, row)
        row += len(batch)
        yield _rows_of(batch, columns)


def _refuse_null(batch: "pa.RecordBatch", columns: Columns, where: str, row: int) -> None:
    for k in [*columns.pixels, columns.id, columns.label]:
        if k is not None and batch.column(k).null_count:
            wrong = row + 1 + int(np.flatnonzero(batch.column(k).is_null().to_numpy(zero_copy_only=False))[0])
            raise InputError(
                f"row {wrong} of {where}, column {columns.names[k]!r}: the value is missing; fill it or drop the row"
            )


def _rows_of(batch: "pa.RecordBatch", columns: Columns) -> Rows:
    def texts(position: int | None) -> list[str] | None:
        if position is None:
            return None
        return [text.strip() for text in label_texts(batch.column(position).to_numpy(zero_copy_only=False))]

    values = np.stack([batch.column(k).to_numpy(zero_copy_only=False) for k in columns.pixels], axis=1)
    return Rows(values, texts(columns.id), texts(columns.label))


def _chunks(tables: Iterator[Rows], levels: GrayLevels, side: int) -> Iterator[Chunk]:
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
