"""95 % intervals."""

import numpy as np

CONFIDENCE_LEVEL = 0.95

Interval = tuple[float, float]


def wilson_interval(n_right: int, n: int) -> Interval:
    """Wilson's score interval of a proportion at the 95 % level (Wilson 1927, JASA 22:209); 0..1 where n is 0."""
    from scipy.stats import binomtest

    if n == 0:
        return 0.0, 1.0
    interval = binomtest(n_right, n).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def percentiles(draws: np.ndarray) -> np.ndarray:
    """The bounds (2, ...) between which the middle 95 % of draws (n, ...) lie."""
    tail = (1 - CONFIDENCE_LEVEL) / 2
    return np.quantile(draws, [tail, 1 - tail], axis=0)
