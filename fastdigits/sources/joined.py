"""Several tables as one, their rows one after the other."""

import hashlib
from collections.abc import Iterator

from ..system import InputError
from .pixels import Chunk, PixelSource


def join_tables(tables: list[PixelSource]) -> PixelSource:
    """One table of the rows of all; rows without ids of their own are numbered through.

    Raises
    ------
    InputError
        When one has labels or ids and another has none, or their pictures differ in size.
    """
    first = tables[0]
    for table in tables:
        if table.test:
            raise InputError(
                f"{table.name} comes with a test table; name the tables that are to be read as one by themselves, as "
                "archive.zip/train.csv"
            )
    for table in tables[1:]:
        for what, own, firsts in (
            ("labels", table.has_labels, first.has_labels),
            ("ids", table.has_ids, first.has_ids),
        ):
            if own != firsts:
                having, lacking = (table, first) if own else (first, table)
                raise InputError(f"{having.name} has {what}, {lacking.name} has none; tables read as one are alike")
        if table.size != first.size:
            raise InputError(
                f"{table.name} has {table.size}x{table.size} pictures, {first.name} has {first.size}x{first.size}; "
                "tables read as one are alike"
            )

    def chunks() -> Iterator[Chunk]:
        rows = 0
        for table in tables:
            for chunk in table.chunks():
                ids = chunk.ids if table.has_ids else [str(rows + k) for k in range(len(chunk.ids))]
                rows += len(ids)
                yield Chunk(chunk.images, ids, chunk.labels, chunk.contents)
            joined.notes.add(*table.notes)

    def digest() -> str:
        return hashlib.sha256("".join(table.digest() for table in tables).encode()).hexdigest()

    known = [table.rows for table in tables]
    name = f"{first.name} and {len(tables) - 1} more"
    rows = None if None in known else sum(known)
    joined = PixelSource(name, first.size, first.has_ids, first.has_labels, chunks, digest, rows)
    return joined
