"""`python -m benchmarks.policies`: what each part of the augmentation buys on writers that were never seen.

A fifth of each writer's rows of Kannada-MNIST, so that all 47 hands are there: five folds of writers, digitnet for ten
epochs, three seeds for each policy. A policy's finished seed is a few lines of `docs/augmentation.csv` and is not
trained again. Writes `docs/results/augmentation.md`.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from unittest.mock import patch

from fastdigits import convert, train
from fastdigits.batches import NO_AUGMENTATION, POLICIES

from .kept import append_row, kept_rows

ROWS, PAGE = Path("docs", "augmentation.csv"), Path("docs", "results", "augmentation.md")
TEXT = """# What each part of the augmentation buys

Written by `python -m benchmarks.policies`; a row for each training is in `docs/augmentation.csv`. Kannada-MNIST, one
row of {every} of each writer and digit, digitnet for {epochs} epochs, five folds of writers, so that each picture is
answered by a model that has seen nothing of its writer. Under stress: the mean accuracy on pictures that are thinner,
thicker, smaller, slanted, blurred or on bad paper, as `evaluate --stress` makes them. "turn 15" turns by up to 15
degrees, "slant 12" slants (shears) by up to 12; the others are parts of `medium`, or wider.

{table}

The folds differ by more than the policies do, so what counts is the comparison with no augmentation on the same fold.
On these hands no part gains or loses much; what augmentation buys is robustness, and most of it comes from bad paper.
`medium` has nearly all of it and costs nothing here, so it is what digitnet trains with by default; `strong` costs a
fifth of a point.
"""
FIELDS = ("seed", "fold", "pictures", "accuracy", "under_stress")
EVERY = 5  # one row of so many
SEEDS, FOLDS, EPOCHS = (1, 2, 3), 5, 10
MEDIUM = POLICIES["medium"]
PAPER = {"blur_px": MEDIUM.blur_px, "noise": MEDIUM.noise, "lines": MEDIUM.lines, "p_paper": MEDIUM.p_paper}
GEOMETRY = {"rotate_deg": 18, "window": (0.7, 1.4), "shear_deg": 18}
PARTS = {
    "none": NO_AUGMENTATION,
    "light": POLICIES["light"],
    "medium": MEDIUM,
    "turn 15": replace(NO_AUGMENTATION, rotate_deg=15),
    "slant 12": replace(NO_AUGMENTATION, shear_deg=12),
    "proportions": replace(NO_AUGMENTATION, window=(0.8, 1.25)),
    "shift": replace(NO_AUGMENTATION, shift=0.08),
    "elastic": replace(NO_AUGMENTATION, elastic_px=1.0),
    "stroke": replace(NO_AUGMENTATION, stroke_px=(-0.7, 0.8)),
    "paper": replace(NO_AUGMENTATION, **PAPER),
    "turn, slant, proportions, wide": replace(NO_AUGMENTATION, **GEOMETRY),
    "the same and elastic": replace(NO_AUGMENTATION, **GEOMETRY, elastic_px=1.0),
    "the same, stroke": replace(NO_AUGMENTATION, **GEOMETRY, elastic_px=1.0, stroke_px=(-0.7, 0.8)),
    "turn, slant, proportions, wide, with shift and paper": replace(NO_AUGMENTATION, **GEOMETRY, shift=0.08, **PAPER),
    "strong": POLICIES["strong"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="holds kannada/")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds kannada/")
    with TemporaryDirectory() as work:
        folder = a_fifth(chosen.data / "kannada", Path(work))
        for seed in chosen.seeds:
            for name in PARTS:
                if _folds_of(name, seed) < FOLDS:
                    for row in measured(name, seed, folder, Path(work)):
                        append_row(ROWS, row)
    write_page()


def _folds_of(name: str, seed: int) -> int:
    """How many folds of a policy and seed are kept."""
    return sum((row["policy"], row["seed"]) == (name, str(seed)) for row in kept_rows(ROWS))


def a_fifth(table: Path, work: Path) -> Path:
    """An image folder of every fifth row of each writer and digit; the folds keep writers together."""
    import pandas as pd

    rows, writers = pd.read_csv(table / "train.csv.gz"), pd.read_csv(table / "writers.csv.gz")
    chosen = rows["label"].groupby([writers["writer"], rows["label"]]).cumcount() % EVERY == 0
    rows[chosen].to_csv(work / "rows.csv", index=False)
    writers[chosen].to_csv(work / "writers.csv", index=False)
    return convert(work / "rows.csv", work / "digits", valid=0, groups=work / "writers.csv").path


def measured(name: str, seed: int, folder: Path, work: Path) -> list[dict]:
    """A row for each fold of one policy and seed."""
    with patch.dict(POLICIES, {"measured": PARTS[name]}):
        options = {"augment": "measured", "epochs": EPOCHS, "folds": FOLDS, "seed": seed}
        result = train("digitnet", folder, **options, out=work / "run", overwrite=True)
    return [{"policy": name, **{field: getattr(fold, field) for field in FIELDS}} for fold in result.folds]


def write_page() -> None:
    """Means over folds and seeds, beside those of no augmentation on the same folds."""
    rows = kept_rows(ROWS)
    of = {(row["policy"], row["seed"], row["fold"]): row for row in rows}
    lines = [
        "| policy | seeds | accuracy | than none, in points | folds better, worse | under stress |",
        "|---|" + "---:|" * 5,
    ]
    for name in PARTS:
        own = [row for row in rows if row["policy"] == name and ("none", row["seed"], row["fold"]) in of]
        if own:
            gains = [float(row["accuracy"]) - float(of["none", row["seed"], row["fold"]]["accuracy"]) for row in own]
            pictures = sum(int(row["pictures"]) for row in own)
            accuracy = sum(float(row["accuracy"]) * int(row["pictures"]) for row in own) / pictures
            counts = f"{sum(gain > 0 for gain in gains)}, {sum(gain < 0 for gain in gains)}"
            seeds, stress = len({row["seed"] for row in own}), fmean(float(row["under_stress"]) for row in own)
            lines.append(f"| {name} | {seeds} | {accuracy:.2%} | {100 * fmean(gains):+.2f} | {counts} | {stress:.1%} |")
    text = TEXT.format(table="\n".join(lines), every=EVERY, epochs=EPOCHS)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
