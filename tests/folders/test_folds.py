"""Folds: every row is held back once, no group is on both sides, and the runs say what they found together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, convert, train
from fastdigits.folders.decoded import decoded_split
from fastdigits.folders.folds import fold_folders
from fastdigits.folders.splits import TRAIN, VALID
from fastdigits.photos.files import read_gray

QUICK = "mlp-300-100"


def test_every_row_is_held_back_once_and_no_writer_is_on_both_sides(folder_of_writers):
    folds = fold_folders(folder_of_writers, 4, seed=1)
    held = [id_ for fold in folds for id_ in fold.split(VALID).ids]
    assert sorted(held, key=int) == [str(k) for k in range(400)]
    for fold in folds:
        train_part, valid_part = fold.split(TRAIN), fold.split(VALID)
        assert len(train_part) + len(valid_part) == 400
        assert not set(train_part.groups) & set(valid_part.groups)
        assert set(train_part.labels) == set(valid_part.labels) == set(folder_of_writers.classes)
    assert len({fold.digest for fold in [*folds, folder_of_writers]}) == 5
    assert fold_folders(folder_of_writers, 4, seed=1)[0].digest == folds[0].digest
    assert fold_folders(folder_of_writers, 4, seed=2)[0].digest != folds[0].digest


def test_without_groups_classes_are_spread(ten_writers):
    folder = convert(ten_writers / "digits.npz", ten_writers / "plain", valid=0)
    folds = fold_folders(folder, 5, seed=1)
    assert all(fold.split(VALID).groups is None for fold in folds)
    counts = [[fold.split(VALID).labels.count(label) for label in folder.classes] for fold in folds]
    assert np.ptp(counts, axis=0).max() <= 1


def test_the_pictures_of_a_fold_come_out_of_the_decoded_whole(folder_of_writers):
    fold = fold_folders(folder_of_writers, 4, seed=1)[1]
    decoded = decoded_split(fold, TRAIN)
    for row in (0, 7, len(decoded.files) - 1):
        assert np.array_equal(decoded.images[row], read_gray(decoded.files[row]))
    arrays = {file.name.split("-")[0] for file in (folder_of_writers.path / "decoded").iterdir()}
    assert arrays == {"train", "valid"}
    assert len(list((folder_of_writers.path / "decoded").iterdir())) == 2


def test_a_class_of_one_writer_is_named(ten_writers, tmp_path):
    rows = pd.DataFrame({"id": range(40), "writer": [k // 4 % 10 for k in range(40)]})
    rows.to_csv(tmp_path / "writers.csv", index=False)
    np.savez(tmp_path / "own.npz", images=np.zeros((40, 28, 28), np.uint8), labels=[k // 4 % 10 for k in range(40)])
    folder = convert(tmp_path / "own.npz", tmp_path / "own", valid=0, groups=tmp_path / "writers.csv")
    with pytest.raises(InputError, match=r"fold 1 of 4 has no .* picture of the class '.', since few groups have it;"):
        fold_folders(folder, 4, seed=1)


def test_a_fold_of_photos_is_one_of_photos_too(folder_of_writers):
    normalised = replace(folder_of_writers, manifest={**folder_of_writers.manifest, "normalised": True})
    assert fold_folders(normalised, 4, seed=1)[0].is_normalised
    assert not fold_folders(folder_of_writers, 4, seed=1)[0].is_normalised


def test_pseudo_labels_are_no_truth(folder_of_writers):
    folder = replace(folder_of_writers, manifest={**folder_of_writers.manifest, "pseudo_labelled": 12})
    with pytest.raises(InputError) as caught:
        fold_folders(folder, 4, seed=1)
    assert str(caught.value) == (
        f"{folder_of_writers.path} has 12 rows whose labels nobody gave, which folds would score by; "
        "convert without --pseudo-labels and --look-alikes"
    )


def test_too_few_pictures_of_a_class(ten_writers, tmp_path):
    np.savez(tmp_path / "few.npz", images=np.zeros((9, 28, 28), np.uint8), labels=[0, 0, 0, 1, 1, 2, 2, 2, 2])
    folder = convert(tmp_path / "few.npz", tmp_path / "few", valid=0)
    with pytest.raises(InputError) as caught:
        train(QUICK, folder.path, folds=3, out=tmp_path / "folds")
    assert str(caught.value) == (f"{folder.path} has 2 pictures of the class '1', too few for --folds 3; pass fewer")
