"""Pictures of a training: the search for a rate, the curves, the batches."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from .canvas import COLUMN, Drawing, finished, in_style, label_lines, new_drawing, picture_grid, plain, show_picture
from .tokens import LIGHT


@in_style
def draw_lr_find(searches: dict[str, dict], path: Path | None = None) -> Drawing:
    """Loss over learning rate, one line and one mark at the choice for each stage that searched.

    Parameters
    ----------
    searches : dict of stage name to {"lrs", "losses", "lr"}
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(COLUMN, 3.6)
    axes = drawing.subplots()
    for k, (stage, search) in enumerate(searches.items()):
        (line,) = axes.plot(search["lrs"], search["losses"])
        axes.axvline(search["lr"], color=line.get_color(), linestyle="--", linewidth=1)
        place, told = (search["lr"], 0.98 - 0.08 * k), f" {stage}: {search['lr']:.2g}"
        on_axis = {"xycoords": axes.get_xaxis_transform(), "va": "top", "fontsize": 9}
        axes.annotate(told, place, color=line.get_color(), **on_axis)
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss (smoothed)", title="learning-rate search")
    return finished(drawing, path)


@in_style
def draw_curves(history: list[dict], path: Path | None = None) -> Drawing:
    """Loss, accuracy and F1 by epoch, the learning rate below, a dotted line where a new stage begins.

    Parameters
    ----------
    history : list of dict
        The rows of history.csv.
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(COLUMN, 6.4)
    panels = drawing.subplot_mosaic([["loss"], ["accuracy"], ["lr"]], height_ratios=[3, 3, 1.5], sharex=True)
    epochs = [row["epoch"] for row in history]
    for name in ("train_loss", "valid_loss"):
        panels["loss"].plot(epochs, _numbers(history, name), marker=".", label=name.partition("_")[0])
    panels["accuracy"].plot(epochs, _numbers(history, "accuracy"), marker=".", color="C2", label="accuracy")
    # of balanced classes it lies on the accuracy
    panels["accuracy"].plot(
        epochs, _numbers(history, "f1"), linestyle="--", color=LIGHT["text"], linewidth=0.8, label="F1"
    )
    panels["lr"].plot(epochs, _numbers(history, "lr"), marker=".", color=LIGHT["quiet"])
    panels["lr"].set_yscale("log")
    for name, title in {"loss": "loss", "accuracy": "accuracy on valid", "lr": "learning rate"}.items():
        panels[name].set_title(title)
        panels[name].xaxis.get_major_locator().set_params(integer=True)
        _mark_stages(panels[name], history)
    panels["lr"].set(xlabel="epoch")
    for name in ("loss", "accuracy"):
        label_lines(panels[name])
    return finished(drawing, path)


@in_style
def draw_several_curves(histories: dict[str, list[dict]], path: Path | None = None) -> Drawing:
    """Accuracy on valid and valid loss by epoch, one line for each run.

    Parameters
    ----------
    histories : dict of run name to the rows of its history.csv
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(COLUMN, 5.6)
    for axes, (name, title) in zip(
        drawing.subplots(2, 1, sharex=True), (("valid_loss", "loss on valid"), ("accuracy", "accuracy on valid"))
    ):
        for run, history in histories.items():
            axes.plot([row["epoch"] for row in history], _numbers(history, name), marker=".", label=plain(run))
        axes.set_title(title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        label_lines(axes)
    axes.set(xlabel="epoch")
    return finished(drawing, path)


def _numbers(history: list[dict], name: str) -> list[float]:
    return [np.nan if row[name] is None else row[name] for row in history]


def _mark_stages(axes, history: list[dict]) -> None:
    for before, row in pairwise(history):
        if row["stage"] != before["stage"]:
            axes.axvline(row["epoch"] - 0.5, color=LIGHT["quiet"], linestyle=":", linewidth=1)
            axes.annotate(row["stage"], (row["epoch"] - 0.45, 0.02), xycoords=("data", "axes fraction"), fontsize=8)


@in_style
def draw_batch(images: np.ndarray, labels: list[str], path: Path | None = None, columns: int = 8) -> Drawing:
    """Training pictures as the model sees them, augmentation included.

    Parameters
    ----------
    images : ndarray of float, shape (n, h, w), 0..1
    labels : list of str, length n
    path : Path, optional
        A PNG file to write.
    columns : int
    """
    drawing, places = picture_grid(len(images), columns)
    for axes, image, label in zip(places, images, labels):
        show_picture(axes, image, label)
    return finished(drawing, path)


@in_style
def draw_augmentation(
    before: np.ndarray, after: list[np.ndarray], labels: list[str], path: Path | None = None
) -> Drawing:
    """Pictures as they are, and below each how augmentation may show them.

    Parameters
    ----------
    before : ndarray, shape (n, h, w)
        uint8, or floats 0..1.
    after : list of ndarray of float, shape (n, height, width), 0..1
        Each a draw of the augmentation.
    labels : list of str, length n
    path : Path, optional
        A PNG file to write.
    """
    n = len(before)
    drawing, places = picture_grid(n * (1 + len(after)), n)
    for k in range(n):
        show_picture(places[k], before[k], labels[k])
        for row, draw in enumerate(after, start=1):
            show_picture(places[row * n + k], draw[k])
    return finished(drawing, path)
