"""Where a command may write: nothing of the user's is replaced unasked, and a full disk is told in one line."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError

LEAST_FREE = 100_000  # bytes; with less a disk is full
# in a folder that is being replaced, of what was there before: all of it; some of it, while the rest lies in the folder
# itself; and what is removed because all went well
BEFORE, MOVING, GONE = ".before", ".before-moving", ".before-gone"
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
        if not any((place / mark).is_file() for place in (path, path / BEFORE, path / MOVING)):
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


@contextmanager
def replaced_folder(path: Path) -> Iterator[None]:
    """An empty folder at `path`, as by `fresh_folder`; if the block fails, what was there before is there again.

    Until then it lies in a hidden folder inside, since a link or a disk that is mounted there cannot be moved; after a
    kill the next one puts it back first.
    """
    place = path.resolve()
    existed = place.is_dir()
    with writable(path):
        place.mkdir(parents=True, exist_ok=True)
        _put_back(place)
        try:
            (place / MOVING).mkdir()
            _move_all(place, place / MOVING)
            (place / MOVING).rename(place / BEFORE)
        except OSError:
            _put_back(place)
            raise
    try:
        yield
    except BaseException:
        _put_back(place)
        if not existed:
            remove_folder(path)
        raise
    (place / BEFORE).rename(place / GONE)  # from here on what came instead stays, whenever a kill comes
    shutil.rmtree(place / GONE)


def _put_back(place: Path) -> None:
    """Of a folder whose replacement did not end: remove what came instead, and put back what was there."""
    if (place / GONE).is_dir():
        shutil.rmtree(place / GONE)
    if (place / BEFORE).is_dir():
        _empty_folder(place, but=place / BEFORE)
        (place / BEFORE).rename(place / MOVING)
    if (place / MOVING).is_dir():
        _move_all(place / MOVING, place)
        (place / MOVING).rmdir()


def _move_all(source: Path, target: Path) -> None:
    """Move what lies in one folder into another, which may lie in it itself."""
    for entry in list(source.iterdir()):
        if entry != target:
            entry.rename(target / entry.name)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; a link to it stays, and so does a disk that is mounted there."""
    place = path.resolve()
    if place.is_dir():
        _empty_folder(place)
    with suppress(OSError):
        place.rmdir()


def _empty_folder(path: Path, but: Path | None = None) -> None:
    for entry in path.iterdir():
        if entry == but:
            continue
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
