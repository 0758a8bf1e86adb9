"""Picture files as a source, whatever their sizes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..photos import Ground, read_gray
from .notes import Notes
from .pixels import CHUNK_ROWS, Chunk, PixelSource

CHUNK_PIXELS = 16_000_000  # of pictures that are read together


def picture_files_source(
    name: str,
    files: list[Path],
    ids: list[str],
    labels: list[str] | None,
    *,
    normalise: bool,
    ground: Ground = "auto",
    size: int | None = None,
    own_ids: bool = True,
    notes: Notes | None = None,
) -> PixelSource:
    """The pictures of some files in their order; a chunk holds consecutive ones of one size.

    Parameters
    ----------
    name : str
        How messages call them.
    files, ids, labels : list, length n
    normalise : bool
        Bring each picture to the form of MNIST's, see `photos`.
    ground : {'auto', 'dark', 'light'}
        Of the pictures that are brought to it, where it is known; of others the gate is told.
    size : int, optional
        Side in pixels, where all are equal squares.
    own_ids : bool
        Whether the ids are the files' own, rather than numbers of rows.
    notes : Notes, optional
        What was noticed when the files were chosen.
    """

    def chunks() -> Iterator[Chunk]:
        done = 0
        for images in _equal_sized(files, normalise, ground):
            part = slice(done, done + len(images))
            done = part.stop
            yield Chunk(images, ids[part], None if labels is None else labels[part])

    def digest() -> str:
        content = hashlib.sha256()
        for file, id_, label in zip(files, ids, labels or [None] * len(files)):
            content.update(f"{id_} {label} ".encode("utf-8", "surrogateescape") + file.read_bytes())
        return content.hexdigest()

    has_labels, notes = labels is not None, Notes() if notes is None else notes
    return PixelSource(name, size, own_ids, has_labels, chunks, digest, rows=len(files), notes=notes)


def _equal_sized(files: list[Path], normalise: bool, ground: Ground) -> Iterator[np.ndarray]:
    """Runs of consecutive pictures of one size, as uint8 (n, h, w)."""
    waiting: list[np.ndarray] = []
    for file in files:
        gray = read_gray(file, normalise, ground)
        most = max(1, min(CHUNK_ROWS, CHUNK_PIXELS // gray.size))
        if waiting and (gray.shape != waiting[0].shape or len(waiting) == most):
            yield np.stack(waiting)
            waiting = []
        waiting.append(gray)
    if waiting:
        yield np.stack(waiting)
