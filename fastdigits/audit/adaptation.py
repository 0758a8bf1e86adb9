"""What can be learnt, without labels, from the very table that is asked about: a part of its rows after the other.

Where the rows stand in the order of their writers, BatchNorm takes a part's own statistics; where a table has its
classes more evenly mixed than by chance, as tables have that were collected by plan, a part's answers are brought to
the class shares of training. Both were kept since they gained on writers that no training saw, in all five folds (see
docs/lab_log.md); neither helps where its condition is not met.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from ..answers import Inference, Predictions, answer
from ..folders import resized, spread_rows
from ..models import ModelDescription
from ..scores import expectation_of
from ..sources import PixelSource
from ..system import InputError
from .row_order import stand_by_hand

PART_ROWS = 500
SHARE = 0.6  # of a part's own statistics
LEAST_ROWS = 100  # of a table
LARGEST_INPUT, LEAST_KNOWN = 4_000_000, 16  # floats of a batch whose statistics are taken; pictures in it at least
BY_CHANCE = 0.001  # how rarely chance mixes classes as evenly as must be found
ROUNDS = 30  # of bringing columns and rows to their sums


def check_adapts(models: Sequence[ModelDescription]) -> None:
    """InputError when a model is an ONNX export, whose normalisation is fixed."""
    if not all(model.in_torch for model in models):
        raise InputError(
            "--adapt changes a network's normalisation, which an ONNX export has fixed; pass the run or model that it "
            "was made from"
        )


def answer_and_expect(inference: Inference, source: PixelSource, adapt: bool) -> Predictions:
    """What models say about a source, what accuracy to expect of it, and where asked what they learn from it then."""
    found = answer(inference, source)
    found.expectation = expectation_of(inference.models, found)
    if adapt:
        found.probabilities, found.adaptation = adapted(
            inference, lambda: (chunk.images for chunk in source.chunks()), found.probabilities
        )
    return found


def adapted(
    inference: Inference, chunks: Callable[[], Iterable[np.ndarray]], probabilities: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Probabilities that have learnt from their table, and what was done, in sentences.

    Parameters
    ----------
    inference : Inference
        Of models in torch.
    chunks : callable () -> iterable of ndarray of uint8, shape (some, h, w)
        All pictures in the order of the table from its start, some at a time.
    probabilities : ndarray, shape (n, classes)
        Of the same pictures, without adaptation.
    """
    if len(probabilities) < LEAST_ROWS:
        return probabilities, [f"nothing was changed: {len(probabilities)} rows tell too little, {LEAST_ROWS} would do"]
    told, before = [], probabilities
    if stand_by_hand(chunks(), probabilities.argmax(1)):
        probabilities = np.concatenate(list(_with_own_statistics(inference, chunks(), len(before))))
        told.append(_told("the rows stand in the order of their hands: normalised by parts", before, probabilities))
    shares = (inference.models[0].valid or {}).get("shares")
    if shares and mixed_by_plan(probabilities, np.array(shares)):
        by_parts = [balanced(part, np.array(shares)) for part in np.array_split(probabilities, _parts(len(before)))]
        after = np.concatenate(by_parts)
        told.append(_told("the classes are mixed by plan: brought to the shares of training", probabilities, after))
        probabilities = after
    return probabilities, told or ["nothing was changed: neither the order of the rows nor their classes tell anything"]


def _told(what: str, before: np.ndarray, after: np.ndarray) -> str:
    changed = int((before.argmax(1) != after.argmax(1)).sum())
    return f"{what}; {changed:,} answers changed"


def _parts(rows: int) -> int:
    return max(1, round(rows / PART_ROWS))


def _with_own_statistics(inference: Inference, images: Iterable[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """Probabilities of each part, by networks that are normalised as its own pictures are."""
    side, inference = inference.models[0].size, inference.as_trained()
    of_one_size = (resized(part, side) for part in images)
    for part in _parted(of_one_size, [len(part) for part in np.array_split(np.arange(rows), _parts(rows))]):
        with ExitStack() as stack:
            for model in inference.models:
                most = max(LEAST_KNOWN, LARGEST_INPUT // (len(model.mean) * model.size**2))
                stack.enter_context(model.knowing(part[spread_rows(len(part), most)], SHARE))
            yield inference.probabilities(part)


def _parted(images: Iterable[np.ndarray], sizes: list[int]) -> Iterator[np.ndarray]:
    """The same pictures in parts of the given sizes."""
    waiting, stream = [], iter(images)
    for size in sizes:
        while sum(map(len, waiting)) < size:
            more = next(stream, None)
            if more is None:
                raise InputError("the table has fewer rows than a moment ago; was it changed? run the command again")
            waiting.append(more)
        together = np.concatenate(waiting)
        yield together[:size]
        waiting = [together[size:]]


def mixed_by_plan(probabilities: np.ndarray, shares: np.ndarray) -> bool:
    """Whether the answers of each part have their classes in the given shares, much more nearly than by chance.

    By the sum over all parts of Pearson's chi-squared statistic, which chance would hardly make so small.
    """
    from scipy.stats import chi2

    parts = np.array_split(probabilities.argmax(1), _parts(len(probabilities)))
    known = shares > 0
    total = 0.0
    for part in parts:
        usual = len(part) * shares[known]
        total += float(((np.bincount(part, minlength=len(shares))[known] - usual) ** 2 / usual).sum())
    return total < chi2.ppf(BY_CHANCE, len(parts) * (int(known.sum()) - 1))


def balanced(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Probabilities whose columns have the given shares, by scaling columns and rows in turn (Sinkhorn 1967).

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes), rows sum to 1
    shares : ndarray, shape (classes,), sums to 1

    Returns
    -------
    ndarray of float32, shape (n, classes), rows sum to 1
    """
    found = probabilities.astype(np.float64)
    for _ in range(ROUNDS):
        found *= len(found) * shares / np.maximum(found.sum(0), 1e-30)
        found /= np.maximum(found.sum(1, keepdims=True), 1e-30)
    return found.astype(np.float32)
