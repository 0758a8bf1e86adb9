"""Pictures of scores: confusion, calibration, coverage, classes, groups."""

from pathlib import Path

import numpy as np

from ..scores import Evaluation, Expectation, Interval
from .canvas import Drawing, finished, new_drawing

LARGEST_INCHES, MOST_NUMBERED, MOST_GROUPS = 30, 60, 100


def draw_confusion(
    confusion: list[list[int]], classes: list[str], path: Path | None = None, title: str = "confusion on valid"
) -> Drawing:
    """Counts of predicted against true labels; the colour shows the mistakes, since the diagonal is far larger.

    Parameters
    ----------
    confusion : list of list of int, (classes, classes)
        Row: true label; column: predicted label.
    classes : list of str
    path : Path, optional
        A PNG file to write.
    title : str
    """
    counts = np.array(confusion)
    mistakes = counts - np.diag(np.diag(counts))
    side = min(max(4, 0.5 * len(classes)), LARGEST_INCHES)
    drawing = new_drawing(side, side)
    axes = drawing.subplots()
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()))
    for (row, column), count in np.ndenumerate(counts):
        if count and len(classes) <= MOST_NUMBERED:
            dark = mistakes[row, column] > 0.6 * mistakes.max() > 0
            axes.annotate(count, (column, row), ha="center", va="center", fontsize=8, color="w" if dark else "k")
    ticks = range(len(classes))
    axes.set(xlabel="predicted", ylabel="true", title=title)
    axes.set_xticks(ticks, classes)
    axes.set_yticks(ticks, classes)
    return finished(drawing, path)


def draw_class_heat_map(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Precision, recall and F1 of each class as a heat map with numbers."""
    scores = evaluation.per_class
    values = np.array([[score.precision, score.recall, score.f1] for score in scores])
    drawing = new_drawing(4.2, min(max(2.5, 0.42 * len(scores)), LARGEST_INCHES))
    axes = drawing.subplots()
    axes.imshow(values, cmap="viridis", vmin=min(0.9, float(values.min())), vmax=1, aspect="auto")
    middle = (min(0.9, values.min()) + 1) / 2
    for (row, column), value in np.ndenumerate(values):
        colour = "k" if value > middle else "w"
        axes.annotate(f"{value:.4f}", (column, row), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(3), ["precision", "recall", "F1"])
    axes.set_yticks(range(len(scores)), [score.label for score in scores])
    axes.set(ylabel="label", title="scores by class")
    return finished(drawing, path)


def draw_class_intervals(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Recall and precision of each class with their 95 % intervals."""
    drawing = new_drawing(6.4, min(max(2.5, 0.4 * len(evaluation.per_class)), LARGEST_INCHES))
    axes = drawing.subplots()
    places = np.arange(len(evaluation.per_class))
    for name, shift in (("recall", -0.15), ("precision", 0.15)):
        values = np.array([getattr(score, name) for score in evaluation.per_class])
        intervals = np.array([getattr(score, f"{name}_interval") for score in evaluation.per_class])
        reach = np.abs(intervals.T - values)
        axes.errorbar(values, places + shift, xerr=reach, fmt="o", capsize=3, markersize=4, label=name)
    axes.set_yticks(places, [score.label for score in evaluation.per_class])
    axes.invert_yaxis()
    axes.set(xlabel="share", ylabel="label", title="recall and precision, 95 % intervals")
    axes.legend()
    return finished(drawing, path)


def draw_expectation(expectation: Expectation, valid_interval: Interval, path: Path | None = None) -> Drawing:
    """The accuracy on valid, what is expected on other pictures, and what each method says of it alone.

    Parameters
    ----------
    expectation : Expectation
    valid_interval : (float, float)
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(6.4, 2.4)
    axes = drawing.subplots()
    rows = [
        ("on valid", expectation.valid_accuracy, valid_interval),
        ("expected", expectation.accuracy, expectation.interval),
        *((name, accuracy, (accuracy, accuracy)) for name, accuracy in expectation.methods.items()),
    ]
    for place, (_, accuracy, (low, high)) in enumerate(rows):
        reach = [[max(accuracy - low, 0)], [max(high - accuracy, 0)]]
        colour = "C0" if place < 2 else "gray"
        axes.errorbar(accuracy, place, xerr=reach, fmt="o", capsize=3, color=colour)
        axes.annotate(f"{accuracy:.2%}", (accuracy, place), (0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.set(xlabel="accuracy", title="what to expect, 95 % intervals")
    return finished(drawing, path)


def draw_reliability(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Accuracy over confidence, with the number of pictures in each bin below."""
    drawing = new_drawing(5, 5)
    panels = drawing.subplot_mosaic([["line"], ["count"]], height_ratios=[3, 1], sharex=True)
    bins = evaluation.reliability
    centres, widths = [(b.low + b.high) / 2 for b in bins], [b.high - b.low for b in bins]
    panels["line"].plot([0, 1], [0, 1], color="gray", linestyle=":", label="as sure as it is right")
    confidences, accuracies = [b.confidence for b in bins], [b.accuracy for b in bins]
    panels["line"].plot(confidences, accuracies, marker="o", label="this model")
    panels["line"].set(
        ylabel="accuracy", title=f"calibration error {evaluation.calibration_error:.2%}", xlim=(0, 1), ylim=(0, 1.02)
    )
    panels["line"].legend(loc="lower right")
    panels["count"].bar(centres, [b.pictures for b in bins], width=widths, edgecolor="w", color="tab:gray")
    panels["count"].set(xlabel="confidence", ylabel="pictures", yscale="log")
    return finished(drawing, path)


def draw_coverage(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Accuracy of what is kept over the share that is kept, when the least confident pictures are rejected first."""
    drawing = new_drawing(5, 3.6)
    axes = drawing.subplots()
    curve, rule = np.array(evaluation.coverage), evaluation.reject
    axes.plot(100 * curve[:, 1], 100 * curve[:, 2])
    axes.axhline(100 * rule.wished_accuracy, color="gray", linestyle=":")
    if rule.accuracy is not None:
        label = f"reject below {rule.below:.4f}"
        axes.plot(100 * rule.coverage, 100 * rule.accuracy, "o", color="tab:red", label=label)
        axes.legend(loc="lower left")
    # a few mistakes among the surest pictures would squeeze all else into a line
    shown = curve[curve[:, 1] > 0.05, 2] if (curve[:, 1] > 0.05).any() else curve[:, 2]
    low = 100 * min(float(shown.min()), rule.wished_accuracy)
    axes.set(xlabel="kept, %", ylabel="accuracy of what is kept, %", ylim=(low - 0.1 * (100.5 - low), 100.05))
    return finished(drawing, path)


def draw_groups(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Accuracy of each group with its 95 % interval, the hundred worst; a line at the mean of all pictures."""
    groups = evaluation.groups[:MOST_GROUPS]
    drawing = new_drawing(6.4, max(2.2, 0.28 * len(groups)))
    axes = drawing.subplots()
    places = np.arange(len(groups))
    values = np.array([part.accuracy for part in groups])
    reach = np.abs(np.array([part.interval for part in groups]).T - values)
    axes.errorbar(values, places, xerr=reach, fmt="o", capsize=3, markersize=4)
    axes.axvline(evaluation.accuracy, color="gray", linestyle=":")
    axes.set_yticks(places, [part.group for part in groups])
    axes.invert_yaxis()
    axes.set(xlabel="accuracy", ylabel="group", title="accuracy by group, the worst first")
    return finished(drawing, path)
