"""Picture files: which there are in a folder, and their gray levels."""

import os
from pathlib import Path

import numpy as np

from ..system import InputError
from .digit import normalised

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
TURNED_FORMATS = ("JPEG", "MPO", "TIFF", "WEBP")  # which cameras write
WHITE, DEEPEST = 255, 65_535
DEEP_MODES = ("I", "F")  # Pillow's for pictures of more than 256 levels


def list_pictures(path: Path) -> list[Path]:
    """Picture files directly in the folder `path`, numbers in their order, then names."""
    if not path.is_dir():
        return []
    return sorted(filter(is_picture, path.iterdir()), key=lambda file: natural_order(file.stem))


def is_picture(file: Path) -> bool:
    """Whether a file is a picture by its name; those of a leading dot are what macOS puts beside pictures."""
    return file.suffix.lower() in PICTURE_ENDINGS and not file.name.startswith(".")


def picture_id(file: Path) -> str:
    """The file's name without its ending; bytes that are not UTF-8 are spelled out, so that text files take it."""
    return os.fsencode(file.stem).decode("utf-8", "backslashreplace")


def natural_order(label: str) -> tuple:
    """Sort key: whole numbers by value, then texts."""
    return (0, int(label), label) if label.isdecimal() else (1, 0, label)


def damaged_picture(file: Path) -> InputError:
    return InputError(f"{file} is no readable picture; replace or remove it")


def read_gray(file: Path, normalise: bool = False) -> np.ndarray:
    """The picture as gray levels, uint8 (h, w), upright, and `normalised` (see `photos`) if wished.

    Raises
    ------
    InputError
        When there is none, or it is damaged.
    """
    from PIL import Image

    try:
        with Image.open(file) as picture:
            gray = gray_levels(picture)
    except FileNotFoundError:
        raise InputError(f"{file} does not exist; pass a picture, a folder or a table") from None
    except Exception:  # of which Pillow has many kinds for damage
        raise damaged_picture(file) from None
    return normalised(gray) if normalise else gray


def gray_levels(picture: "PIL.Image.Image") -> np.ndarray:  # noqa: F821 (Pillow is loaded only where it is used)
    """A PIL picture as gray levels, uint8 (h, w): turned as its camera was held, what is transparent being paper."""
    from PIL import Image, ImageOps

    if picture.format in TURNED_FORMATS:
        picture = ImageOps.exif_transpose(picture)
    if picture.mode in DEEP_MODES or picture.mode.startswith("I;16"):  # which Pillow would cut off at 255
        levels = np.asarray(picture, np.float64)
        largest = DEEPEST if levels.max(initial=0) > WHITE else WHITE
        return np.rint(levels.clip(0, largest) * (WHITE / largest)).astype(np.uint8)
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    gray, alpha = picture.convert("LA").split()
    visible = np.asarray(gray)[np.asarray(alpha) > 127]
    paper = WHITE if visible.size and visible.mean() <= WHITE / 2 else 0  # dark ink lies on white paper
    return np.asarray(Image.composite(gray, Image.new("L", gray.size, paper), alpha))
