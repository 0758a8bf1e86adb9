"""Whether an answer can be taken as it is: sure, doubtful, or of a picture that shows no single digit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..models import ModelDescription
from ..photos import BLANK, DIGIT, OTHER, SEVERAL

SURE, DOUBTFUL = "sure", "doubtful"
NAMES = {BLANK: "blank", SEVERAL: "several", OTHER: "other"}  # of what pictures show besides one digit
VERDICTS = (SURE, DOUBTFUL, *NAMES.values())
ENOUGH = 0.9  # confidence below which an answer is doubtful, where the model has no rule of its own
# some digits are written in two parts; of those that the models have seen, answers are surer than this
SURE_OF_PARTS = 0.999


@dataclass(frozen=True)
class Judge:
    """By what the answers of one or more models are judged.

    Attributes
    ----------
    classes : list of str
    least_sure : float
        Answers of a lower confidence are doubtful.
    above : float or None
        The share of outliers above which a picture shows several digits or none; None of models that do not tell them.
    """

    classes: list[str]
    least_sure: float = ENOUGH
    above: float | None = None

    @classmethod
    def of(cls, models: Sequence[ModelDescription]) -> "Judge":
        """Of the mean answers of models: the mean of their rules, or ENOUGH where one has none."""
        least = [(model.reject or {}).get("below", ENOUGH) for model in models]
        above = [model.above for model in models if model.above is not None]
        return cls(models[0].classes, float(np.mean(least)), float(np.mean(above)) if above else None)

    def probabilities(self, shares: np.ndarray) -> np.ndarray:
        """Class probabilities float32 (n, classes) of the shares that models give."""
        return shares[:, : len(self.classes)]

    def outliers(self, shares: np.ndarray) -> np.ndarray | None:
        """Shares of several digits and of none, float32 (n, 2); None of models that do not tell them."""
        return None if self.above is None else shares[:, len(self.classes) :]

    def contents(self, shares: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """What pictures show, by their ink and by what the models say.

        Of two strokes beside each other the models know better whether they are one digit.

        Parameters
        ----------
        shares : ndarray of float, shape (n, outputs)
            As `Inference.shares` gives them.
        measured : ndarray of uint8, shape (n,)
            See `photos.contents_of`.

        Returns
        -------
        ndarray of uint8, shape (n,)
        """
        if self.above is None:
            is_sure = self.probabilities(shares).max(1) >= SURE_OF_PARTS
            return np.where((measured == SEVERAL) & is_sure, DIGIT, measured)
        several, other = self.outliers(shares).T
        told = np.where(several + other > self.above, np.where(several > other, SEVERAL, OTHER), DIGIT)
        return np.where(np.isin(measured, (BLANK, OTHER)), measured, told).astype(np.uint8)

    def verdicts(self, shares: np.ndarray, measured: np.ndarray) -> list[str]:
        """A verdict for each answer, see `verdicts_of`."""
        return verdicts_of(self.probabilities(shares).max(1), self.contents(shares, measured), self.least_sure)


def verdicts_of(confidences: np.ndarray, contents: np.ndarray, least: float) -> list[str]:
    """A verdict for each answer.

    Parameters
    ----------
    confidences : ndarray of float, shape (n,)
        Probability of the label that was given.
    contents : ndarray of uint8, shape (n,)
        What the pictures show, see `Judge.contents`.
    least : float
        Confidences below it are doubtful.

    Returns
    -------
    list of str, length n
        'sure'; 'doubtful': a person should look; 'blank': no ink; 'several': more than one digit; 'other': no digit.
    """
    texts = np.where(confidences < least, DOUBTFUL, SURE).astype(object)
    for kind, name in NAMES.items():
        texts[contents == kind] = name
    return texts.tolist()


def counted(verdicts: Sequence[str]) -> dict[str, int]:
    """How many of each verdict there are, in the order of VERDICTS."""
    found = Counter(verdicts)
    return {name: found[name] for name in VERDICTS if found[name]}


def verdict_line(counts: dict[str, int]) -> str:
    """Such as `9,612 sure, 371 doubtful, 14 blank`; says who reads several digits where there are pictures of them."""
    line = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return line + (" (`fastdigits read` reads several digits)" if NAMES[SEVERAL] in counts else "")
