"""The processes that train one model together: one by itself, or those that accelerate or torchrun started."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from .errors import InputError

T = TypeVar("T")
RANK, SIZE = "RANK", "WORLD_SIZE"  # as torchrun and accelerate tell each process


@dataclass(frozen=True)
class World:
    """Which process this is, of how many. The first one alone writes and prints."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def shared(self, value: T) -> T:
        """The first process's value, in every process."""
        if self.size == 1:
            return value
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value])[0]

    def gathered(self, value: T) -> list[T]:
        """Every process's value, in the order of their ranks."""
        if self.size == 1:
            return [value]
        from accelerate.utils import gather_object

        return gather_object([value])

    def total(self, *numbers: float) -> list[float]:
        """The sum of each number over all processes."""
        return [sum(values) for values in zip(*self.gathered(numbers))]

    def first_does(self, work: Callable[[], T]) -> T:
        """What `work` gives in the first process, in every process; an InputError is raised in every one."""
        value = error = None
        if self.is_first:
            try:
                value = work()
            except InputError as raised:
                error = str(raised)
                if self.size == 1:
                    raise
        value, error = self.shared((value, error))
        if error is not None:
            raise InputError(error)
        return value

    @contextmanager
    def first_goes_ahead(self) -> Iterator[None]:
        """The first process runs the block, then all others, which find what it has written or downloaded."""
        if not self.is_first:
            self.shared(None)
        yield
        if self.is_first:
            self.shared(None)


@cache
def join_world() -> World:
    """The world that this process belongs to; joins the others where it was started with them.

    Raises
    ------
    InputError
        When the package accelerate is missing where several processes were started.
    """
    if is_alone():
        return World()
    try:
        from accelerate import PartialState
    except ImportError:
        raise InputError(
            "several processes need the package accelerate: pip install 'fastdigits[distributed]'"
        ) from None
    import torch

    state = PartialState(cpu=not torch.cuda.is_available())
    return World(state.process_index, state.num_processes)


def is_first_process() -> bool:
    """Whether this process is to print, before any world is joined."""
    return os.environ.get(RANK, "0") == "0"


def is_first_here() -> bool:
    """Whether this is the first process on its machine."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def is_alone() -> bool:
    """Whether no other process was started with this one."""
    return os.environ.get(SIZE, "1") == "1"


def shared_batch(rows: int, batch_size: int, size: int) -> int:
    """Rows that each of `size` processes takes a step, so that together they take about `batch_size`.

    All processes have equally many steps, in which every row is taken once and nowhere fewer than two at a time.

    Raises
    ------
    InputError
        When there are too few rows.
    """
    fewest, most = rows // size, -(-rows // size)
    if fewest < 2:
        raise InputError(f"{rows} training rows are too few for {size} processes; start fewer")
    for steps in range(max(1, rows // batch_size), 0, -1):
        each = -(-most // steps)
        last = fewest - (-(-most // each) - 1) * each  # in the last step of a process with the fewest rows
        if last >= 2:
            return each
    return most
