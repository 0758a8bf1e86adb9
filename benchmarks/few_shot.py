"""`python -m benchmarks.few_shot`: Kannada digits from 1, 5, 10, 50 and 100 examples a class, on writers never seen.

Five draws of each; every contender gets the same rows. Restartable: what is in docs/few_shot.csv is not repeated.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
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
HELD_WRITERS, SCORED_ROWS = 9, 3000
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
                        accuracy = contender(few_rows(train, size, draw), held, Path(work))
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


def few_rows(train: Rows, size: int, draw: int) -> Rows:
    """`size` rows of each class."""
    images, labels = train
    rng = np.random.default_rng(draw)
    rows = np.concatenate([rng.choice(np.flatnonzero(labels == label), size, replace=False) for label in range(10)])
    return images[rows], labels[rows]


def fastdigits_contender(arch: str, **options) -> Callable[[Rows, Rows, Path], float]:
    """`fastdigits finetune` with its defaults for few rows."""

    def score(few: Rows, held: Rows, work: Path) -> float:
        for name, (images, labels) in (("few", few), ("held", held)):
            np.savez(work / f"{name}.npz", images=images, labels=labels)
        convert(work / "few.npz", work / "few", valid=0, overwrite=True)
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
    def score(few: Rows, held: Rows, work: Path) -> float:
        return float(make().fit(features(few[0]), few[1]).score(features(held[0]), held[1]))

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
    for name in CONTENDERS:
        of_size = [[row for row in results if (row["contender"], row["rows_a_class"]) == (name, str(n))] for n in SIZES]
        cells = [mean_and_deviation(rows, 1) for rows in of_size]
        seconds = [float(row["seconds"]) for row in of_size[-1]]
        lines.append(f"| {name} | {' | '.join(cells)} | {f'{mean(seconds):.0f}' if seconds else ''} |")
    replace_between("few-shot", "\n".join(lines))


if __name__ == "__main__":
    main()
