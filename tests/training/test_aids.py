"""Moving average of weights, label smoothing, distillation, test-time augmentation, pseudo-labels."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from fastai.callback.core import Callback

from fastdigits import InputError, convert, evaluate, finetune, open_model, predict, read_folder, train
from fastdigits.answers.inference import Inference
from fastdigits.batches.augmentation import averaged_views
from fastdigits.folders.writing.pseudo_labels import GROUP
from fastdigits.models.backbones import find_backbone
from fastdigits.photos.files import read_gray
from fastdigits.runs.directory import Run
from fastdigits.scores import leaks, scoring
from fastdigits.scores.leaks import leak_notes
from fastdigits.training import run as fitting
from fastdigits.training.callbacks.distillation import Distillation
from fastdigits.training.callbacks.weight_average import WeightAverage
from fastdigits.training.learner import epoch_seconds, prepare_learner
from fastdigits.training.options import LEARNER_OPTIONS, chosen_options

QUICK = "mlp-300-100"


def learner_of(folder, **given):
    options = chosen_options(LEARNER_OPTIONS, {"weights": "none", "seed": 1, "precision": "fp32", **given}, None)
    return prepare_learner(find_backbone("digitnet"), read_folder(folder), **options)


def weights_of(path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(path / "model.safetensors")


def test_the_average_is_the_exponential_one(folder28):
    """After each step every weight and running statistic is lerped by 1 - min(decay, (1 + n) / (10 + n))."""
    learner = learner_of(folder28, batch_size=16).learner
    average, expected, steps = WeightAverage(0.6), {}, []

    class Follow(Callback):
        order = 1000

        def after_batch(self):
            if not self.training:
                return
            for name, value in self.model.state_dict().items():
                n = len(steps)
                decay = min(0.6, (1 + n) / (10 + n)) if n else 0
                if value.is_floating_point():
                    expected[name] = value.clone() if not n else expected[name].lerp(value, 1 - decay)
            steps.append(1)

    with learner.no_logging():
        learner.fit(2, cbs=[average, Follow()])
    found = average.state()
    assert found["steps"] == len(steps) == 12
    for name, value in expected.items():
        torch.testing.assert_close(found["weights"][name], value, rtol=1e-4, atol=1e-6)


def test_the_average_is_validated_and_saved(folder28, tmp_path):
    run = train("digitnet", folder28, epochs=2, batch_size=16, ema=0.9, out=tmp_path / "run").run
    checkpoint = run.read_checkpoint()
    saved = weights_of(run.path)
    assert all(torch.equal(saved[name], value) for name, value in checkpoint["average"]["weights"].items())
    assert not torch.equal(saved["head.weight"], checkpoint["model"]["head.weight"])
    assert run.result()["accuracy"] == pytest.approx(run.history()[-1]["accuracy"], abs=0.02)
    plain = train("digitnet", folder28, epochs=2, batch_size=16, ema=0, out=tmp_path / "plain").run
    assert plain.read_checkpoint()["average"] is None
    assert torch.equal(weights_of(plain.path)["head.weight"], plain.read_checkpoint()["model"]["head.weight"])


def test_the_best_epochs_average_is_kept(folder28, tmp_path):
    run = train("digitnet", folder28, epochs=2, batch_size=16, ema=0.9, keep="best", out=tmp_path / "run").run
    best = run.read_checkpoint(best=True)
    saved = weights_of(run.path)
    assert all(torch.equal(saved[name], value) for name, value in best["average"]["weights"].items())


def test_a_resumed_average_is_the_same(folder28, tmp_path, monkeypatch):
    options = {"epochs": 3, "batch_size": 16, "ema": 0.9}
    whole = train("digitnet", folder28, **options, out=tmp_path / "whole").run
    from fastdigits.training.callbacks.epoch_end import EpochEnd

    plain_end, ends = EpochEnd.after_epoch, []

    def interrupted(self):
        plain_end(self)
        ends.append(1)
        if len(ends) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochEnd, "after_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train("digitnet", folder28, **options, out=tmp_path / "cut")
    monkeypatch.setattr(EpochEnd, "after_epoch", plain_end)
    cut = train("digitnet", folder28, **options, out=tmp_path / "cut", resume=True).run
    first, second = weights_of(whole.path), weights_of(cut.path)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("option", ["ema", "label_smoothing"])
@pytest.mark.parametrize("value", [1, -0.1])
def test_shares_that_make_no_sense(folder28, tmp_path, option, value):
    with pytest.raises(InputError) as caught:
        train(QUICK, folder28, **{option: value}, out=tmp_path / "run")
    flag = option.replace("_", "-")
    assert str(caught.value) == f"--{flag} {value} makes no sense; accepted are 0 or more and below 1"


def test_label_smoothing_is_torchs(folder28):
    loss = learner_of(folder28, label_smoothing=0.1).learner.loss_func
    logits, labels = torch.randn(8, 10, requires_grad=True), torch.arange(8)
    assert loss(logits, labels) == F.cross_entropy(logits, labels, label_smoothing=0.1)
    with torch.no_grad():  # on valid losses are plain, so that runs can be compared
        assert loss(logits + 0, labels) == F.cross_entropy(logits, labels)


def test_teachers_are_learnt_from(folder28):
    """The loss is the mean of the labels' and of the cross-entropy with the teachers' mean probabilities."""
    prepared = learner_of(folder28, batch_size=16, augment="none")
    learner, teacher = prepared.learner, open_model("digitnet-mnist")
    seen = []

    class Compare(Callback):
        order = 1000

        def after_loss(self):
            if self.training:
                gray = self.xb[0] * prepared.std[0] + prepared.mean[0]
                images = gray[:, 0].mul(255).round().to(torch.uint8).numpy()
                told = torch.from_numpy(teacher.probabilities(images))
                pred = self.learn.pred.detach().float()
                expected = (F.cross_entropy(pred, self.yb[0]) + F.cross_entropy(pred, told)) / 2
                seen.append((self.learn.loss.item(), expected.item()))

    with learner.no_logging():
        learner.fit(1, cbs=[Distillation([teacher], prepared.mean, prepared.std), Compare()])
    assert len(seen) == 6
    for found, expected in seen:
        assert found == pytest.approx(expected, rel=1e-3)


def test_a_pupil_answers_like_its_teacher(folder28, tmp_path):
    options = {"epochs": 6, "batch_size": 16, "augment": "none", "ema": 0, "lr": 0.003}
    taught = train("digitnet", folder28, teachers=["digitnet-mnist"], **options, out=tmp_path / "taught").run
    assert taught.record()["settings"]["teachers"] == ["digitnet-mnist"]
    assert "- taught by the labels and by the answers of digitnet-mnist" in (taught.path / "README.md").read_text()
    alone = train("digitnet", folder28, **options, out=tmp_path / "alone").run
    teacher = evaluate("digitnet-mnist", str(folder28), split="train")
    assert teacher.accuracy > 0.7

    images = np.stack([read_gray(file) for file in read_folder(folder28).split("valid").files])

    def distance(run) -> float:
        answers, told = (open_model(model).probabilities(images) for model in (run.path, "digitnet-mnist"))
        return float(np.abs(answers - told).mean())

    assert distance(taught) < distance(alone)


def test_who_may_know_the_valid_rows_is_named(folder28, tmp_path, monkeypatch, capsys):
    """The 8x8 digits are not MNIST's, so the threshold is lowered to what the model reaches on them."""
    folder = read_folder(folder28)
    assert leak_notes(["none", "pretrained", "digitnet-mnist", "digitnet-kannada"], folder) == []
    monkeypatch.setattr(leaks, "LEAK_ACCURACY", 0.5)
    run = train(QUICK, folder28, epochs=1, teachers=["digitnet-mnist"], out=tmp_path / "run").run
    (note,) = run.record()["notes"]
    assert note in capsys.readouterr().out
    assert re.fullmatch(
        r"digitnet-mnist knows \d\d\.\d% of the valid rows beforehand: if it was trained on them, accuracy on valid is "
        "too high",
        note,
    )
    assert f"- {note}" in (run.path / "README.md").read_text()
    assert leak_notes([str(run.path)], folder) == [note]  # which was trained on this very split, but learnt from it
    convert(folder28.parent / "digits28.npz", tmp_path / "all", valid=0)
    assert leak_notes(["digitnet-mnist", str(run.path)], read_folder(tmp_path / "all")) == []


def test_rows_whose_classes_take_turns_are_asked_about_all_of_them(tmp_path, digit_images, monkeypatch):
    """Rows at equal distances would all be of one class."""
    images, labels = digit_images
    turns = np.concatenate([np.flatnonzero(labels == k)[:40, None] for k in range(10)], axis=1).ravel()
    large = np.pad(images[turns].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    np.savez(tmp_path / "turns.npz", images=large, labels=labels[turns])
    folder = convert(tmp_path / "turns.npz", tmp_path / "turns", valid=0)
    whole = leaks.known_share("digitnet-mnist", folder, "train")
    monkeypatch.setattr(leaks, "LEAK_PICTURES", 40)
    asked = []
    numbers = scoring.class_numbers
    monkeypatch.setattr(
        scoring, "class_numbers", lambda labels, known: (asked.extend(labels), numbers(labels, known))[1]
    )
    assert leaks.known_share("digitnet-mnist", folder, "train") == pytest.approx(whole, abs=0.2)
    assert len(asked) == 40
    assert len(set(asked)) > 5


def test_minutes_count_the_teachers_time(folder28, tmp_path, monkeypatch):
    timed = []

    def measured(learner, frozen):
        timed.append(any(isinstance(callback, Distillation) for callback in learner.cbs))
        return epoch_seconds(learner, frozen)

    monkeypatch.setattr(fitting, "epoch_seconds", measured)
    train(QUICK, folder28, minutes=1e-4, teachers="digitnet-mnist", out=tmp_path / "run")  # one may be a text
    assert timed == [True]


def test_teachers_of_other_classes(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (20, 28, 28), np.uint8)
    np.savez(tmp_path / "two.npz", images=images, labels=np.arange(20) % 2)
    convert(tmp_path / "two.npz", tmp_path / "two", valid=0)
    with pytest.raises(InputError) as caught:
        train(QUICK, tmp_path / "two", teachers=["digitnet-mnist"], out=tmp_path / "run")
    assert str(caught.value) == ("--teachers digitnet-mnist tells 0, 1, 2, 3, 4, 5, 6, 7, 8, 9; the data have 0, 1")
    assert not (tmp_path / "run").exists()


def test_a_run_outlives_a_wrong_teacher(folder28, tmp_path):
    options = {"epochs": 1, "early_stopping": 0, "out": tmp_path / "run"}
    train(QUICK, folder28, **options)
    for teacher, message in (
        ("gone", "gone does not exist; pass a run directory"),
        (tmp_path / "run", f"{tmp_path}/run is where --teachers {tmp_path}/run lies; name another --out"),
    ):
        with pytest.raises(InputError) as caught:
            train(QUICK, folder28, **options, teachers=[teacher], overwrite=True)
        assert str(caught.value).startswith(message)
    assert Run(tmp_path / "run").finished


def test_views_are_averaged(digit_images):
    images = np.pad(digit_images[0][:20].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    model = open_model("digitnet-mnist")
    views = averaged_views(torch.from_numpy(images)[:, None].float() / 255)
    assert len(views) == 7
    assert torch.equal(views[0][:, 0], torch.from_numpy(images).float() / 255)
    alone = [model.probabilities((view[:, 0] * 255).round().to(torch.uint8).numpy()) for view in views]
    together = Inference([model], exact=True, tta=True).probabilities(images)
    assert together == pytest.approx(np.mean(alone, axis=0), abs=1e-5)
    assert np.abs(together - alone[0]).max() > 1e-3


def test_scores_with_test_time_augmentation_say_so(folder28, tmp_path):
    evaluation = evaluate("digitnet-mnist", str(folder28), tta=True)
    assert evaluation.data == f"{folder28} (valid), with test-time augmentation"
    plain, views = (
        predict("digitnet-mnist", str(folder28 / "valid" / "3"), tta=tta, out=tmp_path / f"{tta}.csv").probabilities
        for tta in (False, True)
    )
    assert np.abs(plain - views).max() > 1e-3


@pytest.fixture
def tables(tmp_path, digit_images):
    """Labelled digits, others without labels, and predictions of which two are sure."""
    images, labels = (part[:60] for part in digit_images)
    np.savez(tmp_path / "train.npz", images=images[:40], labels=labels[:40])
    np.savez(tmp_path / "test.npz", images=images[40:])
    answers = pd.DataFrame({"id": range(20), "label": labels[40:], "confidence": 0.9})
    answers.loc[[3, 7], "confidence"] = 0.995
    answers.to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path


def test_sure_answers_become_training_rows(tables, digit_images, capsys):
    options = {"test": tables / "test.npz", "valid": 0.25}
    plain = convert(tables / "train.npz", tables / "plain", **options)
    folder = convert(tables / "train.npz", tables / "out", **options, pseudo_labels=tables / "predictions.csv")
    added = folder.split("train")
    assert added.ids == [*plain.split("train").ids, "test-3", "test-7"]
    assert added.labels[-2:] == [str(digit_images[1][k]) for k in (43, 47)]
    assert added.files[-1].read_bytes() == folder.split("test").files[7].read_bytes()
    assert folder.split("valid").ids == plain.split("valid").ids
    note = (
        "2 of 20 test pictures are among the training rows with labels that nobody gave them: scores on them are "
        "transductive"
    )
    assert note in capsys.readouterr().out
    run = finetune("digitnet-mnist", folder.path, epochs=1, head_epochs=0, lr=0.001, out=tables / "run").run
    assert f"- {note}" in (run.path / "README.md").read_text()
    writers = pd.DataFrame({"id": range(40), "writer": [k % 8 for k in range(40)]})
    writers.to_csv(tables / "writers.csv", index=False)
    options |= {"valid": 0, "pseudo_labels": tables / "predictions.csv", "pseudo_confidence": 0.5}
    grouped = convert(tables / "train.npz", tables / "grouped", **options, groups=tables / "writers.csv")
    assert grouped.split("train").groups.count(GROUP) == 20


def test_pseudo_labels_that_are_none(tables):
    def error_of(content: pd.DataFrame | None = None, **options) -> str:
        if content is not None:
            content.to_csv(tables / "wrong.csv", index=False)
        given = {"valid": 0, "test": tables / "test.npz", "pseudo_labels": tables / "wrong.csv", **options}
        with pytest.raises(InputError) as caught:
            convert(tables / "train.npz", tables / "no", **given)
        assert not (tables / "no").exists()
        return str(caught.value)

    good = pd.read_csv(tables / "predictions.csv")
    assert error_of() == (
        f"{tables}/wrong.csv does not exist; --pseudo-labels takes the csv that `fastdigits predict` writes"
    )
    assert error_of(good[["id", "label"]]) == (
        f"{tables}/wrong.csv has the columns id, label; --pseudo-labels takes id, label, confidence"
    )
    assert error_of(good, pseudo_confidence=1.0) == (
        f"{tables}/wrong.csv has no row with a confidence of 1 or more; lower it"
    )
    assert error_of(good, pseudo_confidence=2) == "--pseudo-confidence 2 makes no sense; accepted are 0..1"
    assert error_of(good.assign(confidence="much")).startswith(f"{tables}/wrong.csv cannot be read as csv: ")
    packed = tables / "cut.csv.gz"
    good.to_csv(packed, index=False)
    packed.write_bytes(packed.read_bytes()[:-20])
    assert error_of(pseudo_labels=packed).startswith(f"{packed} cannot be read as csv: ")
    assert error_of(good.assign(id="x")) == "the test table has none of the ids of --pseudo-labels, e.g. 'x'"
    assert error_of(good.assign(label="x")) == (
        "--pseudo-labels has the label 'x', which the training rows do not have"
    )
    assert error_of(good, test=None) == "--pseudo-labels needs labelled rows and a test table; pass --test"


def test_what_a_run_says_of_its_aids(folder28, tmp_path):
    train(QUICK, folder28, epochs=1, ema=0.5, label_smoothing=0.1, early_stopping=0, out=tmp_path / "run")
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]
    assert (settings["ema"], settings["label_smoothing"], settings["teachers"]) == (0.5, 0.1, None)
    assert Run(tmp_path / "run").finished
