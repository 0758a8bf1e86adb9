"""A run directory says why it cannot be gone on with, and loses nothing on a kill."""

import json
import os
import shutil

import pytest

from fastdigits import InputError, finetune
from fastdigits.runs.directory import Run

TINY = "test_resnet"
QUICK = {"weights": "none", "size": 16, "batch_size": 32, "lr": 5e-3}


def test_runs_that_cannot_go_on(tmp_path, folder, run):
    started = tmp_path / "run"
    shutil.copytree(run, started)
    options = QUICK | {"epochs": 2, "out": started, "resume": True}

    def error_of(**changes) -> str:
        with pytest.raises(InputError) as caught:
            finetune(TINY, changes.pop("data", folder), **(options | changes))
        return str(caught.value)

    assert error_of() == (
        f"{started} is finished, so there is nothing to resume; to train its model further, pass --weights {started} "
        "--out NEW instead of --resume"
    )
    (started / "result.json").unlink()
    assert error_of(epochs=3).startswith(f"{started} was started with epochs = 2, not 3; resume with the options")
    record = json.loads((started / "run.json").read_text())
    (started / "run.json").write_text(json.dumps(record | {"data_digest": "0"}))
    assert error_of() == f"the data of {started} have changed since it was started; start anew, at another --out"
    (started / "run.json").write_text("{")
    assert error_of() == f"{started}/run.json is damaged; start the run again with --overwrite"
    assert error_of(resume=False) == f"{started} exists already; pass --overwrite to replace it or name another output"
    other = tmp_path / "photos"
    other.mkdir()
    (other / "holiday.png").touch()
    message = f"{other} holds other things (no run.json), so it is not replaced; name another output"
    assert error_of(resume=False, overwrite=True, out=other) == message
    assert (other / "holiday.png").exists()


def test_a_result_is_missing_or_damaged(tmp_path):
    with pytest.raises(InputError, match=r"result.json does not exist; is .* a finished run\?"):
        Run(tmp_path).result()


def test_a_kill_between_the_two_checkpoints_loses_nothing(tmp_path, run, monkeypatch):
    """The best one is written first, so the last never promises a best that is not there."""
    copied = Run(tmp_path / "run")
    shutil.copytree(run, copied.path)
    before = copied.read_checkpoint()
    state = before | {"history": [*before["history"], {"epoch": 3}]}
    replace = os.replace

    def die_before_last(source, target):
        if target == copied.last_checkpoint:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", die_before_last)
    with pytest.raises(KeyboardInterrupt):
        copied.write_checkpoint(state, best=True)
    assert len(copied.read_checkpoint(best=True)["history"]) == 3
    assert len(copied.read_checkpoint()["history"]) == 2
