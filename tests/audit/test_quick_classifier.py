"""The quick classifier, from few rows to many."""

import numpy as np
import pytest

from fastdigits.audit.quick_classifier import held_out_scores, scores_of_others, stroke_features


@pytest.fixture(scope="module")
def features(digit_images) -> tuple[np.ndarray, np.ndarray]:
    images, labels = digit_images
    order = np.random.default_rng(0).permutation(len(images))
    return stroke_features(images[order]), labels[order]


@pytest.mark.parametrize(("rows", "least"), [(50, 0.85), (200, 0.93), (800, 0.97)])
def test_it_learns_from_few_rows(features, rows, least):
    strokes, truth = features
    scores = scores_of_others(strokes[:rows], truth[:rows], strokes[1000:])
    assert (scores.argmax(1) == truth[1000:]).mean() > least


def test_rows_are_scored_by_a_classifier_that_has_not_seen_them(features):
    strokes, truth = features
    random = np.random.default_rng(1).integers(0, 10, len(truth))
    scores = held_out_scores(strokes, random, np.arange(len(truth)) % 5)
    assert (scores.argmax(1) == random).mean() < 0.2  # labels that mean nothing cannot be foretold
