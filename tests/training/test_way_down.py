"""From the command to fastai there are few steps, and each of them decides something."""

import traceback
from pathlib import Path

import pytest

import fastdigits
from fastdigits import finetune, train

PACKAGE = Path(fastdigits.__file__).parent


def way_down(command, name: str, folder: Path, out: Path) -> list[str]:
    """The functions of ours between the call of a command and fastai's fit."""
    found = []

    def look(row: dict) -> None:
        for frame in traceback.extract_stack():
            path = Path(frame.filename)
            if "fastai" in path.parts:
                return
            if PACKAGE in path.parents:
                found.append(f"{path.relative_to(PACKAGE).with_suffix('')}.{frame.name}")

    command(name, folder, epochs=1, size=16, weights="none", lr=5e-3, out=out, on_epoch=look)
    return found


@pytest.mark.parametrize(("command", "name"), [(finetune, "test_resnet"), (train, "dnn-he")])
def test_few_functions_pass_a_training_on(command, name, folder, tmp_path):
    assert way_down(command, name, folder, tmp_path / "run") == [
        "commands/taking.command",  # binds the arguments
        f"commands/{command.__name__}.{command.__name__}",  # chooses the way of training
        "training/fitting.fit",  # one run, or one for each fold
        "training/run.fit_run",  # begins or goes on, ends with the result
        "training/stages.fit_stages",  # from the checkpoint, through all stages, whatever ends them
        "training/stages.fit_stage",  # rates and schedule
    ]
