"""A model that is trained beside the labelling, and the digits of sheets."""

import shutil
import time

import numpy as np
import pytest
from PIL import Image

from fastdigits import InputError, convert, open_model
from fastdigits.labelling.opening import source_to_label
from fastdigits.labelling.sheets import sheets_source
from fastdigits.labelling.teaching import Teacher
from fastdigits.sources import LabelLog
from tests.photos.printed import printed_sheet

CLASSES = [str(digit) for digit in range(10)]


@pytest.fixture
def lesson(digit_images) -> tuple[np.ndarray, list[str], list[str]]:
    """Eighty digits with ids and labels."""
    images, labels = digit_images
    return images[:80].repeat(3, 1).repeat(3, 2), [f"d{k}" for k in range(80)], labels[:80].astype(str).tolist()


def end_of(teacher) -> object:
    limit = time.monotonic() + 200
    while (run := teacher.finished()) is None and teacher.problem is None and time.monotonic() < limit:
        time.sleep(0.1)
    return run


def test_it_is_time_when_there_are_enough_and_a_quarter_more(tmp_path):
    teacher = Teacher(tmp_path, "digitnet-mnist", CLASSES, False)
    assert not teacher.is_due(CLASSES * 4)  # forty
    assert teacher.is_due(CLASSES * 5)
    assert not teacher.is_due([*CLASSES[:9] * 7, "9", "9"])  # of one class too few
    teacher.labels = 60
    assert not teacher.is_due(CLASSES * 7)
    assert teacher.is_due(CLASSES * 8)


def test_a_lesson_that_cannot_be_learnt_is_told(tmp_path, lesson):
    teacher = Teacher(tmp_path, "no-such-network", CLASSES, False)
    teacher.begin(*lesson)
    assert teacher.is_busy
    assert end_of(teacher) is None
    assert "no-such-network" in teacher.problem
    assert not teacher.is_busy
    assert not teacher.is_due(lesson[2])  # which would fail again; with a quarter more labels it is tried again


@pytest.mark.slow
def test_it_learns_beside_the_labelling_and_goes_on_after_a_kill(tmp_path, lesson, digit_images):
    teacher = Teacher(tmp_path, "digitnet-mnist", CLASSES, False)
    teacher.begin(*lesson)
    run = end_of(teacher)
    assert run == tmp_path / "lessons" / "000080" / "run"
    model = open_model(run)
    assert model.classes == CLASSES
    assert len(list((run.parent / "data" / "valid").glob("*/*.png"))) == 12
    half = Teacher(tmp_path, "digitnet-mnist", CLASSES, False)
    assert (half.taught, half.labels) == (run, 80)
    half.begin(lesson[0][:60], lesson[1][:60], lesson[2][:60])
    half.end()  # as when the command is stopped in the middle
    shutil.copytree(run.parent / "data", tmp_path / "lessons" / "000100" / "data")
    again = Teacher(tmp_path, "digitnet-mnist", CLASSES, False)
    assert (again.taught, again.labels) == (run, 80)
    assert [path.name for path in (tmp_path / "lessons").iterdir()] == ["000080"]


def test_sheets_are_cut_once_and_each_digit_knows_its_sheet(tmp_path):
    (tmp_path / "sheets").mkdir()
    for name in ("anna", "bert"):
        Image.fromarray(printed_sheet([["12", "345"], ["678"]])).save(tmp_path / "sheets" / f"{name}.png")
    Image.fromarray(np.full((300, 300), 230, np.uint8)).save(tmp_path / "sheets" / "empty.png")
    out = tmp_path / "out"
    source = source_to_label(tmp_path / "sheets", out, sheets=True)
    chunks = list(source.chunks())
    ids = [id_ for chunk in chunks for id_ in chunk.ids]
    assert ids[0] == "anna-001"
    assert len(ids) == len(list((out / "digits").glob("*.png"))) == 16
    assert source.notes == ["empty.png: no digit was found"]
    changed = {file.name: file.stat().st_mtime_ns for file in (out / "digits").iterdir()}
    again = list(sheets_source(tmp_path / "sheets", out).chunks())
    for before, after in zip(chunks, again):
        np.testing.assert_array_equal(before.images, after.images)
    assert {file.name: file.stat().st_mtime_ns for file in (out / "digits").iterdir()} == changed
    log = LabelLog(out / "labels.csv")
    log.add({id_: id_[-1] for id_ in ids}, "w0001", {})
    options = {"labels": log.file, "groups": out / "sheets.csv", "valid": 0.5, "split": "random"}
    folder = convert(out / "digits", tmp_path / "data", **options)
    assert {len(set(split.groups)) for split in folder.splits.values()} == {1}


def test_no_sheets_are_one_line(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no pictures of sheets; pass a folder of photos or scans"):
        source_to_label(tmp_path / "none", tmp_path / "out", sheets=True)
    with pytest.raises(InputError, match="--sheets goes without --suspects"):
        source_to_label(tmp_path / "none", tmp_path / "out", sheets=True, suspects=True)
