"""`python -m benchmarks.tuning`: does a search beat the untuned recipe on rows that it never saw, killed on the way?

30 Hyperband trials of conv3-pool on 10,000 rows of MNIST, two workers on one storage, the whole command killed twice
with SIGKILL and started again. Then the winner and the untuned recipe are trained on the same 10,000 rows, with three
seeds, and scored on 20,000 others.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean

from fastdigits import convert, evaluate

from .__main__ import first_rows

RECIPE, ROWS, OTHERS, EPOCHS, TRIALS = "conv3-pool", 10_000, 20_000, 9, 30
KILLED_AFTER = (6, 16)  # trials
SEEDS = (11, 12, 13)
RESULT = Path(__file__).parent.parent / "docs" / "tuning.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="holds mnist/")
    parser.add_argument("--work", type=Path, default=Path("runs", "tuning"), help="folders and runs")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/")
    work = chosen.work
    work.mkdir(parents=True, exist_ok=True)
    folder, others = work / "rows", work / "others.csv"
    if not folder.exists():
        convert(first_rows(chosen.data / "mnist" / "train.csv.gz", ROWS, work), folder, valid=0.2)
    if not others.exists():
        lines = first_rows(chosen.data / "mnist" / "train.csv.gz", ROWS + OTHERS, work).read_text().splitlines(True)
        others.write_text("".join([lines[0], *lines[-OTHERS:]]))
    study = work / "study"
    command = ["tune", RECIPE, str(folder), "--trials", str(TRIALS), "--epochs", str(EPOCHS), "--workers", "2"]
    command += ["--sampler", "tpe", "--pruner", "hyperband", "--out", str(study)]
    search(command, study)
    result = json.loads((study / "result.json").read_text())
    scores = {
        "winner": [score(shlex.split(result["command"])[1:], seed, others, work, "winner") for seed in SEEDS],
        "untuned": [
            score(["train", RECIPE, str(folder), "--epochs", str(EPOCHS)], seed, others, work, "untuned")
            for seed in SEEDS
        ],
    }
    found = {
        "recipe": RECIPE,
        "trials": result["trials"],
        "pruned": result["pruned"],
        "failed": result["failed"],
        "kills": len(KILLED_AFTER),
        "workers": 2,
        "best_values": result["best_values"],
        "valid_accuracy_that_chose": result["best_value"],
        "in_fresh_folds": {"winner": result["winner"], "untuned": result["untuned"]},
        "on_other_rows": {name: {"mean": mean(values), "seeds": values} for name, values in scores.items()},
        "rows": ROWS,
        "other_rows": OTHERS,
    }
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def search(command: list[str], study: Path) -> None:
    """The search, killed after some trials and started again; one that is finished is left alone."""
    whole = [sys.executable, "-m", "fastdigits", *command]
    for trials in KILLED_AFTER:
        if ended(study) >= trials:
            continue
        process = subprocess.Popen(whole)
        while ended(study) < trials:
            time.sleep(1)
        process.kill()
        process.wait()
        print(f"killed after {ended(study)} trials", flush=True)
    if not (study / "result.json").exists():
        subprocess.run(whole, check=True)


def ended(study: Path) -> int:
    """How many trials have ended: their checkpoints are gone."""
    runs = [path for path in (study / "trials").glob("[0-9]*") if path.is_dir()]
    return sum((run / "history.csv").exists() and not (run / "checkpoints").exists() for run in runs)


def score(command: list[str], seed: int, others: Path, work: Path, name: str) -> float:
    """Accuracy on the other rows of what the command trains with a seed."""
    out = work / f"{name}-{seed}"
    if "--seed" in command:
        command = command[: command.index("--seed")]
    if not (out / "result.json").exists():
        options = ["--seed", str(seed), "--out", str(out), "--overwrite"]
        subprocess.run([sys.executable, "-m", "fastdigits", *command, *options], check=True)
    return evaluate(str(out), str(others)).accuracy


if __name__ == "__main__":
    main()
