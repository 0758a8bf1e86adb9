"""One step from a competition's files to a submission whose rows are the sample's."""

import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, compete, convert, open_model
from fastdigits.commands import compete as competing
from fastdigits.commands.compete import choose_weights, plan
from fastdigits.models.shipped import model_folder
from fastdigits.runs.directory import Run
from fastdigits.scores import leaks
from fastdigits.scores.leaks import leak_warnings


def write_tables(folder, images, labels, n_train: int) -> None:
    """train.csv, test.csv and a sample in another order."""
    table = pd.DataFrame(images.reshape(len(images), -1), columns=[f"pixel{k}" for k in range(images[0].size)])
    folder.mkdir(exist_ok=True)
    train = table[:n_train].copy()
    train.insert(0, "label", labels[:n_train])
    train.to_csv(folder / "train.csv", index=False)
    test = table[n_train:].copy()
    test.insert(0, "id", [f"t{k}" for k in range(len(test))])
    test.to_csv(folder / "test.csv", index=False)
    pd.DataFrame({"id": test.id[::-1], "label": 0}).to_csv(folder / "sample_submission.csv", index=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory, digit_images):
    folder = tmp_path_factory.mktemp("competition") / "digits"
    images, labels = (part[:500] for part in digit_images)
    write_tables(folder, images, labels, 400)
    return folder


@pytest.mark.slow
def test_from_files_to_a_submission(files, tmp_path, digit_images, capsys):
    result = compete(files, minutes=0.05, adapt=True, out=tmp_path / "out")
    submission, sample = (
        pd.read_csv(path, dtype=str) for path in (tmp_path / "out" / "submission.csv", files / "sample_submission.csv")
    )
    assert submission.columns.tolist() == sample.columns.tolist()
    assert submission.id.tolist() == sample.id.tolist()
    truth = [str(label) for label in digit_images[1][400:500]][::-1]
    assert np.mean(submission.label == truth) > 0.7
    assert result.accuracy > 0.6
    assert result.interval[0] < result.accuracy < result.interval[1]
    assert result.rows == 100
    assert result.folds_of == "row blocks"  # these digits stand in the order of their writers
    assert result.expectation.pictures == 100
    low, high = result.expectation.interval
    assert low <= np.mean(submission.label == truth) <= high
    assert result.minutes < 2
    assert result.warnings == []
    folds = [Run(tmp_path / "out" / "folds" / f"seed5-fold{k}") for k in (1, 2, 3)]
    assert sum(run.result()["valid_pictures"] for run in folds) == 400
    model = Run(tmp_path / "out" / "model1")
    assert model.result()["valid_pictures"] == 0
    assert model.result()["epochs"] == result.epochs
    told = str(result)
    expected = f"test rows (without adaptation): expected accuracy {result.expectation.accuracy:.1%} ("
    assert told.startswith(expected)
    temperatures = [open_model(run.path).temperature for run in folds]
    assert open_model(model.path).temperature == pytest.approx(np.mean(temperatures))
    assert open_model(model.path).valid["pictures"] == 400
    assert f"with adaptation to each fold {result.adapted_accuracy:.2%} of all folds' pictures" in told
    assert all(f"adapted: {line}" in told for line in result.adaptation)
    assert abs(result.adapted_accuracy - result.accuracy) < 0.1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "most confused" in page.lower() or "mistakes" in page.lower()
    assert json.loads((tmp_path / "out" / "result.json").read_text())["rows"] == 100
    out = capsys.readouterr().out
    assert "--weights digitnet-mnist" in out  # few rows that it does not know
    assert "3 folds of" in out
    with pytest.raises(InputError) as caught:
        compete(files, out=tmp_path / "out")
    assert str(caught.value).startswith(f"{tmp_path}/out exists already; pass --overwrite")


@pytest.mark.slow
def test_a_zip_does_as_well(files, tmp_path):
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for file in files.iterdir():
            archive.write(file, file.name)
    result = compete(tmp_path / "digits.zip", minutes=0.05, out=tmp_path / "out")
    assert result.adapted_accuracy is None
    assert (result.models, result.rows) == (1, 100)


def test_files_that_are_no_competition(files, tmp_path, in_tmp, run):
    def error_of(source, **options) -> str:
        with pytest.raises(InputError) as caught:
            compete(source, out=tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()
        return str(caught.value)

    assert error_of(files, minutes=float("inf")) == "--minutes inf makes no sense; accepted is a number above 0"
    assert "is a test_resnet, not a digitnet" in error_of(files, weights=str(run))
    assert error_of(files, minutes=0) == "--minutes 0 makes no sense; accepted is a number above 0"
    assert error_of(files / "train.csv") == (
        f"{files}/train.csv needs a train table with labels and a test table; pass the competition's zip or folder"
    )
    part = tmp_path / "part"
    part.mkdir()
    for name in ("train.csv", "test.csv"):
        (part / name).write_bytes((files / name).read_bytes())
    assert error_of(part) == f"{part} holds 0 sample submissions; pass the sample file itself"


def test_a_sample_that_does_not_fit_is_noticed_before_training(files, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("train.csv", "test.csv"):
        (other / name).write_bytes((files / name).read_bytes())
    pd.read_csv(files / "sample_submission.csv")[:50].to_csv(other / "sample_submission.csv", index=False)
    for options, message in (
        (
            {},
            "sample_submission.csv has 50 rows, the predicted table has 100; is it the sample of another competition?",
        ),
        ({"weights": "gone"}, "gone does not exist; pass a run directory"),
        ({"groups": other / "gone.csv"}, f"{other}/gone.csv does not exist; --groups takes a csv"),
    ):
        with pytest.raises(InputError) as caught:
            compete(other, out=tmp_path / "out", **options)
        assert str(caught.value).startswith(message)
        assert not (tmp_path / "out").exists()


def test_an_old_result_outlives_a_wrong_command(files, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "compete.json").write_text("{}")
    (out / "submission.csv").write_text("hours of work")
    pd.DataFrame({"id": range(400), "hand": 0, "day": 0}).to_csv(tmp_path / "groups.csv", index=False)
    with pytest.raises(InputError, match=r"groups.csv has the columns id, hand, day"):
        compete(files, out=out, groups=tmp_path / "groups.csv", overwrite=True)
    assert sorted(path.name for path in out.iterdir()) == ["compete.json", "submission.csv"]
    assert (out / "submission.csv").read_text() == "hours of work"


@pytest.mark.parametrize(
    ("epoch_s", "minutes", "expected"),
    [
        (60, 10, (1, 5, 1)),  # a table of MNIST's size on two cores
        (1000, 10, (1, 1, 1)),  # too little time: one epoch of each all the same
        (5, 10, (21, 24, 2)),
        (1, 60, (24, 24, 75)),
    ],
)
def test_the_plan_fits_into_the_time(epoch_s, minutes, expected):
    fold_epochs, epochs, models = plan(epoch_s, minutes * 60)
    assert (fold_epochs, epochs, models) == expected
    if (fold_epochs, epochs) != (1, 1):
        assert epoch_s * (2 * fold_epochs + epochs * models) <= minutes * 60


def test_what_is_started_from(folder28, tmp_path, monkeypatch):
    folder = convert(folder28.parent / "digits28.npz", tmp_path / "all", valid=0)
    assert choose_weights(folder) == "digitnet-mnist"
    monkeypatch.setattr(leaks, "LEAK_ACCURACY", 0.5)  # as if these were MNIST's rows
    assert choose_weights(folder) == "digitnet-kannada"
    monkeypatch.setattr(competing, "FEW_ROWS", 100)
    assert choose_weights(folder) == "none"


def test_weights_that_know_the_rows_are_named(folder28, tmp_path, monkeypatch):
    """The 8x8 digits are not MNIST's, so the threshold is lowered to what the model reaches on them."""
    folder = convert(folder28.parent / "digits28.npz", tmp_path / "all", valid=0)
    assert leak_warnings(folder, "none") == []
    monkeypatch.setattr(leaks, "LEAK_ACCURACY", 1.01)
    assert leak_warnings(folder, "digitnet-mnist") == []
    monkeypatch.setattr(leaks, "LEAK_ACCURACY", 0.5)
    assert leak_warnings(folder, "digitnet-kannada") == []
    (warning,) = leak_warnings(folder, "digitnet-mnist")
    assert warning.startswith("digitnet-mnist knows ")
    copy = shutil.copytree(model_folder("digitnet-mnist"), tmp_path / "mine")  # by whatever name
    assert len(leak_warnings(folder, str(copy))) == 1
    assert warning.endswith("its score would be a leak; use --weights none")


@pytest.mark.slow
@pytest.mark.realdata
def test_mnist_is_recognised_as_a_leak(real_data, tmp_path):
    folder = convert(real_data / "mnist" / "train.csv.gz", tmp_path / "mnist", valid=0)
    assert len(leak_warnings(folder, "digitnet-mnist")) == 1
    assert leak_warnings(folder, "digitnet-kannada") == []
