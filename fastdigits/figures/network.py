"""Pictures of a network: its layers, filters, weights, and what it makes of a digit."""

from pathlib import Path

import numpy as np

from ..models import Layer, WeightStatistics
from .canvas import COLUMN, Drawing, finished, in_style, new_drawing, picture_grid
from .tokens import LIGHT

MOST_MAPS, MOST_FILTERS, MOST_BOXES = 12, 64, 60
BOXES_A_ROW = 4


@in_style
def draw_filters(filters: np.ndarray, path: Path | None = None, columns: int = 8) -> Drawing:
    """The first layer's kernels: white adds, black takes away.

    Parameters
    ----------
    filters : ndarray of float, shape (n, h, w)
        At most 64 are drawn.
    path : Path, optional
        A PNG file to write.
    columns : int
    """
    filters = filters[:MOST_FILTERS]
    drawing, places = picture_grid(len(filters), columns, COLUMN / columns, COLUMN / columns)
    for axes, kernel in zip(places, filters):
        reach = np.abs(kernel).max() or 1
        axes.imshow(kernel, cmap="gray", vmin=-reach, vmax=reach)
    return finished(drawing, path)


@in_style
def draw_feature_maps(maps: list[tuple[str, np.ndarray]], path: Path | None = None) -> Drawing:
    """What each convolution and pooling layer makes of one picture, a row for each layer.

    Parameters
    ----------
    maps : list of (layer's name, ndarray of float (channels, h, w))
        The first twelve channels are drawn.
    path : Path, optional
        A PNG file to write.
    """
    drawing, places = picture_grid(len(maps), 1, COLUMN, 1.75)
    for axes, (name, channels) in zip(places, maps):
        axes.imshow(_strip(channels[:MOST_MAPS]), cmap="viridis", vmin=0, vmax=1)
        title = f"{name}: {len(channels)} of {channels.shape[1]}x{channels.shape[2]}"
        axes.set_title(title, fontsize=9, fontweight="normal", pad=3)
        axes.set_anchor("W")
    return finished(drawing, path)


def _strip(channels: np.ndarray) -> np.ndarray:
    """Maps (c, h, w) beside each other with gaps, each from its least value (0) to its largest (1), as one picture."""
    least, most = (bound(channels, axis=(1, 2), keepdims=True) for bound in (np.min, np.max))
    scaled = (channels - least) / np.maximum(most - least, 1e-12)
    gap = max(1, round(channels.shape[2] * 0.1))
    padded = np.pad(scaled, ((0, MOST_MAPS - len(scaled)), (0, 0), (0, gap)), constant_values=np.nan)
    padded[len(scaled) :] = np.nan
    rows = np.split(padded, 2)  # six beside each other
    return np.concatenate(
        [np.pad(np.concatenate(row, axis=1), ((0, gap), (0, 0)), constant_values=np.nan) for row in rows]
    )


@in_style
def draw_weights(weights: list[WeightStatistics], path: Path | None = None, columns: int = 2) -> Drawing:
    """Histogram of each layer's weights, with mean and deviation.

    Parameters
    ----------
    weights : list of WeightStatistics
    path : Path, optional
        A PNG file to write.
    columns : int
    """
    columns = min(columns, len(weights))
    rows = -(-len(weights) // columns)
    drawing = new_drawing(COLUMN / 2 * columns, 1.6 * rows)
    places = drawing.subplots(rows, columns, squeeze=False).ravel()
    for axes in places[len(weights) :]:
        axes.axis("off")
    for axes, layer in zip(places, weights):
        axes.stairs(layer.counts, layer.edges, fill=True, color="C0")
        axes.set_title(f"{layer.name}\n{layer.mean:+.3f} ± {layer.std:.3f}", fontsize=8, fontweight="normal")
        axes.tick_params(labelsize=8)
        axes.locator_params(axis="x", nbins=4)
        axes.set_yticks([])
    return finished(drawing, path)


@in_style
def draw_network(layers: list[Layer], path: Path | None = None) -> Drawing:
    """The layers in their order as boxes, whose height is that of the maps and whose width the number of channels.

    Parameters
    ----------
    layers : list of Layer
        Where there are more than sixty, only convolutions and dense layers are drawn, and of those the first sixty.
    path : Path, optional
        A PNG file to write.
    """
    if len(layers) > MOST_BOXES:
        layers = [layer for layer in layers if "Conv" in layer.kind or "Linear" in layer.kind][:MOST_BOXES]
    sizes = [(layer.output_shape[0], max(layer.output_shape[1:], default=1)) for layer in layers]  # channels, side
    widths = [min(0.25 + 0.09 * np.log2(1 + channels), 1.3) for channels, _ in sizes]
    heights = [0.3 + 0.55 * np.log2(1 + side) for _, side in sizes]
    per_row = BOXES_A_ROW
    rows = [range(start, min(start + per_row, len(layers))) for start in range(0, len(layers), per_row)]
    drawing = new_drawing(COLUMN, 1.9 * len(rows))
    colours = {kind: f"C{k % 8}" for k, kind in enumerate(dict.fromkeys(layer.kind for layer in layers))}
    for axes, row in zip(np.atleast_1d(drawing.subplots(len(rows), 1)), rows):
        x = 0.0
        for k in row:
            box = {"facecolor": colours[layers[k].kind], "alpha": 0.85, "edgecolor": LIGHT["text"], "linewidth": 0.6}
            axes.bar(x + 0.75, heights[k], widths[k], bottom=-heights[k] / 2, **box)
            shape = "x".join(map(str, layers[k].output_shape))
            kind = layers[k].kind.removeprefix("Adaptive").removesuffix("2d")  # as wide as its box allows
            axes.annotate(kind, (x + 0.75, heights[k] / 2 + 0.15), ha="center", va="bottom", fontsize=9)
            axes.annotate(shape, (x + 0.75, -heights[k] / 2 - 0.15), ha="center", va="top", fontsize=9)
            x += 1.5
        axes.set(xlim=(0, 1.5 * per_row), ylim=(-3, 2.9))
        axes.axis("off")
    return finished(drawing, path)
