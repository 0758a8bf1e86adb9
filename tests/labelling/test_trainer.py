"""A model that is trained beside the labelling, and the digits of sheets."""

import shutil
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fastdigits import InputError, convert, open_model, read_folder
from fastdigits.answers import Inference
from fastdigits.labelling.checking import Check
from fastdigits.labelling.lesson import Lesson
from fastdigits.labelling.opening import source_to_label
from fastdigits.labelling.planning import Planner
from fastdigits.labelling.pool import Pool
from fastdigits.labelling.sheets import sheets_source
from fastdigits.labelling.trainer import Trainer
from fastdigits.photos import read_gray
from fastdigits.sources import Chunk, LabelLog, PixelSource
from tests.photos.printed import printed_sheet

CLASSES = [str(digit) for digit in range(10)]


@pytest.fixture
def lesson(digit_images) -> Lesson:
    """Eighty digits, of which ten are held back, and twenty that look like them."""
    images, labels = digit_images[0][:100].repeat(3, 1).repeat(3, 2), digit_images[1][:100].astype(str).tolist()
    ids = [f"d{k}" for k in range(100)]
    return Lesson(images, ids, labels, 80, set(ids[:10]))


def end_of(trainer) -> object:
    limit = time.monotonic() + 200
    while (run := trainer.finished()) is None and trainer.problem is None and time.monotonic() < limit:
        time.sleep(0.1)
    return run


def test_it_is_time_when_there_are_enough_and_a_quarter_more(tmp_path):
    trainer = Trainer(tmp_path, "digitnet-mnist", CLASSES, False)
    assert not trainer.is_due(CLASSES)  # ten
    assert trainer.is_due([*CLASSES, "0", "1"])
    assert not trainer.is_due(CLASSES[:9] * 7)
    assert trainer.missing(CLASSES[:9] * 7) == ["9"]
    trainer.labels = 60
    assert not trainer.is_due(CLASSES * 7)
    assert trainer.is_due(CLASSES * 8)


def test_a_lesson_that_cannot_be_learnt_is_told(tmp_path, lesson):
    trainer = Trainer(tmp_path, "no-such-network", CLASSES, False)
    trainer.begin(lesson)
    assert trainer.is_busy
    assert end_of(trainer) is None
    assert "no-such-network" in trainer.problem
    assert not trainer.is_busy
    # which would fail again; with a quarter more labels it is tried again
    assert not trainer.is_due(lesson.labels[:80])


def test_a_training_ends_with_the_process_that_began_it(tmp_path):
    """Which is killed, so that it can stop nothing itself."""
    program = (
        "import subprocess, sys, time\n"
        "wait = 'import time, fastdigits.labelling.beside as b, threading;'"
        "'threading.Thread(target=b.end_with_parent, daemon=True).start(); print(1, flush=True); time.sleep(100)'\n"
        "child = subprocess.Popen([sys.executable, '-c', wait], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True); time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert sorted(parent.stdout.readline() for _ in range(2))[0] == "1\n"  # the child has begun
        parent.kill()
        assert parent.stdout.read() == ""  # which ends when the last process that can write there does


def assert_it_is_checked_by_what_it_has_not_learnt(run, digit_images):
    """Of 900 digits it has learnt 100; others have got a label since, first some of which it is sure."""
    images, labels = digit_images[0][:900].repeat(3, 1).repeat(3, 2), digit_images[1][:900].astype(str)
    ids = [f"d{k}" for k in range(900)]
    source = PixelSource("digits", 24, True, False, lambda: iter([Chunk(images, ids, None)]), str)
    planner, check = Planner(Pool(source).read(), CLASSES), Check(run, CLASSES)
    planner.use(Inference([check.model]))
    assert check.learnt == set(ids[:100])
    label_of = dict(zip(ids[:80], labels[:80].tolist()))
    assert check.expectation(planner, label_of) is None  # nothing but ten valid pictures tells of it
    label_of |= dict(zip(ids[100:500], labels[100:500].tolist()))
    expectation = check.expectation(planner, label_of)
    right = (planner.probabilities(np.arange(500, 900)).argmax(1).astype(str) == labels[500:]).mean()
    assert abs(expectation.accuracy - right) < 0.03
    assert set(planner._answers) == set(range(100, 900))  # of what it has learnt nothing was asked


@pytest.mark.slow
def test_it_learns_beside_the_labelling_and_goes_on_after_a_kill(tmp_path, lesson, digit_images):
    trainer = Trainer(tmp_path, "digitnet-mnist", CLASSES, False)
    trainer.begin(lesson)
    run = end_of(trainer)
    assert trainer.problem is None
    assert run == tmp_path / "trained" / "000080" / "run"
    model = open_model(run)
    assert model.classes == CLASSES
    folder = read_folder(run.parent / "data")
    assert folder.splits["valid"].ids == lesson.ids[:10]
    assert len(folder.splits["train"].ids) == 70 + 20
    assert folder.manifest["notes"] == ["20 of 100 pictures have labels that were passed on to them by look-alikes"]
    assert_it_is_checked_by_what_it_has_not_learnt(run, digit_images)
    half = Trainer(tmp_path, "digitnet-mnist", CLASSES, False)
    assert (half.trained, half.labels) == (run, 80)
    half.begin(Lesson(lesson.images[:60], lesson.ids[:60], lesson.labels[:60], 60, set()))
    half.end()  # as when the command is stopped in the middle
    shutil.copytree(run.parent / "data", tmp_path / "trained" / "000100" / "data")
    again = Trainer(tmp_path, "digitnet-mnist", CLASSES, False)
    assert (again.trained, again.labels) == (run, 80)
    assert [path.name for path in (tmp_path / "trained").iterdir()] == ["000080"]


def test_the_model_that_it_starts_from_is_not_removed(tmp_path, lesson):
    """One that an earlier labelling trained in the same folder."""
    runs = [tmp_path / "trained" / f"{labels:06}" / "run" for labels in (12, 40, 90)]
    for run in runs:
        run.mkdir(parents=True)
        (run / "result.json").write_text("{}")
    trainer = Trainer(tmp_path, str(runs[0] / "model.safetensors"), CLASSES, False)
    assert trainer.trained == runs[2]
    assert [run.is_dir() for run in runs] == [True, False, True]
    trainer.begin(replace(lesson, given=12))  # as many labels as that model learnt from
    assert not trainer.is_busy
    assert trainer.problem == (
        f"{runs[0].parent} holds the model that all starts from; another is trained from more labels"
    )
    assert runs[0].is_dir()


def test_a_new_model_that_cannot_be_used_does_not_cost_the_old_one(tmp_path):
    old, new = (tmp_path / "trained" / f"{labels:06}" / "run" for labels in (12, 40))
    for run in (old, new):
        run.mkdir(parents=True)
    trainer = Trainer(tmp_path, "digitnet-mnist", CLASSES, False)
    trainer.labels, trainer.trained = 40, old
    for run in (old, new):  # which were unfinished, and are removed
        run.mkdir(parents=True, exist_ok=True)
    trainer._before, trainer.trained = trainer.trained, new
    trainer.give_up("it is damaged", trains_anew=False)
    assert (trainer.trained, trainer.labels, trainer.problem) == (old, 40, "it is damaged")
    assert old.is_dir()
    assert not new.is_dir()  # else the next start would take it up, and remove the old one
    new.mkdir(parents=True)
    trainer._before, trainer.trained = old, new
    trainer.keep()
    assert (old.is_dir(), new.is_dir(), trainer.trained) == (False, True, new)


def test_another_sheet_of_the_same_name_is_not_taken_for_the_first(tmp_path):
    out = tmp_path / "out"
    for place, lines in (("monday", [["12"]]), ("tuesday", [["345"]])):
        (tmp_path / place).mkdir()
        Image.fromarray(printed_sheet(lines)).save(tmp_path / place / "s1.png")
    assert sum(len(chunk.ids) for chunk in sheets_source(tmp_path / "monday", out).chunks()) == 2
    assert sum(len(chunk.ids) for chunk in sheets_source(tmp_path / "monday", out).chunks()) == 2
    with pytest.raises(InputError, match=r"out has the digits of another sheet called s1; rename .*s1.png, or name"):
        list(sheets_source(tmp_path / "tuesday", out).chunks())
    (out / ".cut_from.csv").unlink()  # as an earlier version left it
    for _ in range(2):
        assert sum(len(chunk.ids) for chunk in sheets_source(tmp_path / "monday", out).chunks()) == 2
    assert len((out / ".cut_from.csv").read_text().splitlines()) == 2


def test_sheets_are_cut_once_and_each_digit_knows_its_sheet(tmp_path):
    (tmp_path / "sheets").mkdir()
    for name in ("anna.png", "anna.jpg"):
        Image.fromarray(printed_sheet([["12", "345"], ["678"]])).save(tmp_path / "sheets" / name)
    Image.fromarray(np.full((300, 300), 230, np.uint8)).save(tmp_path / "sheets" / "empty.png")
    out = tmp_path / "out"
    source, is_normalised = source_to_label(tmp_path / "sheets", out, sheets=True)
    assert is_normalised
    chunks = list(source.chunks())
    ids = [id_ for chunk in chunks for id_ in chunk.ids]
    assert ids[0] in ("anna.png-001", "anna.jpg-001")
    assert len(ids) == len(list((out / "digits").glob("*.png"))) == 16
    assert source.notes == ["empty.png: no digit was found"]
    changed = {file.name: file.stat().st_mtime_ns for file in (out / "digits").iterdir()}
    again = list(sheets_source(tmp_path / "sheets", out).chunks())
    for before, after in zip(chunks, again):
        np.testing.assert_array_equal(before.images, after.images)
    assert {file.name: file.stat().st_mtime_ns for file in (out / "digits").iterdir()} == changed
    log = LabelLog(out / "labels.csv")
    log.add({id_: id_[-1] for id_ in ids}, "w0001", {})
    options = {"labels": log.file, "groups": out / "sheets.csv", "valid": 0.5, "split": "random", "normalise": True}
    folder = convert(out / "digits", tmp_path / "data", **options)
    # they have the form of MNIST's already, and stay as they are
    made, cut = list((tmp_path / "data").rglob("*.png")), {file.stem: file for file in (out / "digits").iterdir()}
    assert len(made) == len(cut)
    assert all((read_gray(path) == read_gray(cut[path.stem])).all() for path in made)
    assert folder.is_normalised
    assert {len(set(split.groups)) for split in folder.splits.values()} == {1}


def test_no_sheets_are_one_line(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no pictures of sheets; pass a folder of photos or scans"):
        source_to_label(tmp_path / "none", tmp_path / "out", sheets=True)
    with pytest.raises(InputError, match="--sheets goes without --suspects"):
        source_to_label(tmp_path / "none", tmp_path / "out", sheets=True, suspects=True)
