"""Pens: what a line leaves on paper, as ink from 0 to 1; and printed signs."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

OVERSAMPLING = 2
SPACING = 0.35  # of a pen's width, from one dab of ink to the next
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Bold",
         "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10")  # fmt: skip


@dataclass(frozen=True)
class Pen:
    """What somebody writes with.

    Attributes
    ----------
    width : float
        Of a stroke, of the height of a sign.
    pressure : float
        0..1, how much the width changes along a stroke.
    flat : float
        0..1; a flat nib of angle 45 degrees leaves thinner strokes along it.
    gaps : float
        Share of a stroke that a ball pen leaves out.
    grain : float
        0..1, how much of the paper's grain a pencil leaves white.
    """

    width: float
    pressure: float = 0.0
    flat: float = 0.0
    gaps: float = 0.0
    grain: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Pen":
        kind = rng.choice(["fineliner", "ball pen", "pencil", "felt tip", "marker", "brush", "nib"])
        width = float(np.exp(rng.normal(*{"fineliner": (-3.3, 0.2), "ball pen": (-2.9, 0.25)}.get(kind, (-2.4, 0.25)))))
        match kind:
            case "ball pen":
                return cls(width, pressure=rng.uniform(0, 0.3), gaps=rng.uniform(0, 0.12) * (rng.random() < 0.4))
            case "pencil":
                return cls(width * 0.8, pressure=rng.uniform(0.1, 0.4), grain=rng.uniform(0.2, 0.7))
            case "marker":
                return cls(rng.uniform(0.12, 0.24), pressure=rng.uniform(0, 0.15))
            case "brush":
                return cls(width * 1.4, pressure=rng.uniform(0.2, 0.6))
            case "nib":
                return cls(width, flat=rng.uniform(0.3, 0.8))
        return cls(width, pressure=rng.uniform(0, 0.2))


def ink_of_lines(lines: list[np.ndarray], pen: Pen, height_px: float, rng: np.random.Generator) -> np.ndarray:
    """Ink 0..1 (h, w) of lines whose unit, the height of a sign, is `height_px` pixels; they just fit in."""
    everything = np.vstack(lines)
    width = max(pen.width * height_px, 1.0)
    low = everything.min(0) * height_px - width
    shape = np.ceil(np.ptp(everything, axis=0) * height_px + 2 * width).astype(int) + 1
    canvas = Image.new("L", tuple(int(side) for side in shape * OVERSAMPLING))
    draw = ImageDraw.Draw(canvas)
    for line in lines:
        for (x, y), radius in zip(*_dabs((line * height_px - low) * OVERSAMPLING, pen, width * OVERSAMPLING, rng)):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink = np.asarray(canvas.reduce(OVERSAMPLING), np.float32) / 255
    if pen.grain:
        ink = ink * (1 - pen.grain * rng.random(ink.shape, np.float32) ** 0.7)
    return ink


def _dabs(line: np.ndarray, pen: Pen, width: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places (m, 2) and radii (m,) of the dabs of ink along a line, in pixels."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.arange(0, along[-1] + 1e-6, max(SPACING * width / 2, 0.5))
    places = np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)
    radii = np.full(len(at), width / 2)
    if pen.pressure:
        phase, wave = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 2.5) * np.pi / max(along[-1], 1e-6)
        radii *= 1 + pen.pressure * np.sin(phase + wave * at)
    if pen.flat and len(at) > 1:
        directions = np.gradient(places, axis=0)
        angles = np.arctan2(directions[:, 1], directions[:, 0])
        radii *= 1 - pen.flat * np.abs(np.cos(angles + np.pi / 4))
    if pen.gaps and len(at) > 8:
        kept = rng.random(len(at) // 4 + 1).repeat(4)[: len(at)] > pen.gaps
        places, radii = places[kept], radii[kept]
    return places, radii


def ink_of_text(text: str, height_px: float, rng: np.random.Generator, fonts: tuple[str, ...] = FONTS) -> np.ndarray:
    """Ink 0..1 (h, w) of a printed text, of which a digit is about `height_px` pixels high."""
    font = _font(fonts[rng.integers(len(fonts))], round(height_px / 0.72))
    left, top, right, bottom = font.getbbox(text)
    canvas = Image.new("L", (max(1, right - left) + 2, max(1, bottom - top) + 2))
    ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(canvas, np.float32) / 255


@lru_cache(maxsize=512)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that comes with matplotlib: DejaVu, STIX or Computer Modern, all free to use."""
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)
