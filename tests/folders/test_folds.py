"""Folds: every row is held back once, no group is on both sides, and the runs say what they found together."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, convert, train
from fastdigits.folders.decoded import decoded_split
from fastdigits.folders.folds import fold_folders
from fastdigits.folders.layout import TRAIN, VALID
from fastdigits.photos.files import read_gray
from fastdigits.runs.directory import Run
from fastdigits.system.claims import claimed

QUICK = "mlp-300-100"


@pytest.fixture(scope="module")
def table(tmp_path_factory, digit_images):
    """400 real digits at 28 px by ten imagined writers, as a table with groups."""
    folder = tmp_path_factory.mktemp("folds")
    images, labels = (part[:400] for part in digit_images)
    large = np.kron(images, np.ones((1, 3, 3), np.uint8))
    padded = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    np.savez(folder / "digits.npz", images=padded, labels=labels)
    writers = pd.DataFrame({"id": range(400), "writer": [f"w{k % 10}" for k in range(400)]})
    writers.to_csv(folder / "writers.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def written(table):
    """With groups, split into train and valid."""
    return convert(table / "digits.npz", table / "written", groups=table / "writers.csv", valid=0.2)


def test_every_row_is_held_back_once_and_no_writer_is_on_both_sides(written):
    folds = fold_folders(written, 4, seed=1)
    held = [id_ for fold in folds for id_ in fold.split(VALID).ids]
    assert sorted(held, key=int) == [str(k) for k in range(400)]
    for fold in folds:
        train_part, valid_part = fold.split(TRAIN), fold.split(VALID)
        assert len(train_part) + len(valid_part) == 400
        assert not set(train_part.groups) & set(valid_part.groups)
        assert set(train_part.labels) == set(valid_part.labels) == set(written.classes)
    assert len({fold.digest for fold in [*folds, written]}) == 5
    assert fold_folders(written, 4, seed=1)[0].digest == folds[0].digest
    assert fold_folders(written, 4, seed=2)[0].digest != folds[0].digest


def test_without_groups_classes_are_spread(table):
    folder = convert(table / "digits.npz", table / "plain", valid=0)
    folds = fold_folders(folder, 5, seed=1)
    assert all(fold.split(VALID).groups is None for fold in folds)
    counts = [[fold.split(VALID).labels.count(label) for label in folder.classes] for fold in folds]
    assert np.ptp(counts, axis=0).max() <= 1


def test_the_pictures_of_a_fold_come_out_of_the_decoded_whole(written):
    fold = fold_folders(written, 4, seed=1)[1]
    decoded = decoded_split(fold, TRAIN)
    for row in (0, 7, len(decoded.files) - 1):
        assert np.array_equal(decoded.images[row], read_gray(decoded.files[row]))
    arrays = {file.name.split("-")[0] for file in (written.path / "decoded").iterdir()}
    assert arrays == {"train", "valid"}
    assert len(list((written.path / "decoded").iterdir())) == 2


def test_train_in_folds(written, tmp_path, capsys):
    out = tmp_path / "folds"
    result = train(QUICK, written.path, folds=2, repeats=2, epochs=1, early_stopping=0, out=out)
    runs = [Run(out / f"seed{seed}-fold{fold}") for seed in (5, 6) for fold in (1, 2)]
    accuracies = [run.result()["accuracy"] for run in runs]
    assert [fold.accuracy for fold in result.folds] == pytest.approx(accuracies)
    assert result.accuracy == pytest.approx(np.mean(accuracies))
    by_seed = np.reshape(accuracies, (2, 2))
    assert result.deviation == pytest.approx(by_seed.std(1, ddof=1).mean())
    assert result.seed_deviation == pytest.approx(by_seed.mean(1).std(ddof=1))
    assert result.groups == 10
    groups = pd.concat([pd.read_csv(run.predictions_file, dtype=str) for run in runs])
    by_writer = (groups.true == groups.label).groupby(groups.group).mean()
    assert result.worst_group.accuracy == pytest.approx(by_writer.min())
    assert by_writer[result.worst_group.group] == pytest.approx(by_writer.min())
    assert result.worst_group.pictures == 40
    stored = json.loads((out / "result.json").read_text())
    assert stored["accuracy"] == result.accuracy
    assert f"{result.worst_group.group}: " in result.sentences()[1]
    assert "seed 6 · fold 2 of 2" in capsys.readouterr().out


def test_folds_go_on_where_they_were_interrupted(written, tmp_path, capsys):
    out, options = tmp_path / "folds", {"folds": 2, "epochs": 1, "early_stopping": 0}
    whole = train(QUICK, written.path, **options, out=out)
    (out / "result.json").unlink()
    run = Run(out / "seed5-fold2")
    run.result_file.unlink()
    first = Run(out / "seed5-fold1").result_file.stat().st_mtime_ns
    with pytest.raises(InputError) as caught:
        train(QUICK, written.path, **options, out=out)
    assert str(caught.value) == (
        f"{out} exists already; pass --resume to go on, --overwrite to replace it, or another --out"
    )
    with pytest.raises(InputError) as caught:
        train(QUICK, written.path, **options | {"epochs": 2}, out=out, resume=True)
    assert str(caught.value) == f"{out} was started with other options; resume with the same, or name another --out"
    again = train(QUICK, written.path, **options, out=out, resume=True)
    assert [fold.accuracy for fold in again.folds] == [fold.accuracy for fold in whole.folds]
    assert Run(out / "seed5-fold1").result_file.stat().st_mtime_ns == first
    assert run.finished
    assert train(QUICK, written.path, **options, out=out, overwrite=True).accuracy == whole.accuracy


def test_epochs_of_the_first_fold_outlive_a_mistake(written, tmp_path):
    """A disk that is full after an epoch, for one, is such a mistake: there is something to go on with."""

    def fail(row: dict) -> None:
        raise InputError("no room")

    out, options = tmp_path / "folds", {"folds": 2, "epochs": 2, "early_stopping": 0}
    with pytest.raises(InputError, match="no room"):
        train(QUICK, written.path, **options, out=out, on_epoch=fail)
    assert Run(out / "seed5-fold1").last_checkpoint.exists()
    assert train(QUICK, written.path, **options, out=out, resume=True).folds


def test_two_commands_on_the_same_folds(written, tmp_path):
    with claimed(tmp_path / "folds"), pytest.raises(InputError, match=r"folds is being written by process \d+ on "):
        train(QUICK, written.path, folds=2, epochs=1, out=tmp_path / "folds")
    assert not (tmp_path / "folds").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "--folds 1 makes no sense; accepted are 2 or more"),
        ({"folds": 11}, "{folder} has 10 groups, too few for --folds 11; pass 10 or fewer"),
        ({"folds": 2, "repeats": 0}, "--repeats 0 makes no sense; accepted are 1 or more"),
        (
            {"folds": 2, "minutes": 1.0},
            "--minutes are those of one training; with --folds leave them out and pass --epochs",
        ),
        ({"repeats": 2}, "--repeats needs --folds; without them train again with another --seed"),
    ],
)
def test_folds_that_make_no_sense(written, tmp_path, options, message):
    with pytest.raises(InputError) as caught:
        train(QUICK, written.path, **options, out=tmp_path / "folds")
    assert str(caught.value) == message.format(folder=written.path)
    assert not (tmp_path / "folds").exists()


def test_a_class_of_one_writer_is_named(table, tmp_path):
    rows = pd.DataFrame({"id": range(40), "writer": [k // 4 % 10 for k in range(40)]})
    rows.to_csv(tmp_path / "writers.csv", index=False)
    np.savez(tmp_path / "own.npz", images=np.zeros((40, 28, 28), np.uint8), labels=[k // 4 % 10 for k in range(40)])
    folder = convert(tmp_path / "own.npz", tmp_path / "own", valid=0, groups=tmp_path / "writers.csv")
    with pytest.raises(InputError, match=r"fold 1 of 4 has no .* picture of the class '.', since few groups have it;"):
        fold_folders(folder, 4, seed=1)


def test_a_fold_of_photos_is_one_of_photos_too(written):
    normalised = replace(written, manifest={**written.manifest, "normalised": True})
    assert fold_folders(normalised, 4, seed=1)[0].is_normalised
    assert not fold_folders(written, 4, seed=1)[0].is_normalised


def test_pseudo_labels_are_no_truth(written):
    folder = replace(written, manifest={**written.manifest, "pseudo_labelled": 12})
    with pytest.raises(InputError) as caught:
        fold_folders(folder, 4, seed=1)
    assert str(caught.value) == (
        f"{written.path} has 12 rows whose labels are a model's answers, which folds would score by; convert without "
        "--pseudo-labels"
    )


def test_nothing_is_removed_before_all_is_checked(written, tmp_path):
    options = {"folds": 2, "epochs": 1, "early_stopping": 0}
    out = tmp_path / "folds"
    train(QUICK, written.path, **options, out=out)
    for given, message in (
        ({"teachers": ["gone"]}, "gone does not exist; pass a run directory"),
        ({"teachers": [str(out / "seed5-fold1")]}, f"{out} is where --teachers {out}/seed5-fold1 lies; name another"),
        ({"weights": str(out / "seed5-fold1")}, f"{out} is where --weights {out}/seed5-fold1 lies; name another --out"),
    ):
        with pytest.raises(InputError) as caught:
            train(QUICK, written.path, **options, **given, out=out, overwrite=True)
        assert str(caught.value).startswith(message)
        assert (out / "result.json").is_file()
    with pytest.raises(InputError):
        train(QUICK, written.path, **options, weights="gone", out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_folds_of_other_data_are_not_gone_on_with(written, table, tmp_path):
    options = {"folds": 2, "epochs": 1, "early_stopping": 0}
    folder = convert(table / "digits.npz", tmp_path / "data", groups=table / "writers.csv", valid=0.2)
    out = tmp_path / "folds"
    train(QUICK, folder.path, **options, out=out)
    (out / "result.json").unlink()
    convert(table / "digits.npz", tmp_path / "data", groups=table / "writers.csv", valid=0.3, overwrite=True)
    with pytest.raises(InputError) as caught:
        train(QUICK, folder.path, **options, out=out, resume=True)
    assert str(caught.value) == f"the data of {out} have changed since it was started; start anew with --overwrite"
    (out / "folds.json").write_text("{")
    with pytest.raises(InputError) as caught:
        train(QUICK, folder.path, **options, out=out, resume=True)
    assert str(caught.value) == f"{out}/folds.json is damaged; train again with --overwrite"


def test_too_few_pictures_of_a_class(table, tmp_path):
    np.savez(tmp_path / "few.npz", images=np.zeros((9, 28, 28), np.uint8), labels=[0, 0, 0, 1, 1, 2, 2, 2, 2])
    folder = convert(tmp_path / "few.npz", tmp_path / "few", valid=0)
    with pytest.raises(InputError) as caught:
        train(QUICK, folder.path, folds=3, out=tmp_path / "folds")
    assert str(caught.value) == (f"{folder.path} has 2 pictures of the class '1', too few for --folds 3; pass fewer")
