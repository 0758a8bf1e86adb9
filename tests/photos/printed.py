"""Printed digits on paper, as several rooms' tests read them."""

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

PRINT = font_manager.findfont("DejaVu Sans")
LINES = [["2035", "471"], ["68", "902", "3"], ["1144"]]


def printed_character(text: str, size: int = 200, place=(120, 60), paper=235, ink=40, shape=(420, 380)) -> np.ndarray:
    """A printed character on a sheet."""
    sheet = Image.new("L", shape, paper)
    ImageDraw.Draw(sheet).text(place, text, font=ImageFont.truetype(PRINT, size), fill=ink)
    return np.asarray(sheet)


def printed_sheet(lines=LINES, size=60, paper=225, ink=30) -> np.ndarray:
    """Lines of printed numbers with wide gaps."""
    sheet = Image.new("L", (13 * size, int(2 * size * len(lines) + size)), paper)
    font = ImageFont.truetype(PRINT, size)
    for number, line in enumerate(lines):
        x = size
        for text in line:
            for letter in text:
                ImageDraw.Draw(sheet).text((x, size // 2 + 2 * size * number), letter, font=font, fill=ink)
                x += int(0.72 * size)
            x += int(1.2 * size)
    return np.asarray(sheet)


def ruled(gray: np.ndarray) -> np.ndarray:
    lined = gray.copy()
    lined[::47] = np.minimum(lined[::47], 140)
    return lined


def shaded(gray: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[-1 : 1 : gray.shape[0] * 1j, -1 : 1 : gray.shape[1] * 1j]
    return (gray * (0.75 + 0.15 * rows + 0.1 * columns)).clip(0, 255).astype(np.uint8)


def grainy(gray: np.ndarray) -> np.ndarray:
    return (gray + np.random.default_rng(0).normal(0, 6, gray.shape)).clip(0, 255).astype(np.uint8)
