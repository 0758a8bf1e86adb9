"""Training by several processes: every row once an epoch, one gradient, exact validation, going on after a kill."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import safetensors.numpy
import torch

from fastdigits import InputError, digit_loaders, read_folder, train
from fastdigits.runs.directory import Run
from fastdigits.system.world import World, shared_batch


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("batch_size", [4, 32, 500])
def test_every_process_has_as_many_steps(size, batch_size):
    """For any number of rows: equally many steps, each row once, never fewer than two rows at a time."""
    for rows in range(2 * size, 400):
        each = shared_batch(rows, batch_size, size)
        shares = [len(range(rank, rows, size)) for rank in range(size)]
        steps = {-(-share // each) for share in shares}
        assert len(steps) == 1
        assert min(share - (steps.copy().pop() - 1) * each for share in shares) >= 2
        if batch_size >= 32:
            assert steps == {1} or each * size <= 1.5 * batch_size + 2 * size


def test_too_few_rows():
    with pytest.raises(InputError, match="7 training rows are too few for 4 processes; start fewer"):
        shared_batch(7, 64, 4)


def test_every_row_is_seen_once(folder):
    """160 training and 40 valid rows in three shares: each row once, in an order that all agree on."""
    found, numbers = {"train": [], "valid": []}, []
    for rank in range(3):
        torch.manual_seed(0)
        import random

        random.seed(0)
        loaders = digit_loaders(read_folder(folder), size=8, mean=[0.0], std=[1.0], batch_size=32, world=World(rank, 3))
        for name in found:
            loader = getattr(loaders, name)
            batches = [x for x, _ in loader]
            assert len(batches) == len(loader)
            found[name].append(torch.cat(batches))
        numbers.append(len(loaders.train))
    assert numbers == [numbers[0]] * 3
    for name in found:
        pictures = torch.cat(found[name]).flatten(1)
        whole = digit_loaders(read_folder(folder), size=8, mean=[0.0], std=[1.0], batch_size=1)
        expected = torch.cat([x for x, _ in getattr(whole, name)]).flatten(1)
        assert sorted(map(tuple, pictures.tolist())) == sorted(map(tuple, expected.tolist()))


def launched(*arguments: str, launcher: tuple[str, ...] = ()) -> list[str]:
    """The command line of two processes on one machine."""
    usual = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    return [*(launcher or usual), "-m", "fastdigits", *map(str, arguments)]


def run_two(*arguments: str, **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        launched(*arguments, **options), capture_output=True, text=True, env=environment, timeout=300, check=False
    )


PLAIN = {"precision": "fp32", "batch_size": 32, "epochs": 3, "seed": 4, "early_stopping": 0, "keep": "last"}


def flags(options: dict) -> list[str]:
    return [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(folder28, tmp_path):
    """Plain SGD without BatchNorm, dropout or augmentation: the same batches, so the same weights."""
    done = run_two("train", "mlp-300-100", folder28, *flags(PLAIN), "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch   1") == 1  # the first process alone speaks
    train("mlp-300-100", folder28, **PLAIN, out=tmp_path / "one")
    one, two = (safetensors.numpy.load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name, weights in one.items():
        assert np.abs(weights - two[name]).max() < 1e-5
    assert Run(tmp_path / "two").record()["processes"] == 2
    for row, other in zip(Run(tmp_path / "one").history(), Run(tmp_path / "two").history()):
        for column in ("train_loss", "valid_loss", "accuracy", "precision", "recall", "f1"):
            assert row[column] == pytest.approx(other[column], abs=1e-5)


@pytest.mark.slow
def test_uneven_shares_stages_and_averages(folder, tmp_path):
    """A backbone with BatchNorm, in two stages, with a search: validation says what the saved model does."""
    from fastdigits import finetune

    finetune("test_resnet", folder, weights="none", epochs=1, size=16, lr=5e-3, out=tmp_path / "start")
    weights = tmp_path / "start.safetensors"  # a file of which nobody says that it knows digits
    shutil.copy(tmp_path / "start" / "model.safetensors", weights)
    options = {"weights": weights, "head_epochs": 1, "epochs": 2, "size": 16, "batch_size": 31, "ema": 0.9}
    done = run_two("finetune", "test_resnet", folder, *flags(options), "--precision", "fp32", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    run = Run(tmp_path / "run")
    assert [row["stage"] for row in run.history()] == ["head", "all", "all"]
    assert run.history()[-1]["accuracy"] == pytest.approx(run.result()["accuracy"], abs=1e-9)
    assert {"lrs", "lr"} <= run.record()["lr_find"]["head"].keys()


@pytest.mark.slow
def test_killed_processes_go_on_to_the_same_end(folder28, tmp_path):
    options = {"epochs": 150, "augment": "light", "batch_size": 32, "precision": "fp32"}
    whole = run_two("train", "dnn-he", folder28, *flags(options), "--out", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    command = launched("train", "dnn-he", folder28, *flags(options), "--out", tmp_path / "killed")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    history = tmp_path / "killed" / "history.csv"
    while not (history.is_file() and len(history.read_text().splitlines()) > 4):
        time.sleep(0.02)
    listed = subprocess.run(["ps", "-eww", "-o", "pid,args"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        if str(tmp_path / "killed") in line:  # the launcher, and the processes that it started in sessions of their own
            os.kill(int(line.split()[0]), signal.SIGKILL)
    process.wait()
    assert not Run(tmp_path / "killed").finished
    with pytest.raises(InputError, match="was begun by 2 processes, not 1; resume it with as many"):
        train("dnn-he", folder28, **options, out=tmp_path / "killed", resume=True)
    resumed = run_two("train", "dnn-he", folder28, *flags(options), "--out", tmp_path / "killed", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]


def second_of_two(seconds: float) -> subprocess.Popen:
    """A process that fails as the second of two, and leaves the first one so many seconds; it says when these begin."""
    code = f"""
import os, time
from fastdigits import cli

sleep, cli.FIRST_SPEAKS_S = time.sleep, {seconds}
time.sleep = lambda seconds: (os.write(1, b"waits\\n"), sleep(seconds))
cli.main(["tune", "dnn-he", "digits"])
"""
    environment = {**os.environ, "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)


def test_who_fails_early_leaves_the_word_to_the_first():
    """A launcher ends all when one has ended: the second must not have the first ended before it spoke."""
    second = second_of_two(300)
    assert second.stdout.readline() == "waits\n"
    second.terminate()
    assert second.communicate(timeout=60)[1] == ""
    assert second.returncode == -signal.SIGTERM


def test_a_reason_of_its_own_is_told():
    second = second_of_two(0.1)
    told = "fastdigits: tune is done by one process; train and finetune can be started as several\n"
    assert second.communicate(timeout=60)[1] == told
    assert second.returncode == 2


@pytest.mark.slow
def test_launched_by_accelerate(folder28, tmp_path):
    launch = "accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no"
    launcher = (sys.executable, "-m", *launch.split(), "--dynamo_backend", "no")  # the CPU where there is no GPU
    done = run_two("train", "dnn-he", folder28, "--epochs", "1", "--out", tmp_path / "run", launcher=launcher)
    assert done.returncode == 0, done.stderr
    assert Run(tmp_path / "run").record()["processes"] == 2


@pytest.mark.slow
def test_a_mistake_is_told_once(folder28, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    done = run_two("train", "dnn-he", folder28, "--out", tmp_path / "run")
    assert done.returncode != 0
    assert done.stderr.count("fastdigits: ") == 1
    assert (tmp_path / "run" / "mine.txt").read_text() == "mine"


@pytest.mark.slow
def test_what_several_processes_cannot_do(folder28, tmp_path):
    """One line each, no traceback, nothing made and nobody waits for anybody."""
    for arguments, told in (
        (("train", "dnn-he", folder28, "--folds", "2"), "--folds trains one network after the other; start it as one"),
        (("train", "dnn-he", folder28, "--minutes", "1"), "--minutes measures the speed of one process; with several"),
        (("tune", "dnn-he", folder28), "tune is done by one process; train and finetune can be started as several"),
    ):
        done = run_two(*arguments, "--out", tmp_path / "run")
        assert done.returncode != 0
        assert done.stderr.count("fastdigits: ") == 1
        assert f"fastdigits: {told}" in done.stderr
        assert not (tmp_path / "run").exists()
