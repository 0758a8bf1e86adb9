"""What a model sees: gray levels as floats, resized, normalised; one way in training, prediction and exports."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..photos import read_gray
from .decoded import decoded_split
from .layout import ImageFolder


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """Bilinear resize of float pictures to (..., c, size, size).

    Parameters
    ----------
    images : Tensor of float, shape (n, c, h, w) or (c, h, w)
    size : int
        Pixels. Pictures larger than that are smoothed while they shrink (antialias).
    """
    if images.shape[-2:] == (size, size):
        return images
    batch = images if images.ndim == 4 else images[None]
    shrinks = max(images.shape[-2:]) > size
    resized = F.interpolate(batch, (size, size), mode="bilinear", align_corners=False, antialias=shrinks)
    return resized if images.ndim == 4 else resized[0]


def to_float(images: torch.Tensor) -> torch.Tensor:
    """Gray levels 0..255 as floats 0..1; floats as they are."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def model_input(images: torch.Tensor, size: int, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """Gray pictures (n, 1, h, w) as a model sees them.

    Parameters
    ----------
    images : Tensor of uint8 0..255, or of float 0..1
    size : int
        Pixels.
    mean, std : Tensor, shape (1, channels, 1, 1)
        On the scale 0..1; three values make three channels of one.

    Returns
    -------
    Tensor of float, shape (n, channels, size, size)
    """
    return (resize(to_float(images), size) - mean) / std


def same_size(files: list[Path], size: int, normalise: bool = False) -> np.ndarray:
    """Picture files of any sizes as gray levels, uint8 (n, size, size)."""
    grays = [to_float(torch.from_numpy(read_gray(file, normalise).copy())[None]) for file in files]
    pictures = torch.cat([resize(gray, size) for gray in grays])
    return pictures.mul(255).round().clamp(0, 255).to(torch.uint8).numpy()


def split_images(folder: ImageFolder, split: str, size: int, rows: np.ndarray | None = None) -> np.ndarray:
    """Pictures of a split (or its `rows`) as uint8 (n, h, w); those of mixed sizes at `size` pixels."""
    rows = np.arange(len(folder.split(split))) if rows is None else rows
    decoded = decoded_split(folder, split)
    if decoded:
        return np.asarray(decoded.images[rows])
    files = folder.split(split).files
    return same_size([files[row] for row in rows], size, folder.normalise)
