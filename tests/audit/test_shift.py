"""Whether other rows differ, in what, and what that costs: on real digits that were changed, or were not."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fastdigits.audit.quick_classifier import scores_of_others, stroke_features
from fastdigits.audit.shift import shift_of


@pytest.fixture(scope="module")
def halves(digit_images) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and labels of two random halves of real digits."""
    images, labels = digit_images
    first = np.random.default_rng(0).random(len(images)) < 0.5
    return images[first], labels[first], images[~first], labels[~first]


def test_rows_of_one_table_look_alike(halves):
    images, labels, others, truth = halves
    found = shift_of(images, labels, others)
    assert 0.4 < found.auc < 0.6
    assert found.differences == []
    assert found.rows == len(others)
    low, high = found.expectation.interval
    scores = scores_of_others(stroke_features(images), labels, stroke_features(others))
    assert low <= (scores.argmax(1) == truth).mean() <= high
    told = found.sentences()
    assert told[0].startswith(
        "the test rows look like the labelled ones (a quick classifier tells them apart with AUC 0."
    )
    assert told[1].startswith("quick classifier: expected accuracy ")
    assert "; on held-out labelled rows 9" in told[1]


def test_rows_on_other_paper_are_told(halves):
    images, labels, others, truth = halves
    noisy = others.astype(float) / 2 + np.random.default_rng(0).uniform(0, 70, others.shape)
    noisy = np.clip(noisy, 0, 255).astype(np.uint8)
    found = shift_of(images, labels, noisy)
    assert found.auc > 0.9
    assert any("paper" in one for one in found.differences)
    assert found.sentences()[0].startswith("the test rows are by other hands, or written or scanned in another way (")
    clean = shift_of(images, labels, others)
    assert found.expectation.accuracy < clean.expectation.accuracy - 0.01
    model = LogisticRegression(max_iter=300).fit(images.reshape(-1, 64), labels)
    assert model.score(noisy.reshape(-1, 64), truth) < model.score(others.reshape(-1, 64), truth)  # truly harder


def test_the_most_unlike_rows_come_first(halves):
    images, _, others, _ = halves
    strange = others.copy()
    turned = np.arange(0, len(others), 12)
    strange[turned] = np.rot90(strange[turned], axes=(1, 2))
    found = shift_of(images, None, strange)
    assert found.expectation is None
    assert len(found.sentences()) == 1
    assert len(found.unlike) == 12
    assert len(set(turned) & set(found.unlike)) > 6  # of one in twelve


def test_few_rows_tell_nothing(halves):
    images, labels, others, _ = halves
    assert shift_of(images[:49], labels[:49], others) is None
    assert shift_of(images, labels, others[:49]) is None


def test_whole_hands_are_held_back_where_they_are_known(halves):
    images, labels, others, _ = halves
    groups = np.array([f"w{k % 7}" for k in range(len(images))])
    by_group = shift_of(images, labels, others, groups, "groups")
    by_block = shift_of(images, labels, others, None, "row blocks")
    accuracies = [found.expectation.valid_accuracy for found in (by_group, by_block)]
    assert all(0.9 < accuracy < 1 for accuracy in accuracies)
    assert accuracies[0] != accuracies[1]


def test_groups_that_thinning_loses(halves):
    images, labels, others, _ = halves
    groups = np.array(["w0", "w1", "w2", "w3"] * len(images))[: len(images)]
    groups[0] = "w4"  # of one row, which folds of fewer rows may miss
    assert shift_of(images[1:], labels[1:], others, groups[1:], "groups").expectation.valid_accuracy > 0.9


def test_few_alike_rows_are_called_alike(digit_images):
    images, _ = digit_images
    rng = np.random.default_rng(1)
    alike = 0
    for _ in range(12):
        rows = rng.permutation(len(images))
        alike += "look like" in shift_of(images[rows[:60]], None, images[rows[60:120]]).sentences()[0]
    assert alike >= 10
