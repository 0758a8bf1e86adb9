"""One picture of a table: classes, means and spreads, samples, a map, and how alike rows are by their distance."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .canvas import Drawing, finished, in_style, new_drawing, plain, sequential, show_picture
from .tokens import LIGHT

if TYPE_CHECKING:
    from ..audit import Audit, Pictures

SAMPLES, MAPPED, MOST_CLASSES = 10, 3000, 60
OF_TEN = [*(f"C{k}" for k in range(8)), LIGHT["text"], "#6e4a2f"]  # the colours of our style are eight
AT_CENTRE = {"ha": "center", "va": "center", "fontsize": 15, "fontweight": "bold"}


@in_style
def draw_table(pictures: "Pictures", audit: "Audit | None" = None, path: Path | None = None) -> Drawing:
    """Class balance, mean and spread of each class, samples, the first two principal components, the order of hands.

    Of many classes the first 60 are drawn.

    Parameters
    ----------
    pictures : Pictures
    audit : Audit, optional
        For the last panel.
    path : Path, optional
        A PNG file to write.
    """
    classes = (pictures.classes or ["all"])[:MOST_CLASSES]
    members = _members(pictures, classes)
    height = 0.95 * len(classes)
    drawing = new_drawing(12, 3.8 + height)
    above, below = drawing.subfigures(2, 1, height_ratios=[3.8, height])
    balance, points, order = above.subplots(1, 3)
    _draw_balance(balance, pictures, classes)
    _draw_map(points, pictures, classes, members)
    _draw_order(order, audit)
    _draw_classes(below, pictures.images, classes, members)
    return finished(drawing, path)


def _members(pictures: "Pictures", classes: list[str]) -> list[np.ndarray]:
    """Rows of each class, or all rows where nothing has a label."""
    if not pictures.classes:
        return [np.arange(len(pictures.ids))]
    labels = np.array(pictures.labels, object)
    return [np.flatnonzero(labels == label) for label in classes]


def _draw_balance(axes, pictures: "Pictures", classes: list[str]) -> None:
    labels, floor = np.array(pictures.labels, object), np.zeros(len(classes), int)
    splits = list(dict.fromkeys(pictures.splits))
    for split in splits:
        counts = np.array([((labels == label) & (pictures.splits == split)).sum() for label in classes])
        if counts.any():
            axes.bar([plain(label) for label in classes], counts, bottom=floor, label=split)
            floor += counts
    n = len(pictures.classes)
    title = f"the first {MOST_CLASSES} of {n:,} classes" if n > MOST_CLASSES else "classes"
    axes.set(xlabel="label", ylabel="pictures", title=title)
    axes.grid(axis="x", visible=False)
    if floor.any() and len(splits) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(splits), borderaxespad=0, handlelength=1)


def _draw_map(axes, pictures: "Pictures", classes: list[str], members: list[np.ndarray]) -> None:
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    chosen = [rng.permutation(rows)[: max(1, MAPPED // len(classes))] for rows in members]
    flat = pictures.images[np.concatenate(chosen)].reshape(sum(map(len, chosen)), -1) / np.float32(255)
    if min(flat.shape) < 2:
        axes.axis("off")
        return
    places = PCA(2, random_state=0).fit_transform(flat)
    start = 0
    for k, (label, rows) in enumerate(zip(classes, chosen)):
        part = places[start : start + len(rows)]
        colour = _class_colour(k, len(classes))
        axes.scatter(*part.T, s=4, color=colour, alpha=0.6)
        if len(part):
            axes.text(*np.median(part, axis=0), plain(label), color=colour, path_effects=[_halo()], **AT_CENTRE)
        start += len(rows)
    axes.set(title="first two principal components", xticks=[], yticks=[])


def _halo():
    """Paper around letters that stand on points."""
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=4, foreground=LIGHT["paper"])


def _class_colour(k: int, n: int):
    """A colour for each of ten classes, or of any number in the order of the rainbow."""
    import matplotlib

    return OF_TEN[k] if n <= len(OF_TEN) else matplotlib.colormaps["turbo"](k / n)


def _draw_order(axes, audit: "Audit | None") -> None:
    if audit is None or audit.order is None:
        axes.axis("off")
        return
    order = audit.order
    axes.plot(order.row_distances, order.likeness, marker=".")
    axes.axhline(1, color=LIGHT["quiet"], linestyle=":")
    if order.block_rows:
        axes.axvline(order.block_rows, color="C1", linestyle="--")
        said = f"about {order.block_rows:,} \nrows a hand "
        axes.text(order.block_rows, 0.02, said, color="C1", ha="right", transform=axes.get_xaxis_transform())
    axes.set(
        xscale="log",
        xlabel="rows apart in the table",
        ylabel="distance of rows of one class\n(1: as by chance)",
        title="the order of the rows",
    )


def _draw_classes(drawing, images: np.ndarray, classes: list[str], members: list[np.ndarray]) -> None:
    """A row for each class: its mean, its spread, samples."""
    rng = np.random.default_rng(0)
    grid = drawing.subplots(len(classes), 2 + SAMPLES, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for row, (label, rows) in enumerate(zip(classes, members)):
        mean, spread = _mean_and_spread(images, rows)
        show_picture(grid[row, 0], mean, "mean" if row == 0 else "")
        show_picture(
            grid[row, 1],
            spread,
            "spread" if row == 0 else "",
            vmax=max(spread.max(), 1e-9),
            cmap=sequential().reversed(),
        )
        grid[row, 0].annotate(plain(label), (-0.35, 0.5), xycoords="axes fraction", ha="center", va="center")
        for axes, k in zip(grid[row, 2:], rng.permutation(rows)[:SAMPLES]):
            show_picture(axes, images[k])


def _mean_and_spread(images: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each pixel, 0..1, float (h, w)."""
    part = images[rows]
    return part.mean(0, dtype=np.float64) / 255, part.std(0, dtype=np.float32) / 255
