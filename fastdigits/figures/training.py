"""Pictures of a training: the search for a rate, the curves, the batches."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from .canvas import Drawing, finished, new_drawing, picture_grid, show_picture


def draw_lr_find(searches: dict[str, dict], path: Path | None = None) -> Drawing:
    """Loss over learning rate, one line and one mark at the choice for each stage that searched.

    Parameters
    ----------
    searches : dict of stage name to {"lrs", "losses", "lr"}
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(6.4, 4)
    axes = drawing.subplots()
    for stage, search in searches.items():
        (line,) = axes.plot(search["lrs"], search["losses"], label=f"{stage}: {search['lr']:.2g}")
        axes.axvline(search["lr"], color=line.get_color(), linestyle="--")
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss (smoothed)", title="learning-rate search")
    axes.legend(title="chosen")
    return finished(drawing, path)


def draw_curves(history: list[dict], path: Path | None = None) -> Drawing:
    """Loss, accuracy and F1 by epoch, the learning rate below, a dotted line where a new stage begins.

    Parameters
    ----------
    history : list of dict
        The rows of history.csv.
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(9, 5)
    panels = drawing.subplot_mosaic([["loss", "accuracy"], ["lr", "lr"]], height_ratios=[3, 1])
    epochs = [row["epoch"] for row in history]
    for name in ("train_loss", "valid_loss"):
        panels["loss"].plot(epochs, _numbers(history, name), marker=".", label=name)
    panels["accuracy"].plot(epochs, _numbers(history, "accuracy"), marker=".", color="tab:green", label="accuracy")
    # of balanced classes it lies on the accuracy
    panels["accuracy"].plot(epochs, _numbers(history, "f1"), linestyle="--", color="black", linewidth=0.8, label="F1")
    panels["lr"].plot(epochs, _numbers(history, "lr"), marker=".", color="tab:gray")
    panels["lr"].set_yscale("log")
    titles = {"loss": "loss", "accuracy": "on valid", "lr": "learning rate"}
    for name, axes in panels.items():
        axes.set(xlabel="epoch", ylabel=titles[name])
        axes.xaxis.get_major_locator().set_params(integer=True)
        _mark_stages(axes, history)
    for name in ("loss", "accuracy"):
        panels[name].legend()
    return finished(drawing, path)


def draw_several_curves(histories: dict[str, list[dict]], path: Path | None = None) -> Drawing:
    """Accuracy on valid and valid loss by epoch, one line for each run.

    Parameters
    ----------
    histories : dict of run name to the rows of its history.csv
    path : Path, optional
        A PNG file to write.
    """
    drawing = new_drawing(9, 3.8)
    for axes, (name, title) in zip(
        drawing.subplots(1, 2), (("valid_loss", "loss on valid"), ("accuracy", "accuracy on valid"))
    ):
        for run, history in histories.items():
            axes.plot([row["epoch"] for row in history], _numbers(history, name), marker=".", label=run)
        axes.set(xlabel="epoch", ylabel=title)
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=8)
    return finished(drawing, path)


def _numbers(history: list[dict], name: str) -> list[float]:
    return [np.nan if row[name] is None else row[name] for row in history]


def _mark_stages(axes, history: list[dict]) -> None:
    for before, row in pairwise(history):
        if row["stage"] != before["stage"]:
            axes.axvline(row["epoch"] - 0.5, color="gray", linestyle=":")
            axes.annotate(row["stage"], (row["epoch"] - 0.45, 0.02), xycoords=("data", "axes fraction"), fontsize=8)


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
