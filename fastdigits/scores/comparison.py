"""Two models on the same pictures: which is better, and could it be chance?"""

from dataclasses import dataclass

import numpy as np

from ..system import InputError


@dataclass
class Comparison:
    """Two models' answers to the same n pictures.

    Attributes
    ----------
    first, second : str
    pictures : int
        n.
    both_right, only_first_right, only_second_right, both_wrong : int
    difference : float
        Accuracy of the first less that of the second.
    interval : (float, float)
        Of the difference, 95 % (Agresti and Min 2005, Statistics in Medicine 24:729).
    p_value : float
        McNemar's exact test (McNemar 1947, Psychometrika 12:153): how often chance alone would divide the pictures
        that only one of them has right at least so unevenly.
    """

    first: str
    second: str
    pictures: int
    both_right: int
    only_first_right: int
    only_second_right: int
    both_wrong: int
    difference: float
    interval: tuple[float, float]
    p_value: float

    @property
    def verdict(self) -> str:
        """In a sentence."""
        low, high = (100 * value for value in self.interval)
        numbers = f"{100 * self.difference:+.2f} points ({low:+.2f} .. {high:+.2f}), p = {self.p_value:.2g}"
        only = (
            f"{self.only_first_right} pictures only {self.first} has right, {self.only_second_right} only {self.second}"
        )
        if self.p_value >= 0.05:
            return f"{self.first} and {self.second} differ no more than chance would make them: {numbers}; {only}"
        better, other = (self.first, self.second) if self.difference > 0 else (self.second, self.first)
        return f"{better} is better than {other}: {numbers}; {only}"


def compare(first: str, second: str, first_right: np.ndarray, second_right: np.ndarray) -> Comparison:
    """Compare what two models have right, bool (n,) each, on the same pictures in the same order."""
    from scipy.stats import binomtest, norm

    if len(first_right) != len(second_right) or not len(first_right):
        raise InputError(f"{first} and {second} were not asked about the same pictures; compare them on one folder")
    both, neither = int((first_right & second_right).sum()), int((~first_right & ~second_right).sum())
    only_first, only_second = int((first_right & ~second_right).sum()), int((~first_right & second_right).sum())
    n, apart = len(first_right), only_first + only_second
    middle = (only_first - only_second) / (n + 2)  # half a picture is added to each of the four counts
    deviation = ((apart + 1) / (n + 2) - middle**2) ** 0.5 / (n + 2) ** 0.5
    reach = norm.ppf(0.975) * deviation
    return Comparison(
        first=first,
        second=second,
        pictures=n,
        both_right=both,
        only_first_right=only_first,
        only_second_right=only_second,
        both_wrong=neither,
        difference=(only_first - only_second) / n,
        interval=(float(middle - reach), float(middle + reach)),
        p_value=float(binomtest(only_first, apart).pvalue) if apart else 1.0,
    )
