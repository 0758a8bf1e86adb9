"""Digit-safe augmentation: one grid and one sample a batch. No mirror, ever: a mirrored 2 is not a digit."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from fastai.vision.augment import PadMode

from ..system import InputError
from . import distortions

# degrees of turn and of slant, magnification
TEST_VIEWS = ((8, 0, 1), (-8, 0, 1), (0, 10, 1), (0, -10, 1), (0, 0, 0.88), (0, 0, 1.12))
MEASURED_SIDE = 28  # of the pictures in whose pixels strokes are measured
BLACK = 1e-7  # light is changed on the logit, which black and white do not have


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
    elastic_px : float
        0..elastic_px pixels by which points are moved, smoothly. These and the pixels below are of a picture 28 pixels
        wide; others are changed in proportion.
    stroke_px : (float, float)
        Pixels by which strokes become wider on either side; negative: thinner.
    blur_px : float
        0..blur_px pixels of blur.
    noise : float
        0..noise, deviation of the paper's grain.
    lines : float
        0..lines, brightness of the lines of a grid.
    p : float
        Share of the pictures that each kind of transform changes.
    p_paper : float
        As `p`, of blur, noise and lines.
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
    elastic_px: float = 0.0
    stroke_px: tuple[float, float] = (0.0, 0.0)
    blur_px: float = 0.0
    noise: float = 0.0
    lines: float = 0.0
    p: float = 1.0
    p_paper: float = 1.0
    fill: str = PadMode.Zeros


NO_AUGMENTATION = Policy()
_KERAS = {"fill": PadMode.Border}  # Keras repeats the nearest pixel

POLICIES = {
    "none": NO_AUGMENTATION,
    "light": Policy(rotate_deg=10, zoom=(0.9, 1.1), shift=0.08, shear_deg=5, warp=0.05),
    "medium": Policy(
        rotate_deg=15,
        window=(0.8, 1.25),
        shift=0.08,
        shear_deg=12,
        warp=0.05,
        light=0.2,
        elastic_px=1.0,
        stroke_px=(-0.7, 0.8),
        blur_px=0.8,
        noise=0.25,
        lines=0.8,
        p_paper=0.1,
    ),
    "strong": Policy(
        rotate_deg=18,
        window=(0.7, 1.45),
        shift=0.12,
        shear_deg=18,
        warp=0.1,
        light=0.2,
        elastic_px=1.3,
        stroke_px=(-0.8, 1.2),
        blur_px=0.8,
        noise=0.25,
        lines=0.8,
        p_paper=0.25,
    ),
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


def random_view(
    images: torch.Tensor, policy: Policy, size: int, ground: Literal["dark", "light"] = "dark"
) -> torch.Tensor:
    """Each picture from a view drawn from `policy`, in its light: float (n, c, size, size) in 0..1.

    Smaller pictures are brought to `size` by the same sample; larger ones keep theirs, since shrinking needs smoothing.
    What lies outside is paper, so that the `ground` of the pictures must be known, dark or light.
    """
    if ground == "light":
        return 1 - random_view(1 - images, policy, size)
    matrices = perspective_matrices(images, policy) @ affine_matrices(images, policy)
    grid = sampling_grid(matrices, max(size, *images.shape[-2:]))
    if policy.elastic_px:
        grid = distortions.bend(grid, *draw(images, policy, (0.0, policy.elastic_px * in_pixels(grid.shape[1]), 0.0)))
    images = F.grid_sample(images, grid, mode="bilinear", padding_mode=policy.fill, align_corners=False)
    return change_paper(change_ink(images, policy), policy)


def change_ink(images: torch.Tensor, policy: Policy) -> torch.Tensor:
    """Pictures in strokes of a width, and in a light, drawn from `policy`."""
    if any(policy.stroke_px):
        thinner, wider = (px * in_pixels(images.shape[-1]) for px in policy.stroke_px)
        images = distortions.change_stroke(images, *draw(images, policy, (thinner, wider, 0.0)))
    return change_light(images, policy) if policy.light else images


def change_paper(images: torch.Tensor, policy: Policy) -> torch.Tensor:
    """Some of the pictures on ruled or noisy paper, or out of focus."""
    paper = replace(policy, p=policy.p_paper)
    for strength, change in (
        (policy.lines, distortions.draw_lines),
        (policy.blur_px * in_pixels(images.shape[-1]), distortions.blur),
        (policy.noise, distortions.add_noise),
    ):
        if strength:
            images = change(images, *draw(images, paper, (0.0, strength, 0.0)))
    return images


def averaged_views(images: torch.Tensor) -> list[torch.Tensor]:
    """Pictures (n, 1, h, w), floats 0..1, as they are, and somewhat turned, slanted, smaller and larger.

    For test-time augmentation: each view has the size of the pictures, and all show the same digits.
    """
    views = [images]
    for turn_deg, slant_deg, zoom in TEST_VIEWS:
        angle, slant = math.radians(turn_deg), math.tan(math.radians(slant_deg))
        turned = torch.tensor(
            [[math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
        )
        form = torch.tensor([[1 / zoom, slant, 0], [0, 1 / zoom, 0], [0, 0, 1]])
        grid = sampling_grid((turned @ form).to(images.device).expand(len(images), 3, 3), images.shape[-1])
        views.append(F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    return views


def in_pixels(side: int) -> float:
    """Pixels of a picture of `side` pixels that one pixel of a picture of 28 stands for."""
    return side / MEASURED_SIDE


def draw(x: torch.Tensor, policy: Policy, *ranges: tuple[float, float, float]) -> torch.Tensor:
    """For each range (low, high, neutral) one number a picture of `x` (n, ...), neutral if it stays: (ranges, n)."""
    low, high, neutral = torch.tensor(ranges, device=x.device)[:, :, None].unbind(1)
    drawn = torch.rand(len(ranges), len(x), device=x.device) * (high - low) + low
    return drawn if policy.p == 1 else torch.where(torch.rand_like(drawn) < policy.p, drawn, neutral)


def affine_matrices(x: torch.Tensor, policy: Policy) -> torch.Tensor:
    """One random matrix for each picture of the batch `x` (n, c, h, w): from output to input coordinates -1..1.

    Returns
    -------
    Tensor, shape (n, 3, 3)
        Rotation, slant, magnification and shift; the determinant is positive, so nothing is mirrored.
    """
    turn, lean, reach = math.radians(policy.rotate_deg), math.radians(policy.shear_deg), 2 * policy.shift
    zoom, window = (*policy.zoom, 1.0), (*policy.window, 1.0)
    shift = (-reach, reach, 0.0)
    drawn = draw(x, policy, (-turn, turn, 0.0), (-lean, lean, 0.0), zoom, window, window, shift, shift)
    angle, slant, magnification, width, height, shift_x, shift_y = drawn
    if policy.zoom_centre:
        anywhere, unseen = (-1.0, 1.0, 0.0), 1 - 1 / magnification
        centre_x, centre_y = draw(x, replace(policy, p=1), anywhere, anywhere)
        shift_x, shift_y = shift_x + unseen * centre_x, shift_y + unseen * centre_y
    zero, one, sin = torch.zeros_like(angle), torch.ones_like(angle), angle.sin()
    rotation = _matrices(angle.cos(), sin, zero, -sin, angle.cos(), zero, zero, zero, one)
    form = _matrices(
        width / magnification, slant.tan(), shift_x, zero, height / magnification, shift_y, zero, zero, one
    )
    return rotation @ form


def perspective_matrices(x: torch.Tensor, policy: Policy) -> torch.Tensor:
    """One random perspective for each picture of the batch `x`, in homogeneous coordinates: shape (n, 3, 3)."""
    tilt = (-policy.warp, policy.warp, 0.0)
    return perspective(*draw(x, policy, tilt, tilt))


def perspective(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The matrices (n, 3, 3) that bring corners moved by the tilts `a` and `b` (n,) back to the square -1..1.

    fastai's `Warp` moves corners in this way and solves eight equations for each picture. For its corners, (x, y) at
    (x, y) - x y (b, a), the solution is the symmetric matrix below; a test compares the two.
    """
    q, ab = 1 - a * a - b * b, 2 * a * b
    u, v = -a * (1 + b * b - a * a), -b * (1 + a * a - b * b)
    return _matrices(q, ab, u, ab, q, v, u, v, q)


def _matrices(*entries: torch.Tensor) -> torch.Tensor:
    """Nine entries (n,) each, row by row, as matrices (n, 3, 3)."""
    return torch.stack(entries, 1).view(-1, 3, 3)


def sampling_grid(matrices: torch.Tensor, size: int) -> torch.Tensor:
    """Where each output pixel is sampled, in coordinates -1..1 with pixel centres inside: (n, size, size, 2)."""
    centres = (torch.arange(size, device=matrices.device) * 2 + 1) / size - 1
    # matrix @ (x, y, 1) as a sum of what depends on the column and on the row: six times faster than the product
    by_column = matrices[:, :, 0, None] * centres  # (n, 3, size)
    by_row = matrices[:, :, 1, None] * centres + matrices[:, :, 2, None]
    points = by_row[:, :, :, None] + by_column[:, :, None, :]  # (n, 3, size, size)
    return (points[:, :2] / points[:, 2:]).permute(0, 2, 3, 1)


def change_light(images: torch.Tensor, policy: Policy) -> torch.Tensor:
    """Brightness and contrast of float pictures (n, c, h, w) in 0..1, on the logit scale as fastai changes them."""
    weak, strong = 1 - policy.light, 1 + policy.light
    ranges = (0.5 * weak, 0.5 * strong, 0.5), (math.log(weak), -math.log(weak), 0.0)
    brightness, contrast = draw(images, policy, *ranges)[:, :, None, None, None]
    return ((images.logit(BLACK) + brightness.logit()) * contrast.exp()).sigmoid()
