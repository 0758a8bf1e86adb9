"""Outputs that appear whole or not at all: written to a temporary sibling, flushed, renamed."""

import errno
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError

DYING_S = 3  # a process that was killed a moment ago holds its claim until the system has taken back its memory
LEAST_FREE = 100_000  # bytes; with less a disk is full
RUN_MARK = "run.json"  # a run holds models and curves too, and hours of work: nothing but a new run replaces it


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
    if path.is_dir() and any(path.iterdir()):
        if not (path / mark).is_file():
            raise InputError(f"{path} holds other things (no {mark}), so it is not replaced; name another output")
        if mark != RUN_MARK and (path / RUN_MARK).is_file():
            raise InputError(f"{path} is a run directory, so it is not replaced; name another output")
    if path.is_file() and mark is not None:
        raise InputError(f"{path} is a file; name a folder")


def fresh_folder(path: Path) -> None:
    """An empty folder at `path`: a new one, where a link points if it is one, or the old one without what was in it."""
    with writable(path):
        path.resolve().mkdir(parents=True, exist_ok=True)
        _empty_folder(path)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; a link to it stays, and so does a disk that is mounted there."""
    place = path.resolve()
    if place.is_dir():
        _empty_folder(place)
    with suppress(OSError):
        place.rmdir()


def _empty_folder(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn a failure to write at `path` into one line that names it."""
    try:
        yield
    except OSError as error:
        # a folder is to be made where a file is
        reason = os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else error.strerror
        raise InputError(f"{path} cannot be written ({reason}); name an output elsewhere") from None


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Turn a disk that is full while `path` is written into one line that names it."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if not _tells_of_full_disk(error, path):
            raise
        reason = os.strerror(errno.ENOSPC)
        raise InputError(f"{path} cannot be written ({reason}); make room, or name an output elsewhere") from None


def _tells_of_full_disk(error: Exception, path: Path) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # torch and safetensors write by themselves and have errors of their own, with the system's words or without
    return os.strerror(errno.ENOSPC) in str(error) or _free_bytes(path) < LEAST_FREE


def _free_bytes(path: Path) -> int:
    """Room on the disk where `path` lies or will lie."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Within the block no other process may write at `path`; what a killed one claimed is taken over.

    The claim is the kernel's lock on a file beside `path`, which names its owner's process and machine. The kernel lets
    go of it when its owner is killed, at whatever moment; a file whose existence is the claim would stay behind.

    Raises
    ------
    InputError
        When another process is writing there.
    """
    from filelock import FileLock, Timeout

    path = path.resolve()  # "." has no name of its own, and a link's target may be claimed by its own name
    file = path.with_name(f".{path.name}.lock")
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, timeout=DYING_S)
        try:
            lock.acquire()
        except Timeout:
            raise InputError(
                f"{path} is being written by {_owner(file)}; wait for it, or name another output"
            ) from None
    try:
        with writable(path):
            file.write_text(f"{os.getpid()}\n{socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        with suppress(PermissionError):  # of systems that remove no open file; it is taken over there
            file.unlink(missing_ok=True)  # before it is let go of, lest it be another's by then
        lock.release()


def _owner(lock_file: Path) -> str:
    """Who wrote itself down as holding a claim: its process and its machine."""
    try:
        process, machine, *_ = lock_file.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return "another process"
    return f"process {process} on {machine}"


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
