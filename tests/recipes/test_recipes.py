"""The published recipes: the table is whole, each trains as it says, every default gives way to a flag."""

import hashlib
import json
import shutil
import sys

import numpy as np
import pytest
import safetensors.torch
import torch

from fastdigits import InputError, convert, find_backbone, finetune, open_model, predict, read_folder, train
from fastdigits.batches.augmentation import find_policy
from fastdigits.recipes.optimizers import find_optimizer
from fastdigits.recipes.published import PUBLISHED_RECIPES
from fastdigits.recipes.registry import RECIPES, find_recipe
from fastdigits.recipes.schedules import find_schedule
from fastdigits.runs.directory import Run
from fastdigits.training.callbacks.tensorboard import open_tensorboard
from fastdigits.training.learner import prepare_learner, renew_optimizer
from fastdigits.training.options import LEARNER_OPTIONS, chosen_options

SCRATCH_RECIPES = [name for name, recipe in RECIPES.items() if recipe.command == "train"]
PUBLISHED_SCRATCH = [name for name in SCRATCH_RECIPES if name in PUBLISHED_RECIPES]
QUICK = "mlp-300-100"  # trains an epoch of these data in an instant


def history_of(run) -> list[dict]:
    """History rows without their times."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in Run(run).history()]


@pytest.mark.parametrize("name", RECIPES)
def test_the_table_is_whole(name):
    recipe = RECIPES[name]
    backbone = find_backbone(recipe.arch)
    if recipe.published and recipe.published.parameters:
        assert backbone.parameter_count() == recipe.published.parameters
    assert backbone.fixed_size in (None, recipe.size)
    find_policy(recipe.augment)
    find_optimizer(recipe.optimizer)
    for stage in recipe.stages:
        find_schedule(stage.schedule)
    assert (recipe.published is None) == (name not in PUBLISHED_RECIPES)
    assert recipe.published is None or 0.9 < recipe.published.accuracy < (recipe.published.best or 1)


def test_there_are_ten_scratch_recipes_and_their_names_are_in_the_help():
    assert len(PUBLISHED_SCRATCH) == 10
    assert all(name in train.__doc__ for name in SCRATCH_RECIPES)


# split method, valid, seed, batch size, optimiser, highest rate, epochs, schedule
PUBLISHED_SETTINGS = {
    "conv-elu": ("random", 0.2, 141, 32, "adam", 0.01, 25, "steps:0=0.01,5=0.005,10=0.003,15=0.001,20=0.0001"),
    "conv5-bn": ("random", 0.1, 42, 128, "adadelta", 1.0, 20, "constant"),
    "mlp-300-100": ("first", 5000, None, 32, "sgd", 0.01, 30, "constant"),
    "conv5x5": ("random", 0.1, 15, 32, "adam", 1e-4, 40, "plateau:factor=0.1,patience=3"),
    "conv5x5-tuned": ("random", 0.1, 15, 32, "adam", 1e-4, 50, "plateau:factor=0.1,patience=3"),
    "dnn-he": ("first", 1000, None, 32, "adam", 1e-3, 20, "constant"),
    "dnn-tuned": ("first", 1000, None, 10, "nadam", 1e-3, 30, "constant"),
    "conv3-pool": ("first", 1000, None, 32, "adam", 1e-3, 20, "constant"),
    "dcnn-prelu": ("first", 1000, None, 32, "sgd", 0.1, 100, "constant"),
    "conv8-leaky": (
        *("random", 0.2, 42, 64, "rmsprop:rho=0.9,momentum=0.1,centred=1", 0.002, 40),
        "plateau:factor=0.25,patience=2,min_delta=1e-4,floor=1e-5,monitor=train_loss",
    ),
}
# the others: no clipping, no augmentation, no early stopping, the last epoch's weights
PUBLISHED_EXTRAS = {
    "conv-elu": {"clip_value": 1.0, "clip_norm": 1.0},
    "mlp-300-100": {"early_stopping": 5, "keep": "lowest-loss"},
    "conv5x5": {"early_stopping": 10, "min_delta": 0.005, "keep": "last-fall"},
    "conv5x5-tuned": {"early_stopping": 10, "keep": "lowest-loss", "augment": "conv5x5"},
    "dnn-tuned": {"early_stopping": 5},
    "dcnn-prelu": {"early_stopping": 8},
    "conv8-leaky": {"augment": "conv8-leaky"},
}
NO_EXTRAS = {
    **{"clip_value": None, "clip_norm": None, "early_stopping": None, "min_delta": 0.0},
    **{"augment": "none", "keep": "last", "scaling": "normalise"},
}


@pytest.mark.parametrize("name", PUBLISHED_SCRATCH)
def test_every_setting_is_the_published_one(name):
    recipe = RECIPES[name]
    method, valid, seed, batch_size, optimizer, lr, epochs, schedule = PUBLISHED_SETTINGS[name]
    assert (recipe.split.method, recipe.split.valid) == (method, valid)
    assert seed in (None, recipe.split.seed)
    assert (recipe.batch_size, recipe.optimizer) == (batch_size, optimizer)
    (stage,) = recipe.stages
    assert (stage.lr, stage.epochs, stage.schedule, stage.frozen) == ((lr, lr), epochs, schedule, False)
    extras = {**NO_EXTRAS, **PUBLISHED_EXTRAS.get(name, {})}
    assert {key: getattr(recipe, key) for key in extras} == extras


PUBLISHED_RATES = {
    "conv-elu": [0.01] * 5 + [0.005] * 5 + [0.003] * 5 + [0.001] * 5 + [0.0001] * 5,
    "conv5-bn": [1.0] * 20,
    "mlp-300-100": [0.01] * 30,
    "dnn-he": [0.001] * 20,
    "dnn-tuned": [0.001] * 30,
    "conv3-pool": [0.001] * 20,
    "dcnn-prelu": [0.1] * 100,
}


@pytest.mark.parametrize("name", PUBLISHED_RATES)
def test_the_rate_of_each_epoch_is_the_published_one(tmp_path, name):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "few.npz", images=rng.integers(0, 256, (12, 28, 28), np.uint8), labels=np.arange(12) % 2)
    convert(tmp_path / "few.npz", tmp_path / "few", valid=0.5)
    train(name, tmp_path / "few", early_stopping=0, out=tmp_path / "run")
    assert [row["lr"] for row in Run(tmp_path / "run").history()] == pytest.approx(PUBLISHED_RATES[name])


@pytest.mark.parametrize("name", SCRATCH_RECIPES)
def test_one_batch_can_be_learnt_by_heart(folder28, name):
    recipe, backbone = RECIPES[name], find_backbone(name)
    given = {"batch_size": 16, "augment": "none", "seed": 1, "precision": "fp32"}
    options = chosen_options(LEARNER_OPTIONS, given, recipe)
    learner = prepare_learner(backbone, read_folder(folder28), **options).learner
    renew_optimizer(learner, frozen=False)
    learner.opt.set_hypers(lr=recipe.stages[0].lr[1])
    x, y = (part.as_subclass(torch.Tensor) for part in learner.dls.train.one_batch())
    learner.model.train()
    losses = []
    for _ in range(120):
        loss = learner.loss_func(learner.model(x), y)
        loss.backward()
        learner.opt.step()
        learner.opt.zero_grad()
        losses.append(loss.item())
        if len(losses) > 10 and np.mean(losses[-5:]) < 0.05 * losses[0]:
            return
    assert np.mean(losses[-5:]) < 0.3 * losses[0], losses[-5:]


def falling_slowly(n_epochs: int) -> list[dict]:
    """History rows whose losses fall for three epochs and then stand."""
    losses = [max(1.0 - 0.1 * epoch, 0.7) for epoch in range(n_epochs)]
    return [{"valid_loss": loss, "train_loss": loss} for loss in losses]


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("conv5x5", [1e-4] * 7 + [1e-5] * 3 + [1e-6] * 3 + [1e-7]),
        ("conv5x5-tuned", [1e-4] * 7 + [1e-5] * 3 + [1e-6] * 3 + [1e-7]),
        ("conv8-leaky", [0.002] * 6 + [5e-4] * 2 + [1.25e-4] * 2 + [3.125e-5] * 2 + [1e-5] * 4),
    ],
)
def test_the_rate_of_a_plateau_is_the_published_one(name, rates):
    """The fourth row is the first whose loss has not fallen; the rate of the row after the last of them is lower."""
    stage = RECIPES[name].stages[0]
    rows = falling_slowly(len(rates))
    schedule = find_schedule(stage.schedule)
    assert [schedule.rate(stage.lr[1], rows[:epoch]) for epoch in range(len(rates))] == pytest.approx(rates)


@pytest.fixture(scope="module")
def trained(shared, folder28):
    train(QUICK, folder28, epochs=4, lr=0.1, out=shared / "recipe-run")
    return shared / "recipe-run"


def test_a_recipe_becomes_a_run(trained, folder28):
    record, result = Run(trained).record(), Run(trained).result()
    assert record["architecture"] == QUICK
    assert record["settings"]["optimizer"] == "sgd"
    assert record["settings"]["early_stopping"] == 5
    assert record["settings"]["scaling"] == "normalise"
    assert "whole" not in record["settings"]
    assert (record["mean"], record["std"]) == ([0.0], [1.0])
    assert record["stages"][0]["lr"] == [0.1, 0.1]
    assert result["accuracy"] > 0.7
    history = Run(trained).history()
    lowest = min(history, key=lambda row: row["valid_loss"])
    assert result["kept_epoch"] == lowest["epoch"]
    assert len(predict(trained, sorted((folder28 / "valid" / "3").iterdir())[0]).labels) == 1


def test_each_epoch_has_precision_recall_and_f1(trained, folder28):
    from sklearn.metrics import precision_recall_fscore_support

    rows = Run(trained).history()
    kept = rows[int(Run(trained).result()["kept_epoch"]) - 1]
    table = np.genfromtxt(Run(trained).predictions_file, delimiter=",", names=True, dtype=None, encoding="utf-8")
    expected = precision_recall_fscore_support(table["true"], table["label"], average="macro", zero_division=0)
    assert [kept["precision"], kept["recall"], kept["f1"]] == pytest.approx(expected[:3])


def test_train_loss_is_the_mean_over_the_epoch(tmp_path, folder28):
    train(
        QUICK, folder28, epochs=1, lr=1e-12, batch_size=32, precision="fp32", out=tmp_path / "run"
    )  # the weights stay
    from fastdigits.batches.loaders import digit_loaders

    model = open_model(tmp_path / "run")
    x, y = digit_loaders(read_folder(folder28), size=28, mean=[0.0], std=[1.0], batch_size=96).train.one_batch()
    x, y = x.as_subclass(torch.Tensor), y.as_subclass(torch.Tensor)  # fastai's own classes do not mix
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(model.module(x), y)
    assert Run(tmp_path / "run").history()[0]["train_loss"] == pytest.approx(expected.item(), rel=1e-5)


CHANGES = {
    "steps": {"schedule": "steps:0=0.1,2=0.01", "clip_value": 0.5, "clip_norm": 0.5},
    "plateau": {
        "schedule": "plateau:factor=0.5,patience=1,min_delta=0.2",
        "optimizer": "rmsprop:momentum=0.1,centred=1",
    },
    "one-cycle": {"schedule": "one-cycle", "optimizer": "adadelta", "lr": 1.0},
    "muon": {"optimizer": "muon:weight_decay=0.01", "schedule": "one-cycle", "lr": 0.02},
    "nadam": {"optimizer": "nadam", "lr": 1e-3, "augment": "conv5x5", "scaling": "standardise"},
    "momentum": {"optimizer": "sgd:momentum=0.9", "schedule": "one-cycle:pct_start=0.4"},
    "adamw": {"optimizer": "adamw", "lr": 1e-3, "scaling": "centre", "keep": "best"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_recipes_resume_to_the_same_numbers(tmp_path, folder28, monkeypatch, change):
    options = {"epochs": 4, **CHANGES[change]}
    train(QUICK, folder28, out=tmp_path / "whole", **options)
    write, rows = Run.append_history, []

    def stop_after_two(self, row):
        write(self, row)
        rows.append(row)
        if len(rows) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "append_history", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        train(QUICK, folder28, out=tmp_path / "cut", **options)
    monkeypatch.undo()
    train(QUICK, folder28, out=tmp_path / "cut", resume=True, **options)
    assert history_of(tmp_path / "cut") == history_of(tmp_path / "whole")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("cut", "whole")]
    assert weights[0] == weights[1]


def test_scaling_is_of_the_training_rows_and_stays_with_the_model(tmp_path, folder28):
    from PIL import Image

    files = read_folder(folder28).split("train").files
    pixels = np.stack([np.asarray(Image.open(file).convert("L")) for file in files]) / 255
    for scaling, mean, std in (("centre", pixels.mean(), 1.0), ("standardise", pixels.mean(), pixels.std())):
        train(QUICK, folder28, epochs=1, scaling=scaling, out=tmp_path / scaling)
        saved = json.loads((tmp_path / scaling / "model.json").read_text())
        assert (saved["mean"], saved["std"]) == ([pytest.approx(mean, abs=1e-5)], [pytest.approx(std, abs=1e-5)])


def test_going_on_from_the_best_weights(tmp_path, folder28, trained, capsys):
    train(QUICK, folder28, weights=trained, epochs=1, lr=1e-9, out=tmp_path / "more")
    assert Run(tmp_path / "more").result()["accuracy"] == Run(trained).result()["accuracy"]
    assert Run(tmp_path / "more").record()["settings"]["scaling"] is None
    assert "was trained on another folder or split" not in capsys.readouterr().out
    convert(folder28.parent / "digits28.npz", tmp_path / "other", valid=0.4, seed=6)
    for command in (train, finetune):
        out = tmp_path / command.__name__
        command(QUICK, tmp_path / "other", weights=trained, epochs=1, lr=0.01, out=out)
        assert "accuracy on valid is too high" in capsys.readouterr().out
        assert "accuracy on valid is too high" in Run(out).record()["notes"][0]


def test_weights_are_not_overwritten_by_the_run_that_starts_from_them(folder28, trained):
    with pytest.raises(InputError) as caught:
        train(QUICK, folder28, weights=trained, out=trained, overwrite=True)
    assert str(caught.value) == f"{trained} is where --weights {trained} lies; name another --out"
    assert Run(trained).finished


def test_going_on_from_damaged_weights(tmp_path, folder28, trained):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    description = json.loads((copy / "model.json").read_text())
    safetensors.torch.save_file({"x": torch.zeros(1)}, copy / "model.safetensors")
    description["sha256"] = hashlib.sha256((copy / "model.safetensors").read_bytes()).hexdigest()
    (copy / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=r"model\.safetensors does not fit mlp-300-100; export the model again"):
        train(QUICK, folder28, weights=copy, out=tmp_path / "run")


def test_a_valid_loss_that_is_no_number_stops(tmp_path, folder28):
    """Weights become infinite in the last step, which the train loss before it does not show."""
    with pytest.raises(InputError, match=r"the loss is no number any more after 0 finished epochs, in stage all"):
        train(QUICK, folder28, lr=3e38, batch_size=96, epochs=2, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_cycle_leaves_the_momentum_alone(tmp_path, folder28):
    train(QUICK, folder28, epochs=2, optimizer="sgd:momentum=0.3", schedule="one-cycle", out=tmp_path / "run")
    groups = Run(tmp_path / "run").read_checkpoint()["optimizer"]["param_groups"]
    assert {group["momentum"] for group in groups} == {0.3}


def test_early_stopping_waits_for_min_delta(tmp_path, folder28, capsys):
    train(QUICK, folder28, epochs=9, early_stopping=2, min_delta=100.0, out=tmp_path / "run")
    assert len(Run(tmp_path / "run").history()) == 3  # the first is lower than nothing, two are not
    assert "stage all stopped early: valid loss did not fall by 100 for 2 epochs" in capsys.readouterr().out


def test_last_fall_is_the_epoch_that_keras_restores(tmp_path, folder28):
    options = {"epochs": 8, "lr": 0.1, "min_delta": 0.4}
    run = train(QUICK, folder28, keep="last-fall", **options, out=tmp_path / "run").run
    lowest, fell_in = float("inf"), 0
    for row in run.history():
        if row["valid_loss"] < lowest - 0.4:
            lowest, fell_in = row["valid_loss"], row["epoch"]
    losses = [row["valid_loss"] for row in run.history()]
    assert run.result()["kept_epoch"] == fell_in
    assert fell_in < 1 + losses.index(min(losses))  # which lowest-loss keeps


def test_all_rows_train(tmp_path, folder28, capsys):
    convert(folder28.parent / "digits28.npz", tmp_path / "all", valid=0)
    train("conv5x5", tmp_path / "all", epochs=1, out=tmp_path / "run")
    assert "no valid pictures: all epochs are trained" in capsys.readouterr().out
    assert Run(tmp_path / "run").record()["stages"][0]["schedule"].endswith("monitor=train_loss")
    with pytest.raises(
        InputError, match="has no valid pictures, which early stopping and --keep best, lowest-loss or last-fall"
    ):
        train("conv5x5", tmp_path / "all", keep="best", out=tmp_path / "run2")


def test_tensorboard_gets_every_epoch(tmp_path, folder28):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(QUICK, folder28, epochs=2, tensorboard=True, out=tmp_path / "run")
    (folder,) = (tmp_path / "run" / "tensorboard").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    written = [scalar.value for scalar in events.Scalars("valid_loss")]
    assert written == pytest.approx([row["valid_loss"] for row in Run(tmp_path / "run").history()])


def test_a_resumed_run_goes_on_in_its_tensorboard_folder(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    first = open_tensorboard(tmp_path)
    for epoch in (1, 2, 3):
        first({"epoch": epoch, "accuracy": 0.5})
    resumed = open_tensorboard(tmp_path, epochs_done=2)  # of the third no checkpoint was written
    resumed({"epoch": 3, "accuracy": 0.75})
    (folder,) = tmp_path.iterdir()
    events = EventAccumulator(str(folder)).Reload()
    assert [(s.step, s.value) for s in events.Scalars("accuracy")] == [(1, 0.5), (2, 0.5), (3, 0.75)]


def test_tensorboard_is_an_extra(tmp_path, folder28, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError) as caught:
        train(QUICK, folder28, epochs=1, tensorboard=True, out=tmp_path / "run", overwrite=True)
    assert str(caught.value) == "--tensorboard needs the package tensorboard: pip install 'fastdigits[track]'"
    assert (tmp_path / "run").is_dir()  # and not replaced by nothing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "conv-elo"}, "'conv-elo' is no recipe; near are conv-elu"),
        ({"recipe": "resnet50-kannada"}, "resnet50-kannada is a recipe of `fastdigits finetune`; run that"),
        ({"schedule": "cosine"}, "--schedule 'cosine' is unknown; accepted are constant, one-cycle, steps, plateau"),
        ({"schedule": "steps:5=0.1"}, "--schedule steps:5=0.1 makes no sense; give the rate from epoch 0 on"),
        ({"schedule": "steps"}, "--schedule steps needs values; write steps:0=0.01,5=0.001"),
        ({"schedule": "plateau:factor=2"}, "makes no sense; accepted are 0 < factor < 1"),
        ({"schedule": "plateau:monitor=f1"}, "monitor is 'f1'; accepted are valid_loss, train_loss"),
        ({"schedule": "one-cycle:div=x"}, "--schedule one-cycle:div=x is no number; div takes one"),
        ({"schedule": "one-cycle:div=0"}, "--schedule one-cycle:div=0 makes no sense; accepted are 0 < pct_start < 1"),
        ({"schedule": "constant:x=1"}, "--schedule constant has no 'x'; after its colon are accepted nothing"),
        ({"optimizer": "lion"}, "--optimizer 'lion' is unknown; accepted are sgd, adam, adamw, nadam"),
        ({"optimizer": "sgd:rho=0.9"}, "--optimizer sgd has no 'rho'; after its colon are accepted momentum"),
        ({"optimizer": "sgd:momentum=1.5"}, "--optimizer sgd:momentum=1.5 makes no sense; accepted are 0 or more"),
        ({"scaling": "minmax"}, "--scaling 'minmax' is unknown; accepted are normalise, centre, standardise"),
        ({"keep": "first"}, "--keep 'first' is unknown; accepted are last, best, lowest-loss, last-fall"),
        ({"seed": 2**32}, "--seed 4294967296 makes no sense; accepted are whole numbers 0 to 4294967295"),
        ({"clip_norm": -1}, "--clip-norm -1 makes no sense; accepted is 0 or more"),
        ({"minutes": 1, "epochs": 1}, "--minutes sets the epochs itself; leave out --epochs"),
        ({"weights": "nowhere"}, "--weights nowhere is no finished run or saved model"),
        ({"weights": "x", "scaling": "centre"}, "--scaling comes with the weights that training goes on from"),
    ],
)
def test_options_that_make_no_sense(tmp_path, folder28, options, message):
    arguments = {"recipe": QUICK, "data": folder28, "out": tmp_path / "run"} | options
    with pytest.raises(InputError) as caught:
        train(**arguments)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_going_on_needs_the_same_network_and_classes(tmp_path, folder28, trained):
    with pytest.raises(InputError, match=r"is a mlp-300-100, not a dnn-he"):
        train("dnn-he", folder28, weights=trained, out=tmp_path / "run")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "two.npz", images=rng.integers(0, 256, (20, 28, 28), np.uint8), labels=np.arange(20) % 2)
    convert(tmp_path / "two.npz", tmp_path / "two", valid=0.5)
    with pytest.raises(InputError, match=r"knows the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9; the data have 0, 1$"):
        train(QUICK, tmp_path / "two", weights=trained, out=tmp_path / "run")


def test_find_recipe_without_a_command():
    assert find_recipe("resnet50-kannada").command == "finetune"
