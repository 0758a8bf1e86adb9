"""score(): predicted probabilities against true labels -> scores with intervals."""

import numpy as np

from .calibration import COVERAGE_POINTS, calibration_error, coverage_curve, reject_rule, reliability
from .evaluation import ClassScore, Evaluation, GroupScore
from .intervals import Interval, percentiles, wilson_interval

BOOTSTRAP_DRAWS = 2000
LEAST_GROUPS = 5  # to resample; fewer give an interval that is far too narrow
WISHED_ACCURACY = 0.999  # of what is not rejected


def score(
    labels: list[str],
    probabilities: np.ndarray,
    classes: list[str],
    data: str,
    groups: list[str] | None = None,
    wished_accuracy: float = WISHED_ACCURACY,
) -> Evaluation:
    """Scores of predicted probabilities against true labels.

    Parameters
    ----------
    labels : list of str, length n
        True labels, all of them in `classes`.
    probabilities : ndarray, shape (n, classes), rows sum to 1
    classes : list of str
    data : str
        Name for the table's title.
    groups : list of str, length n, optional
        Such as the writers.
    wished_accuracy : float
        Of what is not rejected, 0..1.
    """
    from sklearn.metrics import confusion_matrix

    truth = class_numbers(labels, classes)
    predicted, n = probabilities.argmax(1), len(labels)
    right, confidences = truth == predicted, probabilities.max(1)
    true_probability = probabilities[np.arange(n), truth]
    likelier = (probabilities > true_probability[:, None]).sum(1)  # labels than the true one
    n_top2 = int((likelier < 2).sum())
    confusion = confusion_matrix(truth, predicted, labels=range(len(classes)))
    f1, f1_intervals, macro_interval = _f1_scores(confusion)
    bins = reliability(confidences, right)
    curve = np.stack(coverage_curve(confidences, right), axis=1)
    by_group, groups_interval = _by_group(right, groups) if groups else (None, None)
    return Evaluation(
        data=data,
        pictures=n,
        accuracy=float(right.mean()),
        interval=wilson_interval(int(right.sum()), n),
        top2=n_top2 / n,
        top2_interval=wilson_interval(n_top2, n),
        macro_f1=float(f1[_met(confusion)].mean()),
        macro_f1_interval=macro_interval,
        log_loss=float(-np.log(np.maximum(true_probability.astype(np.float64), 1e-15)).mean()),
        calibration_error=calibration_error(bins),
        reliability=bins,
        reject=reject_rule(confidences, right, wished_accuracy),
        coverage=curve[np.unique(np.linspace(0, len(curve) - 1, COVERAGE_POINTS).round().astype(int))].tolist(),
        per_class=_by_class(classes, confusion, f1, f1_intervals),
        classes=classes,
        confusion=confusion.tolist(),
        groups=by_group,
        groups_interval=groups_interval,
    )


def class_numbers(labels: list[str], classes: list[str]) -> np.ndarray:
    """The position of each label in `classes`, int (n,)."""
    number_of = {label: k for k, label in enumerate(classes)}
    return np.array([number_of[label] for label in labels])


def _f1_scores(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, Interval]:
    """F1 of each class (classes,), its interval (classes, 2), and the interval of their mean.

    Intervals by the bootstrap (Efron 1979, Annals of Statistics 7:1): drawing pictures again is drawing counts of the
    confusion matrix, of whose cells most are empty.
    """
    truths, answers = np.nonzero(confusion)
    counts, classes = confusion[truths, answers], np.arange(len(confusion))
    draws = np.random.default_rng(0).multinomial(counts.sum(), counts / counts.sum(), size=BOOTSTRAP_DRAWS)
    as_truth, as_answer = (cells[:, None] == classes for cells in (truths, answers))  # (cells, classes)
    drawn = _f1(draws @ (as_truth & as_answer), draws @ as_truth, draws @ as_answer)
    low, high = percentiles(drawn[:, _met(confusion)].mean(1))
    f1 = _f1(np.diag(confusion), confusion.sum(1), confusion.sum(0))
    return f1, percentiles(drawn).T, (float(low), float(high))


def _f1(hits: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return 2 * hits / np.maximum(true + predicted, 1)


def _met(confusion: np.ndarray) -> np.ndarray:
    """Which classes are the label or the answer of any picture, bool (classes,)."""
    return (confusion.sum(0) + confusion.sum(1)) > 0


def _by_class(classes: list[str], confusion: np.ndarray, f1: np.ndarray, f1_intervals: np.ndarray) -> list[ClassScore]:
    scores = []
    for k, label in enumerate(classes):
        hits, predicted, pictures = int(confusion[k, k]), int(confusion[:, k].sum()), int(confusion[k].sum())
        low, high = f1_intervals[k]
        scores.append(
            ClassScore(
                label=label,
                precision=hits / max(predicted, 1),
                precision_interval=wilson_interval(hits, predicted),
                recall=hits / max(pictures, 1),
                recall_interval=wilson_interval(hits, pictures),
                f1=float(f1[k]),
                f1_interval=(float(low), float(high)),
                pictures=pictures,
            )
        )
    return scores


def _by_group(right: np.ndarray, groups: list[str]) -> tuple[list[GroupScore], Interval | None]:
    """Scores of each group, the worst first, and the accuracy's interval over groups like these."""
    names, group_of = np.unique(groups, return_inverse=True)
    pictures, hits = np.bincount(group_of), np.bincount(group_of, weights=right).astype(int)
    scores = [
        GroupScore(str(name), int(n), int(k) / int(n), wilson_interval(int(k), int(n)))
        for name, n, k in zip(names, pictures, hits)
    ]
    scores.sort(key=lambda part: (part.accuracy, part.group))
    if len(names) < LEAST_GROUPS:
        return scores, None
    chosen = np.random.default_rng(0).integers(len(names), size=(BOOTSTRAP_DRAWS, len(names)))
    low, high = percentiles(hits[chosen].sum(1) / pictures[chosen].sum(1))
    return scores, (float(low), float(high))
