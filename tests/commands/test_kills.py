"""Kill -9 at random moments, twenty times each: what was finished is kept, the end is that of an undisturbed run."""

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fastdigits import InputError, convert, export, finetune, open_model
from fastdigits.runs.directory import Run

pytestmark = pytest.mark.slow
KILLS = 20
TINY = "test_resnet"
# processes that have loaded all libraries and have no threads yet, so that most of their life is work
SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(
    ["fastai.vision.all", "fastdigits.commands.finetune", "fastdigits.commands.convert", "fastdigits.commands.export"]
)


@pytest.fixture(scope="module", autouse=True)
def loaded_libraries():
    """Before anything is timed: kills at random moments of the loading would mostly come too late."""
    assert run_or_kill(None, time.sleep, 0) == 0


def quietly(function: Callable, *arguments, **options) -> None:
    """In a process of its own: call the function, its output thrown away; exit code 2 for a user's mistake."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        function(*arguments, **options)
    except InputError:
        os._exit(2)


def run_or_kill(after_s: float | None, function: Callable, *arguments, **options) -> int:
    """The exit code of a process that calls the function; -9 when it was killed after so many seconds."""
    process = SPAWN.Process(target=quietly, args=(function, *arguments), kwargs=options)
    process.start()
    process.join(after_s)
    process.kill()
    process.join()
    return process.exitcode


def duration_s(function: Callable, *arguments, **options) -> float:
    started = time.monotonic()
    assert run_or_kill(None, function, *arguments, **options) == 0
    return time.monotonic() - started


def contents(folder: Path) -> dict[str, str]:
    """sha256 of each file of a folder by its path in it."""
    if folder.is_file():
        return {"": hashlib.sha256(folder.read_bytes()).hexdigest()}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def what_is_left(out: Path) -> set[str]:
    return {path.name for path in out.parent.iterdir() if path.name.startswith(f".{out.name}.")}


def test_convert(tmp_path, table_file):
    whole, out = tmp_path / "whole", tmp_path / "out"
    takes_s = duration_s(convert, table_file, whole, valid=0.2)
    rng, kills = random.Random(0), 0
    while kills < KILLS:
        code = run_or_kill(rng.uniform(0, takes_s), convert, table_file, out, valid=0.2, overwrite=True)
        assert code in (0, -9)
        kills += code == -9
        # the folder is there whole, old or new, or not at all
        assert not out.exists() or contents(out).keys() == contents(whole).keys()
    assert run_or_kill(None, convert, table_file, out, valid=0.2, overwrite=True) == 0
    assert contents(out) == contents(whole)
    assert what_is_left(out) == set()


@pytest.fixture(scope="module")
def body(tmp_path_factory, folder) -> Path:
    """Weights to transfer, whose head knows other classes."""
    out = tmp_path_factory.mktemp("body") / "run"
    finetune(TINY, folder, weights="none", epochs=1, size=16, lr=5e-3, out=out)
    path = out.parent / "body.safetensors"
    shutil.copyfile(out / "model.safetensors", path)
    return path


def history_of(run: Path) -> list[dict]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in Run(run).history()]


def test_finetune(tmp_path, folder, body):
    """In both stages, while checkpoints, figures and results are written."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    options = {"weights": str(body), "head_epochs": 2, "epochs": 3, "size": 16, "batch_size": 32, "lr": 5e-3}
    takes_s = duration_s(finetune, TINY, folder, out=whole, **options)
    rng, kills, ends = random.Random(1), 0, 0
    while kills < KILLS or not ends:
        begun = (out / "run.json").exists()
        after_s = rng.uniform(0, takes_s) if kills < KILLS else None
        code = run_or_kill(after_s, finetune, TINY, folder, out=out, resume=begun, overwrite=not begun, **options)
        assert code in (0, -9)
        kills += code == -9
        if (out / "result.json").exists():  # finished, though perhaps killed right after
            ends += 1
            assert history_of(out) == history_of(whole)
            assert contents(out)["model.safetensors"] == contents(whole)["model.safetensors"]
            assert contents(out)["valid_predictions.csv"] == contents(whole)["valid_predictions.csv"]
            shutil.rmtree(out)
        elif (out / "checkpoints" / "last.pt").exists():
            assert Run(out).read_checkpoint()["history"]  # never half a checkpoint
    assert what_is_left(out) <= {".out.lock"}  # of a process that was killed after its last word


@pytest.mark.parametrize("to", ["model", "learner"])
def test_export(tmp_path, run, to):
    out = tmp_path / "out"
    takes_s = duration_s(export, str(run), tmp_path / "whole", to=to)
    rng, kills = random.Random(3), 0
    while kills < KILLS:
        code = run_or_kill(rng.uniform(0, takes_s), export, str(run), out, to=to, overwrite=True)
        assert code in (0, -9)
        kills += code == -9
        if out.exists() and to == "model":  # there whole, old or new
            assert open_model(out).classes == json.loads((run / "model.json").read_text())["classes"]
    assert run_or_kill(None, export, str(run), out, to=to, overwrite=True) == 0
    assert contents(out).keys() == contents(tmp_path / "whole").keys()
    assert what_is_left(out) == set()
