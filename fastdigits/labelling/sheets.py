"""The digits of photographed sheets as pictures to label, kept as files so that they need to be cut only once."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..photos import SIDE, cut_sheet, list_pictures, picture_ids, read_gray
from ..sources import Chunk, PixelSource
from ..system import InputError, append_rows, file_sha256, grown_rows, writable, write_pictures

CUT_DIGITS, SHEETS, CUT_FROM = "digits", "sheets.csv", ".cut_from.csv"
SHEETS_HEADER, CUT_FROM_HEADER = ["id", "sheet"], ["sheet", "sha256"]


def sheets_source(folder: Path, out: Path) -> PixelSource:
    """The digits on the sheets of a folder, 28 x 28 pixels in MNIST's form.

    As a sheet is read, `out/digits/` gets its digits as `<sheet>-<number>.png`, and then `out/sheets.csv` a line of id
    and sheet for each: a folder and groups for `convert`.

    Raises
    ------
    InputError
        When the folder holds no pictures; from its chunks, when one is damaged or is no sheet, or when `out` has the
        digits of another sheet of that name.
    """
    files = list_pictures(folder)
    if not files:
        raise InputError(f"{folder} holds no pictures of sheets; pass a folder of photos or scans")
    source: PixelSource

    def chunks() -> Iterator[Chunk]:
        ids_of: dict[str, list[str]] = {}
        for id_, sheet in grown_rows(out / SHEETS, SHEETS_HEADER, "csv of sheets"):
            ids_of.setdefault(sheet, []).append(id_)
        cut_from = dict(grown_rows(out / CUT_FROM, CUT_FROM_HEADER, "csv of what sheets were cut from"))
        for file, sheet in zip(files, picture_ids(files)):
            digest = file_sha256(file)
            if sheet in ids_of:
                if cut_from.get(sheet, digest) != digest:
                    raise InputError(
                        f"{out} has the digits of another sheet called {sheet}; rename {file}, or name another folder"
                    )
                if sheet not in cut_from:  # of an earlier version
                    append_rows(out / CUT_FROM, [[sheet, digest]], CUT_FROM_HEADER)
                pictures = [read_gray(out / CUT_DIGITS / f"{id_}.png") for id_ in ids_of[sheet]]
                yield Chunk(np.stack(pictures), ids_of[sheet], None)
                continue
            found = cut_sheet(read_gray(file))
            source.notes.add(*(f"{file.name}: {note}" for note in found.notes))
            cuts = [cut.picture for line in found.lines for number in line for cut in number]
            if not cuts:
                source.notes.add(f"{file.name}: no digit was found")
                continue
            ids = [f"{sheet}-{number:03}" for number in range(1, len(cuts) + 1)]
            _keep(out, ids, np.stack(cuts), sheet, digest)
            yield Chunk(np.stack(cuts), ids, None)

    def digest() -> str:
        return hashlib.sha256(" ".join(map(file_sha256, files)).encode()).hexdigest()

    source = PixelSource(f"{folder.name}: digits", SIDE, True, False, chunks, digest)
    return source


def _keep(out: Path, ids: list[str], pictures: np.ndarray, sheet: str, digest: str) -> None:
    """Write the digits of a sheet, and that they are whole."""
    place = out / CUT_DIGITS
    with writable(place):
        place.mkdir(parents=True, exist_ok=True)
        names = [place / f"{id_}.png" for id_ in ids]
        for name in names:
            name.unlink(missing_ok=True)  # of a sheet that a kill cut short
        write_pictures(pictures, [str(name) for name in names])
        append_rows(out / CUT_FROM, [[sheet, digest]], CUT_FROM_HEADER)
        append_rows(out / SHEETS, [[id_, sheet] for id_ in ids], SHEETS_HEADER)
