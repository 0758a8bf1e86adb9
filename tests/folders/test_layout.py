"""Image folders are read as they were written, or as a person laid them out; damage is one line."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastdigits import InputError, read_folder
from fastdigits.folders import ground_of_split, held_back, memory_folder, spread_rows
from fastdigits.folders.layout import check_trainable, pixel_statistics


@pytest.fixture
def by_hand(tmp_path):
    """train/ and valid/ with two classes of pictures of two sizes, no manifest."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("valid", 2)):
        for label in ("one", "two"):
            (tmp_path / "data" / split / label).mkdir(parents=True)
            for k in range(count):
                side = 12 + 4 * (k % 2)
                gray = rng.integers(0, 256, (side, side), dtype=np.uint8)
                Image.fromarray(gray).save(tmp_path / "data" / split / label / f"{label}{k}.png")
    return tmp_path / "data"


@pytest.fixture
def copied(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "digits")
    return tmp_path / "digits"


def error_of(path) -> str:
    with pytest.raises(InputError) as caught:
        read_folder(path)
    return str(caught.value)


def test_a_folder_made_by_hand(by_hand):
    made = read_folder(by_hand)
    assert made.classes == ["one", "two"]
    assert made.size is None
    assert [len(made.split(name)) for name in ("train", "valid")] == [12, 4]
    assert made.split("train").labels == ["one"] * 6 + ["two"] * 6
    assert str(made) == f"{by_hand}: 12 train, 4 valid; 2 classes; mixed sizes"
    mean, std = pixel_statistics(made)
    assert mean == pytest.approx(0.5, abs=0.05)
    assert std == pytest.approx(0.29, abs=0.03)


def test_the_digest_follows_the_files(by_hand):
    before = read_folder(by_hand).digest
    next((by_hand / "train" / "one").iterdir()).unlink()
    assert read_folder(by_hand).digest != before


def test_odd_names_in_a_folder_made_by_hand(by_hand):
    """What macOS puts beside pictures, and a name in the encoding of an old archive."""
    picture = next((by_hand / "train" / "one").iterdir())
    (picture.parent / f"._{picture.name}").write_bytes(b"no picture")
    picture.rename(os.fsdecode(os.fsencode(picture.parent) + b"/chiffre_\xe9.png"))
    made = read_folder(by_hand)
    assert len(made.split("train")) == 12
    assert r"chiffre_\xe9" in made.split("train").ids
    assert made.digest == read_folder(by_hand).digest


def test_no_contrast_divides_by_one(tmp_path):
    for label in "ab":
        (tmp_path / "train" / label).mkdir(parents=True)
        Image.new("L", (8, 8), 255).save(tmp_path / "train" / label / "0.png")
    assert pixel_statistics(read_folder(tmp_path)) == (1.0, 1.0)


def test_folders_that_are_none(tmp_path):
    assert error_of(tmp_path / "no").startswith(f"{tmp_path}/no is no folder; make one with `fastdigits convert")
    assert error_of(tmp_path).endswith("under train/<label>/ or test/; make it with `fastdigits convert`")
    (tmp_path / "7").mkdir()
    Image.new("L", (8, 8), 255).save(tmp_path / "7" / "0.png")
    told = f"but elsewhere; split them first: `fastdigits convert {tmp_path} DATA --normalise`"
    assert error_of(tmp_path).endswith(told)


def test_damaged_manifests(copied):
    manifest = json.loads((copied / "manifest.json").read_text())
    gone = next((copied / "train").glob("*/*.png"))
    gone.unlink()
    assert error_of(copied) == f"1 pictures of {copied}/manifest.json are gone, e.g. {gone}; convert again"
    (copied / "manifest.json").write_text(json.dumps(manifest | {"schema": 9}))
    assert error_of(copied) == f"{copied}/manifest.json has schema 9, this fastdigits reads 1; upgrade it"
    (copied / "manifest.json").write_text("{")
    assert error_of(copied) == f"{copied}/manifest.json is damaged; convert again with --overwrite"


def test_a_damaged_picture_is_named(by_hand):
    bad = by_hand / "train" / "one" / "one0.png"
    bad.write_bytes(b"no png")
    assert error_of(by_hand) == f"{bad} is no readable picture; replace or remove it"


def test_what_training_needs(by_hand):
    shutil.rmtree(by_hand / "valid" / "two")
    with pytest.raises(InputError, match=r"valid has no pictures of the class 'two'; convert with --split stratified"):
        check_trainable(read_folder(by_hand))
    for split in ("train", "valid"):
        shutil.rmtree(by_hand / split / "two", ignore_errors=True)
    with pytest.raises(InputError, match=r"data has the one class 'one'; training needs two classes or more"):
        check_trainable(read_folder(by_hand))


def test_a_folder_of_test_pictures_cannot_train(tmp_path):
    (tmp_path / "test").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "test" / "3.png")
    with pytest.raises(InputError, match=r"has no labelled pictures; training needs two classes or more"):
        check_trainable(read_folder(tmp_path))


def test_the_folder_one_stands_in(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert len(read_folder(".").split("train")) == 160


def hand_made(place: Path, names: tuple[str, ...], flat: tuple[str, ...] = ()) -> Path:
    """A folder with two classes under each of some names, and unlabelled pictures under others."""
    for name in names:
        for label in "01":
            (place / name / label).mkdir(parents=True)
            for number in range(3):
                pixels = np.full((9, 9), 40 * number + int(label), np.uint8)
                Image.fromarray(pixels).save(place / name / label / f"{label}{number}.png")
    for name in flat:
        (place / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(place / name / "x.png")
    return place


@pytest.mark.parametrize("valid", ["valid", "val", "validation", "dev"])
@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("training", "testing")])
def test_usual_names_of_the_splits(tmp_path, train, valid, test):
    folder = read_folder(hand_made(tmp_path, (train, valid, test)))
    assert {name: split.labels for name, split in folder.splits.items()} == {
        name: ["0"] * 3 + ["1"] * 3 for name in ("train", "valid", "test")
    }


def test_test_pictures_without_labels(tmp_path):
    folder = read_folder(hand_made(tmp_path, ("train",), ("test",)))
    assert folder.split("test").labels is None
    assert folder.split("test").ids == ["x"]


def test_pictures_that_would_be_lost_are_named(tmp_path):
    def error_of(*arguments) -> str:
        with pytest.raises(InputError) as caught:
            read_folder(hand_made(tmp_path / str(len(list(tmp_path.iterdir()))), *arguments))
        return str(caught.value)

    assert error_of(("train", "val", "valid")) == f"{tmp_path}/0 has both valid/ and val/; keep one of them"
    assert error_of(("train",), ("train",)) == (
        f"{tmp_path}/1/train/x.png has no label: pictures of train lie in folders called by their labels, as "
        "train/7/x.png; or convert them with --labels"
    )
    assert error_of(("train",), ("train/0/w1",)) == (
        f"{tmp_path}/2/train/0/w1/x.png lies below its class's folder; an image folder holds train/<label>/<picture>"
    )


def test_spread_rows_do_not_take_turns_with_classes():
    rows = spread_rows(10_000, 1_000)
    assert len(rows) == 1_000
    assert (np.diff(rows) > 0).all()
    assert rows[-1] < 10_000
    assert np.bincount(rows % 10, minlength=10).min() > 70  # every tenth row would be of one class
    assert (spread_rows(10_000, 1_000) == rows).all()
    for n, most in ((1001, 1000), (3500, 3000), (42_000, 8000)):
        assert len(np.unique(spread_rows(n, most))) == most  # each row once
    assert spread_rows(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert spread_rows(0, 9).tolist() == []


def test_held_back_rows_in_memory():
    images, labels = np.arange(40, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2), ["a", "b"] * 20
    valid = held_back(np.arange(40) % 2, 0.25, seed=1)
    folder = memory_folder(images, labels, np.arange(40.0), valid)
    assert {name: len(split) for name, split in folder.splits.items()} == {"train": 30, "valid": 10}
    assert sorted(valid) == sorted(int(id_) for id_ in folder.split("valid").ids)
    assert folder.split("valid").labels.count("a") == 5
    assert (folder.images["valid"][:, 0, 0] == [int(id_) for id_ in folder.split("valid").ids]).all()
    assert folder.split("train").weights.tolist() == [float(id_) for id_ in folder.split("train").ids]
    assert held_back(np.arange(40) % 2, 0, seed=1) is None
    assert set(memory_folder(images, labels).splits) == {"train"}


def test_the_ground_of_a_hand_made_folder_is_looked_at_once(tmp_path, digit_images):
    images, labels = digit_images
    for k in range(40):
        file = tmp_path / "hand" / ("valid" if k % 4 else "train") / str(labels[k]) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - images[k]).save(file)
    folder = read_folder(tmp_path / "hand")
    assert ground_of_split(folder, "train") == "light"
    for file in folder.split("train").files:
        Image.fromarray(np.zeros((28, 28), np.uint8)).save(file)
    assert ground_of_split(folder, "train") == "light"
    assert ground_of_split(folder, "valid") == "light"
    assert replace(folder, normalise=True).grounds == {}
    assert ground_of_split(replace(folder, normalise=True), "train") == "dark"
