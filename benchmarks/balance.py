"""What `--balance` is worth: macro F1 on classes of 1,000 to 10 rows, with and without it, and on equal classes.

    FASTDIGITS_DATA=data python -m benchmarks.balance

Kannada digits; ten writers, who wrote no training row, are asked, 400 rows a class. Which class is rare changes with
the seed. Writes docs/results/unequal_classes.md.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from fastdigits import train
from fastdigits.answers import Inference, open_model

SEEDS, EPOCHS = (1, 2, 3), 16
ROWS = {"100:1": [round(1000 * 0.01 ** (k / 9)) for k in range(10)], "equal": [248] * 10}
HELD_WRITERS, ASKED = 10, 400  # writers, and rows of each class
PAGE = Path(__file__).parent.parent / "docs" / "results" / "unequal_classes.md"


def tables(data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures uint8 (n, 28, 28), labels int (n,) and writers (n,)."""
    table = pd.read_csv(data / "kannada" / "train.csv.gz")
    writer_of = pd.read_csv(data / "kannada" / "writers.csv.gz").set_index("id")["writer"]
    images = table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28)
    return images, table["label"].to_numpy(), writer_of.loc[table["id"]].to_numpy()


def chosen_rows(labels: np.ndarray, writers: np.ndarray, counts: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, so many of each class, and rows of other writers to ask about."""
    generator = np.random.default_rng(seed)
    held = np.isin(writers, generator.choice(np.unique(writers), HELD_WRITERS, replace=False))
    classes = generator.permutation(10)

    def some(among: np.ndarray, label: int, n: int) -> np.ndarray:
        return generator.choice(np.flatnonzero(among & (labels == label)), n, replace=False)

    trained = np.concatenate([some(~held, label, n) for label, n in zip(classes, counts)])
    return trained, np.concatenate([some(held, label, ASKED) for label in range(10)])


def scores(images: np.ndarray, labels: np.ndarray, trained: np.ndarray, asked: np.ndarray, seed: int, **options):
    """Macro F1 and accuracy of digitnet on the rows that are asked about."""
    from fastdigits import convert

    with tempfile.TemporaryDirectory() as place:
        np.savez(Path(place, "rows.npz"), x_train=images[trained], y_train=labels[trained])
        convert(Path(place, "rows.npz"), Path(place, "digits"), valid=0)
        run = train("digitnet", Path(place, "digits"), epochs=EPOCHS, seed=seed, out=Path(place, "run"), **options)
        answers = Inference([open_model(run.run.path)], exact=True).probabilities(images[asked]).argmax(1)
    return f1_score(labels[asked], answers, average="macro"), float((answers == labels[asked]).mean())


def main() -> None:
    images, labels, writers = tables(Path(os.environ["FASTDIGITS_DATA"]))
    rows = []
    for name, counts in ROWS.items():
        for balance in (False, True):
            found = []
            for seed in SEEDS:
                trained, asked = chosen_rows(labels, writers, counts, seed)
                found.append(scores(images, labels, trained, asked, seed, balance=balance))
                print(name, balance, seed, found[-1], flush=True)
            each = ", ".join(f"{f1:.4f}" for f1, _ in found)
            f1, accuracy = np.mean(found, axis=0)
            rows.append(f"| {name} | {'yes' if balance else 'no'} | {f1:.4f} | {each} | {accuracy:.2%} |")
    lines = [
        "# Unequal classes",
        "",
        "Written by `python -m benchmarks.balance`. digitnet, 16 epochs on 2,480 Kannada digits, asked about 4,000",
        "digits of ten other writers. In the rows called 100:1 one class has 1,000 rows, the next 599, and so on down",
        "to 10; which class is rare changes with the seed.",
        "",
        "| rows | `--balance` | macro F1 | of each seed | accuracy |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
