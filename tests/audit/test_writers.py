"""The audit sees writers where they stand in order, and says so where it cannot."""

import numpy as np
import pandas as pd
import pytest

from fastdigits.audit.quick_classifier import held_out_scores, stroke_features
from fastdigits.audit.row_order import order_of_hands
from fastdigits.audit.writers import audit_rows, block_folds, group_folds

N_HANDS, ROWS = 10, 120


@pytest.fixture(scope="module")
def by_hand(digit_images) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Digits of ten made-up hands in order: each leans and is thick in its own way."""
    rng = np.random.default_rng(0)
    images, labels = (part[: N_HANDS * ROWS] for part in digit_images)
    order = rng.permutation(len(images))  # whoever wrote them really
    images, labels = images[order].repeat(3, 1).repeat(3, 2), labels[order]
    images = np.pad(images, ((0, 0), (2, 2), (8, 8)))
    hands = np.repeat(np.arange(N_HANDS), ROWS)
    for hand, lean in enumerate(rng.permutation(np.linspace(-1.2, 1.2, N_HANDS))):
        for row in np.flatnonzero(hands == hand):
            for y in range(28):
                images[row, y] = np.roll(images[row, y], round(lean * (14 - y)))
    return images[:, :, 4:-4], labels, hands.astype(str)


def test_the_classifier_is_good_and_sees_no_row_of_its_fold(digit_images):
    images, labels = digit_images
    folds = np.arange(len(labels)) % 5
    features = stroke_features(images)
    assert features.shape == (1797, 392)
    assert np.mean(held_out_scores(features, labels, folds).argmax(1) == labels) > 0.97
    nonsense = np.random.default_rng(0).permutation(labels)  # what can be learnt by heart only
    assert np.mean(held_out_scores(features, nonsense, folds).argmax(1) == nonsense) < 0.2


def test_hands_in_order_are_seen(by_hand):
    images, labels, hands = by_hand
    audit = audit_rows(images, labels)
    assert audit.by_hand == "row blocks"
    assert audit.order.by_hand
    assert ROWS / 2 < audit.order.block_rows < 2.5 * ROWS
    assert audit.hand_accuracy < audit.random_accuracy
    known = audit_rows(images, labels, hands)
    assert known.by_hand == "groups"
    assert known.hand_accuracy < known.random_accuracy == audit.random_accuracy
    text = "\n".join(audit.sentences())
    assert "the table is in the order of its writers, in blocks of about" in text
    assert "what no split of these rows can foresee are writers unlike all of these" in text


def test_shuffled_rows_tell_nothing(by_hand):
    images, labels, _ = by_hand
    order = np.random.default_rng(1).permutation(len(labels))
    audit = audit_rows(images[order], labels[order])
    assert audit.by_hand is None
    assert audit.hand_accuracy is None
    text = "\n".join(audit.sentences())
    assert "the order of the rows tells nothing of writers" in text
    assert "the accuracy on a new writer cannot be foreseen" in text
    assert audit_rows(images, labels, in_order=False).order is None


def test_folds_of_groups(by_hand):
    _, labels, hands = by_hand
    folds = group_folds(labels, hands)
    assert all(len(set(folds[hands == hand])) == 1 for hand in set(hands))
    assert set(folds) == set(range(5))


def test_a_table_that_is_sorted_by_label_is_audited_alike(by_hand):
    images, labels, _ = by_hand
    order = np.argsort(labels, kind="stable")
    audit = audit_rows(images[order], labels[order])
    assert audit.by_hand == "row blocks"
    assert audit.hand_accuracy == pytest.approx(audit_rows(images, labels).hand_accuracy, abs=0.03)
    for label in range(10):
        assert np.ptp(np.bincount(block_folds(labels)[labels == label])) <= 1


def test_groups_that_are_few_or_of_few_rows(by_hand):
    images, labels, hands = by_hand
    few = audit_rows(images, labels, np.where(hands < "5", "a", "b"))
    assert few.by_hand is None
    assert few.sentences()[-1] == "there are 2 groups; 5 or more would tell what a new writer costs"
    rare = labels.copy()
    rare[:2] = 10  # two rows of a class
    assert audit_rows(images, rare, hands).by_hand == "groups"


def test_too_few_rows(by_hand):
    assert audit_rows(by_hand[0][:50], by_hand[1][:50]) is None


def test_few_rows_of_a_class(by_hand):
    images, labels, _ = by_hand
    rows = np.r_[np.flatnonzero(labels > 0), np.flatnonzero(labels == 0)[:2]]
    rows.sort()
    order = order_of_hands(stroke_features(images[rows]), labels[rows], rows)
    assert np.isfinite(order.likeness).all()
    assert ROWS / 2 < order.block_rows < 2.5 * ROWS
    assert order_of_hands(stroke_features(images[:1].repeat(20, 0)), np.zeros(20, int), np.arange(20)) is None


@pytest.mark.slow
@pytest.mark.realdata
def test_blocks_of_kannada_foresee_what_its_writers_give(real_data):
    """Without the writers the audit comes within half a point of what five folds of writers give."""
    table = pd.read_csv(real_data / "kannada" / "train.csv.gz")
    writers = pd.read_csv(real_data / "kannada" / "writers.csv.gz")["writer"].astype(str).to_numpy(object)
    images = table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28)
    labels = table["label"].to_numpy()
    blind, known = audit_rows(images, labels), audit_rows(images, labels, writers)
    assert blind.by_hand == "row blocks"
    assert blind.order.block_rows == pytest.approx(60_000 / 47, rel=0.5)
    assert abs(blind.hand_accuracy - known.hand_accuracy) < 0.005
    assert known.random_accuracy - known.hand_accuracy > 0.002
