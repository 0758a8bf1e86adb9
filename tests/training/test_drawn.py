"""Training with drawn pictures: digits in rare styles, and what shows no single digit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fastdigits import InputError, convert, evaluate, export, finetune, open_model, predict, train
from fastdigits.answers import Inference
from fastdigits.folders import read_folder
from fastdigits.runs import Run
from fastdigits.styles import drawn_others
from fastdigits.training.callbacks import pools
from fastdigits.training.callbacks.drawn import Drawn, Pool
from fastdigits.training.callbacks.pools import Form, _looks_like, outlier_pool, style_pool

OPTIONS = {"epochs": 2, "batch_size": 16, "lr": 0.01, "seed": 3}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """As many pictures as a test needs, not as a training does."""
    for name in ("STYLES", "NO_DIGITS"):
        monkeypatch.setattr(pools, name, replace(getattr(pools, name), least=130))
    pools._stream.cache_clear()


@pytest.fixture(scope="module")
def rejecting(folder28, tmp_path_factory) -> Run:
    patch = pytest.MonkeyPatch()
    patch.setattr(pools, "NO_DIGITS", replace(pools.NO_DIGITS, least=260, share=0.5))
    out = tmp_path_factory.mktemp("drawn") / "run"
    run = train("digitnet", folder28, **{**OPTIONS, "epochs": 20}, reject=True, out=out).run
    patch.undo()
    return run


def test_a_model_that_rejects_tells_what_is_no_digit(rejecting, folder28):
    model = open_model(rejecting.path)
    assert model.outliers["above"] >= 0.1
    assert model.module.head.out_features == 12
    inference = Inference([model], exact=True)
    others = np.stack([picture for picture, _ in drawn_others(120, seed=99)])
    shares = inference.shares(others)
    assert shares.shape == (len(others), 12)
    assert shares[:, :10].sum(1) == pytest.approx(np.ones(len(others)), abs=1e-5)
    told = (shares[:, 10:].sum(1) > model.above).mean()
    assert told > 0.5
    np.savez(rejecting.path.parent / "others.npz", images=others)
    found = predict(rejecting.path, rejecting.path.parent / "others.npz", out=rejecting.path.parent / "p.csv")
    outlying = [verdict in ("several", "other", "blank") for verdict in found.verdicts]
    assert np.mean(outlying) >= told
    assert found.table(probabilities=True).columns[-2:].tolist() == ["share_several", "share_other"]
    assert evaluate(rejecting.path, str(folder28)).accuracy > 0.5
    assert "says `several` or `other`" in (rejecting.path / "README.md").read_text().replace("\n", " ")


def test_the_history_judges_digits_by_their_classes_alone(rejecting):
    accuracies = [row["accuracy"] for row in rejecting.history()]
    assert max(accuracies) > 0.5
    assert rejecting.record()["settings"]["reject"] is True
    assert rejecting.result()["accuracy"] == pytest.approx(accuracies[-1], abs=0.04)


def test_exports_of_a_model_that_rejects(rejecting, folder28, tmp_path):
    saved, digits = open_model(rejecting.path), read_folder(folder28)
    images = np.concatenate([np.stack([picture for picture, _ in drawn_others(40, seed=7)])])
    expected = saved.shares(images)
    export(rejecting.path, out=tmp_path / "saved")
    assert (open_model(tmp_path / "saved").shares(images) == expected).all()
    export(rejecting.path, out=tmp_path / "learner.pkl", to="learner")
    assert digits.classes == saved.classes
    pytest.importorskip("onnxscript")
    export(rejecting.path, out=tmp_path / "onnx", to="onnx")
    by_onnx = open_model(tmp_path / "onnx")
    assert np.abs(by_onnx.shares(images) - expected).max() < 1e-4
    shown = by_onnx.session.run(["shown"], {"images": images})[0]
    outliers = expected[:, 10:]
    kinds = np.where(outliers[:, 0] > outliers[:, 1], 2, 3)
    assert shown.tolist() == np.where(outliers.sum(1) > saved.above, kinds, 0).tolist()


def test_heads_are_kept_with_and_without_outliers(rejecting, folder28, tmp_path, capsys):
    plain = finetune("digitnet", folder28, weights=str(rejecting.path), epochs=1, lr=1e-6, out=tmp_path / "plain").run
    assert "knows these classes, so its head is kept" in capsys.readouterr().out
    model, before = open_model(plain.path), open_model(rejecting.path)
    assert model.outliers is None
    assert model.module.head.out_features == 10
    assert torch.allclose(model.module.head.weight, before.module.head.weight[:10], atol=1e-2)
    again = train("digitnet", folder28, weights=str(plain.path), reject=True, **OPTIONS, out=tmp_path / "again").run
    assert open_model(again.path).module.head.out_features == 12


def test_a_run_that_is_gone_on_with_ends_with_the_same_numbers(folder28, tmp_path):
    options = {**OPTIONS, "epochs": 3, "reject": True, "styles": True}
    whole = train("digitnet", folder28, **options, out=tmp_path / "whole").run

    class Stopped(Exception):
        pass

    def stop(row):
        if row["epoch"] == 2:
            raise Stopped("by the test")

    with pytest.raises(Stopped):
        train("digitnet", folder28, **options, out=tmp_path / "cut", on_epoch=stop)
    cut = train("digitnet", folder28, **options, out=tmp_path / "cut", resume=True).run
    losses = [[row["train_loss"] for row in run.history()] for run in (whole, cut)]
    assert losses[0] == losses[1]


def test_batches_get_their_share_of_each_pool(folder28):
    from fastdigits.models import find_backbone
    from fastdigits.training.learner import prepare_learner

    options = {"batch_size": 24, "augment": "light", "scaling": "standardise", "optimizer": "adam", "weights": "none"}
    prepared = prepare_learner(find_backbone("digitnet"), read_folder(folder28), **options, reject=True, styles=True)
    mixed, seen = next(cb for cb in prepared.learner.cbs if isinstance(cb, Drawn)), []

    class Look(type(mixed).__base__):
        order = 1000

        def before_batch(self):
            seen.append((self.training, self.xb[0].shape, self.yb[0].bincount(minlength=12)))

        def after_pred(self):
            seen[-1] += (self.learn.pred.shape[1],)

    with prepared.learner.no_logging():
        prepared.learner.fit(1, cbs=[Look()])
    for training, shape, counts, outputs in seen:
        if training:
            assert shape == (24 + 8 + 4, 1, 28, 28)
            assert counts[10:].sum() == 4
            assert outputs == 12
        else:
            assert counts[10:].sum() == 0
            assert outputs == 10


def test_pools_fit_their_folder(folder28, folder, tmp_path, capsys):
    data = read_folder(folder28)
    styles, others = style_pool(data, 28, 1), outlier_pool(data, 28, 1)
    assert capsys.readouterr().out.splitlines() == [
        "drawing 130 pictures of digits in many styles",
        "drawing 109 pictures of several digits or none",  # and 21 pairs of the folder's
    ]
    assert isinstance(styles, Pool)
    assert styles.pictures.shape[1:] == (23, 23)  # 24 of its 28 pixels are a digit, where MNIST has 20
    assert set(styles.labels.tolist()) == set(range(10))
    assert set(others.labels.tolist()) == {10, 11}
    small = outlier_pool(read_folder(folder), 16, 1)
    assert small.pictures.shape[1:] == (20, 20)  # whose digits fill their 8 pixels


def test_styles_are_those_of_digits_alone(in_tmp, digit_images):
    images, labels = digit_images
    np.savez("letters.npz", images=images[:100], labels=np.array(list("abcdefghij"))[labels[:100]])
    convert("letters.npz", "letters", valid=0.3)
    with pytest.raises(InputError) as caught:
        train("digitnet", "letters", styles=True, **OPTIONS, out="run")
    assert str(caught.value) == (
        "--styles draws the digits 0 to 9, and letters has other classes (a, b, c, d, e); leave it out"
    )
    assert not (in_tmp / "run").exists()


def test_no_class_is_taught_to_be_none(in_tmp, digit_images, monkeypatch):
    """Letters and numbers of two digits may be classes; digits of another script may look like what is drawn."""
    images, labels = digit_images
    drawn = []

    def listen(n, seed, kinds, in_form):
        drawn.append(set(kinds))
        return drawn_others(n, seed, kinds, in_form)

    monkeypatch.setattr(pools, "drawn_others", listen)
    monkeypatch.setattr(pools, "known_share", lambda model, folder, split: None)  # another script, as far as is known
    for name, classes in (
        ("letters", "abcdefghij"),
        ("months", [str(k + 3) for k in range(10)]),
        ("digits", range(10)),
    ):
        np.savez(f"{name}.npz", images=images[:100], labels=np.array([str(one) for one in classes])[labels[:100]])
        convert(f"{name}.npz", name, valid=0.3)
        pools._stream.cache_clear()
        pool = outlier_pool(read_folder(name), 28, 1)
        has_pairs = bool((pool.labels == 10).any())
        assert has_pairs == (name != "months")
    letters, months, digits = drawn
    assert "letter" not in letters
    assert "several digits" in letters
    assert "several digits" not in months
    assert {"letter", "other script"} <= digits


def test_what_looks_like_a_class_is_told(digit_images):
    images = np.pad(digit_images[0][:300].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    shifted = [np.roll(image, 1, axis=1) for image in images[:50]]
    noise = list(np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8))
    told = _looks_like([*shifted, *noise], images)
    assert told[:50].mean() > 0.4
    assert not told[50:].any()


def test_drawn_pictures_have_the_folders_form(folder, folder28, in_tmp):
    assert Form.of(read_folder(folder28), 28, np.zeros((1, 28, 28), np.uint8)) == Form(True, 28)  # nothing to see
    full = np.full((5, 8, 8), 255, np.uint8)
    assert Form.of(read_folder(folder), 32, full) == Form(True, 20)
    large = np.zeros((10, 40, 40), np.uint8)
    np.savez("large.npz", images=large, labels=np.arange(10) % 2)
    assert Form.of(convert("large.npz", "large", valid=0.5), 64, large) == Form(False, 40)


def test_folds_train_with_pictures_drawn_once(folder28, tmp_path, capsys):
    train("digitnet", folder28, **{**OPTIONS, "epochs": 1}, reject=True, folds=2, out=tmp_path / "folds")
    assert capsys.readouterr().out.count("drawing 109 pictures of several digits or none") == 1


def test_a_drawing_that_was_interrupted_begins_anew():
    interrupts = [True]

    def draw(n, seed, names, in_form):
        for k in range(n):
            if k == 2 and interrupts:
                raise interrupts.pop() and KeyboardInterrupt
            yield k, "x"

    drawing, form = pools.STYLES, Form(True, 28)
    with pytest.raises(KeyboardInterrupt):
        pools._first(5, drawing, draw, 0, ("x",), form)
    assert pools._first(5, drawing, draw, 0, ("x",), form) == [(k, "x") for k in range(5)]
