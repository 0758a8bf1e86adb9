"""(f) Time to an accuracy on held-out rows, from nothing; and whether the fast path changes the accuracy."""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from .measuring import Measurement

GOAL = 0.994
OURS = {"arch": "conv-elu", "epochs": 14, "lr": 0.01}
FASTAI_EPOCHS = 3
PATH_SEEDS, PATH_EPOCHS = (1, 2, 3), 4
FAST_SEEDS = (1, 2, 3)
FAST_LENGTHS = {
    "0.1 minutes of training": ["--minutes", "0.1"],
    "1 epoch": ["--epochs", "1"],
    "2 epochs": ["--epochs", "2"],
}


def measure_goal(folder: Path) -> list[Measurement]:
    """Minutes of training after which each contender's valid accuracy is first above the goal, and that accuracy."""
    found = []
    for name, train in (("fastdigits conv-elu", train_ours), ("plain fastai ResNet-18", train_fastai)):
        history = train(folder)
        reached = next((k for k, (_, accuracy) in enumerate(history) if accuracy >= GOAL), None)
        for epoch, (seconds, accuracy) in enumerate(history):
            found.append(Measurement("goal", f"{name}, seconds", f"epoch {epoch + 1}", 0, seconds, "s"))
            found.append(Measurement("goal", f"{name}, accuracy", f"epoch {epoch + 1}", 0, accuracy, "share"))
        said = "not reached" if reached is None else f"{history[reached][0] / 60:.1f} min"
        print(f"goal · {name} · {GOAL:.1%} after {said}, {history[-1][1]:.2%} at the end", flush=True)
    return found


def train_ours(folder: Path) -> list[tuple[float, float]]:
    """(seconds since the start, valid accuracy) by epoch of `finetune`, start-up included."""
    from fastdigits.runs import Run

    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "fastdigits", "finetune", OURS["arch"], str(folder), "--weights", "none"]
        command += ["--epochs", str(OURS["epochs"]), "--lr", str(OURS["lr"]), "--out", f"{work}/run"]
        started = time.perf_counter()
        subprocess.run(command, check=True)
        whole = time.perf_counter() - started
        history = Run(Path(work, "run")).history()
    before = whole - sum(row["seconds"] for row in history)  # imports, decoding, the saved model at the end
    seconds, found = before, []
    for row in history:
        seconds += row["seconds"]
        found.append((seconds, row["accuracy"]))
    return found


def train_fastai(folder: Path) -> list[tuple[float, float]]:
    """The same for a notebook's ResNet-18: PNG files, Resize, aug_transforms, one cycle."""
    from fastai.callback.core import Callback

    from .training import notebook_learner

    started, found = time.perf_counter(), []

    class Clock(Callback):
        order = 60  # after the Recorder

        def after_epoch(self):
            found.append((time.perf_counter() - started, float(self.recorder.final_record[-1])))
            print(f"plain fastai · epoch {self.epoch + 1} · {found[-1][0]:.0f} s · {found[-1][1]:.4f}", flush=True)

    learner = notebook_learner(str(folder), "resnet18", 64)
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(FASTAI_EPOCHS, 2e-3, cbs=Clock())
    return found


def measure_fast(table: Path) -> list[Measurement]:
    """From the csv to a trained network by two commands, all included, and its accuracy on the rows held out, 15 %."""
    found = []
    for length, flags in FAST_LENGTHS.items():
        for seed in FAST_SEEDS:
            with tempfile.TemporaryDirectory() as work:
                begin = [sys.executable, "-m", "fastdigits"]
                options = [*flags, "--seed", str(seed), "--out", f"{work}/run"]
                started = time.perf_counter()
                subprocess.run([*begin, "convert", str(table), f"{work}/digits", "--valid", "0.15"], check=True)
                subprocess.run([*begin, "train", "digitnet-fast", f"{work}/digits", *options], check=True)
                seconds = time.perf_counter() - started
                result = json.loads(Path(work, "run", "result.json").read_text())
            case = f"csv to digitnet-fast, {length}"
            found.append(Measurement("fast", f"{case}, seconds", "fastdigits", seed, seconds, "s"))
            found.append(Measurement("fast", f"{case}, accuracy", "fastdigits", seed, result["accuracy"], "share"))
            print(f"fast · {case} · seed {seed} · {seconds:.1f} s · {result['accuracy']:.2%}", flush=True)
    return found


def measure_paths(folder: Path) -> list[Measurement]:
    """Valid accuracy after training from decoded pictures and from files, three seeds each."""
    from fastdigits import finetune

    found = []
    for number, seed in enumerate(PATH_SEEDS):
        for name in ("decoded", "files"):
            # no user chooses between the two, so that there is no option; pictures above the limit are read as files
            by_file = patch("fastdigits.folders.decoded.LARGEST_PX", 0) if name == "files" else nullcontext()
            with tempfile.TemporaryDirectory() as work, by_file:
                options = {"weights": "none", "epochs": PATH_EPOCHS, "lr": 0.01, "seed": seed}
                result = finetune("conv-elu", folder, out=Path(work, "run"), **options).result
            found.append(Measurement("paths", "conv-elu", name, number, result["accuracy"], "share"))
            print(f"paths · seed {seed} · {name} · {result['accuracy']:.2%}", flush=True)
    return found
