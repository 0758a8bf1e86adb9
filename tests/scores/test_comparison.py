"""Two models on the same pictures."""

import numpy as np
import pytest
from scipy.stats import binom

from fastdigits import InputError
from fastdigits.scores.comparison import compare


def answers(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])
    return first, second


def test_counts_and_exact_p():
    found = compare("a", "b", *answers(900, 15, 5, 80))
    assert (found.both_right, found.only_first_right, found.only_second_right, found.both_wrong) == (900, 15, 5, 80)
    assert found.difference == pytest.approx(0.01)
    assert found.p_value == pytest.approx(2 * binom.cdf(5, 20, 0.5))
    low, high = found.interval
    assert low < 0.01 < high
    assert high - low == pytest.approx(2 * 1.96 * 20**0.5 / 1000, rel=0.05)  # Wald's width, nearly
    assert found.verdict.startswith("a is better than b: +1.00 points")


def test_chance():
    assert compare("a", "b", *answers(90, 5, 5, 0)).p_value == 1
    found = compare("a", "b", *answers(95, 3, 2, 0))
    assert found.verdict.startswith("a and b differ no more than chance would make them: +1.00 points")
    assert "3 pictures only a has right, 2 only b" in found.verdict
    assert compare("a", "b", *answers(10, 0, 0, 0)).p_value == 1


def test_order_turns_signs():
    one, other = compare("a", "b", *answers(50, 12, 2, 5)), compare("b", "a", *answers(50, 2, 12, 5))
    assert one.verdict.startswith("a is better than b: +14.49 points")
    assert other.verdict.startswith("a is better than b: -14.49 points")
    assert one.p_value == other.p_value
    assert one.difference == -other.difference
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))


def test_other_pictures():
    with pytest.raises(InputError) as caught:
        compare("a", "b", np.ones(3, bool), np.ones(4, bool))
    assert str(caught.value) == "a and b were not asked about the same pictures; compare them on one folder"


def test_the_interval_holds_what_it_promises():
    """Of many pairs of models whose true difference is 2 points, about 95 % of the intervals contain it."""
    rng = np.random.default_rng(1)
    counts = rng.multinomial(500, [0.85, 0.06, 0.04, 0.05], size=400)
    inside = [low <= 0.02 <= high for low, high in (compare("a", "b", *answers(*row)).interval for row in counts)]
    assert 0.92 < np.mean(inside) < 0.98
