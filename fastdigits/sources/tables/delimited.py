"""Pixel tables as text: csv, plain or packed, columns in any order and letter case."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO

from ...system import InputError
from ..location import BlankSeparated, Location
from ..notes import Notes
from ..pixels import Chunk, GrayLevels, PixelSource, square_side
from .columns import columns_by_count, columns_by_name, is_header, is_number, not_utf8, packed_columns
from .packed_text import numbers_in, packed_column, packed_text_rows
from .plain import Rejoined, plain_rows
from .rows import Columns, Rows, row_chunks, rows_of

BLANK, LEAST_BLANKS = " ", 5  # fields that are parted by blanks alone
MOST_AROUND = 8  # columns of a table in which one of them holds all pixels
LONGEST_HEADER = 16_000_000  # characters of the first line
CSV_BLOCK_BYTES = 8 << 20  # what pyarrow parses at a time; a wide row must fit


def csv_source(location: Location, label_column: str | None = None) -> PixelSource:
    """A csv table; the delimiter (comma, semicolon, tab, blanks) and the header line are recognised."""
    delimiter, first, lines_before = _first_record(location)
    if delimiter == BLANK:
        location = BlankSeparated(location.path, location.member)
        first = [field for field in first if field]
    if any(numbers_in(field) is not None for field in first):
        raise InputError(
            f"{location.name} has all pixels in one field and no header line; add one, such as label,pixels"
        )
    has_header = is_header(first)
    notes, skipped_lines = Notes(), lines_before + has_header
    packed = packed_column(location, delimiter, first, skipped_lines) if len(first) <= MOST_AROUND else None
    if packed and has_header:
        columns = packed_columns(first, packed[0], location.name, notes, label_column)
        rows, side = partial(packed_text_rows, n_pixels=packed[1]), square_side(packed[1], location.name)
    else:
        columns = _columns(location, first, has_header, delimiter, notes, label_column)
        rows, side = _csv_rows, square_side(len(columns.pixels), location.name)

    def chunks() -> Iterator[Chunk]:
        chunk = None
        found = rows(location, columns, delimiter, skipped_lines)
        for chunk in row_chunks(found, GrayLevels(location.name, columns.pixel_name, notes), side):
            yield chunk
        if chunk is None:
            raise _no_rows(location)

    return PixelSource(
        location.name, side, columns.id is not None, columns.label is not None, chunks, location.digest, notes=notes
    )


def _columns(
    location: Location, first: list[str], has_header: bool, delimiter: str, notes: Notes, label_column: str | None
) -> Columns:
    if has_header:
        return columns_by_name(first, location.name, notes, label_column)
    if label_column:
        raise InputError(f"{location.name} has no header line, so no column has a name; leave out --label-column")
    return columns_by_count(len(first), location, delimiter, notes)


def columns_of(location: Location) -> list[str]:
    """The fields of a table's first line."""
    return _first_record(location)[1]


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
    if delimiter not in line and len(line.split()) >= LEAST_BLANKS:
        delimiter = BLANK
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
        yield rows_of(batch, columns)


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
