"""Files and folders that appear whole or not at all: written to a temporary sibling, flushed, renamed."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .claims import claimed
from .errors import InputError
from .outputs import room_for, writable


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary sibling of `path` that takes its place when the block ends well, and is removed when not."""
    path = path.resolve() if path.is_symlink() else path  # a link stays one
    partial = path.with_name(f".{path.name}.partial")
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    try:
        with room_for(path):
            yield partial
            with open(partial, "rb") as written:
                os.fsync(written.fileno())
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary sibling folder that replaces `path` when the block ends well, and is removed when not."""
    path = path.resolve()  # "." has no name of its own, and a link stays one
    if path.is_mount():
        raise InputError(f"{path} is a disk of its own, which a folder cannot replace; name a folder on it")
    partial, old = path.with_name(f".{path.name}.partial"), path.with_name(f".{path.name}.old")
    with claimed(path):
        _settle(path, partial, old)  # what a killed process left
        with writable(path):
            partial.mkdir(parents=True)
        try:
            with room_for(path):
                yield partial
                if path.exists():
                    path.rename(old)  # a folder cannot be replaced in one step
                partial.rename(path)
        finally:
            _settle(path, partial, old)


def _settle(path: Path, partial: Path, old: Path) -> None:
    """Remove a half-written folder; put the old one back when nothing has taken its place."""
    shutil.rmtree(partial, ignore_errors=True)
    if old.exists() and not path.exists():
        old.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, content: dict, indent: int | None = 1) -> None:
    """Write `content` so that the file is there whole or not at all; long content is faster without `indent`."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=indent, default=plain_number), encoding="utf-8")


def plain_number(value):
    """A number of numpy, such as scikit-learn's searches pass, as Python's, which files take; the rest as it is."""
    return value.item() if type(value).__module__ == "numpy" and not getattr(value, "shape", True) else value


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
