"""Claims: one process at a time writes at a place."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError
from .outputs import writable

DYING_S = 3  # a process that was killed a moment ago holds its claim until the system has taken back its memory


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
