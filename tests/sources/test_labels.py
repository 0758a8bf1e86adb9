"""What people said about pictures: the csv that only grows, and sources with the labels of it."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, read_folder
from fastdigits.sources import NO_DIGIT, UNSURE, LabelLog, is_label_log, open_source, with_given_labels


@pytest.fixture
def log(tmp_path) -> LabelLog:
    return LabelLog(tmp_path / "labels.csv")


@pytest.fixture
def unlabelled(tmp_path, digit_table):
    """Ninety digits without labels, ids d0 to d89, and the truth by id."""
    table = digit_table[:90]
    table.drop(columns="label").to_csv(tmp_path / "digits.csv", index=False)
    return tmp_path / "digits.csv", dict(zip(table["id"], table["label"].astype(str)))


def lines(log) -> list[list[str]]:
    return pd.read_csv(log.file, dtype=str, keep_default_na=False).values.tolist()


def test_every_label_is_a_line_at_once(log):
    log.add({"d1": "7"}, "w0001", {})
    assert [[row[0], row[1], row[3], row[4]] for row in lines(log)] == [["d1", "7", "w0001", ""]]
    log.add({"d2": "3", "d3": "3"}, "w0002", {"d3": "8"})
    assert [[row[0], row[1], row[3], row[4]] for row in lines(log)][1:] == [
        ["d2", "3", "w0002", ""],
        ["d3", "3", "w0002", "8"],
    ]
    assert LabelLog(log.file).label_of == log.label_of == {"d1": "7", "d2": "3", "d3": "3"}
    assert is_label_log(log.file)
    assert not is_label_log(log.file.with_name("none.csv"))


def test_what_is_taken_back_is_a_line_too(log):
    log.add({"d1": "7"}, "w0001", {})
    log.add({"d2": "3", "d3": "3"}, "w0001", {})
    log.add({"d4": "4"}, "w0002", {})
    assert log.take_back("w0001") == ["d2", "d3"]
    again = LabelLog(log.file)
    assert again.label_of == log.label_of == {"d1": "7", "d4": "4"}
    assert again.take_back("w0001") == ["d1"]  # what is taken back is known after a new start
    assert again.take_back("w0001") == []
    assert again.label_of == LabelLog(log.file).label_of == {"d4": "4"}
    assert (again.said_by("w0001"), again.said_by("w0002")) == (0, 1)
    assert len(lines(log)) == 7  # nothing was ever removed


def test_a_line_that_a_kill_cut_short_is_removed(log):
    log.add({"d1": "7"}, "w0001", {})
    whole = log.file.read_bytes()
    log.file.write_bytes(whole + b"d2,3,2026-")
    again = LabelLog(log.file)
    assert again.label_of == {"d1": "7"}
    assert log.file.read_bytes() == whole + b"d2,3,2026-"  # another may be writing it just now
    again.add({"d3": "5"}, "w0001")
    assert LabelLog(log.file).label_of == {"d1": "7", "d3": "5"}
    assert log.file.read_bytes().startswith(whole)


def test_an_act_that_a_kill_cut_short_can_be_taken_back(log):
    log.add({"d1": "7", "d2": "7", "d3": "7"}, "w0001", {})
    log.take_back("w0001")
    *rows, _, _ = log.file.read_text().splitlines(keepends=True)
    log.file.write_text("".join(rows))  # of three lines by which it was taken back, one was written
    again = LabelLog(log.file)
    assert again.label_of == {"d2": "7", "d3": "7"}
    assert again.take_back("w0001") == ["d2", "d3"]
    assert LabelLog(log.file).label_of == {}


def test_the_test_pictures_of_an_image_folder_are_not_taken_for_its_train_pictures(log, tmp_path, digit_table):
    numbered = digit_table.drop(columns="id")
    numbered[:150].to_csv(tmp_path / "train.csv", index=False)
    numbered[150:].drop(columns="label").to_csv(tmp_path / "test.csv", index=False)
    convert(tmp_path / "train.csv", tmp_path / "data", test=tmp_path / "test.csv")
    truth = digit_table["label"][150:].astype(str).tolist()
    log.add({str(row): label for row, label in enumerate(truth)}, "w0001")  # ids that train has, too
    folder = convert(tmp_path / "data", tmp_path / "new", labels=log.file, valid=0.3)
    assert sum(len(split) for split in folder.splits.values()) == 50
    left_out = "train and valid pictures were left out, because labels.csv has labels for test only"
    assert f"{tmp_path}/data: {left_out}" in folder.manifest["notes"]
    competition = tmp_path / "competition"
    competition.mkdir()
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).rename(competition / name)
    of_test = convert(competition, tmp_path / "of_test", labels=log.file, valid=0.3)
    told = "train.csv was left out, because labels.csv has labels for test.csv only"
    assert any(told in note for note in of_test.manifest["notes"])
    checked = LabelLog(tmp_path / "checked.csv")
    checked.add({"3": "0"}, "w0001", {"3": "3"})
    again = convert(competition, tmp_path / "checked", labels=checked.file)
    assert len(again.split("train")) + len(again.split("valid")) == 150
    assert len(again.split("test")) == 50


def test_a_relabelled_folder_keeps_its_form(log, tmp_path, digit_images):
    (tmp_path / "photos").mkdir()
    for k, image in enumerate(digit_images[0][:40]):
        Image.fromarray(255 - image.repeat(8, 0).repeat(8, 1)).save(tmp_path / "photos" / f"{k}.png")
    names = pd.DataFrame({"file": [f"{k}.png" for k in range(40)], "label": digit_images[1][:40]})
    names.to_csv(tmp_path / "names.csv", index=False)
    convert(tmp_path / "photos", tmp_path / "data", labels=tmp_path / "names.csv", normalise=True, valid=0)
    log.add({"3": "8"}, "w0001", {"3": "3"})
    again = convert(tmp_path / "data", tmp_path / "again", labels=log.file)
    assert (read_folder(tmp_path / "data").is_normalised, again.is_normalised) == (True, True)
    with pytest.raises(
        InputError, match=r"typo.csv does not exist; --labels takes the labels.csv of `label`, or a csv"
    ):
        convert(tmp_path / "data", tmp_path / "no", labels=tmp_path / "typo.csv")


def test_a_csv_that_a_spreadsheet_saved_again_is_one_still(log, unlabelled, tmp_path):
    _, truth = unlabelled
    log.add(truth | {"d3": NO_DIGIT}, "w0001")
    header, *rows = log.file.read_text().splitlines()
    for name, text in {
        "no_end": "\r\n".join([header, *rows]),
        "mark": "\ufeff" + "\r\n".join([header, *rows, ""]),
        "quotes": "\n".join([",".join(f'"{word}"' for word in header.split(",")), *rows, ""]),
    }.items():
        saved = tmp_path / f"{name}.csv"
        saved.write_text(text, encoding="utf-8", newline="")
        assert is_label_log(saved)
        again = LabelLog(saved)
        assert again.label_of == log.label_of
        again.add({"d200": "5"}, "w0002")
        assert LabelLog(saved).label_of == log.label_of | {"d200": "5"}
    changed = tmp_path / "semicolons.csv"
    changed.write_text(log.file.read_text().replace(",", ";"))
    assert not is_label_log(changed)


def test_labels_survive_twenty_kills(tmp_path):
    """A process that is killed while it writes: of what it said was written, nothing is lost and nothing is doubled."""
    file = tmp_path / "labels.csv"
    program = (
        "import sys; from pathlib import Path; from fastdigits.sources import LabelLog\n"
        "log = LabelLog(Path(sys.argv[1])); first = len(log)\n"
        "for k in range(first, 10**6):\n"
        "    log.add({f'd{k}': str(k % 10)}, 'w0001', {}); print(k, flush=True)\n"
    )
    told = 0
    for _ in range(20):
        process = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, text=True)
        for _ in range(7):
            told = int(process.stdout.readline())
        process.kill()
        process.wait()
        process.stdout.close()
        found = LabelLog(file).label_of
        assert set(found) >= {f"d{k}" for k in range(told + 1)}
        ids = [row[0] for row in lines(LabelLog(file))]
        assert len(ids) == len(set(ids))


def test_a_full_disk_loses_nothing(log, monkeypatch):
    log.add({"d1": "7"}, "w0001", {})
    before = log.file.read_bytes()

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        log.add({"d2": "3"}, "w0001", {})
    assert log.file.read_bytes() == before
    assert log.label_of == {"d1": "7"}


def test_a_foreign_table_is_no_log(tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\n1,2\n")
    with pytest.raises(InputError, match=r"labels.csv is no csv of labels; name another folder"):
        LabelLog(tmp_path / "labels.csv")


def test_convert_takes_what_was_said(unlabelled, log, tmp_path):
    source, truth = unlabelled
    for id_ in list(truth)[:80]:
        log.add({id_: truth[id_]}, "w0001", {})
    log.take_back("w0001")
    log.add({"d80": NO_DIGIT, "d81": UNSURE}, "w0001", {})
    folder = convert(source, tmp_path / "data", labels=log.file)
    found = {id_: label for split in folder.splits.values() for id_, label in zip(split.ids, split.labels)}
    assert found == {id_: truth[id_] for id_ in list(truth)[:79]}
    assert (
        "labels.csv: 79 pictures have the label that was given there; left out were 1 that are no digit and 10 without "
        "a label"
    ) in folder.notes


def test_wrong_labels_of_a_table_are_replaced(log, tmp_path, digit_table):
    digit_table[:60].to_csv(tmp_path / "digits.csv", index=False)
    log.add({"d3": "9", "d4": NO_DIGIT, "d5": UNSURE}, "w0001", {"d3": "3", "d4": "4", "d5": "5"})
    source = with_given_labels(open_source(tmp_path / "digits.csv"), log.file)
    labels = {id_: label for chunk in source.chunks() for id_, label in zip(chunk.ids, chunk.labels)}
    truth = dict(zip(digit_table["id"][:60], digit_table["label"][:60].astype(str)))
    assert labels == {id_: label for id_, label in (truth | {"d3": "9"}).items() if id_ != "d4"}


def test_an_image_folder_keeps_its_split_and_its_groups(log, tmp_path, digit_table, table_file):
    groups = pd.DataFrame({"id": digit_table["id"], "writer": [f"w{k % 12}" for k in range(len(digit_table))]})
    groups.to_csv(tmp_path / "writers.csv", index=False)
    before = convert(table_file, tmp_path / "before", groups=tmp_path / "writers.csv")
    valid = before.split("valid").ids[0]
    said = {"d3": "9", valid: "0", "d4": NO_DIGIT}
    log.add(said, "w0001", dict.fromkeys(said, "1"))
    after = convert(tmp_path / "before", tmp_path / "after", labels=log.file)
    for name in ("train", "valid"):
        left = [id_ for id_ in before.split(name).ids if id_ != "d4"]
        assert after.split(name).ids == left
        group_of = dict(zip(before.split(name).ids, before.split(name).groups))
        assert list(after.split(name).groups) == [group_of[id_] for id_ in left]
    assert after.split("valid").labels[after.split("valid").ids.index(valid)] == "0"
    assert after.manifest["split"] == before.manifest["split"]
    place = after.split("valid").files[0]
    np.testing.assert_array_equal(
        np.asarray(Image.open(place)),
        np.asarray(Image.open(before.split("valid").files[0])),
    )


def test_pictures_of_one_name_are_told_apart(log, tmp_path, digit_images):
    from fastdigits.system import write_pictures

    for split in ("train", "valid"):
        for label in ("1", "2"):
            (tmp_path / "own" / split / label).mkdir(parents=True)
            for number in range(3):
                row = np.flatnonzero(digit_images[1] == int(label))[number]
                write_pictures(digit_images[0][row][None], [str(tmp_path / "own" / split / label / f"{number}.png")])
    log.add({"train-1-0": "2", "valid-2-1": NO_DIGIT}, "w0001", {"train-1-0": "1", "valid-2-1": "2"})
    folder = convert(tmp_path / "own", tmp_path / "data", labels=log.file)
    assert len(folder.split("train")) == 6
    assert sorted(folder.split("train").labels) == ["1", "1", "2", "2", "2", "2"]
    assert len(folder.split("valid")) == 5
    assert read_folder(tmp_path / "own").split("train").labels.count("1") == 3  # which is never changed


@pytest.mark.parametrize(
    ("said", "options", "message"),
    [
        ({"x9": "3"}, {}, r"names 1 pictures that digits.csv has not, e.g. 'x9'; pass the source that was labelled"),
        ({"d1": NO_DIGIT}, {}, r"gives no picture a label; go on with `fastdigits label`"),
    ],
)
def test_labels_of_other_pictures_are_refused(unlabelled, log, tmp_path, said, options, message):
    log.add(said, "w0001", {})
    with pytest.raises(InputError, match=message):
        convert(unlabelled[0], tmp_path / "data", labels=log.file, **options)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("valid", 0.2), ("seed", 7), ("recipe", "conv-elu"), ("also", ["x.csv"])]
)
def test_an_image_folder_is_not_split_anew(log, tmp_path, table_file, option, value):
    convert(table_file, tmp_path / "before")
    log.add({"d3": "9"}, "w0001", {"d3": "3"})
    with pytest.raises(
        InputError, match=rf"before is an image folder, of which only the labels are changed; leave out --{option}"
    ):
        convert(tmp_path / "before", tmp_path / "after", labels=log.file, **{option: value})
    with pytest.raises(InputError, match="is relabelled in one piece; leave out --shard"):
        convert(tmp_path / "before", tmp_path / "after", labels=log.file, shard="1/2")
