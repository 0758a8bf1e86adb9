"""`python -m benchmarks.digitnet [NAME ...]`: train the shipped models from their training rows alone.

Each is trained twice by the same commands: on all rows of its table, which is what is shipped, and on the part whose
writers (of MNIST: whose rows) are kept apart, by which it is scored and its confidence calibrated; the second with
several seeds where a mean is asked for. Restartable.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from fastdigits import open_model, read_folder
from fastdigits.models import WEIGHTS, SavedModel, read_saved, write_quick
from fastdigits.runs import Run
from fastdigits.training import model_card

TABLES = {"mnist": [], "kannada": ["--groups", "writers.csv.gz"]}  # who wrote each row, as options of convert


@dataclass(frozen=True)
class Shipped:
    """A model to ship: its network, table, options that are not the recipe's, and seeds, of which the first ships."""

    network: str
    table: str
    options: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (1,)


MUON = ("--optimizer", "muon", "--lr", "0.02", "--epochs", "20")
# as held-out rows, the stress set and drawn styles chose them (docs/lab_log.md)
MODELS = {
    "digitnet-mnist": Shipped("digitnet", "mnist", ("--augment", "medium", "--styles", "--reject", *MUON)),
    "digitnet-kannada": Shipped("digitnet", "kannada", ("--augment", "medium", "--reject")),
    "digitnet-tiny-mnist": Shipped("digitnet-tiny", "mnist", seeds=(1, 2, 3, 4, 5)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MODELS), help=f"{', '.join(MODELS)}; all by default")
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--work", type=Path, default=Path("runs", "digitnet"), help="folders and runs")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    for name in chosen.names:
        model = MODELS[name]
        whole, part = folders_of(model.table, chosen.data, chosen.work)
        scored = [train(model, seed, part, chosen.work) for seed in model.seeds]  # is the other worth its time?
        accuracies = [run.result()["accuracy"] for run in scored]
        spread = f" +- {stdev(accuracies):.2%}" if len(accuracies) > 1 else ""
        print(f"{name}: {fmean(accuracies):.2%}{spread} on rows kept apart, {len(accuracies)} seeds", flush=True)
        ship(name, train(model, model.seeds[0], whole, chosen.work), scored[0], part)


def folders_of(table: str, data: Path, work: Path) -> tuple[Path, Path]:
    """Image folders of all rows, and of rows of which some are kept apart."""
    source = data / table
    whole, part = work / f"{table}-all", work / f"{table}-apart"
    groups = [str(source / option) if option.endswith(".gz") else option for option in TABLES[table]]
    for folder, options in ((whole, ["--valid", "0", *groups]), (part, groups)):
        if not folder.exists():
            fastdigits("convert", str(source / "train.csv.gz"), str(folder), *options)
    return whole, part


def train(model: Shipped, seed: int, folder: Path, work: Path) -> Run:
    """The finished run of a model's network on a folder, which is begun or gone on with where it is not."""
    run = Run(work / f"{model.network}-{folder.name}-seed{seed}")
    if not run.finished:
        gone_on = ["--resume"] if run.record_file.exists() else []
        how = [*model.options, "--seed", str(seed), "--out", str(run.path)]
        fastdigits("train", model.network, str(folder), *how, *gone_on)
    return run


def fastdigits(*arguments: str) -> None:
    print("$ fastdigits", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "fastdigits", *arguments], check=True)


def ship(name: str, whole: Run, part: Run, part_folder: Path) -> None:
    """Write a shipped model: the one of all rows in fp16, with the confidence and the bounds that the other one has."""
    saved, scored = open_model(whole.path), open_model(part.path)
    saved.temperature, saved.reject, saved.normalise = scored.temperature, scored.reject, True
    saved.outliers, saved.valid = scored.outliers, scored.valid
    saved.card = card_of(saved, whole, part, part_folder)
    saved.module.half()
    place = WEIGHTS / name
    place.mkdir(parents=True, exist_ok=True)
    saved.write(place)
    write_quick(read_saved(place), place)
    print(f"{place}: {sum(file.stat().st_size for file in place.iterdir()):,} bytes")


def card_of(saved: SavedModel, whole: Run, part: Run, part_folder: Path) -> str:
    """The card of the model that is shipped, with the scores of the one that was trained on a part."""
    from fastdigits.scores import read_answers

    folder = read_folder(whole.record()["data"])
    evaluation = read_answers(part).evaluation(f"{part_folder.name} (valid)")
    record = whole.record() | {"notes": part.record()["notes"]}  # which are about the scores, and these are the part's
    return model_card(saved, folder, record, whole.result(), evaluation, of_second=True)


if __name__ == "__main__":
    main()
