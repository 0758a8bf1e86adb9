"""The learning-rate search finds a rate or says why not, and leaves the weights alone."""

import shutil

import pandas as pd
import pytest
import torch

from fastdigits import InputError, lr_find, read_folder
from fastdigits.training.learner import find_preset, prepare_learner, renew_optimizer
from fastdigits.training.lr_search import FALLBACK_LR, find_lr
from fastdigits.training.options import LEARNER_OPTIONS, chosen_options

TINY = "test_resnet"


@pytest.fixture
def learner(folder):
    backbone, _ = find_preset(TINY)
    options = {"size": 16, "batch_size": 32, "weights": "none", "precision": "auto", "seed": 5}
    prepared = prepare_learner(backbone, read_folder(folder), **chosen_options(LEARNER_OPTIONS, options, None))
    renew_optimizer(prepared.learner, frozen=False)
    return prepared.learner


def test_weights_are_as_before(learner):
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    search = find_lr(learner, 30)
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.model.state_dict().items())
    assert search["lrs"] == sorted(search["lrs"])


def test_too_few_batches_fall_back(learner):
    search = find_lr(learner, 12)
    assert search["lr"] == FALLBACK_LR
    assert search["fallback"] == "only 0 batches were usable"


def test_a_loss_that_does_not_fall_falls_back(learner):
    for p in learner.model.parameters():
        torch.nn.init.zeros_(p)  # nothing can be learnt
    search = find_lr(learner)
    assert (search["lr"], search["fallback"]) == (FALLBACK_LR, "the loss did not fall at any rate")


def test_the_command(tmp_path, folder, run):
    shutil.copyfile(run / "model.safetensors", tmp_path / "body.safetensors")
    body = str(tmp_path / "body.safetensors")  # for all one knows trained on photographs
    found = lr_find(TINY, folder, weights=body, size=16, batch_size=32, out=tmp_path / "search")
    assert 1e-6 < found.lr < 1
    table = pd.read_csv(tmp_path / "search" / "lr_find.csv")
    assert table.columns.tolist() == ["stage", "lr", "loss"]
    assert set(table["stage"]) == {"head"}
    assert found.png.stat().st_size > 5000
    assert str(found).endswith(f"written to {tmp_path}/search/lr_find.csv and {tmp_path}/search/lr_find.png")
    with pytest.raises(InputError, match="exists already"):
        lr_find(TINY, folder, weights="none", out=tmp_path / "search")


def test_from_digits_all_of_the_network_is_searched_with_the_optimiser(tmp_path, folder, run):
    curves = {}
    for optimizer in ("fastai-adam", "sgd"):
        out = tmp_path / optimizer
        lr_find(TINY, folder, weights=str(run), size=16, batch_size=32, optimizer=optimizer, out=out)
        curves[optimizer] = pd.read_csv(out / "lr_find.csv")
        assert set(curves[optimizer]["stage"]) == {"all"}
    assert not curves["sgd"].equals(curves["fastai-adam"])


def test_the_default_folder(in_tmp, folder):
    lr_find(TINY, folder, weights="none", size=16, batch_size=64)
    assert (in_tmp / "runs" / "lr-find-test_resnet-digits" / "lr_find.png").is_file()
