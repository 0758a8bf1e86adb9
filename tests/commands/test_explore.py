"""explore() says what a table holds, and names what is wrong with its split."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, explore
from fastdigits.audit.pictures import read_pictures
from fastdigits.cli import NEXT


@pytest.fixture
def planted(tmp_path, digit_images):
    """300 digits, of which row 290 repeats row 3, and row 291 repeats row 4 under another label."""
    images, labels = (part[:300].copy() for part in digit_images)
    images[[290, 291]], labels[290] = images[[3, 4]], labels[3]
    labels[291] = (labels[4] + 1) % 10
    table = pd.DataFrame(images.reshape(300, -1), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "label", labels)
    table.to_csv(tmp_path / "planted.csv", index=False)
    return tmp_path / "planted.csv"


def test_a_table(tmp_path, table_file, test_file, digit_table):
    found = explore(str(table_file), test=str(test_file), out=tmp_path / "out")
    assert found.rows == {"train": 200, "test": 40}
    assert found.classes == {"train": digit_table["label"].astype(str).value_counts().sort_index().to_dict()}
    pixels = digit_table.filter(like="pixel").to_numpy()
    levels = found.gray_levels
    assert (levels["least"], levels["most"]) == (0, 255)
    assert levels["mean"] == pytest.approx(pixels.mean() / 255)
    assert levels["std"] == pytest.approx(pixels.std() / 255)
    assert levels["black"] == pytest.approx((pixels == 0).mean())
    text = str(found)
    assert f"{table_file.name}: 200 train, 40 test; 8x8 px" in text
    assert "missing values: none; gray levels 0..255" in text
    assert "train: 10 classes, '" in text
    assert text.endswith(f"written to {tmp_path / 'out'}")
    assert json.loads((tmp_path / "out/explore.json").read_text())["rows"] == {"train": 200, "test": 40}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["copies.csv", "explore.json", "explore.png"]


def test_how_test_rows_differ(tmp_path, digit_images):
    images, labels = digit_images
    np.savez(tmp_path / "train.npz", images=images[:600], labels=labels[:600])
    noise = np.random.default_rng(0).integers(0, 60, (100, 8, 8))
    np.savez(tmp_path / "test.npz", images=(images[600:700] // 2 + noise).astype(np.uint8))
    found = explore(str(tmp_path / "train.npz"), test=str(tmp_path / "test.npz"), out=tmp_path / "out")
    assert found.shift.rows == 100
    assert any(one.startswith(("fainter (", "on noisier paper (")) for one in found.shift.differences)
    assert "the test rows are by other hands, or written or scanned in another way" in str(found)
    kept = json.loads((tmp_path / "out/explore.json").read_text())["shift"]
    assert kept["auc"] == found.shift.auc > 0.75
    assert kept["expectation"]["accuracy"] == found.shift.expectation.accuracy
    assert (tmp_path / "out/unlike.png").stat().st_size > 2000


def test_planted_copies_across_the_split_are_named(tmp_path, planted):
    convert(planted, tmp_path / "digits", valid=40, split="first")  # row 3 is valid, row 290 is not
    found = explore(str(tmp_path / "digits"), out=tmp_path / "out")
    assert found.copies["train-valid"]["exact"] == 2
    text = str(found)
    assert "copies on both sides (train-valid) make scores too high; look at copies.csv" in text
    assert "valid 3 (3) is equal to train 290 (3)" in text
    copies = pd.read_csv(tmp_path / "out/copies.csv", dtype=str)
    assert {frozenset(pair) for pair in copies[["id_first", "id_second"]].to_numpy()} >= {frozenset({"3", "290"})}


def test_copies_with_two_labels(tmp_path, planted):
    found = explore(str(planted), out=tmp_path / "out")
    assert found.other_labels == 1
    assert "1 of these pairs have two labels: one of the two is likely wrong" in str(found)
    assert "train 4 (4) is equal to train 291 (5)" in str(found)


def test_copies_in_the_test_table(tmp_path, planted):
    table = pd.read_csv(planted)
    table[10:20].drop(columns="label").to_csv(tmp_path / "test.csv", index=False)
    found = explore(str(planted), test=str(tmp_path / "test.csv"), out=tmp_path / "out")
    assert found.copies["train-test"]["exact"] == 10


def test_a_folder_is_read_in_the_order_of_its_table(folder, digit_images):
    pictures = read_pictures(str(folder))
    assert not pictures.in_order  # d0, d1, ... are names, not numbers
    assert set(pictures.splits) == {"train", "valid", "test"}
    assert len(pictures.images) == 240


def test_rows_without_ids_come_back_in_their_order(tmp_path, planted, digit_images):
    convert(planted, tmp_path / "digits", valid=0.3)
    pictures = read_pictures(str(tmp_path / "digits"))
    assert pictures.in_order
    assert pictures.ids == [str(k) for k in range(300)]
    assert (pictures.images[:290] == digit_images[0][:290]).all()


def test_groups(tmp_path, table_file, digit_table):
    groups = tmp_path / "writers.csv"
    pd.DataFrame({"id": digit_table["id"], "writer": np.arange(200) // 20}).to_csv(groups, index=False)
    found = explore(str(table_file), groups=groups, out=tmp_path / "out")
    assert found.audit.by_hand == "groups"
    assert "5 folds of groups" in str(found)
    pd.read_csv(groups)[:160].to_csv(groups, index=False)
    with pytest.raises(InputError, match=r"names no group for 40 of 200 ids, e\.g\. 'd160'"):
        explore(str(table_file), groups=groups, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_dark_digits_and_blank_ones(tmp_path, digit_images):
    images = 255 - digit_images[0][:30]
    images[7] = 255
    np.savez(tmp_path / "dark.npz", images=images, labels=digit_images[1][:30])
    text = str(explore(str(tmp_path / "dark.npz"), out=tmp_path / "out"))
    assert "all pictures are dark digits on a light ground and were turned to light on dark" in text
    assert "1 picture is blank: no ink (id 7)" in text


def test_without_labels(tmp_path, test_file):
    found = explore(str(test_file), out=tmp_path / "out")
    assert (found.classes, found.audit) == ({}, None)
    assert found.rows == {"test": 40}


def test_pictures_of_mixed_sizes(tmp_path, digit_images):
    from PIL import Image

    for k in range(12):
        file = tmp_path / "mixed/train" / str(k % 2) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digit_images[0][k]).resize((20 + k, 20 + k)).save(file)
    found = explore(str(tmp_path / "mixed"), out=tmp_path / "out")
    assert found.rows == {"train": 12}
    text = str(found)
    assert "large pictures, or such of mixed sizes, were looked at and compared at 28 px" in text
    assert "fewer than 200 labelled rows: too few to tell what a split hides" in text


def test_dark_digits_have_the_copies_of_light_ones(tmp_path, digit_images):
    images, labels = (part[:300] for part in digit_images)
    images = np.pad(images, ((0, 0), (10, 10), (10, 10)))  # mostly ground
    found = []
    for name, stack in (("light", images), ("dark", 255 - images)):
        np.savez(tmp_path / f"{name}.npz", images=stack, labels=labels)
        found.append(explore(str(tmp_path / f"{name}.npz"), out=tmp_path / name).copies)
    assert found[0] == found[1]


def test_hands_on_both_sides_of_a_split(tmp_path, table_file, digit_table):
    groups = tmp_path / "writers.csv"
    pd.DataFrame({"id": digit_table["id"], "writer": np.arange(200) // 20}).to_csv(groups, index=False)
    convert(table_file, tmp_path / "random", valid=0.3)
    text = str(explore(str(tmp_path / "random"), groups=groups, out=tmp_path / "one"))
    assert "10 of the 10 groups in valid stand in train too, so its accuracy flatters" in text
    convert(table_file, tmp_path / "by-hand", valid=0.3, groups=groups)
    text = str(explore(str(tmp_path / "by-hand"), out=tmp_path / "two"))
    assert "no group stands on both sides of the split (3 are in valid)" in text


def test_labels_of_test_pictures_play_no_part(tmp_path, digit_images):
    images, labels = digit_images
    arrays = {"x_train": images[:300], "y_train": labels[:300], "x_test": images[300:350], "y_test": labels[300:350]}
    np.savez(tmp_path / "both.npz", **arrays)
    convert(tmp_path / "both.npz", tmp_path / "digits", valid=0.2)
    pictures = read_pictures(str(tmp_path / "digits"))
    assert pictures.in_order
    assert (pictures.images[:300] == images[:300]).all()
    assert pictures.labelled.tolist() == list(range(300))


def test_wrong_input(tmp_path, table_file, test_file, folder, digit_table):
    broken = digit_table.copy()
    broken["pixel5"] = broken["pixel5"].astype(object)
    broken.loc[16, "pixel5"] = ""
    broken.to_csv(tmp_path / "broken.csv", index=False)
    cases = [
        (
            {"source": tmp_path / "broken.csv"},
            "broken.csv has 1 missing values in 1 of 66 columns (pixel5: 1), the first in row 17; fill them or drop",
        ),
        ({"source": folder, "test": test_file}, "is an image folder; --test goes with a table", ""),
        ({"source": tmp_path / "none.csv"}, "does not exist", ""),
    ]
    for arguments, *messages in cases:
        with pytest.raises(InputError) as caught:
            explore(**{name: str(value) for name, value in arguments.items()}, out=tmp_path / "out")
        assert all(message in str(caught.value) for message in messages)
    assert not (tmp_path / "out").exists()


def test_an_earlier_exploration_is_not_replaced_unasked(tmp_path, test_file):
    explore(str(test_file), out=tmp_path / "out")
    with pytest.raises(InputError, match="exists already; pass --overwrite"):
        explore(str(test_file), out=tmp_path / "out")
    explore(str(test_file), out=tmp_path / "out", overwrite=True)


def test_a_folder_with_tables_is_read_as_convert_reads_it(tmp_path, table_file, test_file):
    """As a competition's files lie; and pictures under their labels."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "train.csv").write_text(table_file.read_text())
    (tmp_path / "files" / "test.csv").write_text(test_file.read_text())
    assert explore(str(tmp_path / "files"), out=tmp_path / "out").rows == {"train": 200, "test": 40}
    for label in "01":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((9, 9), 40 * number + int(label), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{label}{number}.png")
    assert explore(str(tmp_path / "photos"), out=tmp_path / "out2").rows == {"train": 6}


def test_photos_are_normalised_where_that_is_wished(tmp_path, digit_images):
    for k in range(20):
        file = tmp_path / "scans" / str(digit_images[1][k]) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - np.pad(digit_images[0][k], ((6, 9 + k), (8, 5)))).save(file)
    with pytest.raises(InputError, match="pass --normalise to cut out each digit"):
        explore(str(tmp_path / "scans"), out=tmp_path / "out")
    found = explore(str(tmp_path / "scans"), normalise=True, out=tmp_path / "out")
    assert found.size == (28, 28)
    assert NEXT["Exploration"](found).startswith(f"fastdigits convert {tmp_path}/scans digits/ --normalise")
    convert(tmp_path / "scans", tmp_path / "digits", normalise=True, valid=0)
    with pytest.raises(InputError) as caught:
        explore(str(tmp_path / "digits"), normalise=True, out=tmp_path / "more")
    assert str(caught.value) == (
        f"{tmp_path}/digits is an image folder; --normalise goes with a folder of photos or scans"
    )
