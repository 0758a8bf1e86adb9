"""Pictures of scores: confusion, calibration, coverage, classes, groups."""

from pathlib import Path

import numpy as np

from ..scores import Evaluation, Expectation, Interval
from .canvas import COLUMN, Drawing, finished, in_style, new_drawing, plain, sequential, text_on
from .tokens import LIGHT

LARGEST_INCHES, MOST_NUMBERED, MOST_GROUPS = 30, 60, 100


@in_style
def draw_confusion(
    confusion: list[list[int]], classes: list[str], path: Path | None = None, title: str = "mistakes on valid"
) -> Drawing:
    """The mistakes of each true and predicted label; the diagonal, which is right and far larger, is left empty.

    Parameters
    ----------
    confusion : list of list of int, (classes, classes)
        Row: true label; column: predicted label.
    classes : list of str
    path : Path, optional
        A PNG file to write.
    title : str
    """
    mistakes = np.ma.masked_array(confusion, np.eye(len(classes), dtype=bool))
    side = min(max(COLUMN, 0.45 * len(classes)), LARGEST_INCHES)
    drawing = new_drawing(side, side)
    axes = drawing.subplots()
    colours, most = sequential().with_extremes(bad=LIGHT["field"]), max(1, mistakes.filled(0).max())
    axes.imshow(mistakes, cmap=colours, vmin=0, vmax=most)
    if len(classes) <= MOST_NUMBERED:
        for row, column in np.argwhere(mistakes.filled(0)):
            count = mistakes[row, column]
            colour = text_on(colours(count / most))
            axes.annotate(count, (column, row), ha="center", va="center", fontsize=9, color=colour)
    ticks = range(0, len(classes), -(-len(classes) // MOST_NUMBERED))
    axes.set(xlabel="predicted", ylabel="true", title=title)
    names = [plain(classes[tick]) for tick in ticks]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.grid(False)
    axes.spines[:].set_visible(True)
    return finished(drawing, path)


@in_style
def draw_class_heat_map(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Precision, recall and F1 of each class as a heat map with numbers."""
    scores = evaluation.per_class
    values = np.array([[score.precision, score.recall, score.f1] for score in scores])
    drawing = new_drawing(COLUMN, min(max(2.5, 0.42 * len(scores)), LARGEST_INCHES))
    axes = drawing.subplots()
    least = min(0.9, float(values.min()))
    axes.imshow(1 - values, cmap=sequential(), vmin=0, vmax=1 - least, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = text_on(sequential()((1 - value) / (1 - least)))
        axes.annotate(f"{value:.4f}", (column, row), ha="center", va="center", fontsize=9, color=colour)
    axes.grid(False)
    axes.set_xticks(range(3), ["precision", "recall", "F1"])
    axes.set_yticks(range(len(scores)), [plain(score.label) for score in scores])
    axes.set(ylabel="label", title="scores by class")
    return finished(drawing, path)


@in_style
def draw_class_intervals(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Recall and precision of each class with their 95 % intervals."""
    drawing = new_drawing(COLUMN, min(max(2.5, 0.4 * len(evaluation.per_class)), LARGEST_INCHES))
    axes = drawing.subplots()
    places = np.arange(len(evaluation.per_class))
    for name, shift in (("recall", -0.15), ("precision", 0.15)):
        values = np.array([getattr(score, name) for score in evaluation.per_class])
        intervals = np.array([getattr(score, f"{name}_interval") for score in evaluation.per_class])
        reach = np.abs(intervals.T - values)
        (points, *_) = axes.errorbar(values, places + shift, xerr=reach, fmt="o")
        side = "left" if name == "recall" else "right"
        axes.set_title(name, loc=side, color=points.get_color())
    axes.set_yticks(places, [plain(score.label) for score in evaluation.per_class])
    axes.invert_yaxis()
    axes.set(xlabel="share, 95 % interval", ylabel="label")
    return finished(drawing, path)


@in_style
def draw_expectation(expectation: Expectation, valid_interval: Interval, path: Path | None = None) -> Drawing:
    """The accuracy on valid, what is expected on other pictures, and what each method says of it alone.

    Parameters
    ----------
    expectation : Expectation
    valid_interval : (float, float)
    path : Path, optional
        A PNG file to write.
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    drawing = new_drawing(COLUMN, 2.6)
    axes = drawing.subplots()
    rows = [
        ("on valid", expectation.valid_accuracy, valid_interval),
        ("expected", expectation.accuracy, expectation.interval),
        *((name, accuracy, (accuracy, accuracy)) for name, accuracy in expectation.methods.items()),
    ]
    for place, (_, accuracy, (low, high)) in enumerate(rows):
        reach = [[max(accuracy - low, 0)], [max(high - accuracy, 0)]]
        colour = "C0" if place < 2 else LIGHT["quiet"]
        axes.errorbar(accuracy, place, xerr=reach, fmt="o", color=colour)
        axes.annotate(f"{accuracy:.2%}", (accuracy, place), (0, 7), textcoords="offset points", ha="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set(xlabel="accuracy, 95 % interval", title="what to expect")
    return finished(drawing, path)


@in_style
def draw_reliability(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Accuracy over confidence, with the number of pictures in each bin below."""
    drawing = new_drawing(COLUMN, 5)
    panels = drawing.subplot_mosaic([["line"], ["count"]], height_ratios=[3, 1], sharex=True)
    bins = evaluation.reliability
    centres, widths = [(b.low + b.high) / 2 for b in bins], [b.high - b.low for b in bins]
    panels["line"].plot([0, 1], [0, 1], color=LIGHT["quiet"], linestyle=":")
    confidences, accuracies = [b.confidence for b in bins], [b.accuracy for b in bins]
    panels["line"].plot(confidences, accuracies, marker="o", clip_on=False)
    on_line = {"rotation": 45, "rotation_mode": "anchor", "transform_rotates_text": True, "fontsize": 9}
    panels["line"].text(0.05, 0.11, "as sure as it is right", color=LIGHT["quiet"], **on_line)
    panels["line"].set(
        ylabel="accuracy", title=f"calibration error {evaluation.calibration_error:.2%}", xlim=(0, 1), ylim=(0, 1.02)
    )
    panels["count"].bar(centres, [b.pictures for b in bins], width=widths, color=LIGHT["quiet"])
    panels["count"].set(xlabel="confidence", ylabel="pictures", yscale="log")
    return finished(drawing, path)


@in_style
def draw_coverage(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Accuracy of what is kept over the share that is kept, when the least confident pictures are rejected first."""
    drawing = new_drawing(COLUMN, 3.6)
    axes = drawing.subplots()
    curve, rule = np.array(evaluation.coverage), evaluation.reject
    axes.plot(100 * curve[:, 1], 100 * curve[:, 2])
    axes.axhline(100 * rule.wished_accuracy, color=LIGHT["quiet"], linestyle=":")
    if rule.accuracy is not None:
        place = 100 * rule.coverage, 100 * rule.accuracy
        axes.plot(*place, "o", color="C1", clip_on=False)
        label = f"reject below {rule.below:.4f}"
        above = {"facecolor": LIGHT["paper"], "edgecolor": "none", "pad": 1}  # the dotted line
        axes.annotate(
            label, place, (-6, -20), textcoords="offset points", ha="right", fontsize=9, color="C1", bbox=above
        )
    # a few mistakes among the surest pictures would squeeze all else into a line
    shown = curve[curve[:, 1] > 0.05, 2] if (curve[:, 1] > 0.05).any() else curve[:, 2]
    low = 100 * min(float(shown.min()), rule.wished_accuracy)
    low -= 0.1 * (100.5 - low)
    axes.set(xlabel="kept, %", ylabel="accuracy of what is kept, %", ylim=(low, 100.05))
    axes.set_yticks([tick for tick in axes.get_yticks() if low <= tick <= 100.001])
    return finished(drawing, path)


@in_style
def draw_groups(evaluation: Evaluation, path: Path | None = None) -> Drawing:
    """Accuracy of each group with its 95 % interval, the hundred worst; a line at the mean of all pictures."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    groups = evaluation.groups[:MOST_GROUPS]
    drawing = new_drawing(COLUMN, max(2.2, 0.28 * len(groups)))
    axes = drawing.subplots()
    places = np.arange(len(groups))
    values = np.array([part.accuracy for part in groups])
    reach = np.abs(np.array([part.interval for part in groups]).T - values)
    axes.errorbar(values, places, xerr=reach, fmt="o")
    axes.axvline(evaluation.accuracy, color=LIGHT["quiet"], linestyle=":")
    axes.set_yticks(places, [plain(part.group) for part in groups])
    axes.invert_yaxis()
    axes.margins(y=0.1 if len(groups) < 10 else None)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set(xlabel="accuracy, 95 % interval", ylabel="group", title="accuracy by group, the worst first")
    return finished(drawing, path)
