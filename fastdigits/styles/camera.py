"""Paper and camera: ink becomes a photo, or what somebody drew on a screen."""

import io

import numpy as np
from PIL import Image, ImageFilter

ON_SCREEN, ON_DARK = 0.25, 0.6  # share of pictures drawn on a screen, and of these that are light on dark

COARSE, COARSE_PX = 0.15, (8, 14)  # share of pictures that are coarse, and how many pixels high the ink is in them


def photograph(ink: np.ndarray, rng: np.random.Generator, coarse: float = COARSE) -> np.ndarray:
    """A picture, uint8 (h, w), that shows ink 0..1 (h, w) somewhere in it, with paper around; a share is coarse."""
    is_coarse = rng.random() < coarse
    if is_coarse:
        ink = _coarse(ink, rng.uniform(*COARSE_PX))
    ink = _with_margins(ink, rng)
    if rng.random() < ON_SCREEN:
        gray = np.rint(ink * 255).astype(np.uint8)
        return gray if rng.random() < ON_DARK else 255 - gray
    return _exposed(ink, rng, may_be_ruled=not is_coarse)


def _coarse(ink: np.ndarray, height_px: float) -> np.ndarray:
    """Ink as a coarse scan has it, a few pixels high."""
    factor = min(1.0, height_px / len(ink))
    shape = (max(2, round(side * factor)) for side in ink.shape[::-1])
    return np.asarray(Image.fromarray(ink).resize(tuple(shape), Image.Resampling.BOX))


def _with_margins(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    around = rng.uniform(0.1, 0.8) * max(ink.shape)
    shares = rng.uniform(0.25, 1, 4)
    top, bottom, left, right = (max(3, int(around * share)) for share in shares)
    if rng.random() < 0.7:  # about square, as one cuts pictures out
        missing = ink.shape[0] + top + bottom - ink.shape[1] - left - right
        before, after = abs(missing) // 2, abs(missing) - abs(missing) // 2
        if missing > 0:
            left, right = left + before, right + after
        else:
            top, bottom = top + before, bottom + after
    return np.pad(ink, ((top, bottom), (left, right)))


def _exposed(ink: np.ndarray, rng: np.random.Generator, may_be_ruled: bool) -> np.ndarray:
    """Ink on paper in some light, through a lens, as a JPEG file has it."""
    height, width = ink.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(ink.shape)
    paper = rng.uniform(150, 250) * np.ones_like(ink)
    if may_be_ruled and rng.random() < 0.25:
        paper -= rng.uniform(8, 45) * _ruling(ink.shape, rng)
    darkness = rng.uniform(0.4, 0.95)
    gray = paper * (1 - darkness * np.maximum(ink, 0))
    gradient = rng.normal(0, 0.18, 2)
    gray *= 1 + (gradient[0] * (x - 0.5) + gradient[1] * (y - 0.5)).clip(-0.5, 0.5)
    if rng.random() < 0.08:
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9)
        edge = (np.cos(angle) * (x - place) + np.sin(angle) * (y - place)) * rng.uniform(5, 40)
        gray *= 1 - rng.uniform(0.05, 0.3) / (1 + np.exp(-edge.clip(-30, 30)))
    gray += rng.normal(0, rng.uniform(0, 7), gray.shape)
    picture = Image.fromarray(np.rint(gray.clip(0, 255)).astype(np.uint8))
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, max(0.4, 0.012 * height))))
    if rng.random() < 0.7:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(30, 95)))
        picture = Image.open(file)
    return np.asarray(picture)


def _ruling(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Lines of ruled or squared paper, 0 or 1 (h, w)."""
    lines = np.zeros(shape, np.float32)
    step, thick = int(rng.uniform(0.12, 0.5) * max(shape)) + 4, max(1, int(0.008 * max(shape)))
    first = int(rng.integers(step))
    for k in range(thick):
        lines[first + k :: step] = 1
        if step % 2:  # as good as a coin
            lines[:, first + k :: step] = 1
    return lines
