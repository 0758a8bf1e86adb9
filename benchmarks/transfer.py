"""`python -m benchmarks.transfer`: does staged unfreezing help digits? MNIST -> Kannada, the same epochs three ways.

Head first and then all with small rates for the first layers (fastai's way); all from the start at one rate; all from
the start at rates that fall towards the first layers. Scored on writers never seen. Restartable: docs/transfer.csv.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from fastdigits import convert, finetune
from fastdigits.runs import Run

from .kept import append_row, kept_rows, mean_and_deviation
from .measuring import machine
from .table import replace_between

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "transfer.csv"
SEEDS = (1, 2, 3)
EPOCHS = 4
FIRST_ROWS, KANNADA_ROWS = 10_000, 5_000
NETWORKS = {"digitnet": 0.01, "resnet18": 0.004}  # peak rate of the head
WAYS = {
    "head first, then rates down to a hundredth": {"head_epochs": 1, "epochs": EPOCHS - 1, "lr_mult": 100},
    "head first, then one rate": {"head_epochs": 1, "epochs": EPOCHS - 1, "lr_mult": 1},
    "all from the start, one rate": {"head_epochs": 0, "epochs": EPOCHS, "lr_mult": 1},
    "all from the start, rates down to a tenth": {"head_epochs": 0, "epochs": EPOCHS, "lr_mult": 10},
    "from nothing": {"weights": "none", "epochs": EPOCHS},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "transfer", help="folders and runs")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    kannada = first_rows(chosen.data / "kannada", KANNADA_ROWS, chosen.work)
    for network, lr in NETWORKS.items():
        start = started_on_mnist(network, chosen.data, chosen.work)
        for way, options in WAYS.items():
            for seed in SEEDS:
                if (network, way, str(seed)) not in done():
                    began = time.perf_counter()
                    given = {"weights": start, "lr": lr, **options}
                    run = finetune(network, kannada, **given, seed=seed, out=chosen.work / "run", overwrite=True)
                    keep(network, way, seed, run.result["accuracy"], time.perf_counter() - began)
    write_table()


def first_rows(table: Path, rows: int, work: Path) -> Path:
    """An image folder of evenly spaced rows, its valid ones of writers of their own where writers are known."""
    import pandas as pd

    folder = work / f"{table.name}-{rows}"
    if not folder.exists():
        work.mkdir(parents=True, exist_ok=True)
        pixels = pd.read_csv(table / "train.csv.gz")
        pixels[:: len(pixels) // rows].to_csv(work / "rows.csv", index=False)
        writers = table / "writers.csv.gz"
        convert(work / "rows.csv", folder, valid=0.2, groups=writers if writers.exists() else None)
    return folder


def started_on_mnist(network: str, data: Path, work: Path) -> str:
    """The network after some epochs of MNIST: the shipped model, or a run."""
    if network == "digitnet":
        return "digitnet-mnist"
    run = Run(work / f"{network}-mnist")
    if not run.finished:
        folder = first_rows(data / "mnist", FIRST_ROWS, work)
        finetune(network, folder, weights="none", lr=NETWORKS[network], epochs=EPOCHS, out=run.path, overwrite=True)
    return str(run.path)


def keep(network: str, way: str, seed: int, accuracy: float, seconds: float) -> None:
    """Add one row to docs/transfer.csv."""
    row = {"network": network, "way": way, "seed": seed, "accuracy": f"{accuracy:.4f}"}
    row |= {"seconds": f"{seconds:.1f}", **machine()}
    append_row(RESULTS, row)
    print(f"{network} · {way} · seed {seed} · {accuracy:.2%} · {seconds:.0f} s", flush=True)


def done() -> set[tuple[str, str, str]]:
    return {(row["network"], row["way"], row["seed"]) for row in kept_rows(RESULTS)}


def write_table() -> None:
    """The table: mean accuracy and deviation over the seeds."""
    lines = ["| way | " + " | ".join(NETWORKS) + " |", "|" + "---|" * (len(NETWORKS) + 1)]
    for way in WAYS:
        lines.append(f"| {way} | " + " | ".join(cell(network, way) for network in NETWORKS) + " |")
    replace_between("transfer", "\n".join(lines))


def cell(network: str, way: str) -> str:
    """`98.1 ± 0.1`, in percent."""
    rows = [row for row in kept_rows(RESULTS) if (row["network"], row["way"]) == (network, way)]
    return mean_and_deviation(rows, 2)


if __name__ == "__main__":
    main()
