"""What accuracy to expect on pictures that nobody labelled, by a model's confidence in them.

Two methods, both fitted on the model's valid pictures: the share of answers less sure than a threshold below which as
many valid answers lie as there are mistakes (average thresholded confidence, Garg et al. 2022, arXiv:2201.04234), and
the mean chance of a mistake by a logistic curve of the confidence (Platt 1999). The first overrates mistakes where
digits are hard to read, the second underrates them, so the answer is their geometric mean. Several models together make
as many mistakes as each of them does on average, less what they gain where they disagree. See
docs/explanations/expectation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..answers import Predictions
from ..models import ModelDescription
from ..photos import FAR, differences, summary_of
from .intervals import CONFIDENCE_LEVEL, Interval

LEAST_PICTURES = 50  # of fewer nothing is foretold
SURENESS = 1e-7  # confidences this near to 1 are as good as 1
# deviation of the logarithm of expected over true mistakes, where both are counted well; measured by
# `python -m benchmarks.expectation`
MISJUDGED = 0.35
SHARES_MOVED = 0.15  # of the answers, that go to other classes than training had
TOLD = 3  # differences
TAIL = (1 - CONFIDENCE_LEVEL) / 2
METHODS = ("thresholded confidence", "calibrated confidence")


@dataclass
class Expectation:
    """What accuracy to expect.

    Attributes
    ----------
    pictures : int
        Unlabelled ones that were looked at.
    accuracy : float
        0..1.
    interval : (float, float)
        95 %.
    valid_accuracy, valid_pictures : float, int
        What the model has on its own valid pictures.
    methods : dict of str to float
        The accuracy that each method expects alone.
    shares_moved : float
        0..1: the smallest share of wrong answers, if the classes are mixed as in training.
    differences : list of str
        In what these pictures differ from those that the model learnt, the largest difference first.
    doubts : list of str
        Warnings: reasons to look at some answers, because the accuracy may be far lower.
    """

    pictures: int
    accuracy: float
    interval: Interval
    valid_accuracy: float
    valid_pictures: int
    methods: dict[str, float] = field(default_factory=dict)
    shares_moved: float = 0.0
    differences: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def told(self, of_valid: str = "valid") -> str:
        """The numbers, with a name for the pictures that it was fitted on."""
        low, high = self.interval
        return f"expected accuracy {self.accuracy:.1%} ({low:.1%} .. {high:.1%}); {of_valid} {self.valid_accuracy:.1%}"

    def __str__(self) -> str:
        line = self.told("on valid")
        if self.differences:
            line += f": these digits are {', '.join(self.differences[:TOLD])} than those it learnt"
        return "\n".join([line, *(f"warning: {doubt}" for doubt in self.doubts)])


def why_untold(models: Sequence[ModelDescription]) -> str:
    """Why `expectation_of` tells nothing."""
    if any(model.valid is None for model in models):
        which = "the model" if len(models) == 1 else "one of the models"
        return f"{which} keeps nothing of valid pictures; train it again, with some"
    return f"fewer than {LEAST_PICTURES} pictures"


def expectation_of(models: Sequence[ModelDescription], found: Predictions) -> Expectation | None:
    """What to expect of answers; None of fewer than 50, and of a model that keeps nothing of valid pictures.

    Parameters
    ----------
    models : sequence of ModelDescription
        That gave the answers together. Each is judged by what it keeps of its own valid pictures.
    found : Predictions
    """
    model = models[0]
    kept = [one.valid for one in models if one.valid is not None]
    if len(kept) < len(models) or len(found.ids) < LEAST_PICTURES:
        return None
    expectation = expected(kept, found.probabilities, found.agreement)
    if model.properties and found.measured is not None:
        apart = differences(model.properties, summary_of(found.measured), len(found.measured))
        expectation.differences = [str(one) for one in apart]
        far = [one for one in apart if one.size > FAR]
        if far and expectation.shares_moved > SHARES_MOVED:
            expectation.accuracy = min(expectation.accuracy, 1 - expectation.shares_moved)
            low, high = expectation.interval
            expectation.interval = (min(low, expectation.accuracy), min(high, 1 - expectation.shares_moved))
    if expectation.shares_moved > SHARES_MOVED:
        expectation.doubts.append(_unequal(model, found, expectation.shares_moved))
    return expectation


def _unequal(model: ModelDescription, found: Predictions, moved: float) -> str:
    shares = _shares(found.probabilities)
    most = int((shares - model.valid["shares"]).argmax())
    before = model.valid["shares"][most]
    return (
        f"{shares[most]:.0%} of the answers are {model.classes[most]!r}, as are {before:.0%} of the training pictures; "
        f"if the classes are mixed here as there, {moved:.0%} of the answers are wrong at least"
    )


def kept_of_valid(probabilities: np.ndarray, truth: np.ndarray, of_training: np.ndarray) -> dict:
    """What a model keeps of its answers to valid pictures, for `expected`: a few numbers.

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes), rows sum to 1
    truth : ndarray of int, shape (n,)
        Index of the true class.
    of_training : ndarray of int, shape (classes,)
        How many training pictures of each class there are.
    """
    confidences, wrong = probabilities.max(1), probabilities.argmax(1) != truth
    mistakes = int(wrong.sum())
    slope, intercept = _logistic(_log_odds(confidences), wrong)
    return {
        "pictures": len(truth),
        "mistakes": mistakes,
        # half a mistake more, so that it is no confidence of one picture
        "least_sure": float(np.quantile(confidences, min(1.0, (mistakes + 0.5) / (len(truth) + 1)))),
        "slope": slope,
        "intercept": intercept,
        "shares": (of_training / of_training.sum()).round(4).tolist(),
    }


def expected(kept: Sequence[dict], probabilities: np.ndarray, agreement: np.ndarray | None = None) -> Expectation:
    """What to expect on unlabelled pictures, by the answers alone.

    Parameters
    ----------
    kept : sequence of dict, one for each model
        As `kept_of_valid` gives it.
    probabilities : ndarray, shape (n, classes), rows sum to 1
        What the models answer together.
    agreement : ndarray, shape (n, models, 2), optional
        How far they agree, as `Inference.shares_and_agreement` gives it; not needed of one model that looks once.

    Raises
    ------
    ValueError
        When there are several models and nothing says how far they agree.
    """
    told_of = 1 if agreement is None else max(1, agreement.shape[1])
    if told_of != len(kept):
        raise ValueError(f"agreement tells of {told_of} models, {len(kept)} gave the answers")
    n = len(probabilities)
    alone, gain = probabilities.max(1)[:, None], 0.0
    if agreement is not None and agreement.shape[1]:
        # where a model answers otherwise than all together, these are as much surer of their own answer as they win
        alone, gain = agreement[:, :, 0], float((probabilities.max(1)[:, None] - agreement[:, :, 1]).mean())
    each = np.array([_errors(valid, alone[:, place]) for place, valid in enumerate(kept)])
    # a method that finds no mistake among n pictures means fewer than one, not none
    error = max(float(np.exp(np.log(np.maximum(each, 0.5 / n)).mean(1)).mean()) - gain, 0.5 / n)
    first = kept[0]
    low, high = _interval(error, n, MISJUDGED**2 + 1 / (first["mistakes"] + 1))
    return Expectation(
        pictures=n,
        accuracy=1 - error,
        interval=(1 - high, 1 - low),
        valid_accuracy=1 - first["mistakes"] / first["pictures"],
        valid_pictures=first["pictures"],
        methods={name: min(1.0, 1 - float(value) + gain) for name, value in zip(METHODS, each.mean(0))},
        shares_moved=_moved(np.array(first["shares"]), probabilities),
    )


def _errors(kept: dict, confidences: np.ndarray) -> tuple[float, float]:
    """The share of mistakes, by each of METHODS, of the answers of one model, which have confidences (n,)."""
    chance = 1 / (1 + np.exp(-(kept["intercept"] + kept["slope"] * _log_odds(confidences))))
    return float((confidences < kept["least_sure"]).mean()), float(chance.mean())


def _interval(error: float, n: int, variance: float) -> Interval:
    """95 % interval of the share of mistakes among n pictures, where the expected share is right up to a factor.

    That factor's logarithm has the given variance; with a gamma distribution of the same spread in its place, the
    number of mistakes has a negative binomial one.
    """
    shape = 1 / np.expm1(variance)
    low, high = (_negative_binomial_quantile(tail, shape, n * error) for tail in (TAIL, 1 - TAIL))
    return min(low / n, 1.0), min(high / n, 1.0)


def _negative_binomial_quantile(share: float, shape: float, mean: float) -> int:
    """The least count that is not exceeded with this probability; scipy.stats knows it too, but loads slowly."""
    from scipy.special import betainc

    def is_enough(count: int) -> bool:
        return betainc(shape, count + 1, shape / (shape + mean)) >= share

    high = 1
    while not is_enough(high):
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _log_odds(confidences: np.ndarray) -> np.ndarray:
    sure = np.clip(confidences.astype(np.float64), SURENESS, 1 - SURENESS)
    return np.log(sure / (1 - sure))


def _logistic(log_odds: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the log odds of a mistake, by those of the confidence; as calibrated where none occurs."""
    from sklearn.linear_model import LogisticRegression

    if not wrong.any() or wrong.all():
        return -1.0, 0.0
    fitted = LogisticRegression(C=1.0).fit(log_odds[:, None], wrong)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _moved(shares: np.ndarray, probabilities: np.ndarray) -> float:
    """Half the summed distance of the answers' class shares from those in training, less what luck alone makes."""
    luck = np.sqrt(2 / np.pi * shares * (1 - shares) / len(probabilities)).sum() / 2
    return float(max(0.0, np.abs(_shares(probabilities) - shares).sum() / 2 - 2 * luck))


def _shares(probabilities: np.ndarray) -> np.ndarray:
    """Of the classes among the answers, (classes,)."""
    return np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) / len(probabilities)
