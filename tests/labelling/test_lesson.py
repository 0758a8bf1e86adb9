"""Real digits with few labels, and those that look like them: while one labels, and in `convert`."""

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, convert
from fastdigits.audit import stroke_features
from fastdigits.labelling.lesson import held_back_of, lesson_of
from fastdigits.labelling.look_alikes import MOST_TAKEN, NEIGHBOURS, look_alikes_of, spread, surest_of_each
from fastdigits.labelling.order import principal, typical
from fastdigits.labelling.pool import Pool
from fastdigits.sources import NO_DIGIT, UNSURE, Chunk, LabelLog, PixelSource, open_source

CLASSES = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def pool(digit_images) -> Pool:
    """1,200 digits; ids from d0."""
    images, ids = digit_images[0][:1200], [f"d{k}" for k in range(1200)]
    return Pool(PixelSource("digits", 8, True, False, lambda: iter([Chunk(images, ids, None)]), str)).read()


@pytest.fixture(scope="module")
def truth(digit_images) -> dict[str, str]:
    return {f"d{k}": str(label) for k, label in enumerate(digit_images[1][:1200])}


@pytest.fixture(scope="module")
def fourteen(pool, truth) -> dict[str, str]:
    """The labels of fourteen digits that stand for many."""
    features = pool.features(np.arange(len(pool)))
    said = {pool.ids[row]: truth[pool.ids[row]] for row in typical(features, features[:0], 14)}
    assert set(said.values()) == set(CLASSES)
    return said


def test_labels_pass_to_look_alikes_and_not_beyond():
    random = np.random.default_rng(0)
    groups = [random.normal(middle, 0.1, (3 * NEIGHBOURS, 2)) for middle in ([0, 0], [9, 0], [0, 9])]
    truth = np.full(9 * NEIGHBOURS, -1)
    truth[0], truth[3 * NEIGHBOURS] = 2, 0
    reached = spread(np.concatenate(groups).astype(np.float32), truth, 4)
    first, second, third = np.split(reached > 0, 3)
    assert (first == [False, False, True, False]).all()
    assert (second == [True, False, False, False]).all()
    assert not third.any()  # no label reaches it
    assert (surest_of_each(reached, 4) < 6 * NEIGHBOURS).all()


def test_fourteen_labels_tell_most_digits(digit_images, fourteen):
    """Nearly all that are surest, and more than the nearest labelled picture tells."""
    truth = np.full(1200, -1)
    for id_, label in fourteen.items():
        truth[int(id_[1:])] = int(label)
    features, labels = principal(stroke_features(digit_images[0][:1200].repeat(3, 1).repeat(3, 2))), digit_images[1]
    reached = spread(features, truth, 10)
    right = reached.argmax(1) == labels[:1200]
    known = np.flatnonzero(truth >= 0)
    nearest = known[np.linalg.norm(features[:, None] - features[known], axis=2).argmin(1)]
    assert right.mean() > (truth[nearest] == labels[:1200]).mean() + 0.05
    surest = surest_of_each(reached, 10)
    assert right[surest].mean() > 0.97
    assert np.bincount(reached[surest].argmax(1), minlength=10).min() > 20  # of every class


def test_a_lesson_is_what_was_said_and_what_looks_like_it(pool, truth, fourteen):
    lesson = lesson_of(pool, CLASSES, fourteen | {"d9": UNSURE})
    assert dict(zip(lesson.ids[: lesson.given], lesson.labels)) == fourteen
    assert lesson.held_back == set()
    look_alikes = dict(zip(lesson.ids, lesson.labels)) | fourteen
    for id_ in fourteen:
        del look_alikes[id_]
    assert "d9" not in look_alikes
    assert 400 < len(look_alikes) <= min(600, MOST_TAKEN)
    assert lesson.images.shape == (14 + len(look_alikes), 28, 28)
    assert np.mean([truth[id_] == label for id_, label in look_alikes.items()]) > 0.97
    assert lesson_of(pool, CLASSES, fourteen | {"d9": UNSURE}).ids == lesson.ids


def test_what_looks_like_no_digit_is_not_learnt(pool, truth, fourteen):
    """All that are said to be ones are no digits now."""
    said = {id_: NO_DIGIT if label == "1" else label for id_, label in fourteen.items()}
    lesson = lesson_of(pool, CLASSES, said)
    assert "1" not in lesson.labels
    kinds = [truth[id_] for id_ in lesson.ids]
    assert kinds.count("1") < 0.3 * kinds.count("2")


def test_nothing_is_passed_on_where_one_class_is_known_or_all_is_said(pool, truth):
    for said in ({id_: label for id_, label in truth.items() if label == "3"}, truth):
        lesson = lesson_of(pool, CLASSES, said)
        assert lesson.given == len(lesson.ids) == len(said)


def test_a_pool_of_fewer_pictures_than_neighbours(pool, truth):
    few = Pool(
        PixelSource("few", 8, True, False, lambda: iter([Chunk(np.stack(pool.pictures[:5]), list("abcde"), None)]), str)
    )
    lesson = lesson_of(few.read(), CLASSES, {"a": "0", "b": "1"})
    assert lesson.given == 2
    assert set(lesson.ids) <= set("abcde")


def test_of_a_hundred_labels_some_are_held_back_and_pass_nothing_on(pool, truth):
    few = dict(list(truth.items())[:99])
    assert not held_back_of(list(few.values())).any()
    said = dict(list(truth.items())[:100])
    lesson = lesson_of(pool, CLASSES, said)
    assert len(lesson.held_back) == 15
    assert {said[id_] for id_ in lesson.held_back} == set(CLASSES)
    others = {id_: label for id_, label in said.items() if id_ not in lesson.held_back}
    rows, passed = look_alikes_of(pool, CLASSES, others, said)
    assert (lesson.ids[100:], lesson.labels[100:]) == ([pool.ids[row] for row in rows], passed)
    assert look_alikes_of(pool, CLASSES, said, said)[0].tolist() != rows.tolist()
    assert not held_back_of(["0"] * 150 + ["1"]).any()  # of one picture none can be held back


@pytest.fixture
def labelled(tmp_path, digit_images, truth):
    """1,200 digits as a table without labels, the labels of the first hundred but one, and who wrote each."""
    table = pd.DataFrame(digit_images[0][:1200].reshape(1200, -1), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "id", list(truth))
    table.to_csv(tmp_path / "digits.csv", index=False)
    log = LabelLog(tmp_path / "labels.csv")
    log.add(dict(list(truth.items())[:99]) | {"d99": NO_DIGIT, "d100": UNSURE}, "me", {})
    pd.DataFrame({"id": list(truth), "writer": [k // 10 % 5 for k in range(1200)]}).to_csv(
        tmp_path / "writers.csv", index=False
    )
    return tmp_path / "digits.csv", log.file, tmp_path / "writers.csv"


def test_convert_takes_look_alikes_too(labelled, truth, tmp_path, capsys):
    source, labels, _ = labelled
    folder = convert(source, tmp_path / "data", labels=labels, look_alikes=True, valid=20)
    train, valid, test = (folder.split(name) for name in ("train", "valid", "test"))
    assert (len(valid.ids), len(test.ids)) == (20, 1100)
    assert "d99" not in test.ids  # no digit
    assert "d100" in test.ids
    passed_on = {id_.removeprefix("test-"): label for id_, label in zip(train.ids, train.labels) if "-" in id_}
    assert len(train.ids) == 79 + len(passed_on)
    assert len(passed_on) > 400
    # the first hundred are of few hands, of which some ones look like sixes of others
    assert np.mean([truth[id_] == label for id_, label in passed_on.items()]) > 0.96
    told = capsys.readouterr().out
    assert "99 pictures have the label that was given there; left out were 1 that are no digit; 1,100 without a" in told
    assert f"{len(passed_on)} of 1,100 test pictures are among the training rows with labels that nobody gave" in told
    plain = convert(source, tmp_path / "plain", labels=labels, valid=20)
    assert plain.split("valid").ids == valid.ids
    pool, said = Pool(open_source(source)).read(), LabelLog(labels).label_of
    known = {id_: label for id_, label in said.items() if id_ not in valid.ids}
    rows, labels_passed = look_alikes_of(pool, CLASSES, known, said)
    assert passed_on == dict(zip([pool.ids[row] for row in rows], labels_passed))  # nothing comes from valid pictures


def test_nothing_is_passed_on_to_those_by_whom_a_model_is_scored(labelled, tmp_path):
    source, labels, writers = labelled
    options = {"labels": labels, "groups": writers, "look_alikes": True, "valid": 0.2}
    folder = convert(source, tmp_path / "data", **options)
    writer_of = dict(pd.read_csv(writers, dtype=str).values.tolist())
    kept_apart = set(folder.split("valid").groups)
    assert kept_apart
    passed_on = [id_.removeprefix("test-") for id_ in folder.split("train").ids if id_.startswith("test-")]
    assert len(passed_on) > 300
    assert not kept_apart & {writer_of[id_] for id_ in passed_on}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": None}, "--look-alikes passes labels on to pictures without one: pass them with --test, or the lab"),
        ({"pseudo_labels": "p.csv"}, "--look-alikes goes without --pseudo-labels; leave out one of them"),
        ({"shard": "1/2"}, "--look-alikes goes without --shard; leave out one of them"),
        ({"test": "sklearn:digits"}, "--look-alikes goes without --test; leave out one of them"),
    ],
)
def test_look_alikes_need_labels_of_people_and_nothing_else(labelled, tmp_path, options, message):
    source, labels, _ = labelled
    with pytest.raises(InputError, match=message):
        convert(source, tmp_path / "data", **({"labels": labels, "look_alikes": True} | options))
    assert not (tmp_path / "data").exists()


def test_a_table_with_labels_passes_none_on(labelled, digit_table, tmp_path):
    _, labels, _ = labelled
    digit_table.to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(
        InputError, match=r"own.csv has labels itself, so that none are passed on; leave out --look-ali"
    ):
        convert(tmp_path / "own.csv", tmp_path / "data", labels=labels, look_alikes=True)


def test_copies_of_those_by_whom_a_model_is_scored_are_not_learnt(labelled, digit_images, tmp_path):
    source, labels, _ = labelled
    table = pd.read_csv(source)
    table.loc[600:698, table.columns[1:]] = table.loc[0:98, table.columns[1:]].to_numpy()
    table.to_csv(source, index=False)
    folder = convert(source, tmp_path / "data", labels=labels, look_alikes=True, valid=40)
    copies = {f"test-d{600 + int(id_[1:])}" for id_ in folder.split("valid").ids}
    assert len(copies) == 40
    assert not copies & set(folder.split("train").ids)


def test_labels_that_cannot_be_passed_on_are_told(labelled, truth, tmp_path):
    source, *_ = labelled
    log = LabelLog(tmp_path / "all.csv")
    log.add(truth, "me", {})
    with pytest.raises(InputError, match="has no label that could be passed on: pictures of two classes must have lab"):
        convert(source, tmp_path / "data", labels=log.file, look_alikes=True)
    other = LabelLog(tmp_path / "other.csv")
    other.add({"x9": "3"}, "me", {})
    with pytest.raises(InputError, match=r"names 1 pictures that digits.csv has not, e.g. 'x9'; pass the source that"):
        convert(source, tmp_path / "data", labels=other.file, look_alikes=True)
    assert not (tmp_path / "data").exists()


@pytest.fixture
def few_and_many(tmp_path, digit_images):
    """A hundred digits with labels and a thousand without, both numbered from 0; and who wrote the former."""
    for name, rows in (("few", slice(0, 100)), ("many", slice(500, 1500))):
        table = pd.DataFrame(digit_images[0][rows].reshape(-1, 64), columns=[f"pixel{k}" for k in range(64)])
        table.insert(0, "label", digit_images[1][rows])
        table.insert(0, "id", range(len(table)))
        table.to_csv(tmp_path / f"{name}-labelled.csv", index=False)
        table.drop(columns="label").to_csv(tmp_path / f"{name}.csv", index=False)
    writers = pd.DataFrame({"id": range(100), "writer": [k // 50 for k in range(100)]})
    writers.to_csv(tmp_path / "hands.csv", index=False)
    return tmp_path / "few-labelled.csv", tmp_path / "many.csv"


def test_a_small_table_passes_its_labels_on_to_its_test_table(few_and_many, digit_images, tmp_path):
    few, many = few_and_many
    folder = convert(few, tmp_path / "data", test=many, look_alikes=True, groups=tmp_path / "hands.csv", valid=0.5)
    train, valid, test = (folder.split(name) for name in ("train", "valid", "test"))
    assert (len(valid.ids), len(test.ids)) == (50, 1000)
    assert len(set(valid.groups)) == 1
    assert not set(valid.groups) & set(train.groups[:50])
    truth = digit_images[1][500:1500].astype(str)
    passed = {int(id_.removeprefix("test-")): label for id_, label in zip(train.ids, train.labels) if "-" in id_}
    assert len(train.ids) == 50 + len(passed)
    assert len(passed) > 400
    assert np.mean([truth[row] == label for row, label in passed.items()]) > 0.96
    plain = convert(few, tmp_path / "plain", test=many, groups=tmp_path / "hands.csv", valid=0.5)
    assert plain.split("valid").ids == valid.ids
    told = "hands.csv does not say whose the test pictures are"
    assert any(note.startswith(told) for note in folder.manifest["notes"])
    assert (plain.manifest["split"], plain.split("valid").groups) == (folder.manifest["split"], valid.groups)


def test_tables_that_pass_no_labels_on(few_and_many, tmp_path, monkeypatch):
    few, many = few_and_many

    def error_of(train, test) -> str:
        with pytest.raises(InputError) as caught:
            convert(train, tmp_path / "data", test=test, look_alikes=True, valid=0)
        assert not (tmp_path / "data").exists()
        return str(caught.value)

    labelled = tmp_path / "many-labelled.csv"
    assert error_of(few, labelled) == (
        "many-labelled.csv has labels itself, so that none are passed on; leave out --look-alikes"
    )
    pd.read_csv(few).query("label == 3").to_csv(tmp_path / "threes.csv", index=False)
    assert error_of(tmp_path / "threes.csv", many) == (
        "no label of threes.csv could be passed on to many.csv: pictures of two classes must have labels, and others "
        "that are no copies of valid ones none; leave out --look-alikes"
    )
    monkeypatch.setattr("fastdigits.labelling.look_alikes.MOST_GIVING", 999)
    assert error_of(labelled, many) == (
        "many-labelled.csv has 1,000 labels, and --look-alikes is for tables of few, 999 at most; leave it out"
    )


def test_the_test_pictures_of_an_image_folder_get_labels_too(digit_table, digit_images, tmp_path):
    digit_table.to_csv(tmp_path / "train.csv", index=False)
    images, labels = digit_images[0][200:500], digit_images[1][200:500].astype(str)
    test = pd.DataFrame(images.reshape(300, -1), columns=[f"pixel{k}" for k in range(64)])
    test.insert(0, "id", [f"t{k}" for k in range(300)])
    test.to_csv(tmp_path / "test.csv", index=False)
    before = convert(tmp_path / "train.csv", tmp_path / "before", test=tmp_path / "test.csv")
    log = LabelLog(tmp_path / "labels.csv")
    log.add({f"t{k}": labels[k] for k in range(60)}, "me", {})
    folder = convert(before.path, tmp_path / "data", labels=log.file, look_alikes=True, valid=0)
    assert len(folder.split("test").ids) == 240
    assert len(folder.split("train").ids) > 60 + 80
