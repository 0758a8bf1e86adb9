"""`python -m benchmarks.few_shot`: Kannada digits from 1, 5, 10, 50 and 100 examples a class, on writers never seen.

Five draws of each; every contender gets the same rows. Restartable: what is in docs/few_shot.csv is not repeated.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from fastdigits import convert, evaluate, finetune, open_model

from .kept import append_row, kept_rows, mean_and_deviation
from .measuring import machine
from .table import replace_between

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "few_shot.csv"
SIZES, DRAWS = (1, 5, 10, 50, 100), 5
HELD_WRITERS, SCORED_ROWS, OTHER_ROWS = 9, 3000, 8000
START = "digitnet-mnist"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="holds kannada/")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds kannada/")
    train, held = read_rows(chosen.data / "kannada")
    with tempfile.TemporaryDirectory() as work:
        for size in SIZES:
            for draw in range(DRAWS):
                for name, contender in CONTENDERS.items():
                    if (name, str(size), str(draw)) not in done():
                        started = time.perf_counter()
                        accuracy = contender(Draw.of(train, held, size, draw), Path(work))
                        keep(name, size, draw, accuracy, time.perf_counter() - started)
    write_table()


Rows = tuple[np.ndarray, np.ndarray]  # images uint8 (n, 28, 28), labels (n,)


def read_rows(folder: Path) -> tuple[Rows, Rows]:
    """Rows of the writers to draw from, and some rows of every fifth of the others, who are never trained on."""
    import pandas as pd

    table = pd.read_csv(folder / "train.csv.gz")
    writers = pd.read_csv(folder / "writers.csv.gz").set_index("id").loc[table.id].writer.to_numpy()
    images = table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28)
    labels = table.label.to_numpy()
    known = np.unique(writers)
    is_held = np.isin(writers, known[:: len(known) // HELD_WRITERS][:HELD_WRITERS])
    scored = np.random.default_rng(0).choice(np.flatnonzero(is_held), SCORED_ROWS, replace=False)
    return (images[~is_held], labels[~is_held]), (images[scored], labels[scored])


@dataclass(frozen=True)
class Draw:
    """Rows of a draw.

    Attributes
    ----------
    few, held : Rows
        Those to learn from, and those of other writers that are asked about.
    others : ndarray of uint8, shape (n, 28, 28)
        Pictures without labels, of the writers that are learnt from.
    """

    few: Rows
    held: Rows
    others: np.ndarray

    @classmethod
    def of(cls, train: Rows, held: Rows, size: int, draw: int) -> "Draw":
        """`size` rows of each class."""
        images, labels = train
        rng = np.random.default_rng(draw)
        rows = np.concatenate([rng.choice(np.flatnonzero(labels == label), size, replace=False) for label in range(10)])
        others = rng.choice(np.setdiff1d(np.arange(len(labels)), rows), OTHER_ROWS, replace=False)
        return cls((images[rows], labels[rows]), held, images[others])


def fastdigits_contender(arch: str, with_others: bool = False, **options) -> Callable[[Draw, Path], float]:
    """`fastdigits finetune` with its defaults for few rows; `with_others` labels pass on to pictures without one."""

    def score(draw: Draw, work: Path) -> float:
        for name, (images, labels) in (("few", draw.few), ("held", draw.held)):
            np.savez(work / f"{name}.npz", images=images, labels=labels)
        np.savez(work / "others.npz", images=draw.others)
        test = work / "others.npz" if with_others else None
        convert(work / "few.npz", work / "few", test=test, look_alikes=with_others, valid=0, overwrite=True)
        finetune(arch, work / "few", out=work / "run", overwrite=True, **options)
        return evaluate(str(work / "run"), str(work / "held.npz")).accuracy

    return score


def on_pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / np.float32(255)


def on_features(images: np.ndarray) -> np.ndarray:
    """What the head of digitnet-mnist sees: float (n, 128)."""
    import torch

    model = open_model(START)
    with torch.inference_mode():
        return np.concatenate(
            [model.module.features(model.model_input(part)).numpy() for part in np.array_split(images, 10)]
        )


def sklearn_contender(make: Callable, features: Callable[[np.ndarray], np.ndarray]) -> Callable:
    def score(draw: Draw, work: Path) -> float:
        (images, labels), (held, truth) = draw.few, draw.held
        return float(make().fit(features(images), labels).score(features(held), truth))

    return score


def logistic_regression():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


def nearest_neighbour():
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=1, metric="cosine")


CONTENDERS = {
    "digitnet-mnist, fine-tuned": fastdigits_contender(START),
    "the same, labels passed on to 8,000 rows without": fastdigits_contender(START, with_others=True),
    "digitnet from nothing": fastdigits_contender("digitnet", weights="none", lr=0.01),
    "ResNet-18 from nothing": fastdigits_contender("resnet18", weights="none", lr=0.002),
    "logistic regression on pixels": sklearn_contender(logistic_regression, on_pixels),
    "nearest neighbour on pixels": sklearn_contender(nearest_neighbour, on_pixels),
    "logistic regression on digitnet-mnist's features": sklearn_contender(logistic_regression, on_features),
    "nearest neighbour on digitnet-mnist's features": sklearn_contender(nearest_neighbour, on_features),
}


def keep(name: str, size: int, draw: int, accuracy: float, seconds: float) -> None:
    """Add one row to docs/few_shot.csv."""
    row = {"contender": name, "rows_a_class": size, "draw": draw, "accuracy": f"{accuracy:.4f}"}
    row |= {"seconds": f"{seconds:.1f}", **machine()}
    append_row(RESULTS, row)
    print(f"{name} · {size} a class · draw {draw} · {accuracy:.2%} · {seconds:.0f} s", flush=True)


def done() -> set[tuple[str, str, str]]:
    return {(row["contender"], row["rows_a_class"], row["draw"]) for row in kept_rows(RESULTS)}


def write_table() -> None:
    """The table: mean accuracy and deviation over the draws, seconds of the largest size."""
    results = kept_rows(RESULTS)
    lines = [
        "| from how many rows a class | " + " | ".join(map(str, SIZES)) + f" | s ({SIZES[-1]}) |",
        "|" + "---|" * (len(SIZES) + 2),
    ]
    measured = {row["contender"] for row in results}
    for name in (name for name in CONTENDERS if name in measured):
        of_size = [[row for row in results if (row["contender"], row["rows_a_class"]) == (name, str(n))] for n in SIZES]
        cells = [mean_and_deviation(rows, 1) for rows in of_size]
        seconds = [float(row["seconds"]) for row in of_size[-1]]
        lines.append(f"| {name} | {' | '.join(cells)} | {f'{mean(seconds):.0f}' if seconds else ''} |")
    replace_between("few-shot", "\n".join(lines))


if __name__ == "__main__":
    main()
