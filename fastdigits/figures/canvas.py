"""What every figure is drawn on: outside pyplot, in one style, written whole, shown by itself in a notebook."""

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from ..system import whole_file
from .tokens import LIGHT, luminance

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

DPI = 150
COLUMN = 4.0  # inches: as wide as a phone shows with text that can be read, and half as wide as a desktop's page
STYLE = Path(__file__).parent / "fastdigits.mplstyle"
COLOURS = 256  # of a PNG file, which is a third as large by it
EQUAL_LUMINANCE = 0.204  # on which dark text and paper have the same contrast
LEAST_APART = 0.075  # of an axis's height, between two labels at the ends of lines
Draw = TypeVar("Draw", bound=Callable)


def in_our_style():
    """A block in which matplotlib's settings are its defaults and ours, whatever the user's are."""
    return matplotlib.style.context(["default", _our_settings()])


@functools.cache
def _our_settings() -> matplotlib.RcParams:
    return matplotlib.rc_params_from_file(STYLE, use_default_template=False)


def in_style(draw: Draw) -> Draw:
    """The function, which draws in the style of all figures."""

    @functools.wraps(draw)
    def styled(*arguments, **options):
        with in_our_style():
            return draw(*arguments, **options)

    return styled


def sequential() -> "Colormap":
    """Colours from paper by the accent to nearly black: darker is more, printed in gray, too."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("fastdigits", [LIGHT["paper"], "#a9c6ec", LIGHT["accent"], "#0a2140"])


def text_on(colour: tuple[float, ...]) -> str:
    """The token of text or of paper that stands out more on a colour, red, green, blue and more 0..1."""
    return LIGHT["text"] if luminance(colour[:3]) > EQUAL_LUMINANCE else LIGHT["paper"]


def label_lines(axes) -> None:
    """Name each line at its right end, in its colour, in place of a legend; labels stand apart from each other.

    Call it last, when the axes have their limits.
    """
    axes.autoscale_view()
    ends = []
    for line in axes.lines:
        xs, ys = (np.asarray(part, float) for part in line.get_data())
        known = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
        if len(known) and not line.get_label().startswith("_"):
            end = axes.transData.transform((xs[known[-1]], ys[known[-1]]))
            ends.append((axes.transAxes.inverted().transform(end)[1], line))
    if len(ends) > 1 / LEAST_APART:  # more than have room beside the axes
        axes.legend()
        return
    ends.sort(key=lambda end: end[0])
    highest = 1 - LEAST_APART * np.arange(len(ends) - 1, -1, -1)  # so that those above it still find room
    place = -np.inf
    for (height, line), bound in zip(ends, np.maximum(highest, 0)):
        place = min(max(height, place + LEAST_APART), max(bound, place + LEAST_APART))
        style = {"transform": axes.transAxes, "color": line.get_color(), "va": "center", "fontsize": 9}
        axes.text(1.02, place, line.get_label(), **style)


class Drawing(Figure):
    """A matplotlib figure without a window or global state, which a notebook shows as the last value of a cell."""

    def _repr_png_(self) -> bytes:
        return png_of(self)


def new_drawing(width: float, height: float) -> Drawing:
    """An empty drawing of so many inches."""
    return Drawing(figsize=(width, height), layout="constrained")


def png_of(drawing: Figure) -> bytes:
    """The drawing as a PNG file."""
    from PIL import Image

    buffer, small = io.BytesIO(), io.BytesIO()
    with in_our_style():
        drawing.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
    # by an octree, which keeps rare colours, such as those of lines
    few = Image.open(buffer).convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE)
    few.save(small, format="PNG", optimize=True, dpi=(DPI, DPI))
    return min(buffer.getvalue(), small.getvalue(), key=len)


def plain(text: str) -> str:
    """A name that users chose, in which matplotlib would take what stands between dollars for a formula."""
    return text.replace("$", r"\$")


def untitled(drawing: Drawing) -> Drawing:
    """The drawing, without the title of its only panel: for a page that has a heading above it."""
    if len(drawing.axes) == 1:
        (axes,) = drawing.axes
        if not axes.get_title(loc="right"):  # else titles are a legend
            axes.set_title("", loc="left")
    return drawing


def finished(drawing: Drawing, path: Path | None) -> Drawing:
    """The drawing, written to `path` where there is one."""
    if path is not None:
        with whole_file(Path(path)) as partial:
            partial.write_bytes(png_of(drawing))
    return drawing


def picture_grid(n: int, columns: int, width: float = 1.0, height: float = 1.15) -> tuple[Drawing, np.ndarray]:
    """A drawing with places for `n` pictures, and its axes (rows * columns,), all of them without frames."""
    columns = min(columns, max(n, 1))
    rows = max(1, -(-n // columns))
    drawing = new_drawing(columns * width, rows * height)
    axes = drawing.subplots(rows, columns, squeeze=False).ravel()
    for place in axes:
        place.axis("off")
    return drawing, axes


def show_picture(axes, image: np.ndarray, title: str = "", **options) -> None:
    """A gray picture (h, w), of uint8 or of floats 0..1, with its title above."""
    white = 255 if image.dtype == np.uint8 else 1
    axes.imshow(image, **({"cmap": "gray", "vmin": 0, "vmax": white} | options))
    axes.set_title(plain(title), fontsize=9, pad=2, loc="center", fontweight="normal")
