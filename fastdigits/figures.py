"""Pictures of a run: learning-rate search, curves, a training batch, confusion. Drawn off screen."""

from itertools import pairwise
from pathlib import Path

from .outputs import whole_file


def _save(figure, path: Path) -> None:
    with whole_file(path) as partial:
        figure.savefig(partial, format="png", dpi=110, bbox_inches="tight")


def _new_figure(width: float, height: float):
    """A figure outside pyplot: nothing to close, no window, no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def draw_lr_find(searches: dict[str, dict], path: Path) -> None:
    """Loss over learning rate, one line and one mark at the choice for each stage that searched.

    Parameters
    ----------
    searches : dict of stage name to {"lrs", "losses", "lr"}
    """
    figure = _new_figure(6.4, 4)
    axes = figure.subplots()
    for stage, search in searches.items():
        (line,) = axes.plot(search["lrs"], search["losses"], label=f"{stage}: {search['lr']:.2g}")
        axes.axvline(search["lr"], color=line.get_color(), linestyle="--")
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss (smoothed)", title="learning-rate search")
    axes.legend(title="chosen")
    _save(figure, path)


def draw_curves(history: list[dict], path: Path) -> None:
    """Loss and accuracy by epoch, a dotted line where a new stage begins."""
    figure = _new_figure(9, 3.6)
    losses, accuracies = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for name in ("train_loss", "valid_loss"):
        losses.plot(epochs, [row[name] for row in history], marker="o", label=name)
    accuracies.plot(epochs, [row["accuracy"] for row in history], marker="o", color="tab:green", label="accuracy")
    for axes, what in ((losses, "loss"), (accuracies, "accuracy on valid")):
        axes.set(xlabel="epoch", ylabel=what)
        axes.xaxis.get_major_locator().set_params(integer=True)
        for before, row in pairwise(history):
            if row["stage"] != before["stage"]:
                axes.axvline(row["epoch"] - 0.5, color="gray", linestyle=":")
                axes.annotate(row["stage"], (row["epoch"] - 0.45, 0.02), xycoords=("data", "axes fraction"))
    losses.legend()
    _save(figure, path)


def draw_batch(images, labels: list[str], path: Path, columns: int = 8) -> None:
    """Training pictures as the model sees them, augmentation included.

    Parameters
    ----------
    images : ndarray of float, shape (n, h, w), 0..1
    labels : list of str, length n
    """
    rows = -(-len(images) // columns)
    figure = _new_figure(columns, rows * 1.15)
    for axes in (grid := figure.subplots(rows, columns, squeeze=False)).flat:
        axes.axis("off")
    for axes, image, label in zip(grid.flat, images, labels):
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
        axes.set_title(label, fontsize=9, pad=2)
    _save(figure, path)


def draw_confusion(confusion: list[list[int]], classes: list[str], path: Path) -> None:
    """Counts of predicted against true labels; the colour shows the mistakes, since the diagonal is far larger."""
    import numpy as np

    counts = np.array(confusion)
    mistakes = counts - np.diag(np.diag(counts))
    side = max(4, 0.5 * len(classes))
    figure = _new_figure(side, side)
    axes = figure.subplots()
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = mistakes[row, column] > 0.6 * mistakes.max() > 0
            axes.annotate(count, (column, row), ha="center", va="center", fontsize=8, color="w" if dark else "k")
    ticks = range(len(classes))
    axes.set(xlabel="predicted", ylabel="true", title="confusion on valid")
    axes.set_xticks(ticks, classes)
    axes.set_yticks(ticks, classes)
    _save(figure, path)
