"""Digit-safe augmentation as one grid for a whole batch. No mirror, ever: a mirrored 2 is not a digit."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from fastai.vision.augment import AffineCoordTfm, Brightness, Contrast, PadMode, Warp, affine_mat

from .errors import InputError


@dataclass(frozen=True)
class Policy:
    """Ranges from which each picture's transform is drawn, uniformly.

    Attributes
    ----------
    rotate_deg : float
        -rotate_deg..rotate_deg degrees.
    zoom : (float, float)
        Smallest and largest magnification of the digit.
    zoom_centre : bool
        Draw the point that the magnification keeps in place, as fastai does; else it is the picture's centre.
    window : (float, float)
        Share of the picture's width, and by itself of its height, that is brought to the full picture: Keras's
        zoom, where 0.4 means 0.6..1.4.
    shift : float
        -shift..shift of the picture's width and height.
    shear_deg : float
        -shear_deg..shear_deg degrees of slant.
    warp : float
        Perspective: how far a corner moves, as a share of half the width.
    light : float
        0..1, change of brightness and contrast as fastai's `max_lighting`.
    p : float
        Share of the pictures that each kind of transform changes.
    fill : str
        What lies outside the picture: zeros, border or reflection.
    """

    rotate_deg: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    zoom_centre: bool = False
    window: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    shear_deg: float = 0.0
    warp: float = 0.0
    light: float = 0.0
    p: float = 1.0
    fill: str = PadMode.Zeros


NO_AUGMENTATION = Policy()
_KERAS = {"fill": PadMode.Border}  # Keras repeats the nearest pixel

POLICIES = {
    "none": NO_AUGMENTATION,
    "light": Policy(rotate_deg=10, zoom=(0.9, 1.1), shift=0.08, shear_deg=5, warp=0.05),
    "strong": Policy(rotate_deg=15, window=(0.8, 1.25), shift=0.12, shear_deg=10, warp=0.1, light=0.2),
    "conv5-bn": Policy(rotate_deg=10, window=(0.9, 1.1), shift=0.1, **_KERAS),
    "conv5x5": Policy(rotate_deg=10, window=(0.9, 1.1), shift=0.1, **_KERAS),
    "conv8-leaky": Policy(rotate_deg=10, window=(0.6, 1.4), shift=0.25, shear_deg=0.1, **_KERAS),
    # fastai's aug_transforms(max_rotate=15, max_zoom=1.15, max_warp=.05, max_lighting=.1) without its mirror
    "resnet50-kannada": Policy(
        rotate_deg=15, zoom=(1, 1.15), zoom_centre=True, warp=0.05, light=0.1, p=0.75, fill=PadMode.Reflection
    ),
}


def find_policy(name: str) -> Policy:
    """The policy called `name`; InputError when there is none."""
    if name not in POLICIES:
        raise InputError(f"--augment {name!r} is unknown; accepted are {', '.join(POLICIES)}")
    return POLICIES[name]


class TrainingGrid(AffineCoordTfm):
    """fastai's grid for training batches only; its own also resamples validation batches, which changes last bits."""

    def __call__(self, b, split_idx=None, **kwargs):
        return b if split_idx else super().__call__(b, split_idx=split_idx, **kwargs)


def digit_augmentation(policy: Policy) -> list:
    """fastai batch transforms that draw from `policy` for training batches and leave validation batches alone."""
    transforms = []
    if policy != NO_AUGMENTATION:
        warp = Warp(policy.warp, p=policy.p).coord_fs if policy.warp else None
        matrices = partial(affine_matrices, policy=policy)
        transforms.append(TrainingGrid(aff_fs=matrices, coord_fs=warp, pad_mode=policy.fill, align_corners=False))
    if policy.light:
        change = {"max_lighting": policy.light, "p": policy.p}
        transforms += [Brightness(**change), Contrast(**change)]
    return transforms


def affine_matrices(x: torch.Tensor, policy: Policy) -> torch.Tensor:
    """One random matrix for each picture of the batch `x` (n, c, h, w): from output to input coordinates -1..1.

    Returns
    -------
    Tensor, shape (n, 3, 3)
        Rotation, slant, magnification and shift; the determinant is positive, so nothing is mirrored.
    """
    n = len(x)

    def draw(low: float, high: float, neutral: float) -> torch.Tensor:
        drawn = torch.empty(n, device=x.device).uniform_(low, high)
        return torch.where(torch.rand(n, device=x.device) < policy.p, drawn, neutral)

    def draw_both_ways(reach: float) -> torch.Tensor:
        return draw(-reach, reach, 0.0)

    angle = draw_both_ways(policy.rotate_deg * math.pi / 180)
    slant = draw_both_ways(policy.shear_deg * math.pi / 180).tan()
    shown = 1 / draw(*policy.zoom, 1.0)
    width, height = (shown * draw(*policy.window, 1.0) for _ in range(2))
    shift_x, shift_y = (draw_both_ways(2 * policy.shift) for _ in range(2))
    if policy.zoom_centre:
        shift_x, shift_y = (shift + (1 - shown) * draw_both_ways(1.0) for shift in (shift_x, shift_y))
    zero = torch.zeros_like(angle)
    rotation = affine_mat(angle.cos(), angle.sin(), zero, -angle.sin(), angle.cos(), zero)
    shape = affine_mat(width, slant, shift_x, zero, height, shift_y)
    return rotation @ shape
