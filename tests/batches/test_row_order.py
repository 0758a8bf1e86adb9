"""Rows that count more than others come more often."""

import random

import numpy as np

from fastdigits.batches.row_order import class_weights, weighted_order


def test_equal_weights_show_every_row_once():
    assert sorted(weighted_order(np.full(97, 0.3), random.Random(0))) == list(range(97))


def test_rows_come_as_often_as_their_weight_says():
    weights = np.array([0, 1, 1, 2, 4.0])
    counts = np.zeros(5)
    generator = random.Random(1)
    for _ in range(400):
        order = weighted_order(weights, generator)
        assert len(order) == 5
        found = np.bincount(order, minlength=5)
        assert (np.abs(found - 5 * weights / 8) < 1).all()  # never off by a whole row
        counts += found
    assert np.allclose(counts / 400, 5 * weights / 8, atol=0.1)


def test_classes_come_equally_often():
    labels = ["a"] * 90 + ["b"] * 9 + ["c"]
    order = weighted_order(class_weights(labels), random.Random(2))
    counts = np.bincount(np.unique(np.array(labels)[order], return_inverse=True)[1])
    assert (np.abs(counts - 100 / 3) <= 1).all()


def test_the_same_generator_gives_the_same_order():
    weights = np.arange(1, 30.0)
    assert weighted_order(weights, random.Random(3)) == weighted_order(weights, random.Random(3))
