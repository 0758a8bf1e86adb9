"""Whether an answer can be taken as it is: sure, doubtful, or of a picture that shows no single digit."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..models import ModelDescription
from ..photos import BLANK, OTHER, SEVERAL

SURE, DOUBTFUL = "sure", "doubtful"
NAMES = {BLANK: "blank", SEVERAL: "several", OTHER: "other"}  # of what pictures show besides one digit
VERDICTS = (SURE, DOUBTFUL, *NAMES.values())
ENOUGH = 0.9  # confidence below which an answer is doubtful, where the model has no rule of its own
# some digits are written in two parts; of those that the models have seen, answers are surer than this
SURE_OF_PARTS = 0.999


def least_sure(model: ModelDescription) -> float:
    """The confidence below which a model's answer is doubtful: by its own rule, or ENOUGH where it has none."""
    return (model.reject or {}).get("below", ENOUGH)


def verdicts_of(confidences: np.ndarray, contents: np.ndarray, least: float) -> list[str]:
    """A verdict for each answer.

    Parameters
    ----------
    confidences : ndarray of float, shape (n,)
        Probability of the label that was given.
    contents : ndarray of uint8, shape (n,)
        What the pictures show, see `photos.contents_of`.
    least : float
        Confidences below it are doubtful.

    Returns
    -------
    list of str, length n
        'sure'; 'doubtful': a person should look; 'blank': no ink; 'several': more than one digit; 'other': no digit.
    """
    texts = np.where(confidences < least, DOUBTFUL, SURE).astype(object)
    for kind, name in NAMES.items():
        shown = contents == kind
        texts[shown & (confidences < SURE_OF_PARTS) if kind == SEVERAL else shown] = name
    return texts.tolist()


def counted(verdicts: Sequence[str]) -> dict[str, int]:
    """How many of each verdict there are, in the order of VERDICTS."""
    found = Counter(verdicts)
    return {name: found[name] for name in VERDICTS if found[name]}


def verdict_line(counts: dict[str, int]) -> str:
    """Such as `9,612 sure, 371 doubtful, 14 blank`; says who reads several digits where there are pictures of them."""
    line = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return line + (" (`fastdigits read` reads several digits)" if NAMES[SEVERAL] in counts else "")
