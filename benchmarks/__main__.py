"""`python -m benchmarks [SECTION ...]`: measure, keep every round in results.csv, write the page of speed.

`training:resnet50` measures the training of that network alone.

The contenders are written for the CPU; a GPU is not used.
"""

import gzip
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from . import accuracy, commands, conversion, prediction, serving, training
from .measuring import Measurement, replace_rows
from .table import write_table

SECTIONS = ("training", "prediction", "conversion", "memory", "start-up", "paths", "goal", "fast", "serving")
TENTH = 6000  # rows of the table that is a tenth of MNIST's


def main() -> None:
    """Measure the named sections, or all."""
    sections = sys.argv[1:] or SECTIONS
    unknown = {section.partition(":")[0] for section in sections} - {*SECTIONS, "table"}
    data = os.environ.get("FASTDIGITS_DATA")
    if unknown:
        sys.exit(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if not data:
        sys.exit("set FASTDIGITS_DATA to the folder that holds mnist/train.csv.gz and mnist/test.csv.gz")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as work:
        for section in sections:
            for found in measure(section, Path(data, "mnist"), Path(work)):
                replace_rows(found)
                write_table()
    write_table()


def measure(section: str, mnist: Path, work: Path) -> Iterator[list[Measurement]]:
    """The measurements of one section on MNIST's tables, in parts that are worth keeping by themselves."""
    train, test = mnist / "train.csv.gz", mnist / "test.csv.gz"
    section, _, network = section.partition(":")
    if section == "training":
        # in the middle of an epoch its length plays no part, but plain fastai takes long to list many files
        yield from training.measure(image_folder(first_rows(train, 2 * TENTH, work), test, work), network)
    elif section == "prediction":
        yield prediction.measure(image_folder(train, test, work), test)
    elif section == "conversion":
        yield conversion.measure(first_rows(train, 2 * TENTH, work))
    elif section == "memory":
        yield commands.measure_memory(first_rows(train, TENTH, work), train)
    elif section == "start-up":
        yield commands.measure_startup()
    elif section == "paths":
        # enough valid rows for a difference of 0.2 points to show
        yield accuracy.measure_paths(image_folder(first_rows(train, 3 * TENTH, work), test, work, valid=0.5))
    elif section == "serving":
        yield serving.measure(train, first_rows(train, serving.SCRIPT_ROWS, work))
    elif section == "fast":
        plain = work / "train.csv"
        plain.write_bytes(gzip.decompress(train.read_bytes()))
        yield accuracy.measure_fast(plain)
    elif section == "goal":
        yield accuracy.measure_goal(image_folder(train, test, work))


def image_folder(train: Path, test: Path, work: Path, valid: float = 0.15) -> Path:
    """The tables as an image folder, made once."""
    from fastdigits import convert

    folder = work / f"folder-{train.name.partition('.')[0]}"
    if not folder.exists():
        convert(train, folder, test=test, valid=valid)
    return folder


def first_rows(table: Path, n: int, work: Path) -> Path:
    """A table of the first `n` rows."""
    part = work / f"first{n}.csv"
    if not part.exists():
        with gzip.open(table, "rt") as lines:
            part.write_text("".join(islice(lines, n + 1)))
    return part


if __name__ == "__main__":
    main()
