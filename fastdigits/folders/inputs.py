"""What a model sees: gray levels as floats, resized, normalised; one way in training, prediction and exports."""

import torch
import torch.nn.functional as F


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """Pictures of an image folder at the size that a network wants: floats (..., c, size, size), bilinear.

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
    """Gray levels 0..255 of decoded pictures as floats 0..1; floats as they are."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def model_input(images: torch.Tensor, size: int, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """Pictures of an image folder, gray (n, 1, h, w), as a model sees them.

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
