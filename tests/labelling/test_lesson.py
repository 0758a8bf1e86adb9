"""What a model learns while one labels: real digits with few labels, and those that look like them."""

import warnings

import numpy as np
import pytest

from fastdigits.audit import stroke_features
from fastdigits.labelling.lesson import MOST_LIKELY, held_back_of, lesson_of, likely_of, surest_of_each
from fastdigits.labelling.order import principal, typical
from fastdigits.labelling.pool import Pool
from fastdigits.labelling.spreading import NEIGHBOURS, spread
from fastdigits.sources import NO_DIGIT, UNSURE, Chunk, PixelSource

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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shares = spread(np.concatenate(groups).astype(np.float32), truth, 4)
    first, second, third = np.split(shares, 3)
    assert (first == [0, 0, 1, 0]).all()
    assert (second == [1, 0, 0, 0]).all()
    assert (third == 0).all()  # no label reaches it


def test_fourteen_labels_tell_most_digits(digit_images, fourteen):
    """Nearly all that are surest, and more than the nearest labelled picture tells."""
    truth = np.full(1200, -1)
    for id_, label in fourteen.items():
        truth[int(id_[1:])] = int(label)
    features, labels = principal(stroke_features(digit_images[0][:1200].repeat(3, 1).repeat(3, 2))), digit_images[1]
    shares = spread(features, truth, 10)
    assert np.allclose(shares.sum(1), 1)
    right = shares.argmax(1) == labels[:1200]
    known = np.flatnonzero(truth >= 0)
    nearest = known[np.linalg.norm(features[:, None] - features[known], axis=2).argmin(1)]
    assert right.mean() > (truth[nearest] == labels[:1200]).mean() + 0.05
    surest = surest_of_each(shares, 10)
    assert right[surest].mean() > 0.97
    assert np.bincount(shares[surest].argmax(1), minlength=10).min() > 20  # of every class


def test_a_lesson_is_what_was_said_and_what_surely_is_the_same(pool, truth, fourteen):
    lesson = lesson_of(pool, CLASSES, fourteen | {"d9": UNSURE})
    assert dict(zip(lesson.ids, lesson.labels)) == fourteen
    assert lesson.images.shape == (14, 28, 28)
    assert lesson.held_back == set()
    likely = lesson.likely
    assert not {*fourteen, "d9"} & set(likely.ids)
    assert 400 < len(likely.ids) <= min(600, MOST_LIKELY)
    assert np.mean([truth[id_] == label for id_, label in zip(likely.ids, likely.labels)]) > 0.97
    again = lesson_of(pool, CLASSES, fourteen | {"d9": UNSURE}).likely
    assert (again.ids, again.labels) == (likely.ids, likely.labels)


def test_what_looks_like_no_digit_is_not_learnt(pool, truth, fourteen):
    """All that are said to be ones are no digits now."""
    said = {id_: NO_DIGIT if label == "1" else label for id_, label in fourteen.items()}
    lesson = lesson_of(pool, CLASSES, said)
    assert "1" not in lesson.labels
    kinds = [truth[id_] for id_ in lesson.likely.ids]
    assert kinds.count("1") < 0.3 * kinds.count("2")


def test_nothing_is_likely_where_one_class_is_known_or_all_is_said(pool, truth):
    assert lesson_of(pool, CLASSES, {id_: label for id_, label in truth.items() if label == "3"}).likely is None
    assert lesson_of(pool, CLASSES, truth).likely is None


def test_of_a_hundred_labels_some_are_held_back_and_pass_nothing_on(pool, truth):
    few = dict(list(truth.items())[:99])
    assert not held_back_of(list(few.values())).any()
    said = dict(list(truth.items())[:100])
    lesson = lesson_of(pool, CLASSES, said)
    assert len(lesson.held_back) == 20
    assert {said[id_] for id_ in lesson.held_back} == set(CLASSES)
    assert not lesson.held_back & set(lesson.likely.ids)
    others = {id_: label for id_, label in said.items() if id_ not in lesson.held_back}
    alone = likely_of(pool, CLASSES, others, said)
    assert (lesson.likely.ids, lesson.likely.labels) == (alone.ids, alone.labels)
    assert likely_of(pool, CLASSES, said, said).ids != alone.ids
    assert not held_back_of(["0"] * 150 + ["1"]).any()  # of one picture none can be held back
