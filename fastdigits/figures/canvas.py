"""What every figure is drawn on: outside pyplot, written whole, shown by itself in a notebook."""

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..system import whole_file

DPI = 110


class Drawing(Figure):
    """A matplotlib figure without a window or global state, which a notebook shows as the last value of a cell."""

    def _repr_png_(self) -> bytes:
        return png_of(self)


def new_drawing(width: float, height: float) -> Drawing:
    """An empty drawing of so many inches."""
    return Drawing(figsize=(width, height), layout="constrained")


def png_of(drawing: Figure) -> bytes:
    """The drawing as a PNG file."""
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
    return buffer.getvalue()


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
    axes.set_title(title, fontsize=9, pad=2)
