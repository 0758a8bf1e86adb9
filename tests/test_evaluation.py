"""Scores agree with hand-worked numbers and with scikit-learn."""

import io

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import f1_score, log_loss

from fastdigits.evaluation import score, wilson_interval


def test_wilson_interval():
    """The worked example of Newcombe 1998 (Statistics in Medicine 17:857): 81 of 263."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    low, high = wilson_interval(10, 10)
    assert high == pytest.approx(1)
    assert low == pytest.approx(0.7225, abs=1e-4)


def test_scores():
    labels = ["a", "a", "a", "b", "b", "c"]
    probabilities = np.array(
        [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.1, 0.9, 0.0], [0.4, 0.5, 0.1], [0.6, 0.2, 0.2]]
    )
    result = score(labels, probabilities, ["a", "b", "c"], "six")
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.confusion == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert (result.per_class[0].precision, result.per_class[0].recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert result.per_class[2].f1 == 0
    predicted = [["a", "b", "c"][k] for k in probabilities.argmax(1)]
    assert result.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert result.log_loss == pytest.approx(log_loss(labels, probabilities))


def test_table():
    result = score(["a", "b"], np.array([[0.9, 0.1], [0.8, 0.2]]), ["a", "b"], "two")
    console = Console(width=100, file=(page := io.StringIO()))
    console.print(result)
    text = page.getvalue()
    assert "two: accuracy 50.00% (95 % interval 9.45% .. 90.55%) of 2 pictures" in text
    assert "confusion" in text
