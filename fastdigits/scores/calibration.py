"""How far a model's confidence can be trusted: reliability, temperature, and which pictures to leave to a person."""

from dataclasses import dataclass

import numpy as np

RELIABILITY_BINS = 15
COVERAGE_POINTS = 200  # of a curve that is kept
LEAST, MOST = 0.1, 10.0  # temperatures
SMALLEST_PROBABILITY = 1e-38  # of float32


@dataclass
class ReliabilityBin:
    """Pictures whose confidence lies in (low, high]: their mean confidence, accuracy (0..1) and number."""

    low: float
    high: float
    confidence: float
    accuracy: float
    pictures: int


@dataclass
class RejectRule:
    """Leave pictures to a person whose confidence is below `below`.

    Attributes
    ----------
    wished_accuracy : float
        Of those that are not rejected, 0..1.
    below : float or None
        Confidence 0..1; None when no rule gives that accuracy.
    coverage : float
        Share of pictures that are not rejected.
    accuracy : float or None
        Of those.
    """

    wished_accuracy: float
    below: float | None
    coverage: float
    accuracy: float | None


def reliability(confidences: np.ndarray, right: np.ndarray, bins: int = RELIABILITY_BINS) -> list[ReliabilityBin]:
    """Confidence against accuracy in bins of equal width; empty bins are left out.

    Parameters
    ----------
    confidences : ndarray of float, shape (n,)
        Probability of the predicted label.
    right : ndarray of bool, shape (n,)
    bins : int
    """
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.clip(np.digitize(confidences, edges, right=True) - 1, 0, bins - 1)
    found = []
    for k in np.unique(bin_of):
        inside = bin_of == k
        means = float(confidences[inside].mean()), float(right[inside].mean())
        found.append(ReliabilityBin(float(edges[k]), float(edges[k + 1]), *means, int(inside.sum())))
    return found


def calibration_error(bins: list[ReliabilityBin]) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv:1706.04599): the bins' mean distance, weighted by pictures."""
    pictures = sum(part.pictures for part in bins)
    return sum(part.pictures * abs(part.accuracy - part.confidence) for part in bins) / pictures


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """What a model with these probabilities (n, classes) says once its logits are divided by `temperature`."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST_PROBABILITY)) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32)


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature that makes the true labels likeliest (Guo et al. 2017, arXiv:1706.04599).

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes), rows sum to 1
        Of temperature 1.
    truth : ndarray of int, shape (n,)
        Index of the true class.

    Returns
    -------
    float
        Between 0.1 and 10; 1 where every picture is right, since nothing then says how sure is too sure.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    if (probabilities.argmax(1) == truth).all():
        return 1.0
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST_PROBABILITY))
    rows = np.arange(len(truth))

    def log_loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(logsumexp(scaled, axis=1) - scaled[rows, truth]))

    best = minimize_scalar(log_loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return round(float(np.exp(best.x)), 6)


def coverage_curve(confidences: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is kept, and how good it is, when pictures are rejected below each confidence that occurs.

    Returns
    -------
    thresholds, coverages, accuracies : ndarray of float, shape (different confidences,)
        From the highest threshold to the lowest, whose coverage is 1.
    """
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    is_last = np.append(
        sorted_confidences[1:] != sorted_confidences[:-1], True
    )  # equal ones are kept or rejected as one
    kept = np.arange(1, len(order) + 1)[is_last]
    return sorted_confidences[is_last], kept / len(order), np.cumsum(right[order])[is_last] / kept


def reject_rule(confidences: np.ndarray, right: np.ndarray, wished_accuracy: float) -> RejectRule:
    """The rule that keeps most pictures at the wished accuracy, judged by these very pictures."""
    thresholds, coverages, accuracies = coverage_curve(confidences, right)
    enough = np.flatnonzero(accuracies >= wished_accuracy)
    if not len(enough):
        return RejectRule(wished_accuracy, None, 0.0, None)
    k = enough[-1]
    if coverages[k] == 1:
        return RejectRule(wished_accuracy, 0.0, 1.0, float(accuracies[k]))
    return RejectRule(wished_accuracy, float(thresholds[k]), float(coverages[k]), float(accuracies[k]))
