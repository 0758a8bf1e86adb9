"""A part of a job for each of several machines: which rows are whose, where parts wait, and who puts them together."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ..sources import Chunk, PixelSource
from ..system import InputError

BLOCK_ROWS = 1024  # are dealt together, one block to each shard in turn


@dataclass(frozen=True)
class Shard:
    """Part `number`, counted from 1, of `of`."""

    number: int
    of: int

    def part(self, table: PixelSource, places: list[int]) -> PixelSource:
        """The rows of a table that are this shard's; `places` gets where they stand in the table."""

        def chunks() -> Iterator[Chunk]:
            first = 0
            for chunk in table.chunks():
                rows = np.arange(first, first + len(chunk.ids))
                mine = np.flatnonzero(rows // BLOCK_ROWS % self.of == self.number - 1)
                first += len(rows)
                if len(mine):
                    places.extend(rows[mine].tolist())
                    yield chunk.some(mine)

        rows = table.rows and -(-table.rows // self.of)
        name = f"{table.name} (shard {self})"
        part = PixelSource(name, table.size, table.has_ids, table.has_labels, chunks, table.digest, rows)
        part.notes = table.notes
        return part

    def place(self, out: Path, number: int | None = None) -> Path:
        """Where this shard's part of `out` waits for the others, or that of the shard `number`."""
        return waiting_room(out) / f"{number or self.number}-of-{self.of}"

    def places(self, out: Path) -> list[Path]:
        """Where the parts of `out` wait, in the order of the shards."""
        return [self.place(out, number) for number in range(1, self.of + 1)]

    def missing(self, out: Path) -> list[int]:
        """Numbers of the shards that are not done."""
        return [number for number in range(1, self.of + 1) if not self.place(out, number).exists()]

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class ShardDone:
    """A shard whose rows are done, and which is not the one that puts all together.

    Attributes
    ----------
    missing : list of int
        Numbers of the shards that are not done; none where another one has put all together.
    """

    shard: Shard
    rows: int
    missing: list[int]

    @classmethod
    def of(cls, shard: Shard, rows: int, out: Path) -> Self:
        """What to say where `last_one` says that it is not this one."""
        is_joined = not waiting_room(out).is_dir()
        return cls(shard, rows, [] if is_joined else shard.missing(out))

    def __rich__(self) -> str:
        if not self.missing:
            return f"shard {self.shard}: {self.rows:,} rows; another one that ended with it has put all together"
        waited_for = ", ".join(f"{number}/{self.shard.of}" for number in self.missing[:12])
        return f"shard {self.shard}: {self.rows:,} rows; the one that ends last puts all together, missing {waited_for}"

    __str__ = __rich__


def read_shard(text: str | None) -> Shard | None:
    """What `--shard 2/4` means; InputError when it is no such text."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", str(text))
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"--shard {text} makes no sense; accepted are 1/4 to 4/4 for four shards")
    return Shard(int(found[1]), int(found[2]))


def check_alike(shard: Shard, out: Path, about: dict, about_of: Callable[[Path], dict]) -> None:
    """InputError when a shard that is done was made from something else, or in another way.

    Parameters
    ----------
    about : dict
        What this one is made of.
    about_of : callable
        What a shard that waits at a path was made of.
    """
    for place in shard.places(out):
        if place.exists() and about_of(place) != json.loads(json.dumps(about)):
            raise InputError(
                f"{place} was made of another source or with other options; remove {place.parent}, or repeat those of "
                "the other shards"
            )


def read_part(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a shard that waits for the others, from its npz file."""
    with np.load(path) as file:
        return dict(file)


def table_order(parts: list[dict[str, np.ndarray]]) -> np.ndarray:
    """Which of all shards' rows, one shard after the other, comes where in the table: int (n,), by their `places`."""
    return np.concatenate([part["places"] for part in parts]).argsort()


def waiting_room(out: Path) -> Path:
    """The folder beside `out` where shards wait for each other."""
    out = out.absolute()
    return out.with_name(f"{out.name}.shards")


@contextmanager
def last_one(shard: Shard, out: Path) -> Iterator[bool]:
    """Whether all shards are done and this one is to put them together; then the waiting room is removed."""
    from filelock import FileLock

    room = waiting_room(out)
    lock = FileLock(room.with_name(f".{room.name}.lock"))
    with lock:
        complete = room.is_dir() and not shard.missing(out)
        yield complete
        if complete:
            shutil.rmtree(room)
    if complete:
        Path(lock.lock_file).unlink(missing_ok=True)
