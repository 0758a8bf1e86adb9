"""Training keeps its promises: same seed same numbers, resume equals never killed, stages as planned."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.learner import Learner
from fastai.optimizer import Adam
from PIL import Image
from safetensors.torch import load_file

from fastdigits import InputError, convert, find_backbone, finetune, open_model, predict, read_folder, train
from fastdigits.recipes.optimizers import FusedAdam
from fastdigits.recipes.registry import RECIPES
from fastdigits.recipes.stages import Stage, epochs_within, plan_stages
from fastdigits.runs.directory import Run
from fastdigits.scores.scoring import score
from fastdigits.system.claims import claimed
from fastdigits.system.machine import find_precision
from fastdigits.training.callbacks.epoch_end import EpochEnd
from fastdigits.training.learner import find_preset, prepare_learner, renew_optimizer
from fastdigits.training.options import LEARNER_OPTIONS, chosen_options, enough_steps
from fastdigits.training.result import doubtful_below

TINY = "test_resnet"
FIRST = "conv1.0.weight"  # of its layers
QUICK = {"weights": "none", "size": 16, "batch_size": 32, "lr": 5e-3}
LEARNER = {"weights": "none", "size": 16, "batch_size": 32, "precision": "auto", "seed": 5}


def history_of(run) -> list[dict]:
    """History rows without their times."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in Run(run).history()]


def weights_of(run) -> bytes:
    return (run / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def prepared(folder):
    backbone, _ = find_preset(TINY)
    options = chosen_options(LEARNER_OPTIONS, LEARNER, None)
    return prepare_learner(backbone, read_folder(folder), **options)


def test_a_run_holds_what_it_promises(run):
    names = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert names == {
        "run.json",
        "history.csv",
        "checkpoints/last.pt",
        "checkpoints/best.pt",
        "model.safetensors",
        "model.json",
        "README.md",
        "valid_predictions.csv",
        "evaluation.json",
        "result.json",
        "figures/batch.png",
        "figures/curves.png",
        "figures/confusion.png",
    }
    record = json.loads((run / "run.json").read_text())
    assert record["arguments"]["epochs"] == 2
    assert record["arguments"]["seed"] == 5
    assert record["architecture"] == TINY
    assert set(record["versions"]) >= {"python", "fastai", "torch", "timm"}
    assert len(record["data_digest"]) == 64
    result = json.loads((run / "result.json").read_text())
    predictions = pd.read_csv(run / "valid_predictions.csv", dtype={"id": str})
    assert result["accuracy"] == (predictions["true"] == predictions["label"]).mean()
    assert result["valid_pictures"] == 40
    assert [row["epoch"] for row in history_of(run)] == [1, 2]


def test_same_seed_same_history(tmp_path, folder, run):
    finetune(TINY, folder, epochs=2, out=tmp_path / "again", **QUICK)
    assert history_of(tmp_path / "again") == history_of(run)
    assert weights_of(tmp_path / "again") == weights_of(run)
    finetune(TINY, folder, epochs=2, out=tmp_path / "other", seed=6, **QUICK)
    assert history_of(tmp_path / "other") != history_of(run)


TRANSFER = {"size": 16, "batch_size": 32, "head_epochs": 2, "epochs": 2}


@pytest.fixture(scope="module")
def body(shared, run) -> str:
    """Weights that do not say what they were trained on, as those of photographs: the head is searched and first."""
    shutil.copyfile(run / "model.safetensors", shared / "body.safetensors")
    return str(shared / "body.safetensors")


@pytest.fixture(scope="module")
def undisturbed(shared, folder, body):
    """A run of two stages with learning-rate search, never interrupted."""
    finetune(TINY, folder, weights=body, out=shared / "undisturbed", **TRANSFER)
    return shared / "undisturbed"


def test_from_digits_all_is_trained_at_once(tmp_path, folder, run):
    """The rate is a default, no search; the head, which knows less than half of these, is fresh."""
    finetune(TINY, folder, weights=str(run), epochs=1, size=16, out=tmp_path / "run")
    record = Run(tmp_path / "run").record()
    (stage,) = record["stages"]
    assert (stage["name"], stage["frozen"], stage["lr"]) == ("all", False, [2e-3, 2e-3])
    assert (record["of_digits"], "lr_find" in record) == (True, False)
    assert record["mean"] == Run(run).record()["mean"]


def test_staged_transfer(undisturbed):
    record = Run(undisturbed).record()
    assert [(stage["name"], stage["epochs"], stage["frozen"]) for stage in record["stages"]] == [
        ("head", 2, True),
        ("all", 2, False),
    ]
    assert record["mean"] == find_backbone(TINY).mean_std[0]
    search = record["lr_find"]["head"]
    assert (undisturbed / "lr_find.png").stat().st_size > 5000
    table = pd.read_csv(undisturbed / "lr_find.csv")
    assert table["lr"].tolist() == pytest.approx(search["lrs"])
    assert [row["stage"] for row in history_of(undisturbed)] == ["head", "head", "all", "all"]


@contextmanager
def interrupted(monkeypatch, epochs_done: int):
    """Ctrl-C when so many epochs are done."""
    original = EpochEnd.before_epoch

    def stop(self):
        if len(self.history) == epochs_done and self.epoch >= self.first_epoch:
            raise KeyboardInterrupt
        original(self)

    with monkeypatch.context() as patched:
        patched.setattr(EpochEnd, "before_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            yield


@pytest.mark.parametrize(
    "epochs_done", [1, 2, 3], ids=["in the head stage", "between the stages", "in the second stage"]
)
def test_resumed_equals_never_interrupted(tmp_path, folder, body, undisturbed, monkeypatch, epochs_done):
    out = tmp_path / "run"
    with interrupted(monkeypatch, epochs_done):
        finetune(TINY, folder, weights=body, out=out, **TRANSFER)
    assert len(history_of(out)) == epochs_done
    assert not Run(out).finished
    with pytest.raises(InputError, match="is an unfinished run; finish it with --resume"):
        open_model(out)
    finetune(TINY, folder, weights=body, out=out, resume=True, **TRANSFER)
    assert history_of(out) == history_of(undisturbed)
    assert weights_of(out) == weights_of(undisturbed)
    expected = (undisturbed / "valid_predictions.csv").read_text()
    assert (out / "valid_predictions.csv").read_text() == expected


def test_resumed_before_the_first_epoch_from_a_saved_model(tmp_path, folder28, monkeypatch):
    """Which is opened to see whether it knows the valid rows, and gone on with is not."""
    options = {"epochs": 1, "precision": "fp32"}
    finetune("digitnet-mnist", folder28, out=tmp_path / "whole", **options)
    with interrupted(monkeypatch, 0):
        finetune("digitnet-mnist", folder28, out=tmp_path / "cut", **options)
    finetune("digitnet-mnist", folder28, out=tmp_path / "cut", resume=True, **options)
    assert history_of(tmp_path / "cut") == history_of(tmp_path / "whole")
    assert weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")


def test_other_optimisers_and_schedules_resume_to_the_same_numbers(tmp_path, folder, body, monkeypatch):
    options = {"size": 16, "batch_size": 32, "weights": body, "lr": 0.02, "lr_mult": 10, "head_epochs": 1, "epochs": 3}
    options |= {"optimizer": "sgd:momentum=0.9", "schedule": "plateau:factor=0.5,patience=1,min_delta=9"}
    options |= {"clip_norm": 0.5, "clip_value": 0.1, "early_stopping": 9, "min_delta": 0.5}
    finetune(TINY, folder, out=tmp_path / "whole", **options)
    with interrupted(monkeypatch, 3):
        finetune(TINY, folder, out=tmp_path / "cut", **options)
    finetune(TINY, folder, out=tmp_path / "cut", resume=True, **options)
    assert history_of(tmp_path / "cut") == history_of(tmp_path / "whole")
    assert weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")
    assert [row["lr"] for row in history_of(tmp_path / "cut")] == pytest.approx([0.02, 0.01, 0.01, 0.005])
    settings = Run(tmp_path / "cut").record()["settings"]
    assert {name: settings[name] for name in ("clip_norm", "clip_value", "min_delta")} == {
        "clip_norm": 0.5,
        "clip_value": 0.1,
        "min_delta": 0.5,
    }
    del options["clip_norm"], options["clip_value"]
    finetune(TINY, folder, out=tmp_path / "unclipped", **options)
    assert weights_of(tmp_path / "unclipped") != weights_of(tmp_path / "whole")


def test_pixels_are_scaled_as_wished(tmp_path, folder):
    finetune(TINY, folder, **QUICK, scaling="normalise", epochs=1, out=tmp_path / "run")
    record = Run(tmp_path / "run").record()
    assert (record["mean"], record["std"]) == ([0.0] * 3, [1.0] * 3)


def test_a_plateau_without_valid_pictures_is_of_the_train_loss(tmp_path, folder, capsys):
    shutil.copytree(folder / "train", tmp_path / "digits" / "train")
    finetune(TINY, tmp_path / "digits", **QUICK, schedule="plateau:patience=1", epochs=2, out=tmp_path / "run")
    (stage,) = Run(tmp_path / "run").record()["stages"]
    assert stage["schedule"] == "plateau:patience=1,monitor=train_loss"
    assert "no valid pictures: the train loss lowers the rate" in capsys.readouterr().out


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "fastdigits", *map(str, arguments)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["kill", "term", "int"])
def test_a_killed_process_resumes_to_the_same_numbers(tmp_path, folder, number):
    """The real thing: a process ended from outside while it trains, then the same command with --resume."""
    line = command(
        "finetune", TINY, folder, "--weights", "none", "--epochs", 15, "--size", 32, "--batch-size", 16, "--lr", 5e-3
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    subprocess.run([*line, "--out", tmp_path / "whole"], check=True, env=environment, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [*line, "--out", tmp_path / "cut"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background jobs, and so these tests in one, ignore SIGINT and hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "cut" / "history.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert process.returncode == -9
    else:
        assert (process.returncode, err) == (130, "interrupted\n")
        assert f"epochs are kept in {tmp_path}/cut; the same command with --resume goes on" in out
    assert not (tmp_path / "cut" / "result.json").exists()
    subprocess.run(
        [*line, "--out", tmp_path / "cut", "--resume"], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    assert history_of(tmp_path / "cut") == history_of(tmp_path / "whole")
    assert weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")


def test_ten_rows_train(tmp_path, digit_table):
    ten = digit_table[digit_table["label"] < 2].head(10)
    ten.to_csv(tmp_path / "ten.csv", index=False)
    convert(tmp_path / "ten.csv", tmp_path / "ten", valid=0)
    result = finetune(TINY, tmp_path / "ten", epochs=3, out=tmp_path / "run", weights="none", size=32)
    losses = [row["train_loss"] for row in history_of(tmp_path / "run")]
    assert all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    assert history_of(tmp_path / "run")[0]["valid_loss"] is None
    assert result.result["accuracy"] is None
    assert str(result) == f"run {tmp_path}/run"


def test_one_batch_can_be_learnt_by_heart(prepared):
    learner = prepared.learner
    renew_optimizer(learner, frozen=False)
    learner.opt.set_hypers(lr=5e-3)
    x, y = learner.dls.train.one_batch()
    learner.model.train()
    for _ in range(60):
        loss = learner.loss_func(learner.model(torch.Tensor(x)), torch.Tensor(y).long())
        loss.backward()
        learner.opt.step()
        learner.opt.zero_grad()
    assert loss.item() < 0.05


def test_fused_adam_equals_fastai_adam():
    """Ten steps with changing rates, over two groups with tensors that do not decay."""

    def trained(optimizer) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(5, 7, bias=False), torch.nn.BatchNorm1d(7), torch.nn.Linear(7, 2))
        groups = [list(model[:2].parameters()), list(model[2].parameters())]
        opt = optimizer(groups, lr=0.1)
        for p in model[1].parameters():
            opt.state[p]["do_wd"] = False
        for step in range(10):
            opt.set_hypers(lr=[0.01 * step, 0.02 * step], mom=0.9 - 0.01 * step)
            model(torch.randn(16, 5)).pow(2).mean().backward()
            opt.step()
            opt.zero_grad()
        return list(model.parameters())

    for ours, theirs in zip(trained(FusedAdam), trained(Adam)):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_frozen_body_trains_its_batchnorm_and_nothing_else(folder, run):
    backbone, _ = find_preset(TINY)
    options = chosen_options(LEARNER_OPTIONS, LEARNER | {"size": 32, "weights": str(run)}, None)
    learner = prepare_learner(backbone, read_folder(folder), **options).learner
    before = {name: p.detach().clone() for name, p in learner.model.named_parameters()}
    renew_optimizer(learner, frozen=True)
    with learner.no_logging():
        learner.fit(1, 1e-2)
    changed = {name for name, p in learner.model.named_parameters() if not torch.equal(p, before[name])}
    norms = {
        f"{name}.{kind}"
        for name, module in learner.model.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
        for kind in ("weight", "bias")
    }
    assert changed == norms | backbone.head_names


def test_early_stopping_and_best_weights(tmp_path, folder, capsys):
    options = QUICK | {"lr": 0.3}  # far too high: the loss soon rises
    finetune(TINY, folder, epochs=12, out=tmp_path / "run", early_stopping=2, keep="best", **options)
    rows = history_of(tmp_path / "run")
    assert len(rows) < 12
    assert "stage all stopped early: valid loss did not fall for 2 epochs" in capsys.readouterr().out
    best = max(rows, key=lambda row: (row["accuracy"], -row["valid_loss"]))
    result = Run(tmp_path / "run").result()
    assert result["kept_epoch"] == best["epoch"]
    assert result["accuracy"] == pytest.approx(best["accuracy"], abs=1e-6)


def test_minutes_set_the_epochs(tmp_path, folder, capsys):
    finetune(TINY, folder, minutes=0.02, out=tmp_path / "run", **QUICK)
    out = capsys.readouterr().out
    stage = Stage.from_record(Run(tmp_path / "run").record()["stages"][0])
    assert f"s: {stage.length} in 0.02 minutes" in out
    assert len(history_of(tmp_path / "run")) == stage.epochs
    finetune(TINY, folder, minutes=0.0001, out=tmp_path / "short", **QUICK)
    assert "1 epoch of 20% of the rows in 0.0001 minutes, which is longer than asked for" in capsys.readouterr().out


def test_minutes_that_are_no_whole_number_of_epochs_are_used(tmp_path, folder, monkeypatch, capsys):
    """By epochs of fewer rows, which a run that is gone on with has, too."""
    monkeypatch.setattr("fastdigits.training.run.epoch_seconds", lambda learner, frozen: (10.0, 2.0))
    steps = Counter()
    one_batch = Learner.one_batch
    monkeypatch.setattr(Learner, "one_batch", lambda self, *at: (steps.update([self.training]), one_batch(self, *at)))
    options = QUICK | {"minutes": 0.5}  # 30 s: two epochs and a half
    finetune(TINY, folder, out=tmp_path / "whole", **options)
    (stage,) = Run(tmp_path / "whole").record()["stages"]
    assert (stage["epochs"], stage["portion"]) == (3, 0.8)
    told = "3 epochs of 80% of the rows each"
    assert f"an epoch takes about 12 s: {told} in 0.5 minutes\n" in capsys.readouterr().out
    assert steps[True] == 3 * (128 // 32)  # of 160 rows
    card = (tmp_path / "whole" / "README.md").read_text()
    assert f"- stage all: {told}, one-cycle" in card
    with interrupted(monkeypatch, 1):
        finetune(TINY, folder, out=tmp_path / "cut", **options)
    finetune(TINY, folder, out=tmp_path / "cut", resume=True, **options)
    assert history_of(tmp_path / "cut") == history_of(tmp_path / "whole")
    assert weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")


def test_bf16_trains_and_predicts(tmp_path, folder):
    finetune(TINY, folder, epochs=2, out=tmp_path / "run", precision="bf16", **QUICK)
    assert Run(tmp_path / "run").record()["precision"] == "bf16"
    assert np.isfinite([row["train_loss"] for row in history_of(tmp_path / "run")]).all()


def test_precision_of_each_device(monkeypatch):
    assert find_precision("auto", "mps") == "fp32"
    assert find_precision("bf16", "cpu") == "bf16"
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert find_precision("auto", "cpu") == "bf16"
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert find_precision("auto", "cpu") == "fp32"
    with pytest.raises(InputError, match="--precision fp16 needs a GPU; accepted here are auto, fp32 and bf16"):
        find_precision("fp16", "cpu")


def test_plans():
    head, body = plan_stages(True, None, None, None)
    assert (head.epochs, head.frozen, head.search, body.epochs, body.frozen, body.search) == (
        1,
        True,
        True,
        3,
        False,
        False,
    )
    assert [stage.name for stage in plan_stages(True, 0, 5, None)] == ["all"]
    (scratch,) = plan_stages(False, None, 8, None)
    assert (scratch.epochs, scratch.search) == (8, True)
    _, body = plan_stages(True, 1, 1, 2e-3)
    assert body.lr == pytest.approx((1e-5, 1e-3))
    _, body = plan_stages(True, 1, 1, 2e-3, lr_mult=2)
    assert body.lr == pytest.approx((5e-4, 1e-3))
    (digits,) = plan_stages(True, None, 3, None, of_digits=True)
    assert (digits.frozen, digits.search, digits.lr) == (False, False, (2e-3, 2e-3))
    head, body = plan_stages(True, 1, 3, 0.01, lr_mult=10, of_digits=True)
    assert (head.lr, body.lr) == ((0.01, 0.01), (5e-4, 5e-3))
    (digits,) = plan_stages(True, None, 3, None, of_digits=True, digit_lr=None)
    assert (digits.search, digits.lr, digits.lr_mult) == (True, None, 1)
    head, body = plan_stages(True, 1, 3, None, schedule="steps:0=0.002,2=1e-4")
    assert (head.schedule, body.schedule) == ("steps:0=0.002,2=1e-4",) * 2
    assert (head.lr, body.lr, head.search, body.search) == ((2e-3, 2e-3), (2e-5, 2e-3), False, False)
    with pytest.raises(InputError, match="--head-epochs needs weights to transfer; leave it out with --weights none"):
        plan_stages(False, 2, 8, None)
    with pytest.raises(InputError, match="--lr-mult needs weights to transfer; leave it out with --weights none"):
        plan_stages(False, None, 8, None, lr_mult=2)
    with pytest.raises(InputError, match="--lr-mult does not change a published recipe's rates; leave it out, or"):
        plan_stages(True, None, None, None, lr_mult=2, published=(body,))


def test_the_published_staged_recipe():
    preset = RECIPES["resnet50-kannada"]
    assert (preset.arch, preset.size, preset.batch_size) == ("resnet50", 32, 64)
    stages = plan_stages(True, None, None, None, published=preset.stages)
    assert [(s.epochs, s.frozen, s.lr, s.search) for s in stages] == [
        (4, True, (1e-2, 1e-1), True),
        (5, False, (2e-6, 2e-3), True),
        (3, False, (None, 2e-6), False),
    ]
    assert [s.epochs for s in plan_stages(True, 1, 2, None, published=preset.stages)] == [1, 2, 3]
    assert [s.name for s in plan_stages(True, 0, None, None, published=preset.stages)] == ["all", "last"]
    assert [s.name for s in plan_stages(False, None, None, None, published=preset.stages)] == ["all", "last"]
    assert [s.epochs for s in plan_stages(True, None, None, None, last_epochs=1, published=preset.stages)] == [4, 5, 1]
    assert [s.name for s in plan_stages(False, None, 2, None, last_epochs=0, published=preset.stages)] == ["all"]
    assert plan_stages(True, None, None, 0.05, published=preset.stages)[0].lr == pytest.approx((5e-3, 5e-2))
    changed = plan_stages(True, None, None, None, schedule="steps:0=0.01,2=0.001", published=preset.stages)
    assert [(s.schedule, s.search) for s in changed] == [("steps:0=0.01,2=0.001", False)] * 3
    assert [s.lr for s in changed] == [pytest.approx((1e-3, 1e-2)), pytest.approx((1e-5, 1e-2)), (None, 0.01)]


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("steps:0=1,1=0.1", [1, 0.1, 0.1]),
        ("plateau:factor=0.5,patience=1,min_delta=99", [1, 1, 0.5]),
        ("one-cycle:div=2", None),
    ],
)
@pytest.mark.parametrize("optimizer", ["fastai-adam", "sgd:momentum=0.9"])
def test_every_schedule_keeps_the_layer_groups_apart(tmp_path, folder, run, schedule, shares, optimizer):
    """The first group's rate is a hundredth of the head's in every epoch, as each epoch's checkpoint says."""
    rates = []

    def note(row):
        state = Run(tmp_path / "run").read_checkpoint()["optimizer"]
        rates.append([group["lr"] for group in state.get("param_groups") or state["hypers"]])

    options = QUICK | {"weights": run, "lr": 0.02, "lr_mult": 100, "epochs": 3, "head_epochs": 0}
    options |= {"schedule": schedule, "optimizer": optimizer}
    finetune(TINY, folder, **options, out=tmp_path / "run", on_epoch=note)
    for groups in rates:
        assert groups[0] == pytest.approx(groups[-1] / 100)
        assert groups == sorted(groups)
    heads = [groups[-1] for groups in rates]
    if shares:
        assert heads == pytest.approx([0.01 * share for share in shares])
    else:
        assert heads[0] > heads[1] > heads[2] > 0


@pytest.mark.parametrize("optimizer", ["rmsprop", "adamw", "fastai-adam"])
def test_frozen_layers_stay_with_every_kind_of_optimiser(tmp_path, folder, run, optimizer):
    options = QUICK | {"weights": run, "head_epochs": 1, "epochs": 1, "optimizer": optimizer}
    bodies = []

    def note(row):
        bodies.append(Run(tmp_path / "run").read_checkpoint()["model"][FIRST])

    finetune(TINY, folder, **options, out=tmp_path / "run", on_epoch=note)
    start = load_file(run / "model.safetensors")[FIRST]
    assert torch.equal(bodies[0], start)
    assert not torch.equal(bodies[1], start)


@pytest.mark.slow
def test_the_preset_runs(tmp_path, folder):
    finetune("resnet50-kannada", folder, weights="none", epochs=1, out=tmp_path / "run")
    record = Run(tmp_path / "run").record()
    assert (record["architecture"], record["size"], record["stages"][0]["lr"]) == ("resnet50", 32, [2e-3, 2e-3])
    assert [row["stage"] for row in history_of(tmp_path / "run")] == ["all", "last", "last", "last"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "--epochs 0 makes no sense; accepted is 1 or more"),
        ({"head_epochs": -1}, "--head-epochs -1 makes no sense; accepted is 0 or more"),
        ({"lr_mult": 0.5}, "--lr-mult 0.5 makes no sense; accepted is 1 or more"),
        ({"lr": 0.0}, "--lr 0.0 makes no sense; accepted is a number above 0"),
        ({"lr": float("nan")}, "--lr nan makes no sense; accepted is a number above 0"),
        ({"batch_size": 1}, "--batch-size 1 makes no sense; accepted is 2 or more"),
        ({"keep": "Best"}, "--keep 'Best' is unknown; accepted are last, best, lowest-loss, last-fall"),
        ({"precision": "int8"}, "--precision 'int8' is unknown; accepted are auto, fp32, bf16, fp16"),
        ({"minutes": 0}, "--minutes 0 makes no sense; accepted is a number above 0"),
        ({"minutes": float("inf")}, "--minutes inf makes no sense; accepted is a number above 0"),
        ({"minutes": 1, "epochs": 3}, "--minutes sets the epochs itself; leave out --epochs"),
        ({"arch": "resnet50-kannada", "minutes": 1}, "--minutes cannot set the epochs of the preset resnet50-kannada"),
        ({"last_epochs": 1}, "--last-epochs are of the preset resnet50-kannada; leave them out"),
        ({"weights": "pretrained", "scaling": "centre"}, "--scaling comes with the weights; leave it out, or pass"),
        ({"schedule": "cosine"}, "--schedule 'cosine' is unknown; accepted are constant, one-cycle, steps"),
        ({"optimizer": "lion"}, "--optimizer 'lion' is unknown; accepted are sgd, adam"),
        ({"arch": "resnet5O"}, "'resnet5O' is no known architecture; near are "),
        ({"augment": "flip"}, "--augment 'flip' is unknown; accepted are none, light"),
        ({"size": 4, "arch": "vgg11"}, "vgg11 does not work on pictures of 4 px"),
        ({"head_epochs": 2}, "--head-epochs needs weights to transfer"),
        ({"resume": True}, "is no run, so there is nothing to resume; leave out --resume to start one"),
        ({"precision": "fp16"}, "--precision fp16 needs a GPU"),
    ],
)
def test_options_that_make_no_sense(tmp_path, folder, options, message):
    arguments = {"arch": TINY, "data": folder, "weights": "none", "out": tmp_path / "run"} | options
    with pytest.raises(InputError) as caught:
        finetune(**arguments)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy(tmp_path, folder28):
    """As a loop over np.arange passes them."""
    options = {"epochs": np.int64(1), "lr": np.float32(0.01), "batch_size": np.int64(32), "seed": np.int32(3)}
    run = train("dnn-he", folder28, **options, out=tmp_path / "run").run
    assert run.record()["arguments"]["epochs"] == 1
    assert run.read_checkpoint()["next_stage"] == 1


def test_a_run_behind_a_link_is_replaced_there(tmp_path, folder28):
    link, disk = tmp_path / "link", tmp_path / "disk"
    link.symlink_to(disk)
    for _ in range(2):
        train("dnn-he", folder28, epochs=1, out=link, overwrite=True)
    assert link.is_symlink()
    assert Run(disk).finished


def test_overwrite_starts_anew(tmp_path, folder, run):
    shutil.copytree(run, tmp_path / "run")
    finetune(TINY, folder, epochs=1, out=tmp_path / "run", overwrite=True, **QUICK)
    assert len(history_of(tmp_path / "run")) == 1


def test_options_that_need_valid_pictures(tmp_path, table_file):
    convert(table_file, tmp_path / "all", valid=0)
    message = "has no valid pictures, which early stopping and --keep best, lowest-loss or last-fall need"
    with pytest.raises(InputError, match=message):
        finetune(TINY, tmp_path / "all", keep="best", out=tmp_path / "run", **QUICK)


def test_the_default_run_directory(in_tmp, folder):
    result = finetune(TINY, folder, epochs=1, **QUICK)
    assert str(result.run.path) == "runs/test_resnet-digits"


def test_a_loss_that_is_no_number_keeps_the_best(tmp_path, folder, test_file, monkeypatch, capsys):
    from fastai.callback.core import Callback

    class Poison(Callback):
        """Makes the weights nan in the second epoch, as too high a rate does."""

        def before_train(self):
            if self.epoch == 1:
                next(self.model.parameters()).data.fill_(float("nan"))

    original = EpochEnd.begin_stage

    def begin(self, *args):
        self.learn.add_cb(Poison())
        original(self, *args)

    monkeypatch.setattr(EpochEnd, "begin_stage", begin)
    result = finetune(TINY, folder, epochs=3, out=tmp_path / "run", **QUICK).result
    assert (
        "the loss is no number any more after 1 finished epochs, in stage all at a peak rate of 0.005; pass a smaller "
        "--lr (and --precision fp32, if it was not); the best of the finished epochs is kept\n"
    ) in capsys.readouterr().out
    assert (result["epochs"], result["kept_epoch"]) == (1, 1)
    assert len(history_of(tmp_path / "run")) == 1
    assert Run(tmp_path / "run").read_checkpoint()["next_epoch"] == 1
    assert predict(str(tmp_path / "run"), str(test_file), out=tmp_path / "p.csv").confidences.min() > 0  # no NaN in it


def test_two_commands_on_one_run(tmp_path, folder):
    with claimed(tmp_path / "run"), pytest.raises(InputError) as caught:
        finetune(TINY, folder, epochs=1, out=tmp_path / "run", **QUICK)
    owner = f"process {os.getpid()} on {socket.gethostname()}"
    assert str(caught.value) == (f"{tmp_path}/run is being written by {owner}; wait for it, or name another output")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_picture_leaves_no_half_run(tmp_path, folder):
    shutil.copytree(folder, tmp_path / "digits")
    bad = sorted((tmp_path / "digits" / "train" / "3").iterdir())[0]
    bad.write_bytes(b"no png")
    with pytest.raises(InputError) as caught:
        finetune(TINY, tmp_path / "digits", epochs=1, out=tmp_path / "run", **QUICK)
    assert str(caught.value) == f"{bad} is no readable picture; replace or remove it"
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_does_not_need_its_starting_weights(tmp_path, folder, run, monkeypatch):
    shutil.copytree(run, tmp_path / "donor")
    options = TRANSFER | {"weights": str(tmp_path / "donor"), "out": tmp_path / "run", "lr": 5e-3}
    with monkeypatch.context() as patched:
        patched.setattr(EpochEnd, "begin_stage", _interrupt_second_stage(EpochEnd.begin_stage))
        with pytest.raises(KeyboardInterrupt):
            finetune(TINY, folder, **options)
    shutil.rmtree(tmp_path / "donor")
    result = finetune(TINY, folder, resume=True, **options)
    assert result.result["epochs"] == 4


def _interrupt_second_stage(original):
    def begin(self, number, first_epoch):
        if number == 1:
            raise KeyboardInterrupt
        original(self, number, first_epoch)

    return begin


def test_an_interrupted_batch_leaves_autocast(tmp_path, folder, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(EpochEnd, "after_pred", interrupt, raising=False)
    with pytest.raises(KeyboardInterrupt):
        finetune(TINY, folder, epochs=1, out=tmp_path / "run", precision="bf16", **QUICK)
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(("epochs", "lines"), [(3, 3), (20, 20), (60, 21)])
def test_a_log_has_about_twenty_lines_a_stage(tmp_path, folder, capsys, epochs, lines):
    train("dnn-he", folder, epochs=epochs, batch_size=160, early_stopping=0, keep="last", out=tmp_path / "run")
    told = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert len(told) == lines
    assert (told[0], told[-1]) == ("1", str(epochs))
    assert len(Run(tmp_path / "run").history()) == epochs


def test_errors_of_a_listener_come_as_they_are(tmp_path, folder):
    class Stop(Exception):
        pass

    def stop(row: dict) -> None:
        raise Stop

    with pytest.raises(Stop) as caught:
        finetune(TINY, folder, epochs=2, out=tmp_path / "run", on_epoch=stop, **QUICK)
    assert caught.value.args == ()
    assert len(history_of(tmp_path / "run")) == 1


def test_a_run_that_goes_on_elsewhere_says_so(tmp_path, folder, monkeypatch, capsys):
    with interrupted(monkeypatch, 1):
        finetune(TINY, folder, epochs=2, out=tmp_path / "run", **QUICK)
    record = Run(tmp_path / "run").record()
    Run(tmp_path / "run").write_record(record | {"device": "cuda", "precision": "fp16"})
    result = finetune(TINY, folder, epochs=2, out=tmp_path / "run", resume=True, **QUICK).result
    now = f"{record['precision']} on {record['device']}"
    note = f"begun with fp16 on cuda, continued with {now}: its numbers are not those of either alone"
    assert note in result["notes"]
    assert note in capsys.readouterr().out
    assert f"- {note}" in (tmp_path / "run" / "README.md").read_text()


def test_few_rows_take_enough_steps(tmp_path, folder28):
    """Of our own recipes; what others published stays as it was."""
    train("digitnet-fast", folder28, out=tmp_path / "own", size=16)
    record = Run(tmp_path / "own").record()
    assert record["settings"]["batch_size"] == 16  # of 96 rows
    assert record["stages"][0]["epochs"] == 20
    train("dnn-he", folder28, epochs=1, out=tmp_path / "published")
    assert Run(tmp_path / "published").record()["settings"]["batch_size"] == RECIPES["dnn-he"].batch_size


def test_pictures_of_mixed_sizes_are_not_enlarged_far(tmp_path):
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "train" / label).mkdir(parents=True)
        for k, (width, height) in enumerate([(20, 28), (24, 30), (31, 31)]):
            pixels = rng.integers(0, 256, (height, width), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "train" / label / f"{k}.png")
    backbone, _ = find_preset(TINY)
    options = chosen_options(LEARNER_OPTIONS, {"weights": "none", "precision": "fp32", "seed": 1}, None)
    assert prepare_learner(backbone, read_folder(tmp_path), **options).size == 32


def test_epochs_that_fit_into_a_time():
    assert epochs_within(30, 10, 2, 0.05) == (3, 0.8)
    assert epochs_within(24, 10, 2, 0.05) == (2, 1)
    assert epochs_within(6, 10, 2, 0.05) == (1, 0.4)
    assert epochs_within(1, 10, 2, 0.05) == (1, 0.05)  # longer than asked for
    assert epochs_within(0, 10, 2, 0.05) == (1, 0.05)
    assert epochs_within(12, 1, 10, 0.05) == (1, 1)  # where validation takes most, one epoch more trains less
    assert epochs_within(12.6, 10, 2, 0.05) == (1, 1)


def test_many_rows_have_the_recipe_s_own_epochs():
    assert enough_steps(RECIPES["digitnet-fast"], 51_000, None) == {"batch_size": 256, "epochs": 2}
    assert enough_steps(RECIPES["digitnet"], 51_000, None) == {"batch_size": 128, "epochs": 24}
    assert enough_steps(RECIPES["digitnet-fast"], 96, None) == {"batch_size": 16, "epochs": 20}


def test_the_rate_of_a_published_stage_does_not_depend_on_the_others():
    stages = RECIPES["resnet50-kannada"].stages
    (alone,) = plan_stages(False, None, None, 0.002, published=stages[:2])
    assert alone.lr == pytest.approx((0.002, 0.002))  # from nothing it is the rate itself
    all_of_them = plan_stages(True, None, None, 0.05, published=stages)
    without_head = plan_stages(True, 0, None, 0.05, published=stages)
    assert [stage.lr for stage in without_head] == [stage.lr for stage in all_of_them[1:]]


def test_a_confidence_is_sure_from_nine_tenths_on(run):
    """However few valid pictures say that nothing need be rejected; where none is sure enough, above all of them."""
    assert open_model(run).reject["below"] >= 0.9
    certain = np.full((20, 2), [0.6, 0.4], np.float32)
    perfect = score(["a"] * 20, certain, ["a", "b"], "few")
    assert perfect.reject.below == 0
    assert doubtful_below(perfect) == 0.9
    surest_is_wrong = np.array([[0.01, 0.99], [0.95, 0.05]], np.float32)
    wrong = score(["a", "a"], surest_is_wrong, ["a", "b"], "two")
    assert wrong.reject.below is None
    assert doubtful_below(wrong) == pytest.approx(0.99)
