"""Pictures of digits: any with titles, one with its values, nearest neighbours, heat maps over them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .canvas import Drawing, finished, in_style, new_drawing, picture_grid, plain, show_picture
from .tokens import LIGHT

LARGEST_ANNOTATED_PX = 40


@in_style
def draw_pictures(
    images: Sequence[np.ndarray], titles: list[str], path: Path | None = None, columns: int = 8
) -> Drawing:
    """Digits with a title above each.

    Parameters
    ----------
    images : sequence of ndarray (h, w), length n
        uint8, or floats 0..1.
    titles : list of str, length n
        Lines are parted by a newline.
    path : Path, optional
        A PNG file to write.
    columns : int
    """
    lines = max((title.count("\n") + 1 for title in titles), default=1)
    drawing, places = picture_grid(len(images), columns, width=1.15, height=1.1 + 0.17 * lines)
    for axes, image, title in zip(places, images, titles):
        show_picture(axes, image, title)
    return finished(drawing, path)


@in_style
def draw_values(image: np.ndarray, title: str = "", path: Path | None = None) -> Drawing:
    """A digit as a heat map with the value of each pixel written on it, but for black ones.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w)
        Above 40 px the numbers are left out.
    title : str
    path : Path, optional
        A PNG file to write.
    """
    height, width = image.shape
    drawing = new_drawing(0.3 * width if width <= LARGEST_ANNOTATED_PX else 8, 0.3 * min(height, LARGEST_ANNOTATED_PX))
    axes = drawing.subplots()
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set_title(plain(title))
    axes.grid(False)
    if max(height, width) <= LARGEST_ANNOTATED_PX:
        for (row, column), value in np.ndenumerate(image):
            if value:
                colour = "k" if value > 127 else "w"
                axes.annotate(int(value), (column, row), ha="center", va="center", fontsize=9, color=colour)
    axes.set_xticks([])
    axes.set_yticks([])
    return finished(drawing, path)


@in_style
def draw_neighbours(
    images: np.ndarray,
    titles: list[str],
    neighbours: np.ndarray,
    neighbour_titles: list[list[str]],
    path: Path | None = None,
) -> Drawing:
    """A row for each picture: itself, then the training digits that the network finds most alike.

    Parameters
    ----------
    images : ndarray, shape (n, h, w)
    titles : list of str, length n
    neighbours : ndarray, shape (n, k, h, w)
    neighbour_titles : list of list of str, (n, k)
    path : Path, optional
        A PNG file to write.
    """
    n, k = neighbours.shape[:2]
    drawing, places = picture_grid(n * (1 + k), 1 + k, height=1.2)
    for row in range(n):
        show_picture(places[row * (1 + k)], images[row], titles[row])
        places[row * (1 + k)].title.set_fontweight("bold")
        for column in range(k):
            place = places[row * (1 + k) + 1 + column]
            show_picture(place, neighbours[row, column], neighbour_titles[row][column])
    return finished(drawing, path)


@in_style
def draw_heat(images: np.ndarray, heat: np.ndarray, titles: list[str], path: Path | None = None) -> Drawing:
    """Digits, and below each where the network looked (Grad-CAM).

    Parameters
    ----------
    images : ndarray, shape (n, h, w)
    heat : ndarray of float, shape (n, h, w), 0..1
    titles : list of str, length n
    path : Path, optional
        A PNG file to write.
    """
    n = len(images)
    drawing, places = picture_grid(2 * n, n)
    for k in range(n):
        show_picture(places[k], images[k], titles[k])
        show_picture(places[n + k], images[k])
        places[n + k].imshow(heat[k], cmap="inferno", vmin=0, vmax=1, alpha=0.6)
    return finished(drawing, path)


def draw_reading(
    gray: np.ndarray,
    found: list[tuple[dict[str, int], str, bool]],
    path: Path | None = None,
    left_out: Sequence[dict[str, int]] = (),
):
    """A sheet with a box around each digit and its label above; those of doubtful ones are thick, in doubt's colour.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
    found : list of (box, label, doubtful)
        Boxes as left, top, right, bottom, in pixels.
    path : Path, optional
        A PNG file to write.
    left_out : sequence of box
        What is no digit, which gets a gray box.

    Returns
    -------
    PIL.Image.Image
    """
    from PIL import Image, ImageDraw, ImageFont

    from ..system import whole_file

    sheet = Image.fromarray(gray).convert("RGB")
    pen = ImageDraw.Draw(sheet)
    for box in left_out:
        pen.rectangle(tuple(box.values()), outline=(140, 140, 140))
    for box, label, doubtful in found:
        colour = LIGHT["doubt"] if doubtful else LIGHT["accent"]
        size = max(11, (box["bottom"] - box["top"]) * 2 // 5)
        pen.rectangle(tuple(box.values()), outline=colour, width=max(1, size // 8) * (2 if doubtful else 1))
        place, font = (box["left"] + size // 6, box["top"]), ImageFont.load_default(size)
        _, top, right, bottom = pen.textbbox(place, label, font=font, anchor="ls")
        pen.rectangle((box["left"], top - size // 6, right + size // 6, bottom), fill=colour)
        pen.text(place, label, fill=LIGHT["paper"], font=font, anchor="ls")
    if path is not None:
        with whole_file(Path(path)) as partial:
            sheet.save(partial, format="PNG")
    return sheet
