"""Pictures of a search: its history, which options matter, and what good trials have in common."""

from pathlib import Path

import numpy as np

from .canvas import COLUMN, Drawing, finished, in_style, new_drawing, sequential
from .tokens import LIGHT


@in_style
def draw_search_history(
    values: list[float | None], complete: list[bool], objective: str, maximise: bool, path: Path | None = None
) -> Drawing:
    """Each trial's value in the order of the search, and the best so far.

    Parameters
    ----------
    values : list of float or None, length n
        By the trial's number; of one that was ended early its last one; None where there is none.
    complete : list of bool, length n
    objective : str
    maximise : bool
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(COLUMN, 3.4)
    axes = drawing.subplots()
    numbers = np.arange(len(values))
    found = np.array([np.nan if value is None else value for value in values], float)
    is_whole = np.array(complete, bool)
    axes.plot(numbers[is_whole], found[is_whole], "o", label="complete")
    axes.plot(numbers[~is_whole], found[~is_whole], "x", color=LIGHT["quiet"], label="ended early")
    counted = np.where(is_whole & ~np.isnan(found), found, -np.inf if maximise else np.inf)
    best = (np.maximum if maximise else np.minimum).accumulate(counted)
    axes.step(numbers[np.isfinite(best)], best[np.isfinite(best)], where="post", label="best so far")
    axes.set(xlabel="trial", ylabel=objective.replace("_", " "))
    axes.xaxis.get_major_locator().set_params(integer=True)
    drawing.legend(loc="outside upper left", ncols=3)  # points have no ends to be labelled at
    return finished(drawing, path)


@in_style
def draw_importances(importances: dict[str, float], path: Path | None = None) -> Drawing:
    """How much of the trials' differences each option explains: shares that sum to 1.

    Parameters
    ----------
    importances : dict of option to share
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(COLUMN, 0.9 + 0.4 * len(importances))
    axes = drawing.subplots()
    names = sorted(importances, key=importances.get)
    axes.barh(names, [importances[name] for name in names])
    axes.set(xlabel="share", xlim=(0, 1))
    return finished(drawing, path)


@in_style
def draw_parallel(
    settings: list[dict],
    values: list[float],
    choices: dict[str, tuple],
    objective: str,
    maximise: bool,
    path: Path | None = None,
) -> Drawing:
    """One line a trial across its options, darker the better it is.

    Parameters
    ----------
    settings : list of dict of option to value, length n
    values : list of float, length n
    choices : dict of option to tuple
        Of options that had a list of values; the others' stand on their axis by size.
    objective : str
    maximise : bool
    path : Path, optional
        A PNG file to write.
    """
    options = list(dict.fromkeys(name for setting in settings for name in setting))
    drawing = new_drawing(1.9 * (len(options) + 1), 4.4)
    axes = drawing.subplots()
    scales = [_Scale([setting.get(name) for setting in settings], choices.get(name)) for name in options]
    scored = _Scale(list(values), None)
    ranks = np.argsort(np.argsort(values if maximise else -np.array(values)))
    colours = sequential()(0.15 + 0.75 * (ranks + 1) / len(ranks))
    for k in ranks.argsort():  # the best on top
        heights = [scale.height(settings[k].get(name)) for name, scale in zip(options, scales)]
        axes.plot(range(len(options) + 1), [*heights, scored.height(values[k])], color=colours[k], linewidth=1.4)
    for x, scale in enumerate([*scales, scored]):
        axes.axvline(x, color=LIGHT["line"], linewidth=0.8)
        for height, text in scale.marks():
            axes.annotate(text, (x, height), (3, 0), textcoords="offset points", fontsize=8, va="center")
    names = [*(name.replace(".", "\n") for name in options), objective.replace("_", "\n")]
    axes.grid(False)
    axes.set(xlim=(-0.1, len(options) + 0.6), yticks=[])
    axes.set_xticks(range(len(options) + 1), names, fontsize=8)
    axes.spines[:].set_visible(False)
    return finished(drawing, path)


class _Scale:
    """Where an option's values stand on its axis, 0..1: choices in even steps, numbers by their size.

    Numbers that differ thirtyfold stand on a log scale.
    """

    def __init__(self, values: list, choices: tuple | None):
        self.choices = choices
        known = [value for value in values if value is not None]
        self.ends = (min(known), max(known)) if choices is None else (0, len(choices) - 1)
        self.log = choices is None and self.ends[0] > 0 and self.ends[1] > 30 * self.ends[0]

    def height(self, value) -> float:
        if value is None:
            return np.nan
        place = value if self.choices is None else self.choices.index(value)
        low, high, place = (np.log(x) if self.log else x for x in (*self.ends, place))
        return float((place - low) / (high - low)) if high > low else 0.5

    def marks(self) -> list[tuple[float, str]]:
        """Heights and their texts."""
        shown = self.choices or dict.fromkeys(self.ends)
        return [(self.height(value), f"{value:.4g}" if isinstance(value, float) else str(value)) for value in shown]
