"""The graph beside a shipped model's weights: the same answers without torch; what is wrong with it is said."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fastdigits import InputError, predict, read
from fastdigits.answers import open_model
from fastdigits.models import WEIGHTS, OnnxModel, SavedModel, read_quick, read_saved, shipped_names, write_quick

HEAVY = "'torch', 'fastai', 'torchvision', 'pandas', 'sklearn', 'matplotlib'"
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys(({HEAVY})))\n"  # whoever imports one of them fails


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """Of a seven, dark on light."""
    picture = Image.new("L", (400, 300), 225)
    ImageDraw.Draw(picture).line([(150, 90), (230, 90), (180, 220)], fill=40, width=14)
    path = tmp_path_factory.mktemp("photo") / "seven.jpg"
    picture.save(path)
    return path


@pytest.mark.parametrize("name", shipped_names())
def test_it_answers_as_the_weights_do(name, digit_images):
    quick, slow = open_model(name, few=True), open_model(name)
    assert isinstance(quick, OnnxModel)
    assert isinstance(slow, SavedModel)
    np.testing.assert_allclose(quick.shares(digit_images[0][:200]), slow.shares(digit_images[0][:200]), atol=1e-5)
    assert (quick.temperature, quick.outliers, quick.reject) == (slow.temperature, slow.outliers, slow.reject)


@pytest.mark.parametrize("command", ["predict", "read"])
def test_a_photo_needs_no_torch(command, photo):
    code = f"{WITHOUT}from fastdigits.cli import main\nsys.argv[1:] = {[command, 'digitnet-mnist', str(photo)]}\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "7" in done.stdout


def test_without_onnxruntime_the_weights_answer(photo, monkeypatch):
    before = predict("digitnet-mnist", str(photo))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert isinstance(open_model("digitnet-mnist", few=True), SavedModel)
    after = predict("digitnet-mnist", str(photo))
    assert after.labels == before.labels == ["7"]
    assert after.verdicts == before.verdicts
    np.testing.assert_allclose(after.probabilities, before.probabilities, atol=1e-3)  # torch in bf16
    assert read("digitnet-mnist", photo).numbers == [["7"]]


def test_a_model_without_one_and_a_damaged_one(tmp_path, run):
    assert read_quick(run) is None
    shutil.copytree(WEIGHTS / "digitnet-tiny-mnist", tmp_path / "tiny")
    with (tmp_path / "tiny" / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match=r"model.onnx is not the file that model.json names \(sha256 differs\)"):
        open_model(tmp_path / "tiny", few=True)
    assert isinstance(open_model(tmp_path / "tiny"), SavedModel)


def test_it_is_small_and_made_of_the_weights(tmp_path):
    shutil.copytree(WEIGHTS / "digitnet-tiny-mnist", tmp_path / "tiny")
    saved = read_saved(tmp_path / "tiny")
    write_quick(saved, tmp_path / "tiny")
    assert (tmp_path / "tiny" / "model.onnx").stat().st_size < 60_000
    assert "graph_sha256" in json.loads((tmp_path / "tiny" / "model.json").read_text())
    pictures = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    again = read_saved(tmp_path / "tiny")
    np.testing.assert_allclose(read_quick(tmp_path / "tiny").shares(pictures), again.shares(pictures), atol=1e-5)
