"""The stress set: the same digits thinner, thicker, smaller, shifted, blurred, on bad paper, in graded strengths.

Held-out digits in the spirit of MNIST-C (Mu and Gilmer, arXiv:1906.02337). New writers come with other pens and paper;
how fast a model's accuracy falls along these lines foretells more than the score on hands of the same kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..folders import to_float
from . import distortions
from .augmentation import MEASURED_SIDE, in_pixels, sampling_grid

STRESS_SEED = 28
CHUNK_PIXELS = 3_200_000  # of pictures that are changed together


@dataclass(frozen=True)
class Stress:
    """One thing that can happen to a digit.

    Attributes
    ----------
    unit : str
        Of the strengths; a pixel is one of a picture 28 pixels wide.
    strengths : tuple of float
        From harmless to hard.
    apply : callable
        From pictures (n, 1, h, w), floats 0..1, and a strength to such pictures.
    """

    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[torch.Tensor, float], torch.Tensor]


def _each(change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]):
    """A distortion by one amount for all pictures."""
    return lambda images, strength: change(images, torch.full((len(images),), strength))


def _each_px(change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], sign: int = 1):
    """The same for an amount in pixels."""
    return lambda images, px: _each(change)(images, sign * px * in_pixels(images.shape[-1]))


def _moved(images: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    grid = sampling_grid(matrices.expand(len(images), 3, 3), images.shape[-1])
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _scale(images: torch.Tensor, factor: float) -> torch.Tensor:
    return _moved(images, torch.diag(torch.tensor([1 / factor, 1 / factor, 1.0])))


def _signs(images: torch.Tensor) -> torch.Tensor:
    """-1 or 1 for each picture, at random."""
    return torch.randint(0, 2, (len(images),)) * 2.0 - 1


def _shift(images: torch.Tensor, px: float) -> torch.Tensor:
    """By `px` pixels in a direction of each picture's own."""
    angle = torch.rand(len(images)) * 2 * torch.pi
    matrices = torch.eye(3).repeat(len(images), 1, 1)
    matrices[:, 0, 2], matrices[:, 1, 2] = (f(angle) * 2 * px / MEASURED_SIDE for f in (torch.cos, torch.sin))
    return _moved(images, matrices)


def _slant(images: torch.Tensor, degrees: float) -> torch.Tensor:
    matrices = torch.eye(3).repeat(len(images), 1, 1)
    matrices[:, 0, 1] = _signs(images) * np.tan(np.radians(degrees))
    return _moved(images, matrices)


def _turn(images: torch.Tensor, degrees: float) -> torch.Tensor:
    angle, matrices = _signs(images) * np.radians(degrees), torch.eye(3).repeat(len(images), 1, 1)
    matrices[:, 0, 0] = matrices[:, 1, 1] = angle.cos()
    matrices[:, 0, 1], matrices[:, 1, 0] = angle.sin(), -angle.sin()
    return _moved(images, matrices)


STRESSES = {
    "thinner": Stress("px", (0.3, 0.6, 0.9), _each_px(distortions.change_stroke, -1)),
    "thicker": Stress("px", (0.5, 1.0, 1.5), _each_px(distortions.change_stroke)),
    "smaller": Stress("times", (0.85, 0.7, 0.55), _scale),
    "larger": Stress("times", (1.15, 1.3, 1.45), _scale),
    "shifted": Stress("px", (2, 4, 6), _shift),
    "slanted": Stress("degrees", (10, 20, 30), _slant),
    "turned": Stress("degrees", (10, 20, 30), _turn),
    "blurred": Stress("px", (0.6, 1.0, 1.4), _each_px(distortions.blur)),
    "noise": Stress("deviation", (0.1, 0.2, 0.3), _each(distortions.add_noise)),
    "lines": Stress("brightness", (0.3, 0.6, 0.9), _each(distortions.draw_lines)),
}


def stressed(images: np.ndarray) -> Iterator[tuple[str, float, np.ndarray]]:
    """Each stress and strength with the pictures under it; the same pictures give the same stress set.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, h)
        White on black.

    Yields
    ------
    name : str
        Of STRESSES.
    strength : float
    pictures : ndarray of uint8, shape (n, h, h)
    """
    for name, stress in STRESSES.items():
        for number, strength in enumerate(stress.strengths):
            with torch.random.fork_rng():  # whatever the caller draws between two items changes neither
                torch.manual_seed(STRESS_SEED + number)
                changed = _apply(stress, strength, images)
            yield name, strength, changed


def _apply(stress: Stress, strength: float, images: np.ndarray) -> np.ndarray:
    at_once = max(1, CHUNK_PIXELS // images[0].size)
    chunks = (images[start : start + at_once] for start in range(0, len(images), at_once))
    changed = (stress.apply(to_float(torch.from_numpy(np.array(chunk))[:, None]), strength) for chunk in chunks)
    return np.concatenate([part[:, 0].mul(255).round().clamp(0, 255).to(torch.uint8).numpy() for part in changed])
