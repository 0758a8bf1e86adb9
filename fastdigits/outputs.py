"""Outputs that appear whole or not at all: written to a temporary sibling, flushed, renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


def check_output(path: Path, overwrite: bool, mark: str | None = None) -> None:
    """Refuse to replace what exists, unless asked to, and what fastdigits has not made.

    Parameters
    ----------
    path : Path
        A file or folder that will be written.
    overwrite : bool
    mark : str, optional
        Name of the file by which a folder is known as one of ours; None: a file will be written.

    Raises
    ------
    InputError
        When `path` exists and `overwrite` is false, or is a folder with something else in it.
    """
    if not path.exists():
        return
    if not overwrite:
        raise InputError(f"{path} exists already; pass --overwrite to replace it or name another output")
    if path.is_dir() and mark is None:
        raise InputError(f"{path} is a folder; name a file")
    if path.is_dir() and any(path.iterdir()) and not (path / mark).is_file():
        raise InputError(f"{path} holds other things (no {mark}), so it is not replaced; name another output")
    if path.is_file() and mark is not None:
        raise InputError(f"{path} is a file; name a folder")


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn a failure to write at `path` into one line that names it."""
    try:
        yield
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); name an output elsewhere") from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary sibling of `path` that takes its place when the block ends well, and is removed when not."""
    partial = path.with_name(f".{path.name}.partial")
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    try:
        yield partial
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary sibling folder that replaces `path` when the block ends well, and is removed when not."""
    partial, old = path.with_name(f".{path.name}.partial"), path.with_name(f".{path.name}.old")
    for leftover in (partial, old):  # of a run that was killed here
        shutil.rmtree(leftover, ignore_errors=True)
    with writable(path):
        partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            path.rename(old)  # a folder cannot be replaced in one step
        partial.rename(path)
    finally:
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)
