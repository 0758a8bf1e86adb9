"""`python -m benchmarks.expectation`: the accuracy that is expected beside the true one, where the truth is known.

Each writer of Kannada-MNIST against the others, blocks of MNIST's rows, every stress, few examples, another script.
Trains what it needs into `--work` by the same commands that users have (about two hours on one core; restartable), and
writes `docs/results/expectation.md` and, with a row for each shift, `docs/expectation.csv`.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path
from statistics import fmean

import numpy as np

from fastdigits import open_model, read_folder
from fastdigits.answers import Inference, Predictions
from fastdigits.batches import stressed
from fastdigits.folders import TRAIN, VALID, ImageFolder, measured, split_images, spread_rows
from fastdigits.runs import Run
from fastdigits.scores import LEAST_PICTURES, Expectation, class_numbers, expectation_of, kept_of_valid, read_answers

from .digitnet import MODELS, fastdigits, finished, folders_of

PAGE, ROWS = Path("docs", "results", "expectation.md"), Path("docs", "expectation.csv")
EPOCHS, FOLDS, BLOCKS = "10", 5, 9
STRESSED, ASKED = 1_000, 3_000  # pictures
FEW = (300, 1_000)  # rows to learn from
TEXT = """# What is expected, and what is true

Written by `python -m benchmarks.expectation`; every row of it is in `docs/expectation.csv`. How it is told, and when
it fails, [the explanation](../explanations/expectation.md) says. Models of {epochs} epochs; errors are in points of
accuracy. "Too optimistic" are estimates whose true accuracy lies below the interval; "validation" is the error if one
simply takes the validation accuracy as the estimate.

{table}

{rosy}
"""


@dataclass
class Known:
    """A shift whose truth is known: accuracies 0..1.

    Attributes
    ----------
    kind, model, what : str
    pictures : int
    valid, true, expected, low, high : float
    mentioned : bool
        Whether it is said that the pictures differ from the training ones, or why the accuracy may be far lower.
    """

    kind: str
    model: str
    what: str
    pictures: int
    valid: float
    true: float
    expected: float
    low: float
    high: float
    mentioned: bool

    @property
    def error(self) -> float:
        return abs(self.expected - self.true)

    @property
    def is_rosy(self) -> bool:
        return self.true < self.low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--work", type=Path, default=Path("runs", "digitnet"), help="folders and runs")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    known = list(all_known(chosen.data, chosen.work))
    with ROWS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Known)])
        writer.writeheader()
        writer.writerows(asdict(one) for one in known)
    rosy = [one for one in known if one.is_rosy]
    text = TEXT.format(epochs=EPOCHS, table=table_of(known), rosy=rosy_of(rosy))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


def all_known(data: Path, work: Path) -> Iterator[Known]:
    """Every shift, with models that are trained where they are not yet."""
    whole, _ = folders_of("kannada", data, work)
    _, mnist_folder = folders_of("mnist", data, work)
    folds, policy = work / "kannada-folds", MODELS["digitnet-kannada"].options
    if not (folds / "result.json").is_file():
        options = ["--epochs", EPOCHS, "--folds", str(FOLDS), "--seed", "1", "--out", str(folds)]
        gone_on = ["--resume"] if folds.exists() else []
        fastdigits("train", "digitnet", str(whole), *policy, *options, *gone_on)
    runs = [Run(folds / f"seed1-fold{fold}") for fold in range(1, FOLDS + 1)]
    how = ("digitnet", "--augment", "medium", "--epochs", EPOCHS)
    mnist = finished(work / "expectation-mnist", how, mnist_folder, seed=1)
    for run in runs:
        yield from by_groups("writer", run)
    yield from by_groups("block of MNIST", mnist)
    kannada_folder, mnist_folder = read_folder(whole), read_folder(mnist_folder)
    yield from under_stress(runs[0], kannada_folder, TRAIN)
    yield from under_stress(mnist, mnist_folder, VALID)
    yield another(runs[0], "MNIST", mnist_folder, VALID, kind="another script")
    yield another(mnist, "Kannada-MNIST", kannada_folder, TRAIN, kind="another script")
    for rows in FEW:
        yield another(few(rows, data, work), "other writers", kannada_folder, TRAIN, kind="few examples")


def by_groups(kind: str, run: Run) -> Iterator[Known]:
    """Each group of a run's valid rows, or block of them, against what the model keeps of the others."""
    answers = read_answers(run)
    truth = class_numbers(answers.labels, answers.classes)
    order = np.argsort([int(id_) for id_ in answers.ids])
    blocks = np.empty(len(order), int)
    blocks[order] = np.arange(len(order)) * BLOCKS // len(order)
    groups = np.array(answers.groups) if answers.groups else blocks
    model = open_model(run.path)
    for group in np.unique(groups):
        inside = groups == group
        rest = answers.probabilities[~inside], truth[~inside]
        model.valid = kept_of_valid(*rest, np.bincount(truth, minlength=len(answers.classes)))
        ids = [id_ for id_, is_in in zip(answers.ids, inside) if is_in]
        found = Predictions(ids, answers.probabilities[inside], answers.classes)
        if len(ids) < LEAST_PICTURES:
            continue
        yield judged(kind, run, str(group), expectation_of([model], found), found, truth[inside])


def under_stress(run: Run, folder: ImageFolder, split: str) -> Iterator[Known]:
    """Rows of its own that the model has not seen, under every stress."""
    answers = read_answers(run)
    ids = set(answers.ids)
    rows = np.flatnonzero([id_ in ids for id_ in folder.split(split).ids])
    rows = rows[spread_rows(len(rows), STRESSED)]
    truth = class_numbers([folder.split(split).labels[row] for row in rows], folder.classes)
    model = open_model(run.path)
    inference = Inference([model])
    for name, strength, images in stressed(split_images(folder, split, model.size, rows)):
        found = asked(inference, images)
        yield judged("stress", run, f"{name} {strength:g}", expectation_of([model], found), found, truth)


def another(run: Run, what: str, folder: ImageFolder, split: str, kind: str) -> Known:
    """Rows of another folder."""
    rows = spread_rows(len(folder.split(split)), ASKED)
    truth = class_numbers([folder.split(split).labels[row] for row in rows], folder.classes)
    model = open_model(run.path)
    found = asked(Inference([model]), split_images(folder, split, model.size, rows))
    return judged(kind, run, what, expectation_of([model], found), found, truth)


def asked(inference: Inference, images: np.ndarray) -> Predictions:
    """What a model says of pictures, and what they look like."""
    ids = [str(row) for row in range(len(images))]
    return Predictions(ids, inference.probabilities(images), inference.classes, measured=measured(images))


def judged(kind: str, run: Run, what: str, expectation: Expectation, found: Predictions, truth: np.ndarray) -> Known:
    true = float((found.probabilities.argmax(1) == truth).mean())
    low, high = expectation.interval
    numbers = expectation.valid_accuracy, true, expectation.accuracy, low, high
    return Known(
        kind, run.path.name, what, len(truth), *numbers, mentioned=bool(expectation.doubts or expectation.differences)
    )


def few(rows: int, data: Path, work: Path) -> Run:
    """A digitnet of some rows of Kannada-MNIST, spread over its writers, a fifth of them valid."""
    import pandas as pd

    folder = work / f"kannada-{rows}"
    if not folder.exists():
        table = pd.read_csv(data / "kannada" / "train.csv.gz")
        table.iloc[spread_rows(len(table), rows)].to_csv(work / f"kannada-{rows}.csv", index=False)
        fastdigits("convert", str(work / f"kannada-{rows}.csv"), str(folder), "--valid", "0.2")
    return finished(work / f"few-{rows}", ("digitnet", "--epochs", EPOCHS, "--batch-size", "32"), folder, seed=1)


def table_of(known: list[Known]) -> str:
    """A line for each kind, of stress also for what costs at most a fifth, where some costs more."""
    lines = [
        "| shift | how many | mean error | validation | too optimistic | of these mentioned |",
        "|---|---|---|---|---|---|",
    ]
    for kind, found in groupby(known, key=lambda one: one.kind):
        rows = list(found)
        lines.append(_line(kind, rows))
        mild = [one for one in rows if one.true >= 0.8]
        if kind == "stress" and len(mild) < len(rows):
            lines.append(_line("stress that costs up to 20 points", mild))
    return "\n".join(lines)


def _line(name: str, rows: list[Known]) -> str:
    rosy = [one for one in rows if one.is_rosy]
    errors = fmean(one.error for one in rows), fmean(abs(one.valid - one.true) for one in rows)
    cells = [name, f"{len(rows)}", *(f"{100 * error:.2f}" for error in errors), f"{len(rosy)}"]
    return f"| {' | '.join([*cells, str(sum(one.mentioned for one in rosy))])} |"


def rosy_of(rosy: list[Known]) -> str:
    """Those too optimistic, one by one."""
    if not rosy:
        return "None is too optimistic."
    lines = [
        f"- {one.kind}, {one.what}: {one.true:.1%}, expected {one.expected:.1%} ({one.low:.1%} .. {one.high:.1%})"
        + (", mentioned" if one.mentioned else "")
        for one in rosy
    ]
    return "Too optimistic:\n\n" + "\n".join(lines)


if __name__ == "__main__":
    main()
