"""What happens to digits on paper, by given amounts: stroke width, blur, noise, grid lines, bent paper.

Pictures are floats (n, 1, h, w) in 0..1, ink bright on black. Amounts are tensors (n,), one for each picture.
Augmentation draws them at random; the stress set takes graded ones, as MNIST-C does (Mu and Gilmer, arXiv:1906.02337).
"""

import torch
import torch.nn.functional as F

BEND_POINTS = 7  # across a bent picture, that move by themselves
INK_LEVELS = 3  # an eroded stroke may be brightened by this factor at most, so that noise does not become ink


def change_stroke(images: torch.Tensor, px: torch.Tensor) -> torch.Tensor:
    """Strokes wider by `px` pixels on either side, thinner where it is negative.

    Gray dilation and erosion (a 3x3 maximum and minimum), in parts of a pixel by mixing. A stroke of which erosion
    leaves only a shade gets its brightness back, as a thin pen writes as black as a thick one.
    """
    amount = px.abs()[:, None, None, None]
    sign = torch.where(px < 0, -1.0, 1.0)[:, None, None, None]
    changed = images * sign  # erosion is the dilation of the negative
    while (amount > 0).any():
        changed = torch.lerp(changed, F.max_pool2d(changed, 3, 1, 1), amount.clamp(0, 1))
        amount = amount - 1
    changed = changed * sign
    brightest, left = (x.amax((1, 2, 3), keepdim=True) for x in (images, changed))
    return changed * (brightest / left.clamp(min=1e-3)).clamp(1, INK_LEVELS)


def blur(images: torch.Tensor, px: torch.Tensor) -> torch.Tensor:
    """Blurred by a Gaussian of the deviation `px` pixels: repeated binomial kernels of deviation 1/sqrt(2)."""
    row = torch.tensor([0.25, 0.5, 0.25], device=images.device)
    kernel = (row[:, None] * row)[None, None]
    variance = (px**2)[:, None, None, None]
    while (variance > 0).any():
        part = (variance / 0.5).clamp(0, 1)  # variances of kernels add up
        images = torch.lerp(images, F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernel), part)
        variance = variance - 0.5
    return images


def add_noise(images: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """Grain of the given deviation over a shade of paper of half that deviation, which changes slowly."""
    n, _, height, width = images.shape
    grain = torch.randn(images.shape, device=images.device)
    shade = torch.randn(n, 1, 3, 3, device=images.device)
    shade = F.interpolate(shade, (height, width), mode="bilinear", align_corners=True)
    return (images + deviation[:, None, None, None] * (grain + shade / 2)).clamp(0, 1)


def draw_lines(images: torch.Tensor, brightness: torch.Tensor) -> torch.Tensor:
    """Two lines of a grid, one across and one down, a pixel wide at random places, of the given brightness 0..1."""
    n, _, height, width = images.shape
    row, column = (torch.rand(n, 1, 1, 1, device=images.device) * side for side in (height, width))
    rows = torch.arange(height, device=images.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=images.device).view(1, 1, 1, -1)
    across, down = (1 - (rows - row).abs()).clamp(min=0), (1 - (columns - column).abs()).clamp(min=0)
    return torch.maximum(images, torch.maximum(across, down) * brightness[:, None, None, None])


def bend(grid: torch.Tensor, px: torch.Tensor) -> torch.Tensor:
    """A sampling grid (n, h, w, 2) in coordinates -1..1 whose points move smoothly, by `px` pixels on average.

    The elastic distortion of Simard, Steinkraus and Platt (2003): random shifts of the points of a coarse grid, and
    between them a cubic surface instead of a Gaussian filter, which takes a tenth of the time.
    """
    n, height, width, _ = grid.shape
    points = torch.randn(n, 2, BEND_POINTS, BEND_POINTS, device=grid.device)
    moves = F.interpolate(points, (height, width), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    side = torch.tensor([2 / width, 2 / height], device=grid.device)
    return grid + moves * side * px[:, None, None, None]
