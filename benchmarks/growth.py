"""`python -m benchmarks.growth`: how time and memory of whole commands grow with rows, pixels and classes.

Restartable: each command that has ended is a row of docs/growth.csv. About 40 minutes on two cores, of which nothing
else should use any.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastdigits.figures import COLUMN, in_style, label_lines, new_drawing, png_of

from .commands import peak_megabytes
from .kept import append_row, kept_rows
from .made_tables import write_table
from .measuring import machine

ROWS, PAGE, PICTURE = Path("docs", "growth.csv"), Path("docs", "results", "growth.md"), Path("docs", "pictures")
TEXT = """# How cost grows

Written by `python -m benchmarks.growth`; every command that was run is a row of `docs/growth.csv`. Whole commands, from
their start to their end, on tables made of MNIST's rows: more of them, larger pictures, or more classes (numbers, whose
digits stand beside each other). `train` is `train digitnet-fast --epochs 1`, `predict` asks digitnet-mnist, or where
there are other classes or sizes the model that was trained.

![Seconds by rows, by pixels and by classes, on logarithmic scales](../pictures/growth.png)

{tables}

{machine}

## What limits what

- With a few thousand rows most of the time is the start: two to four seconds, of `train` about nine.
- `convert` is limited by the csv's text, which is parsed once, and by the number of files that are written.
- `train` and `predict` are limited by the network's arithmetic: its share of the time is in [Speed](speed.md). Twice
  the side is four times the pixels and four times the arithmetic.
- Memory: rows are read and written in parts, so a thousand times the rows take less than twice the memory. `train`
  also holds the pictures, a byte for each pixel, up to a limit beyond which files are read. Large pictures cost memory
  because a batch of them passes through the network together; `--batch-size` makes it smaller.
- Classes cost where each has a place of its own: an output of the network, a row of the confusion matrix, a bar of a
  figure.
"""


@dataclass(frozen=True)
class Axis:
    """What grows, its sizes, and the other sizes of the tables meanwhile."""

    name: str
    sizes: tuple[int, ...]
    rows: int = 10_000
    side: int = 28
    n_classes: int = 10

    def table_of(self, size: int) -> dict[str, int]:
        """Arguments of `write_table`."""
        sizes = {"rows": self.rows, "side": self.side, "n_classes": self.n_classes}
        return sizes | {{"rows": "rows", "pixels": "side", "classes": "n_classes"}[self.name]: size}

    def amount(self, size: int) -> int:
        """Along the axis of the figure: pixels of a picture, for a side."""
        return size * size if self.name == "pixels" else size


AXES = (
    Axis("rows", (1_000, 10_000, 100_000, 1_000_000)),
    Axis("pixels", (16, 28, 56, 112, 224), rows=2_000),
    Axis("classes", (2, 10, 100, 1_000), rows=20_000),
)
COMMANDS = ("convert", "train", "evaluate", "predict")


def main() -> None:
    data = os.environ.get("FASTDIGITS_DATA")
    if not data:
        sys.exit("set FASTDIGITS_DATA to the folder that holds mnist/train.csv.gz")
    source = Path(data, "mnist", "train.csv.gz")
    asked = sorted(
        ((axis, size) for axis in AXES for size in axis.sizes), key=lambda one: one[1] * (one[0].name == "rows")
    )
    for axis, size in asked:  # the longest last
        measure(axis, size, source)
        write_page()


def measure(axis: Axis, size: int, source: Path) -> None:
    """Run what is not kept yet of one size, and keep it."""
    done = {row["command"] for row in kept_rows(ROWS) if (row["axis"], row["size"]) == (axis.name, str(size))}
    if done >= set(COMMANDS):
        return
    sizes = axis.table_of(size)
    with tempfile.TemporaryDirectory() as work:
        table = Path(work, "table.csv")
        write_table(source, table, **sizes)
        for command, arguments in commands(axis, sizes["side"], table, Path(work)):
            started = time.perf_counter()
            megabytes = peak_megabytes([sys.executable, "-m", "fastdigits", *arguments])
            seconds = time.perf_counter() - started
            print(f"{axis.name} · {size:,} · {command} · {seconds:.1f} s · {megabytes:,.0f} MB", flush=True)
            if command not in done:
                row = {"axis": axis.name, "size": size, "command": command}
                append_row(ROWS, row | {"seconds": f"{seconds:.2f}", "megabytes": f"{megabytes:.0f}"} | machine())


def commands(axis: Axis, side: int, table: Path, work: Path) -> Iterator[tuple[str, list[str]]]:
    """What is typed, one command after the other on one table."""
    folder, run = str(work / "folder"), str(work / "run")
    model = "digitnet-mnist" if axis.name == "rows" else run
    yield "convert", ["convert", str(table), folder, "--valid", "0.1"]
    yield "train", ["train", "digitnet-fast", folder, "--epochs", "1", "--size", str(side), "--out", run]
    yield "evaluate", ["evaluate", run, folder]
    yield "predict", ["predict", model, str(table), "--out", str(work / "answers.csv")]


def fitted(amounts: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Start-up in seconds and seconds for each thing: the line whose relative errors are least, neither below zero."""
    from scipy.optimize import nnls

    columns = np.stack([np.ones(len(amounts)), amounts], axis=1) / seconds[:, None]
    (start, each), _ = nnls(columns, np.ones(len(amounts)))
    return float(start), float(each)


def write_page() -> None:
    """The tables with fitted lines, and the figure, from what is kept."""
    rows = kept_rows(ROWS)
    tables = [part for axis in AXES if (part := _table(axis, rows))]
    runs = {(row["date"], row["commit"], row["device"]) for row in rows}
    said = "; ".join(f"{date} at commit {commit} on {device}" for date, commit, device in sorted(runs))
    PAGE.write_text(TEXT.format(tables="\n\n".join(tables), machine=f"Measured {said}."), encoding="utf-8")
    draw_growth(rows, PICTURE / "growth.png")


def _series(axis: Axis, command: str, rows: list[dict]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes, seconds and MB of a command along an axis."""
    own = [row for row in rows if (row["axis"], row["command"]) == (axis.name, command)]
    own.sort(key=lambda row: int(row["size"]))
    return tuple(np.array([float(row[key]) for row in own]) for key in ("size", "seconds", "megabytes"))


def _table(axis: Axis, rows: list[dict]) -> str:
    unit = {"rows": "1,000 rows", "pixels": "1,000 pixels", "classes": "100 classes"}[axis.name]
    things = 100 if axis.name == "classes" else 1_000
    names = " | ".join(f"{size}x{size}" if axis.name == "pixels" else f"{size:,}" for size in axis.sizes)
    lines = [
        f"| seconds by {axis.name} | {names} | start | each {unit} more | off by at most | MB, first and last |",
        "|---|" + "---:|" * (len(axis.sizes) + 4),
    ]
    for command in COMMANDS:
        sizes, seconds, megabytes = _series(axis, command, rows)
        if len(sizes) > 1:
            amounts = np.array([axis.amount(size) for size in sizes])
            start, each = fitted(amounts, seconds)
            off = np.abs((start + each * amounts) / seconds - 1).max()
            known = dict(zip(sizes, seconds))
            told = " | ".join(f"{known[size]:,.1f}" if size in known else "" for size in axis.sizes)
            grown = f"{megabytes[0]:,.0f}, {megabytes[-1]:,.0f}"
            lines.append(f"| {command} | {told} | {start:.1f} | {each * things:.3f} | {off:.0%} | {grown} |")
    return "\n".join(lines) if len(lines) > 2 else ""


@in_style
def draw_growth(rows: list[dict], path: Path) -> None:
    """Seconds of each command along each axis, with the fitted lines, one axis under the other."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    drawing = new_drawing(COLUMN, 8.4)
    for axes, axis in zip(drawing.subplots(len(AXES), 1, squeeze=False).flat, AXES):
        for number, command in enumerate(COMMANDS):
            sizes, seconds, _ = _series(axis, command, rows)
            if len(sizes) < 2:
                continue
            amounts = np.array([axis.amount(size) for size in sizes])
            start, each = fitted(amounts, seconds)
            axes.plot(amounts, seconds, "o", color=f"C{number}", label="_")
            along = np.geomspace(amounts[0], amounts[-1], 50)
            axes.plot(along, start + each * along, color=f"C{number}", label=command)
        axes.set(xscale="log", yscale="log", xlabel=axis.name, ylabel="seconds")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        for direction in (axes.xaxis, axes.yaxis):
            direction.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        label_lines(axes)
    path.write_bytes(png_of(drawing))


if __name__ == "__main__":
    main()
