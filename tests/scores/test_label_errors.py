"""Confident learning finds labels that were changed on purpose."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from fastdigits.scores.label_errors import find_suspects

CLASSES = [str(k) for k in range(10)]


def test_planted_errors_are_found(digit_images):
    images, labels = digit_images
    changed = np.random.default_rng(0).permutation(len(labels))[:20]
    wrong = labels.copy()
    wrong[changed] = (wrong[changed] + 1) % 10
    model = LogisticRegression(max_iter=200)
    probabilities = cross_val_predict(model, images.reshape(len(images), -1) / 255, wrong, method="predict_proba", cv=3)
    found = find_suspects(wrong, probabilities, CLASSES)
    assert len({suspect.row for suspect in found[:25]} & set(changed)) >= 15
    assert len(found) < 100
    first = found[0]
    assert first.label == CLASSES[wrong[first.row]]
    assert first.likely == CLASSES[labels[first.row]]
    assert first.own_probability < first.likely_probability


def test_thresholds_are_the_classes_own():
    """A class that the model is shy about has a low threshold, and needs less to be likely."""
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.55, 0.45], [0.7, 0.3], [0.6, 0.4]])
    (suspect,) = find_suspects(truth, probabilities, ["a", "b"])
    # the thresholds are 0.725 and 0.35; only the second row reaches one that is not its label's
    assert (suspect.row, suspect.label, suspect.likely) == (1, "a", "b")


def test_nothing_is_suspected_of_a_model_that_agrees():
    assert find_suspects(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]), ["a", "b"]) == []
