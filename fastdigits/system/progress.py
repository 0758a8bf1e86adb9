"""Progress of long work: a rich bar on a terminal, silence in a pipe or a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .world import is_first_process


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show how much of `total` is done, at what rate, with the time left; yields `advance(n, note="")`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    # names of files may hold what rich takes for its own marks
    name, rate, note = (
        TextColumn(part, markup=False) for part in ("{task.description}", "{task.fields[rate]}", "{task.fields[note]}")
    )
    columns = (name, BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn(), note)
    with Progress(
        *columns, console=console, disable=not console.is_terminal or not is_first_process(), transient=True
    ) as progress:
        task = progress.add_task(what, total=total, rate="", note="")

        def advance(n: int, note: str = "") -> None:
            progress.advance(task, n)
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:,.0f}/s" if speed and speed > 1 else "", note=note)

        yield advance
