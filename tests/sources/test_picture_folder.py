"""Folders of pictures as sources: subfolders as labels, a csv of names, photos brought to one form."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, evaluate, finetune, open_model, predict, read_folder
from fastdigits.photos.digit import normalised
from fastdigits.photos.files import read_gray
from fastdigits.runs.directory import Run
from tests.photos.printed import printed_character


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Printed sevens and twos as photos of several sizes, in subfolders 2/ and 7/."""
    folder = tmp_path_factory.mktemp("photos")
    for text in "27":
        (folder / text).mkdir()
        for k in range(8):
            sheet = printed_character(
                text, size=120 + 15 * k, place=(30 + 5 * k, 20), shape=(300 + 10 * k, 280 + 7 * k)
            )
            Image.fromarray(sheet if k % 2 else 255 - sheet).save(folder / text / f"{k}.png")
    return folder


def error_of(*arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        convert(*arguments, **options)
    return str(caught.value)


def test_subfolders_are_labels(photos, tmp_path):
    folder = convert(photos, tmp_path / "out", normalise=True, valid=0.25)
    assert folder.classes == ["2", "7"]
    assert folder.size == 28
    assert folder.is_normalised
    ids = folder.split("train").ids + folder.split("valid").ids
    assert sorted(ids) == sorted(f"{label}-{k}" for label in "27" for k in range(8))  # 0.png is in both folders
    for file, id_ in zip(folder.split("train").files, folder.split("train").ids):
        label, _, name = id_.partition("-")
        assert np.array_equal(read_gray(file), normalised(read_gray(photos / label / f"{name}.png")))


def test_a_csv_names_the_labels(photos, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for k in range(4):
        (flat / f"p{k}.png").write_bytes((photos / "27"[k % 2] / f"{k}.png").read_bytes())
    names = pd.DataFrame({"File": [f"p{k}.png" for k in range(3)] + ["p3"], "Label": ["2", "7", "2", "7"]})
    names.to_csv(tmp_path / "names.csv", index=False)
    folder = convert(flat, tmp_path / "out", labels=tmp_path / "names.csv", normalise=True, valid=0)
    assert dict(zip(folder.split("train").ids, folder.split("train").labels)) == {
        f"p{k}": "27"[k % 2] for k in range(4)
    }
    unlabelled = convert(flat, tmp_path / "test", normalise=True)
    assert unlabelled.split("test").ids == ["p0", "p1", "p2", "p3"]
    names.assign(File=["p0.png", "p1.png", "p2.png", "p9.png"]).to_csv(tmp_path / "wrong.csv", index=False)
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "wrong.csv", normalise=True) == (
        f"row 4 of {tmp_path}/wrong.csv names 'p9.png', which {flat} does not hold"
    )
    names.rename(columns={"Label": "digit"}).to_csv(tmp_path / "other.csv", index=False)
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "other.csv") == (
        f"{tmp_path}/other.csv has the columns File, digit; --labels takes a csv with a file column and a label column"
    )
    names.assign(File=["p0", "p1", "p0.png", "p3"]).to_csv(tmp_path / "twice.csv", index=False)
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "twice.csv", normalise=True) == (
        f"rows 1 and 3 of {tmp_path}/twice.csv both name 'p0.png'; leave out one"
    )
    names.assign(Label=["2", "(no digit)", "2", "7"]).to_csv(tmp_path / "log.csv", index=False)
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "log.csv", normalise=True) == (
        f"row 2 of {tmp_path}/log.csv has the label '(no digit)', which `label` gives to what is of no class; pass its "
        "labels.csv as it wrote it"
    )
    names.assign(Label=["(", ")", "(", ")"]).to_csv(tmp_path / "signs.csv", index=False)
    signs = convert(flat, tmp_path / "signs", labels=tmp_path / "signs.csv", valid=0, normalise=True)
    assert signs.classes == ["(", ")"]
    (flat / "p0.jpg").write_bytes((photos / "2" / "1.png").read_bytes())
    names.assign(File=["p0", "p1", "p2", "p3"]).to_csv(tmp_path / "stems.csv", index=False)
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "stems.csv", normalise=True) == (
        f"row 1 of {tmp_path}/stems.csv names 'p0', and {flat} has several of that name; name it with its ending"
    )
    both = convert(flat, tmp_path / "both", labels=tmp_path / "names.csv", normalise=True, valid=0)
    assert sorted(both.split("train").ids) == ["p0.png", "p1", "p2", "p3"]
    assert f"1 pictures of {flat} are not named in {tmp_path}/names.csv and were left out" in both.manifest["notes"]
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "gone.csv") == (
        f"{tmp_path}/gone.csv does not exist; --labels takes the labels.csv of `label`, or a csv with a file column "
        "and a label column"
    )
    names[:0].to_csv(tmp_path / "empty.csv", index=False)
    assert error_of(flat, tmp_path / "no", labels=tmp_path / "empty.csv") == (
        f"{tmp_path}/empty.csv has no rows; give each picture its label"
    )


def test_what_is_no_such_folder(photos, tmp_path):
    assert error_of(photos, tmp_path / "out").endswith(
        "px, and an image folder needs equal squares; pass --normalise to cut out each digit"
    )
    (tmp_path / "mixed" / "2").mkdir(parents=True)
    for place in ("mixed/a.png", "mixed/2/b.png"):
        (tmp_path / place).write_bytes((photos / "2" / "0.png").read_bytes())
    assert error_of(tmp_path / "mixed", tmp_path / "out", normalise=True) == (
        f"{tmp_path}/mixed has pictures both in it (a.png) and in subfolders; pass a folder whose subfolders are "
        "labels, or pictures with --labels NAMES.csv"
    )
    assert error_of("sklearn:digits", tmp_path / "out", normalise=True) == (
        "--normalise is for a folder of pictures, and sklearn:digits is none; leave it out"
    )
    (tmp_path / "names.csv").write_text("file,label\na.png,1\n")
    assert error_of("sklearn:digits", tmp_path / "out", labels=tmp_path / "names.csv") == (
        "--labels is for a folder of pictures, and sklearn:digits is none; leave it out"
    )
    (tmp_path / "mixed" / "a.png").write_bytes(b"no picture")
    (tmp_path / "mixed" / "2" / "b.png").unlink()
    assert error_of(tmp_path / "mixed", tmp_path / "out") == (
        f"{tmp_path}/mixed/a.png is no readable picture; replace or remove it"
    )
    assert not (tmp_path / "out").exists()


def test_a_model_of_photos_sees_photos_as_it_was_trained(photos, tmp_path):
    """The same digit as a photo, or as it was converted: the model gives both the same probabilities."""
    folder = convert(photos, tmp_path / "folder", normalise=True, valid=0.25)
    finetune("digitnet", folder.path, weights="none", epochs=2, lr=0.01, out=tmp_path / "run")
    assert open_model(tmp_path / "run").normalise
    assert json.loads((tmp_path / "run" / "model.json").read_text())["normalise"] is True
    converted = folder.split("train").files[0]
    label, _, name = folder.split("train").ids[0].partition("-")
    of_photo = predict(str(tmp_path / "run"), str(photos / label / f"{name}.png")).probabilities
    of_converted = predict(str(tmp_path / "run"), str(converted)).probabilities
    assert of_photo == pytest.approx(of_converted, abs=1e-6)
    unnormalised = predict(str(tmp_path / "run"), str(photos / label / f"{name}.png"), normalise=False).probabilities
    assert np.abs(unnormalised - of_photo).max() > 1e-3


def test_a_folder_by_hand_is_normalised_when_it_is_read(photos, tmp_path):
    """Shipped weights were trained on normalised digits, so photos in train/<label>/ are brought to that form."""
    hand = tmp_path / "hand"
    for split, numbers in (("train", range(5)), ("valid", range(5, 8))):
        for label in "27":
            (hand / split / label).mkdir(parents=True)
            for k in numbers:
                (hand / split / label / f"{k}.png").write_bytes((photos / label / f"{k}.png").read_bytes())
    result = finetune("digitnet-mnist", hand, epochs=1, head_epochs=1, lr=0.01, out=tmp_path / "run")
    assert result.result["valid_pictures"] == 6
    assert Run(tmp_path / "run").record()["normalise"] is True
    assert open_model(tmp_path / "run").normalise
    folder = read_folder(hand, normalise=True)
    assert (folder.size, read_folder(hand).size) == (28, None)
    assert folder.digest != read_folder(hand).digest
    plain = finetune("digitnet-mnist", hand, epochs=1, head_epochs=0, lr=0.01, normalise=False, out=tmp_path / "plain")
    assert not open_model(plain.run.path).normalise


def test_tables_and_image_folders_are_no_folders_of_photos(photos, tmp_path, table_file):
    """A banner beside a competition's tables does not make them photos; train/ and valid/ are no labels."""
    mixed = tmp_path / "competition"
    mixed.mkdir()
    (mixed / "train.csv").write_bytes(table_file.read_bytes())
    (mixed / "banner.png").write_bytes((photos / "2" / "0.png").read_bytes())
    assert convert(mixed, tmp_path / "out", valid=0).size == 8
    hand = tmp_path / "hand"
    (hand / "train" / "2").mkdir(parents=True)
    (hand / "train" / "2" / "0.png").write_bytes((photos / "2" / "0.png").read_bytes())
    assert error_of(hand, tmp_path / "no") == (
        f"{hand} is an image folder already; train on it, or pass the table that it was made from"
    )


def test_what_macos_leaves_behind_is_no_picture(photos, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "a.png").write_bytes((photos / "2" / "0.png").read_bytes())
    (flat / "._a.png").write_bytes(b"no picture")
    assert convert(flat, tmp_path / "out", normalise=True).split("test").ids == ["a"]
    (flat / "A.jpg").write_bytes((photos / "2" / "0.png").read_bytes())
    both = convert(flat, tmp_path / "both", normalise=True).split("test").ids
    assert sorted(both) == ["A.jpg", "a.png"]  # as predict calls them


def test_a_name_in_another_encoding_is_refused(photos, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    picture = os.fsdecode(os.fsencode(flat) + b"/chiffre_\xe9.png")
    Path(picture).write_bytes((photos / "2" / "0.png").read_bytes())
    assert r"the id 'chiffre_\\xe9' cannot name a file" in error_of(flat, tmp_path / "no", normalise=True)


def test_a_scan_of_too_many_pixels_is_one_line(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    for name in ("train", "valid"):
        shutil.copytree(photos, tmp_path / "hand" / name)
    first = photos / "2" / "0.png"
    assert error_of(photos, tmp_path / "no") == f"{first} has too many pixels to be read safely; save it smaller"
    with pytest.raises(InputError, match="too many pixels to be read safely; save it smaller"):
        read_folder(tmp_path / "hand")
    with pytest.raises(InputError, match="too many pixels to be read safely; save it smaller"):
        read_gray(first)


def test_deep_scans_keep_their_levels(tmp_path):
    levels = np.linspace(0, 65_535, 28 * 28).reshape(28, 28).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    gray = read_gray(tmp_path / "deep.png")
    assert gray.dtype == np.uint8
    assert np.abs(gray - levels / 257).max() <= 0.5
    shallow = Image.fromarray((levels // 257).astype(np.int32))
    shallow.save(tmp_path / "shallow.tif")
    assert np.array_equal(read_gray(tmp_path / "shallow.tif"), (levels // 257).astype(np.uint8))


def test_photos_are_predicted_and_scored_by_their_subfolders(photos, tmp_path):
    evaluation = evaluate("digitnet-mnist", str(photos))
    assert evaluation.pictures == 16
    assert evaluation.accuracy > 0.8
    found = predict("digitnet-mnist", str(photos), out=tmp_path / "p.csv")
    assert len(found.ids) == 16


def test_normalising_comes_too_late(photos, tmp_path):
    small = tmp_path / "small"
    (small / "2").mkdir(parents=True)
    (small / "7").mkdir()
    for label in "27":
        for k in range(3):
            Image.fromarray(np.full((28, 28), 40 * k, np.uint8)).save(small / label / f"{label}{k}.png")
    folder = convert(small, tmp_path / "out", valid=0)
    with pytest.raises(InputError) as caught:
        finetune("digitnet-mnist", folder.path, normalise=True, out=tmp_path / "run")
    assert str(caught.value) == (
        f"{folder.path} was made by convert, so --normalise comes too late; convert the photos again with --normalise"
    )
    folder = convert(small, tmp_path / "normalised", valid=0, normalise=True)
    with pytest.raises(InputError) as caught:
        finetune("digitnet-mnist", folder.path, normalise=False, out=tmp_path / "run")
    assert str(caught.value) == (
        f"{folder.path} was made by convert, so --no-normalise comes too late; "
        "convert the photos again without --normalise"
    )
