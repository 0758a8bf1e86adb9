"""Exports predict what the run predicted, in a fresh process too."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from fastdigits import InputError, export, predict, read_folder
from fastdigits.scores import exported


def test_a_saved_model_predicts_the_same(tmp_path, run, test_file):
    made = export(run, tmp_path / "model")
    assert made.real
    assert made.pictures == 40
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.safetensors", "model.json", "README.md"}
    assert str(made).startswith(
        f"written to {tmp_path}/model; checked on 40 valid pictures: same labels, probabilities"
    )
    ours, theirs = (
        predict(model, test_file, out=tmp_path / f"{k}.csv") for k, model in enumerate((tmp_path / "model", run))
    )
    assert ours.labels == theirs.labels
    again = export(tmp_path / "model", tmp_path / "copy")
    assert "drawn pictures, since the run's own are not at hand" in str(again)


def test_a_learner_predicts_the_same_in_a_fresh_process(tmp_path, run, folder, test_file):
    export(run, tmp_path / "learner.pkl", to="learner")
    expected = predict(run, folder, out=tmp_path / "p.csv").labels[:5]
    files = [str(file) for file in read_folder(folder).split("test").files[:5]]
    code = (
        "import sys; from fastai.vision.all import load_learner;"
        "learn = load_learner(sys.argv[1]);"
        "print([learn.predict(file)[0] for file in sys.argv[2:]])"
    )
    line = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "learner.pkl"), *files]
    out = subprocess.run(line, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert out.strip().endswith(str(expected))


def test_moved_data_are_replaced_by_drawn_pictures(tmp_path, run):
    moved = tmp_path / "run"
    shutil.copytree(run, moved)
    record = json.loads((moved / "run.json").read_text())
    (moved / "run.json").write_text(json.dumps(record | {"data": str(tmp_path / "gone")}))
    assert not export(moved, tmp_path / "model").real


def test_an_export_that_differs_is_not_kept(tmp_path, run, monkeypatch):
    monkeypatch.setattr(exported, "TOLERANCE", {True: -1.0})
    with pytest.raises(
        RuntimeError, match=r"the export differs from the model by .* in a probability and in 0 labels; nothing"
    ):
        export(run, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_exports_that_cannot_be(tmp_path, run):
    with pytest.raises(InputError, match="--to 'tflite' is unknown; accepted are model, onnx, learner and web"):
        export(run, tmp_path / "x", to="tflite")
    (tmp_path / "x").touch()
    with pytest.raises(InputError, match="x exists already; pass --overwrite"):
        export(run, tmp_path / "x")
    assert pd.read_csv(run / "valid_predictions.csv").shape[0] == 40


def test_an_export_over_its_own_model(tmp_path, run):
    shutil.copytree(run, tmp_path / "run")
    export(run, tmp_path / "model")
    with pytest.raises(InputError, match=r"model is where MODEL .*model lies; name another --out"):
        export(tmp_path / "model", tmp_path / "model", overwrite=True)
    shutil.copytree(tmp_path / "model", tmp_path / "model" / "inner")
    with pytest.raises(InputError, match=r"model is where MODEL .*inner lies; name another --out"):
        export(tmp_path / "model" / "inner", tmp_path / "model", overwrite=True)
    with pytest.raises(
        InputError, match="gone does not exist; pass a run directory, a saved model, or one of digitnet-kannada, "
    ):
        export(tmp_path / "gone", tmp_path / "model", overwrite=True)
    with pytest.raises(InputError, match="run is a run directory, so it is not replaced; name another output"):
        export(run, tmp_path / "run", overwrite=True)


def test_changed_data_are_not_compared_with(tmp_path, run, folder):
    shutil.copytree(run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(record | {"data_digest": "0"}))
    assert not export(tmp_path / "run", tmp_path / "model").real


def test_a_model_that_is_named_by_its_file_is_checked_on_the_runs_pictures(tmp_path, run):
    assert export(run / "model.json", tmp_path / "model").real
