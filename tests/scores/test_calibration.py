"""Calibration, temperature and rejection agree with hand-worked numbers and with known distributions."""

import numpy as np
import pytest
import torch

from fastdigits.scores.calibration import (
    calibration_error,
    coverage_curve,
    fit_temperature,
    reject_rule,
    reliability,
    with_temperature,
)


def sampled(n: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 5) whose logits were multiplied by `sharpness`, and labels drawn from the true ones."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (n, 5))
    true = torch.softmax(torch.from_numpy(logits), 1).numpy()
    truth = (true.cumsum(1) > rng.random((n, 1))).argmax(1)
    return torch.softmax(torch.from_numpy(sharpness * logits), 1).numpy(), truth


def error_of(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return calibration_error(reliability(probabilities.max(1), probabilities.argmax(1) == truth))


def test_bins_by_hand():
    bins = reliability(np.array([0.55, 0.58, 0.95, 1.0]), np.array([True, False, True, True]), bins=10)
    assert [(b.low, b.high, b.pictures) for b in bins] == [(0.5, pytest.approx(0.6), 2), (0.9, 1.0, 2)]
    assert [(b.confidence, b.accuracy) for b in bins] == [(pytest.approx(0.565), 0.5), (pytest.approx(0.975), 1.0)]
    assert calibration_error(bins) == pytest.approx((2 * 0.065 + 2 * 0.025) / 4)


def test_a_calibrated_model_has_no_calibration_error():
    assert error_of(*sampled(50_000, 1.0)) < 0.015


@pytest.mark.parametrize("sharpness", [0.5, 2.5])
def test_the_temperature_undoes_what_made_a_model_too_sure_or_too_shy(sharpness):
    probabilities, truth = sampled(20_000, sharpness)
    assert error_of(probabilities, truth) > 0.05
    temperature = fit_temperature(probabilities, truth)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    assert error_of(with_temperature(probabilities, temperature), truth) < 0.015


def test_temperature_divides_logits():
    logits = torch.randn(20, 10, generator=torch.Generator().manual_seed(0)) * 5
    expected = torch.softmax(logits / 1.7, 1).numpy()
    np.testing.assert_allclose(with_temperature(torch.softmax(logits, 1).numpy(), 1.7), expected, atol=1e-6)


def test_without_mistakes_the_temperature_stays():
    assert fit_temperature(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])) == 1


def test_coverage_by_hand():
    confidences, right = np.array([0.9, 0.6, 0.9, 0.8]), np.array([True, False, False, True])
    thresholds, coverages, accuracies = coverage_curve(confidences, right)
    assert thresholds.tolist() == [0.9, 0.8, 0.6]
    assert coverages.tolist() == [0.5, 0.75, 1.0]
    assert accuracies.tolist() == pytest.approx([0.5, 2 / 3, 0.5])


def test_reject_rules():
    confidences, right = np.array([0.99, 0.9, 0.8, 0.7]), np.array([True, True, False, True])
    rule = reject_rule(confidences, right, 0.9)
    assert (rule.below, rule.coverage, rule.accuracy) == (0.9, 0.5, 1.0)
    rule = reject_rule(confidences, right, 0.75)
    assert (rule.below, rule.coverage) == (0.0, 1.0)  # all are kept
    rule = reject_rule(confidences, ~right, 0.9)
    assert (rule.below, rule.coverage, rule.accuracy) == (None, 0.0, None)
