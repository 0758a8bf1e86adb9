"""What comes in is taken, or named, or refused: identities, labels and files are never lost in silence."""

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, predict
from fastdigits.photos.files import read_gray
from fastdigits.sources.opening import open_source

MODEL = "digitnet-mnist"
PHOTO = Path(__file__).parent.parent / "photos" / "three.heic"  # drawn from one of scikit-learn's digits


@pytest.fixture(scope="module")
def rows(digit_images) -> pd.DataFrame:
    """Sixty real digits of 28x28 pixels: `label,pixel0..pixel783`."""
    images, labels = (part[:60] for part in digit_images)
    large = np.pad(images.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    table = pd.DataFrame(large.reshape(60, -1), columns=[f"pixel{k}" for k in range(784)])
    return pd.concat([pd.Series(labels, name="label"), table], axis=1)


def pictures(rows: pd.DataFrame, count: int) -> list[Image.Image]:
    return [Image.fromarray(row[1:].reshape(28, 28).astype(np.uint8)) for row in rows.to_numpy()[:count]]


def labels_of(source) -> list[str]:
    return [label for chunk in source.chunks() for label in chunk.labels]


def test_own_ids_stand_in_a_kaggle_submission(in_tmp, rows):
    order = np.random.default_rng(0).permutation(60)
    table = rows.drop(columns="label").iloc[order]
    table.insert(0, "ImageId", order + 1)
    table.to_csv("test.csv", index=False)
    straight = predict(MODEL, "test.csv", submission="kaggle")
    written = pd.read_csv("submission.csv", dtype=str)
    assert written["ImageId"].tolist() == [str(k + 1) for k in order]
    assert written["Label"].tolist() == straight.labels
    rows.to_csv("train.csv", index=False)
    convert("train.csv", "digits", valid=0, test="test.csv")
    predict(MODEL, "digits", submission="kaggle", out="by_folder.csv")
    assert pd.read_csv("by_folder.csv", dtype=str).equals(written)


def test_pictures_keep_their_numbers_where_one_is_missing(in_tmp, rows):
    (in_tmp / "photos").mkdir()
    for number, picture in enumerate(pictures(rows, 12), start=1):
        if number != 5:
            picture.save(f"photos/{number:03}.png")
    predict(MODEL, "photos", submission="kaggle")
    numbers = [1, 2, 3, 4, *range(6, 13)]
    assert pd.read_csv("submission.csv")["ImageId"].tolist() == numbers
    pd.DataFrame({"id": numbers, "label": 0}).to_csv("sample.csv", index=False)
    predict(MODEL, "photos", submission="sample.csv", out="like_sample.csv")
    assert pd.read_csv("like_sample.csv")["id"].tolist() == numbers


def test_ids_that_a_kaggle_submission_cannot_have(in_tmp, rows):
    (in_tmp / "photos").mkdir()
    for name, picture in zip(("one", "two"), pictures(rows, 2)):
        picture.save(f"photos/{name}.png")
    with pytest.raises(InputError) as caught:
        predict(MODEL, "photos", submission="kaggle")
    assert str(caught.value) == (
        "the id 'one' is no whole number, as --submission kaggle writes them; pass the competition's sample"
    )
    table = rows.drop(columns="label")[:2]
    table.insert(0, "id", ["7", "07"])
    table.to_csv("twice.csv", index=False)
    with pytest.raises(InputError) as caught:
        predict(MODEL, "twice.csv", submission="kaggle")
    assert str(caught.value) == "the id 7 occurs more than once; a submission names each row once"
    assert not (in_tmp / "submission.csv").exists()


@pytest.mark.parametrize("name", ["class", "Target", "character", "digit", "y", "labels"])
def test_usual_names_of_the_label_column(in_tmp, rows, name, capsys):
    rows.rename(columns={"label": name}).to_csv("train.csv", index=False)
    assert labels_of(open_source("train.csv")) == [str(label) for label in rows["label"]]
    convert("train.csv", "digits", valid=0)
    assert f"train.csv: the column {name!r} was read as the label\n" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_another_label_column_is_asked_about_and_can_be_named(in_tmp, rows, kind):
    file = f"train.{kind}"
    table = rows.rename(columns={"label": "the sign"})
    table.to_csv(file, index=False) if kind == "csv" else table.to_parquet(file)
    with pytest.raises(InputError) as caught:
        convert(file, "digits")
    assert str(caught.value) == (
        f"{file} has the column 'the sign', which is neither id, label nor a numbered pixel; if it holds the labels, "
        "name it: --label-column 'the sign'; else drop it"
    )
    assert sum(convert(file, "digits", valid=0, label_column="The sign").manifest["counts"]["train"].values()) == 60
    assert len(predict(MODEL, file, label_column="the sign").ids) == 60
    with pytest.raises(InputError) as caught:
        convert(file, "more", label_column="sign")
    assert str(caught.value) == (
        f"{file} has no column 'sign' (--label-column); its first ones are the sign, pixel0, pixel1, pixel2"
    )


def test_a_label_column_of_what_has_none(in_tmp, rows):
    rows.to_csv("bare.csv", index=False, header=False)
    with pytest.raises(InputError) as caught:
        convert("bare.csv", "digits", label_column="label")
    assert str(caught.value) == "bare.csv has no header line, so no column has a name; leave out --label-column"
    with pytest.raises(InputError) as caught:
        convert("sklearn:digits", "digits", label_column="label")
    assert str(caught.value) == (
        "--label-column is for tables with a header line, and sklearn:digits is none; leave it out"
    )


def test_the_row_numbers_of_pandas_are_no_pixels(in_tmp, rows, capsys):
    rows.to_csv("once.csv")
    pd.read_csv("once.csv").to_csv("twice.csv", index=False)
    for file, name in (("once.csv", ""), ("twice.csv", "Unnamed: 0")):
        assert convert(file, "digits", valid=0, overwrite=True).size == 28
        assert f"{file}: the column {name!r}, pandas's row numbers, was left out\n" in capsys.readouterr().out


def test_labels_of_several_columns_beside_idx_pictures(in_tmp, rows):
    """As QMNIST has them: the class and seven more numbers of each picture."""
    pixels = rows.to_numpy()[:, 1:].astype(np.uint8)
    head = struct.pack(">IIII", 0x803, 60, 28, 28)
    (in_tmp / "qmnist-train-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
    source = open_source("qmnist-train-images-idx3-ubyte")
    assert not source.has_labels
    numbers = np.zeros((60, 8), ">i4")
    numbers[:, 0], numbers[:, 1] = rows["label"], 77
    (in_tmp / "qmnist-train-labels-idx2-int").write_bytes(struct.pack(">III", 0xC02, 60, 8) + numbers.tobytes())
    assert labels_of(open_source("qmnist-train-images-idx3-ubyte")) == [str(label) for label in rows["label"]]


def test_labels_beside_pictures_that_are_not_theirs_are_named(in_tmp, rows, capsys):
    head = struct.pack(">IIII", 0x803, 60, 28, 28)
    (in_tmp / "images-idx3-ubyte").write_bytes(head + rows.to_numpy()[:, 1:].astype(np.uint8).tobytes())
    (in_tmp / "other-labels-idx1-ubyte").write_bytes(b"")
    convert("images-idx3-ubyte", "digits")
    assert capsys.readouterr().out.splitlines() == [
        "images-idx3-ubyte: no file of labels has its name, so other-labels-idx1-ubyte was not used"
    ]


@pytest.mark.parametrize("names", [("X_kannada_train.npz", "y_kannada_train.npz"), ("k-imgs.npz", "k-labels.npz")])
def test_an_npz_file_finds_its_partner(in_tmp, rows, names):
    np.savez(names[0], rows.to_numpy()[:, 1:].astype(np.uint8).reshape(-1, 28, 28))
    assert not open_source(names[0]).has_labels
    np.savez(names[1], rows["label"].to_numpy())
    assert labels_of(open_source(names[0])) == [str(label) for label in rows["label"]]


def test_arrays_that_are_not_used_are_named(in_tmp, rows, capsys):
    images = rows.to_numpy()[:, 1:].astype(np.uint8).reshape(-1, 28, 28)
    np.savez("some.npz", images=images, labels=rows["label"], writers=rows["label"], weights=images)
    convert("some.npz", "digits", valid=0)
    assert "some.npz: the arrays weights, writers were left out\n" in capsys.readouterr().out


def test_labels_as_bytes_are_texts(in_tmp, rows):
    texts = np.array([str(label).encode() for label in rows["label"]])
    np.savez("bytes.npz", x_train=rows.to_numpy()[:, 1:].astype(np.uint8).reshape(-1, 28, 28), y_train=texts)
    table = rows.copy()
    table["label"] = list(texts)
    table.to_parquet("bytes.parquet")
    for file in ("bytes.npz", "bytes.parquet"):
        assert labels_of(open_source(file)) == [str(label) for label in rows["label"]]


def test_more_kinds_of_pictures_are_read(in_tmp, rows):
    (picture,) = pictures(rows, 1)
    for ending in ("jfif", "gif", "pgm", "avif"):
        picture.save(f"one.{ending}", **({"format": "JPEG"} if ending == "jfif" else {}))
        found = read_gray(in_tmp / f"one.{ending}")
        assert np.abs(found.astype(int) - np.asarray(picture)).mean() < 12, ending
    picture.save("two.tif", save_all=True, append_images=[picture])
    with pytest.raises(InputError, match=r"two\.tif has 2 pages; save each of them as a picture of its own"):
        predict(MODEL, "two.tif")


def test_a_phones_picture_needs_its_plug_in(in_tmp, monkeypatch):
    import sys

    for package in ("pi_heif", "pillow_heif"):
        monkeypatch.setitem(sys.modules, package, None)  # as where none is installed
    (in_tmp / "IMG_1.HEIC").write_bytes(b"phone")
    with pytest.raises(InputError) as caught:
        predict(MODEL, "IMG_1.HEIC")
    assert str(caught.value) == (
        "IMG_1.HEIC is a phone's HEIC picture: pip install pi-heif (LGPL) reads it, or save it as JPEG"
    )


def test_a_phones_picture_is_read():
    pytest.importorskip("pi_heif", reason="pi-heif, which is under the LGPL, is no requirement of ours")
    assert predict(MODEL, PHOTO).labels == ["3"]


def test_files_of_other_kinds_are_counted(in_tmp, rows, capsys):
    (in_tmp / "photos").mkdir()
    for number, picture in enumerate(pictures(rows, 3)):
        picture.save(f"photos/{number}.png")
    for name in ("a.svg", "b.svg", "c.dng"):
        (in_tmp / "photos" / name).touch()
    predict(MODEL, "photos")
    line = "photos: files that are not read were left out (2 .svg, 1 .dng); save them as PNG or JPEG\n"
    assert line in capsys.readouterr().out
    convert("photos", "digits", normalise=True)
    assert line in capsys.readouterr().out


def test_two_files_of_one_name_have_two_ids(in_tmp, rows):
    (in_tmp / "photos").mkdir()
    for name, picture in zip(("a.png", "a.bmp", "b.png"), pictures(rows, 3)):
        picture.save(f"photos/{name}")
    assert sorted(predict(MODEL, "photos").ids) == ["a.bmp", "a.png", "b"]


def test_pictures_a_folder_deeper_are_taken_and_told(in_tmp, rows, capsys):
    for place in ("3/w1", "4"):
        (in_tmp / "photos" / place).mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures(rows, 6)):
        picture.save(f"photos/{'3/w1' if number < 3 else '4'}/{number}.png")
    folder = convert("photos", "digits", valid=0)
    assert folder.manifest["counts"]["train"] == {"3": 3, "4": 3}
    assert capsys.readouterr().out.splitlines()[0] == (
        "photos: pictures that lie in folders below their class's were taken too (3 of class '3')"
    )
    (in_tmp / "all").mkdir()
    (in_tmp / "photos").rename("all/photos")
    with pytest.raises(InputError) as caught:
        convert("all", "other")
    assert str(caught.value) == (
        "all has its pictures two folders down (photos/4/3.png); pass a folder whose subfolders are labels, or "
        "pictures with --labels NAMES.csv, such as all/photos"
    )


def test_a_class_without_pictures_is_named(in_tmp, rows, capsys):
    for label in ("1", "2"):
        (in_tmp / "photos" / label).mkdir(parents=True)
        pictures(rows, 1)[0].save(f"photos/{label}/{label}.png")
    (in_tmp / "photos" / "3").mkdir()
    convert("photos", "digits", valid=0)
    assert "photos: no pictures lie in 3, of which there is no class then\n" in capsys.readouterr().out


def test_a_label_column_is_for_tables_alone(in_tmp, rows):
    (in_tmp / "photos").mkdir()
    pictures(rows, 1)[0].save("photos/1.png")
    for source in ("photos", "photos/1.png"):
        with pytest.raises(InputError) as caught:
            predict(MODEL, source, label_column="digit")
        assert (
            str(caught.value) == f"--label-column is for tables with a header line, and {source} is none; leave it out"
        )
