"""Faults of the machine and of the numbers: full disks, vanished files, blank pictures, odd sizes, perfect scores."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, evaluate, export, finetune, predict, train
from fastdigits.recipes.published import PUBLISHED_RECIPES
from fastdigits.runs.directory import Run
from fastdigits.training.callbacks.epoch_end import EpochEnd

pytestmark = pytest.mark.slow
TINY = "test_resnet"
QUICK = {"weights": "none", "size": 16, "batch_size": 32, "lr": 5e-3}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 700 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path, leaving: int) -> None:
    """Write a file that leaves so many bytes, in whole pages."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    with open(ballast, "wb") as file:
        size = (shutil.disk_usage(disk).free - leaving) // 4096 * 4096
        os.posix_fallocate(file.fileno(), 0, max(4096, size))


FULL = "cannot be written (No space left on device)"


def test_a_full_disk(small_disk, table_file, test_file, folder, run):
    """Each command says so in one line, and leaves nothing half-written."""
    commands = {
        "convert": lambda: convert(table_file, small_disk / "digits", test=test_file),
        "finetune": lambda: finetune(TINY, folder, epochs=1, out=small_disk / "run", **QUICK),
        "export": lambda: export(str(run), small_disk / "model"),
        "predict": lambda: predict(str(run), str(test_file), out=small_disk / "p.csv"),
    }
    for name, command in commands.items():
        fill(small_disk, leaving=0 if name in ("predict", "convert") else 400_000)
        with pytest.raises(InputError) as caught:
            command()
        assert FULL in str(caught.value), name
        assert "\n" not in str(caught.value)
        assert [path.name for path in small_disk.iterdir()] == ["ballast"], name


def test_a_disk_that_fills_while_training(small_disk, folder):
    """What was finished before is kept, and goes on when there is room again."""
    original = EpochEnd.after_epoch
    ballast = small_disk / "ballast"

    def fill_up(self):
        if len(self.history) == 1 and not ballast.exists():
            fill(small_disk, leaving=0)
        original(self)

    options = {"epochs": 2, "keep": "last", **QUICK}
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochEnd, "after_epoch", fill_up)
        with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
            finetune(TINY, folder, out=small_disk / "run", **options)
    assert Run(small_disk / "run").read_checkpoint()["next_epoch"] == 1
    ballast.unlink()
    finetune(TINY, folder, out=small_disk / "run", resume=True, **options)
    assert Run(small_disk / "run").finished


def test_data_on_a_full_disk_still_train(small_disk, tmp_path, table_file, capsys):
    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
    folder = convert(table_file, small_disk / "digits")
    fill(small_disk, leaving=8192)  # less than the decoded pictures take
    finetune(TINY, folder.path, epochs=1, out=tmp_path / "run", **QUICK)
    said = f"{folder.path}/decoded cannot be written (No space left on device), so the pictures are decoded anew"
    assert said in capsys.readouterr().out
    assert Run(tmp_path / "run").finished
    assert not list((folder.path / "decoded").glob("*train*"))


def test_data_that_cannot_be_written_to_still_train(tmp_path, folder):
    """Decoded pictures are kept in the data's folder where that is possible, and elsewhere not at all."""
    shutil.copytree(folder, tmp_path / "digits", ignore=shutil.ignore_patterns("decoded"))
    data = tmp_path / "digits"
    bound = subprocess.run(["mount", "--bind", data, data], capture_output=True, text=True)
    if bound.returncode:
        pytest.skip(f"no folder can be made read-only for root here: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", data], check=True)
        before = sorted(path.name for path in data.iterdir())
        finetune(TINY, data, epochs=1, out=tmp_path / "run", **QUICK)
        assert sorted(path.name for path in data.iterdir()) == before
    finally:
        subprocess.run(["umount", data], check=True)
    assert (tmp_path / "run" / "result.json").is_file()


def test_a_picture_that_vanishes_while_training(tmp_path, folder, monkeypatch):
    """Pictures that are not decoded before are read in each epoch."""
    shutil.copytree(folder, tmp_path / "digits", ignore=shutil.ignore_patterns("decoded", "manifest.json"))
    odd = next((tmp_path / "digits" / "train" / "3").iterdir())
    Image.new("L", (9, 9)).save(odd)  # mixed sizes are read file by file
    original = EpochEnd.after_epoch

    def remove(self):
        original(self)
        odd.unlink(missing_ok=True)

    monkeypatch.setattr(EpochEnd, "after_epoch", remove)
    with pytest.raises(InputError) as caught:
        finetune(TINY, tmp_path / "digits", epochs=3, out=tmp_path / "run", **QUICK)
    assert str(caught.value).startswith(f"{odd} does not exist")
    assert Run(tmp_path / "run").read_checkpoint()["next_epoch"] == 1


def write_pictures(folder: Path, pictures: dict[str, list[np.ndarray]]) -> Path:
    """train/ and valid/ of the same pictures by label."""
    for split in ("train", "valid"):
        for label, images in pictures.items():
            (folder / split / label).mkdir(parents=True)
            for k, image in enumerate(images):
                Image.fromarray(image).save(folder / split / label / f"{k}.png")
    return folder


@pytest.mark.parametrize("side", [1, 8, 2000])
def test_constant_pictures_and_odd_sizes(tmp_path, side):
    """They train to finite numbers; nothing divides by a deviation of 0."""
    pictures = {label: [np.full((side, side), 100, np.uint8)] * 3 for label in "01"}
    data = write_pictures(tmp_path / "data", pictures)
    result = finetune(TINY, data, weights="none", epochs=1, size=16, batch_size=2, lr=1e-3, out=tmp_path / "run")
    (row,) = Run(tmp_path / "run").history()
    assert np.isfinite([row["train_loss"], row["valid_loss"]]).all()
    assert np.isfinite(
        predict(str(tmp_path / "run"), str(data / "valid" / "0"), out=tmp_path / "p.csv").probabilities
    ).all()
    assert 0 <= result.result["accuracy"] <= 1


def test_train_and_valid_of_different_classes(tmp_path):
    data = write_pictures(
        tmp_path / "data", {"0": [np.zeros((8, 8), np.uint8)] * 4, "1": [np.ones((8, 8), np.uint8)] * 4}
    )
    (data / "valid" / "1").rename(data / "valid" / "2")
    with pytest.raises(InputError, match=r"valid.*class.*2|class.*2.*valid"):
        finetune(TINY, data, epochs=1, out=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()


def test_a_perfect_score_suggests_to_look_for_copies(tmp_path, digit_images):
    large = np.pad(digit_images[0].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    by_label = {str(label): list(large[digit_images[1] == label][:30]) for label in (0, 1)}
    data = write_pictures(tmp_path / "data", by_label)
    result = train("dnn-he", data, epochs=5, batch_size=8, out=tmp_path / "run")
    assert result.result["accuracy"] == 1
    line = "every picture is right; were copies of them trained on? fastdigits explore looks for them"
    assert line in str(result)
    assert line in evaluate(str(tmp_path / "run"), str(data)).sentences()


@pytest.mark.parametrize("recipe", ["digitnet", *(name for name in PUBLISHED_RECIPES if name != "resnet50-kannada")])
def test_every_recipe_gives_the_same_numbers_again(tmp_path, folder28, recipe):
    """Same seed, same machine, same number of threads."""
    runs = []
    for number in range(2):
        train(recipe, folder28, epochs=1, batch_size=16, seed=3, out=tmp_path / str(number))
        history = pd.read_csv(tmp_path / str(number) / "history.csv").drop(columns="seconds")
        runs.append((history.to_dict(), (tmp_path / str(number) / "model.safetensors").read_bytes()))
    assert runs[0] == runs[1]


def test_nothing_is_asked_of_the_network(tmp_path, test_file):
    """Import, prediction and training from nothing, with every connection refused and any attempt an error."""
    code = f"""
import socket, sys
def refuse(*arguments): raise SystemExit(f"a connection was tried: {{arguments}}")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
import fastdigits
fastdigits.predict("digitnet-mnist", {str(test_file)!r}, out={str(tmp_path / "p.csv")!r})
fastdigits.list_models("resnet1*")
fastdigits.find_backbone("resnet18").build(10, 32)
"""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}  # so that nothing is known beforehand
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
