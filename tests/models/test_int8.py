"""ONNX in int8: small, nearly the same answers, the loss told; and what stands in its way is said."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, evaluate, export, predict, read_folder
from fastdigits.folders import spread_pictures
from fastdigits.models.graphs.int8 import quantise


def test_of_a_run_the_loss_on_valid_is_told(run, folder, tmp_path):
    plain = export(run, tmp_path / "plain", to="onnx").path
    made = export(run, tmp_path / "int8", to="onnx", int8=True)
    assert made.real
    assert made.pictures == len(read_folder(folder).split("valid"))
    before, after = made.accuracies
    assert before == pytest.approx(evaluate(run, folder).accuracy)
    assert after == pytest.approx(evaluate(made.path, folder).accuracy)
    assert abs(after - before) < 0.02
    assert f"{made.changed} get another answer, accuracy {after:.2%} instead of {before:.2%}" in str(made)
    sizes = [(path / "model.onnx").stat().st_size for path in (plain, made.path)]
    assert sizes[1] < 0.4 * sizes[0]
    assert json.loads((made.path / "model.json").read_text())["int8"] is True
    assert "Weights and activations are int8" in (made.path / "README.md").read_text()


def test_a_saved_model_needs_pictures(run, folder, digit_table, tmp_path):
    saved = export(run, tmp_path / "saved").path
    with pytest.raises(InputError) as caught:
        export(saved, tmp_path / "int8", to="onnx", int8=True)
    assert str(caught.value) == (
        f"--int8 measures ranges on training pictures, and those of {saved} are not at hand; pass --calibration with a "
        "table or a folder of such pictures"
    )
    assert not (tmp_path / "int8").exists()
    digit_table.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "pictures").mkdir()
    for file in read_folder(folder).split("train").files[:150]:
        shutil.copy(file, tmp_path / "pictures")
    for number, calibration in enumerate((tmp_path / "t.csv", folder, tmp_path / "pictures")):
        made = export(saved, tmp_path / f"int8-{number}", to="onnx", int8=True, calibration=str(calibration))
        assert not made.real
        assert made.accuracies is None
        told = f"of {made.pictures:,} calibration pictures that no range was measured on {made.changed} get"
        assert told in str(made)
    labels = [
        predict(model, tmp_path / "t.csv", out=tmp_path / f"{model.name}.csv").labels for model in (saved, made.path)
    ]
    assert np.mean(np.array(labels[0]) == labels[1]) > 0.97


def test_its_script_gives_its_answers(run, digit_table, tmp_path):
    made = export(run, tmp_path / "int8", to="onnx", int8=True).path
    digit_table.drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    expected = predict(made, tmp_path / "t.csv", out=tmp_path / "p.csv").labels
    script = [sys.executable, made / "predict.py", tmp_path / "t.csv", tmp_path / "s.csv"]
    subprocess.run([*map(str, script)], check=True)
    assert pd.read_csv(tmp_path / "s.csv", dtype=str)["label"].tolist() == expected


def test_options_that_do_not_fit(run, tmp_path):
    message = (
        "--int8 is for --to onnx and --to web, and --calibration for --int8; pass them together, or leave them out"
    )
    for options in ({"int8": True}, {"to": "onnx", "calibration": "t.csv"}, {"to": "learner", "int8": True}):
        with pytest.raises(InputError, match=message):
            export(run, tmp_path / "out", **options)


def test_a_model_that_knows_digits_answers_alike_and_with_wrong_ranges_is_refused(digit_table, tmp_path, monkeypatch):
    """Ranges of black pictures fit no digit."""
    digit_table.to_csv(tmp_path / "t.csv", index=False)
    options = {"to": "onnx", "int8": True, "calibration": str(tmp_path / "t.csv")}
    made = export("digitnet-mnist", tmp_path / "int8", **options)
    assert made.changed <= 0.01 * made.pictures
    accuracies = [evaluate(model, tmp_path / "t.csv").accuracy for model in ("digitnet-mnist", made.path)]
    assert min(accuracies) > 0.9
    assert abs(accuracies[0] - accuracies[1]) < 0.01
    black = np.zeros((64, 8, 8), np.uint8)
    monkeypatch.setattr("fastdigits.models.graphs.onnx_model.quantise", lambda graph, images: quantise(graph, black))
    with pytest.raises(
        InputError, match=r"in int8 \d+\.\d% of the answers are others; export it without --int8, or pass"
    ):
        export("digitnet-mnist", tmp_path / "black", **options)
    assert not (tmp_path / "black").exists()


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("name", ["mnist", "kannada"])
def test_the_shipped_models_lose_nothing(name, real_data, tmp_path):
    table = str(real_data / name / "train.csv.gz")
    made = export(f"digitnet-{name}", tmp_path / "int8", to="onnx", int8=True, calibration=table)
    assert (made.path / "model.onnx").stat().st_size < 560_000
    accuracies = [evaluate(model, table).accuracy for model in (f"digitnet-{name}", made.path)]
    assert accuracies[1] > accuracies[0] - 0.0005


def test_too_few_pictures(run, folder, tmp_path):
    saved = export(run, tmp_path / "saved").path
    few = tmp_path / "few"
    few.mkdir()
    for number in range(3):
        Image.fromarray(np.full((8, 8), 9 * number, np.uint8)).save(few / f"{number}.png")
    with pytest.raises(InputError) as caught:
        export(saved, tmp_path / "int8", to="onnx", int8=True, calibration=str(few))
    assert str(caught.value) == f"--int8 needs 64 pictures or more to measure ranges on, and {few} has 3"
    assert not (tmp_path / "int8").exists()


def test_a_folder_made_by_hand_is_calibrated_by_its_training_pictures(run, folder, tmp_path, monkeypatch):
    saved = export(run, tmp_path / "saved").path
    shutil.copytree(folder, tmp_path / "by-hand", ignore=shutil.ignore_patterns("manifest.json", "decoded"))
    asked = []
    spread = spread_pictures
    monkeypatch.setattr("fastdigits.scores.exported.spread_pictures", lambda *a: (asked.append(a[1]), spread(*a))[1])
    export(saved, tmp_path / "int8", to="onnx", int8=True, calibration=str(tmp_path / "by-hand"))
    assert asked == ["train"]
