"""`python -m benchmarks.digitnet [mnist|kannada ...]`: train the shipped models from their training rows alone.

Each table is trained twice by the same commands: on all of its rows, which is what is shipped, and on the part whose
writers (of MNIST: whose rows) are kept apart, by which it is scored and its confidence calibrated. Restartable.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from fastdigits import open_model, read_folder
from fastdigits.models import WEIGHTS, SavedModel, read_saved
from fastdigits.runs import Run
from fastdigits.training import model_card

TABLES = {"mnist": [], "kannada": ["--groups", "writers.csv.gz"]}  # options of convert for the part kept apart
SEED = 1
# beside the recipe's own, as held-out rows and the stress set chose them (docs/lab_log.md)
TRAINING = {"mnist": ["--augment", "medium", "--epochs", "24", "--styles", "--reject"], "kannada": ["--reject"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=list(TABLES), help="mnist, kannada; both by default")
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--work", type=Path, default=Path("runs", "digitnet"), help="folders and runs")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    for table in chosen.tables:
        whole, part = folders_of(table, chosen.data, chosen.work)
        scored = train(table, part, chosen.work)  # first: it tells whether the other is worth its time
        ship(table, train(table, whole, chosen.work), scored, part)


def folders_of(table: str, data: Path, work: Path) -> tuple[Path, Path]:
    """Image folders of all rows, and of rows of which some are kept apart."""
    source = data / table
    whole, part = work / f"{table}-all", work / f"{table}-apart"
    apart = [str(source / option) if option.endswith(".gz") else option for option in TABLES[table]]
    for folder, options in ((whole, ["--valid", "0"]), (part, apart)):
        if not folder.exists():
            fastdigits("convert", str(source / "train.csv.gz"), str(folder), *options)
    return whole, part


def train(table: str, folder: Path, work: Path) -> Run:
    """The finished run of the recipe `digitnet` on a folder."""
    run = Run(work / f"run-{folder.name}")
    if not run.finished:
        how = ["--resume"] if run.record_file.exists() else []
        place = ["--seed", str(SEED), "--out", str(run.path)]
        fastdigits("train", "digitnet", str(folder), *TRAINING[table], *place, *how)
    return run


def fastdigits(*arguments: str) -> None:
    print("$ fastdigits", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "fastdigits", *arguments], check=True)


def ship(table: str, whole: Run, part: Run, part_folder: Path) -> None:
    """Write the shipped digitnet-TABLE: the model of all rows in fp16, with the confidence that the other one has."""
    saved, scored = open_model(whole.path), open_model(part.path)
    saved.temperature, saved.reject, saved.normalise = scored.temperature, scored.reject, True
    saved.card = card_of(saved, whole, part, part_folder)
    saved.module.half()
    place = WEIGHTS / f"digitnet-{table}"
    place.mkdir(parents=True, exist_ok=True)
    saved.write(place)
    read_saved(place)
    print(f"{place}: {sum(file.stat().st_size for file in place.iterdir()):,} bytes")


def card_of(saved: SavedModel, whole: Run, part: Run, part_folder: Path) -> str:
    """The card of the model that is shipped, with the scores of the one that was trained on a part."""
    from fastdigits.scores import read_answers

    folder = read_folder(whole.record()["data"])
    evaluation = read_answers(part).evaluation(f"{part_folder.name} (valid)")
    return model_card(saved, folder, whole.record(), whole.result(), evaluation, of_second=True)


if __name__ == "__main__":
    main()
