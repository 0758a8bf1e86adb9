"""`python -m benchmarks.gpu`: whether everything works on this machine's GPU, and how fast; eight minutes at most.

Checks of what is written for a GPU, one after the other; one that fails is told and does not stop the others. Rates and
seconds go into `results.csv`, all of it into `docs/results/gpu.md`. `--tiny` runs every check on whatever device there
is, with few rows, and keeps nothing: for the program itself.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from . import serving, training
from .__main__ import first_rows
from .measuring import Measurement, machine, medians, replace_rows, take_turns

PAGE = Path("docs", "results", "gpu.md")
LIMIT_S = 480
GOALS = (0.99, 0.994)
MOST_DIFFERENT = 1e-2  # of a loss or a probability, by the order of sums and by TF32
PRECISIONS = ("fp32", "bf16", "fp16")
TEXT = """# On a GPU

Written by `python -m benchmarks.gpu` on {device}, torch {torch}, in {seconds:.0f} seconds.

| check | what came of it |
|---|---|
{lines}
"""


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Attributes
    ----------
    rows : int
        Of MNIST's training table, of which `valid` are kept apart; 0 is all.
    valid : int
    epochs : int
        Of a training to the goals.
    seeds : tuple of int
    requests : int
    """

    rows: int = 0
    valid: int = 9_000
    epochs: int = 8
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    requests: int = 2_000


TINY = Sizes(rows=600, valid=200, epochs=2, seeds=(1,), requests=20)


@dataclass(frozen=True)
class Place:
    """Where a check works: the image folder, its table, a folder for what it makes, and how much it does."""

    folder: Path
    table: Path
    work: Path
    sizes: Sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="holds mnist/")
    parser.add_argument("--tiny", action="store_true", help="few rows, any device; nothing is kept")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/")
    import torch

    if not chosen.tiny and not torch.cuda.is_available():
        sys.exit("no GPU is here; --tiny runs the checks on the CPU with few rows, and keeps nothing")
    started = time.perf_counter()
    with TemporaryDirectory() as work:
        place = prepared(chosen.data / "mnist" / "train.csv.gz", Path(work), TINY if chosen.tiny else Sizes())
        told, found = run_checks(place)
    seconds = time.perf_counter() - started
    lines = "\n".join(f"| {name} | {what} |" for name, what in told)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else machine()["device"]
    page = TEXT.format(device=device, torch=torch.__version__, seconds=seconds, lines=lines)
    print(page)
    if any(what.startswith("FAILED") for _, what in told):
        sys.exit("some checks failed, so nothing is kept")
    if not chosen.tiny:
        replace_rows(found)
        PAGE.write_text(page, encoding="utf-8")
        if seconds > LIMIT_S:
            sys.exit(f"it took {seconds:.0f} s, longer than the {LIMIT_S} s that it may")


def prepared(table: Path, work: Path, sizes: Sizes) -> Place:
    """The image folder that the checks train on."""
    from fastdigits import convert

    rows = first_rows(table, sizes.rows, work) if sizes.rows else table
    folder = convert(rows, work / "digits", valid=sizes.valid).path
    return Place(folder, rows, work, sizes)


def run_checks(place: Place, names: Iterable[str] = ()) -> tuple[list[tuple[str, str]], list[Measurement]]:
    """What came of each check, or of those named, in words, and what was measured."""
    told, found = [], []
    for name in names or CHECKS:
        begun = time.perf_counter()
        try:
            what, *measured = CHECKS[name](place)
            found += [one for part in measured for one in part]
        except Exception as error:
            print(f"{name}: {error!r}", flush=True)
            what = f"FAILED: {type(error).__name__}"
        told.append((name, f"{what} ({time.perf_counter() - begun:.0f} s)"))
        print(f"{name}: {told[-1][1]}", flush=True)
    return told, found


def quickstart(place: Place) -> tuple[str]:
    """The whole job by one command."""
    from fastdigits import quickstart

    return (f"accuracy {quickstart(place.work / 'quickstart').test_accuracy:.2%} on the test rows",)


def precisions(place: Place) -> tuple[str]:
    """The same training in each precision."""
    from fastdigits import train

    accuracies = []
    for precision in PRECISIONS:
        if precision == "fp16" and not _on_gpu():
            continue
        run = train("digitnet", place.folder, epochs=2, precision=precision, seed=1, out=place.work / precision)
        accuracies.append(f"{precision} {run.result['accuracy']:.2%}")
    return (f"two epochs of digitnet: {', '.join(accuracies)}",)


def resident(place: Place) -> tuple[str]:
    """Whether the decoded pictures lie on the device, where batches are cut out of them."""
    from fastdigits import find_backbone, read_folder
    from fastdigits.training import prepare_learner

    options = {"weights": "none", "batch_size": 64, "augment": "medium", "scaling": "standardise", "optimizer": "adamw"}
    learner = prepare_learner(find_backbone("digitnet"), read_folder(place.folder), **options).learner
    x, _ = learner.dls.train.one_batch()
    _demand(x.is_cuda == _on_gpu(), f"a batch is on {x.device}")
    return (f"a batch of {tuple(x.shape)} on {x.device}; the network on {next(learner.model.parameters()).device}",)


def killed(place: Place) -> tuple[str]:
    """A training that is killed after an epoch and gone on with, beside one that is not."""
    from fastdigits.runs import Run

    rows = []
    for name in ("whole", "killed"):
        out = place.work / name
        command = [sys.executable, "-m", "fastdigits", "train", "digitnet", place.folder]
        command += ["--epochs", "3", "--seed", "1", "--out", out]
        if name == "killed":
            process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)
            while process.poll() is None and not Run(out).last_checkpoint.exists():
                time.sleep(0.05)
            process.kill()
            process.wait()
            command.append("--resume")
        subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
        rows.append([row["valid_loss"] for row in Run(out).history()])
    difference = float(np.abs(np.subtract(*rows)).max())
    _demand(difference < MOST_DIFFERENT, f"losses differ by {difference:.1e}")
    same = "the same losses" if not difference else f"losses differ by {difference:.1e} at most"
    return (f"killed after the first of three epochs, and resumed: {same}",)


def predictions(place: Place) -> tuple[str, list[Measurement]]:
    """Rates of digitnet-mnist, once and with test-time augmentation."""
    from fastdigits import open_model, read_folder
    from fastdigits.answers import Inference
    from fastdigits.folders import TRAIN, split_images

    images = split_images(read_folder(place.folder), TRAIN, 28)
    found, told = [], []
    for case, tta in (("digitnet", False), ("digitnet, test-time augmentation", True)):
        inference = Inference([open_model("digitnet-mnist")], tta=tta)
        for number in range(3):
            started = time.perf_counter()
            inference.probabilities(images)
            rate = len(images) / (time.perf_counter() - started)
            found.append(Measurement("gpu", f"predict {case}", "fastdigits", number, rate, "pictures/s"))
        told.append(f"{case} {rate:,.0f} pictures/s on {inference.device}")
    return "; ".join(told), found


def served(place: Place) -> tuple[str, list[Measurement]]:
    """Many requests at a time, which the server answers in batches."""
    bodies = serving.pictures(place.table, place.sizes.requests)
    with serving.running_server() as (host, port):
        rate = serving.load(host, port, bodies).rate
    found = [Measurement("gpu", "serve digitnet-mnist", "fastdigits", 0, rate, "requests/s")]
    return f"{rate:,.0f} requests/s", found


def scored(place: Place) -> tuple[str]:
    """evaluate, report and the ONNX export of a run, the graph also by onnxruntime's CUDA provider if it is there."""
    import onnxruntime

    from fastdigits import evaluate, export, open_model, read_folder, report, train
    from fastdigits.folders import VALID, split_images

    run = train("digitnet", place.folder, epochs=1, out=place.work / "scored").run.path
    accuracy = evaluate(run, place.folder).accuracy
    report([str(run)], out=place.work / "report.html")
    export(run, place.work / "onnx", to="onnx")
    told = (
        f"accuracy {accuracy:.2%}, report of {(place.work / 'report.html').stat().st_size / 1e6:.1f} MB, ONNX checked"
    )
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return (f"{told}; onnxruntime has no CUDA provider here",)
    images = split_images(read_folder(place.folder), VALID, 28)[:256]
    session = onnxruntime.InferenceSession(place.work / "onnx" / "model.onnx", providers=["CUDAExecutionProvider"])
    _demand(session.get_providers()[0] == "CUDAExecutionProvider", f"it runs on {session.get_providers()[0]}")
    on_gpu = session.run(["probabilities"], {"images": images})[0]
    difference = float(np.abs(on_gpu - open_model(place.work / "onnx").probabilities(images)).max())
    _demand(difference < MOST_DIFFERENT, f"probabilities differ by {difference:.1e}")
    return (f"{told}; on CUDA probabilities differ by {difference:.1e} at most",)


def against_ready_batches(place: Place) -> tuple[str, list[Measurement]]:
    """ResNet-50 at 32 pixels beside the same network over one batch that is ready."""
    batch, steps = (256, 40) if _on_gpu() else (8, 2)
    task = str(place.folder), "resnet50", batch, steps
    contenders = {"limit": (training.limit, *task), "fastdigits": (training.fastdigits, *task)}
    found = take_turns("gpu", f"resnet50, batch {batch}", contenders, rounds=3 if _on_gpu() else 1)
    (rates,) = medians(found, "gpu").values()
    return (
        f"{rates['fastdigits']:,.0f} of {rates['limit']:,.0f} pictures/s: {rates['fastdigits'] / rates['limit']:.2f}",
        found,
    )


def goals(place: Place) -> tuple[str, list[Measurement]]:
    """Seconds of training after which digitnet is first as good as each goal, start-up not counted."""
    from fastdigits import train

    found, told = [], []
    for seed in place.sizes.seeds:
        how = {"epochs": place.sizes.epochs, "augment": "none", "batch_size": 256, "seed": seed}
        run = train("digitnet", place.folder, **how, out=place.work / f"goal{seed}").run
        epochs = run.history()
        seconds = list(accumulate(row["seconds"] for row in epochs))
        for goal in GOALS:
            reached = (s for s, row in zip(seconds, epochs) if row["accuracy"] >= goal)
            first = next(reached, None)
            if first is not None:
                found.append(Measurement("gpu", f"digitnet to {goal:.1%}", "fastdigits", seed, first, "s"))
    for goal in GOALS:
        times = [row.value for row in found if row.case == f"digitnet to {goal:.1%}"]
        reached = f"{min(times):.1f} .. {max(times):.1f} s" if times else "not reached"
        told.append(f"{goal:.1%}: {reached} ({len(times)} of {len(place.sizes.seeds)} seeds)")
    return "; ".join(told), found


def memory(_: Place) -> tuple[str]:
    """The most that this process held on the device."""
    import torch

    if not _on_gpu():
        return ("no GPU, so nothing on it",)
    return (f"at most {torch.cuda.max_memory_allocated() / 2**20:,.0f} MiB on the device",)


def _demand(is_so: bool, otherwise: str) -> None:
    """RuntimeError, by which a check fails, unless it is so."""
    if not is_so:
        raise RuntimeError(otherwise)


def _on_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


CHECKS: dict[str, Callable[[Place], tuple]] = {
    "quickstart": quickstart,
    "decoded pictures on the device": resident,
    "precisions": precisions,
    "killed and resumed": killed,
    "predict": predictions,
    "serve": served,
    "evaluate, report, ONNX": scored,
    "ResNet-50 against its ready batches": against_ready_batches,
    "to the goals": goals,
    "memory": memory,
}

if __name__ == "__main__":
    main()
