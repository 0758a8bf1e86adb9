"""The pictures of a table onto the disk, each under a name that any file system takes."""

import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...sources import Chunk, PixelSource
from ...system import InputError, progress_bar, writable, write_pictures
from ..pixel_sums import PixelSums
from ..splits import TRAIN, VALID, picture_file

MAX_NAME_BYTES = 200  # file systems allow 255, and .png and temporary names come on top
FORBIDDEN_CHARACTERS = frozenset('/\\<>:"|?*')  # in a file name on some system
WRITERS = 3  # threads; they also wait for the file system, and more would only wait for Python's lock


@dataclass
class Written:
    """What is remembered of a table whose pictures are on disk."""

    own_ids: bool
    ids: list[str] = field(default_factory=list)
    labels: list[str] | None = None
    sums: PixelSums = field(default_factory=PixelSums)


def write_table(table: PixelSource, partial: Path, split: str) -> Written:
    """Write every picture of `table` under `split` (labelled ones all under train, to be moved later)."""
    written = Written(table.has_ids, labels=[] if table.has_labels else None)
    seen: set[str] = set()
    made: set[str] = set()

    def checked_jobs():
        for chunk in table.chunks():
            check_names(chunk, table.name, len(written.ids), seen)
            labels = chunk.labels or [None] * len(chunk.ids)
            files = [picture_file(partial, split, label, id_) for label, id_ in zip(labels, chunk.ids)]
            for folder in {os.path.dirname(file) for file in files} - made:
                os.makedirs(folder, exist_ok=True)
                made.add(folder)
            written.ids += chunk.ids
            if written.labels is not None:
                written.labels += map(sys.intern, chunk.labels)  # one text for each class, not one a row
            written.sums.add(chunk.images)
            yield chunk.images, files

    with progress_bar(f"{split} pictures", table.rows) as advance:
        for n in _write_parallel(checked_jobs()):
            advance(n)
    return written


def _write_parallel(jobs: Iterator[tuple[np.ndarray, list[str]]]) -> Iterator[int]:
    """Write the pictures of each (images, files) job while the next is read; yields how many each job wrote.

    Threads do, since packing and writing a file both let go of Python's lock.
    """
    with ThreadPoolExecutor(WRITERS) as pool:
        waiting: deque[Future[int]] = deque()
        for job in jobs:
            waiting.append(pool.submit(_write_job, *job))
            if len(waiting) > 2 * WRITERS:  # so that memory does not grow when reading is faster
                yield waiting.popleft().result()
        for written in waiting:
            yield written.result()


def _write_job(images: np.ndarray, files: list[str]) -> int:
    with writable(Path(files[0]).parent):  # a full disk is one line
        return write_pictures(images, files)


def check_names(chunk: Chunk, table: str, first_row: int, seen: set[str]) -> None:
    """InputError for ids and labels that are repeated or cannot be the name of a file or folder."""
    for k, id_ in enumerate(chunk.ids):
        # some file systems do not tell letter cases apart
        if id_.isdecimal() and id_.isascii() and len(id_) < MAX_NAME_BYTES and id_ not in seen:
            seen.add(id_)  # the plain case, for speed
            continue
        where = f"row {first_row + k + 1} of {table}"
        check_name(id_, "id", where)
        if id_.lower() in seen:
            raise InputError(f"{where}: the id {id_!r} occurs twice; give every row its own id or drop the id column")
        seen.add(id_.lower())
    for k, label in enumerate(chunk.labels or ()):
        if len(label) != 1 or not label.isalnum():
            check_name(label, "label", f"row {first_row + k + 1} of {table}")


def check_name(text: str, what: str, where: str) -> None:
    """InputError for an id or a label that cannot be the name of a file or folder."""
    if not text:
        raise InputError(f"{where}: the {what} is empty; fill it or drop the row")
    bad = text.startswith(".") or not FORBIDDEN_CHARACTERS.isdisjoint(text) or not text.isprintable()
    if bad or len(text.encode()) > MAX_NAME_BYTES:
        raise InputError(
            f"{where}: the {what} {text[:40]!r} cannot name a file; accepted are short texts that do not start with "
            "a dot and have none of " + " ".join(sorted(FORBIDDEN_CHARACTERS))
        )


def move_to_valid(partial: Path, written: Written, in_valid: np.ndarray) -> None:
    moved = np.flatnonzero(in_valid)
    for label in {written.labels[k] for k in moved}:
        os.makedirs(partial / VALID / label, exist_ok=True)  # labels may differ in letter case alone
    for k in moved:
        label, id_ = written.labels[k], written.ids[k]
        os.rename(picture_file(partial, TRAIN, label, id_), picture_file(partial, VALID, label, id_))
