"""Which pictures come together, and which of them first, on scikit-learn's digits."""

import numpy as np
import pytest

from fastdigits.audit import stroke_features
from fastdigits.folders import resized
from fastdigits.labelling.order import clusters_apart

MOST, FEW = 24, 14


@pytest.fixture(scope="module")
def digits(digit_images):
    """Features and classes of 600 digits."""
    images, labels = digit_images
    return stroke_features(resized(images[:600], 28)), labels[:600].astype(int)


def purity(clusters, labels):
    """The share of pictures that are of their cluster's most frequent class."""
    return sum(np.bincount(labels[rows]).max() for rows in clusters) / sum(map(len, clusters))


def test_clusters_of_a_small_pool_are_of_one_class_each(digits):
    features, labels = digits
    clusters = clusters_apart(features, MOST, FEW)
    assert len(clusters) == 2 * FEW  # more than by the usual size, which would be 16 for ten classes
    assert purity(clusters, labels) > 0.9
    assert max(map(len, clusters)) <= MOST
    rows = np.concatenate(clusters)
    assert len(np.unique(rows)) == len(rows)


def test_nearly_every_class_is_among_the_first_clusters(digits):
    features, labels = digits
    first = clusters_apart(features, MOST, FEW)[:FEW]
    assert len({np.bincount(labels[rows]).argmax() for rows in first}) >= 9


def test_what_is_taken_for_different_classes_does_not_come_together(digits):
    features, labels = digits
    assert purity(clusters_apart(features, MOST, FEW, np.eye(10)[labels]), labels) == 1


@pytest.mark.parametrize("n", [1, 2, 11, MOST])
def test_a_handful_is_not_scattered(digits, n):
    clusters = clusters_apart(digits[0][:n], MOST, FEW)
    assert len(clusters) == max(1, n // 12)
    assert sum(map(len, clusters)) == n
