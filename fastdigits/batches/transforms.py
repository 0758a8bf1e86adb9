"""Pictures as fastai has them: their tensor types, and the transforms that run on items and on batches."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from fastai.torch_core import TensorImage
from fastai.vision.augment import DisplayedTransform
from PIL import Image

from ..folders import model_input, resize, to_float
from ..photos import read_gray
from .augmentation import NO_AUGMENTATION, Policy, random_view


class GrayImage(TensorImage):
    """A picture of one channel, which fastai shows white on black as it is."""

    _show_args = {"cmap": "gray"}  # noqa: RUF012 (fastai's own way)


class Ready(TensorImage):
    """Pictures that ModelInput has seen already."""


def read_picture(item: Path | str | np.ndarray | Image.Image) -> GrayImage:
    """A picture file, PIL picture or gray array (h, w) as uint8 gray levels, (1, h, w)."""
    if isinstance(item, (str, Path)):
        gray = read_gray(Path(item))
    else:
        gray = np.asarray(item.convert("L") if isinstance(item, Image.Image) else item, np.uint8)
    return GrayImage(torch.from_numpy(gray.copy())[None])


class Resized(DisplayedTransform):
    """Float pictures of `size` x `size` pixels, for pictures of mixed sizes one by one."""

    order = 15

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def encodes(self, x: TensorImage):
        return resize(to_float(x), self.size)


class ModelInput(DisplayedTransform):
    """What the model sees: floats, for training batches a random view, resized, normalised.

    One transform instead of fastai's four, since dispatching each of them takes as long as what they do.

    Parameters
    ----------
    size : int
    mean, std : list of float, one for each channel of the model
    policy : Policy
        Of training batches.
    ground : 'dark' or 'light'
        Of the pictures.
    """

    order = 99

    def __init__(
        self,
        size: int,
        mean: list[float],
        std: list[float],
        policy: Policy = NO_AUGMENTATION,
        ground: Literal["dark", "light"] = "dark",
    ):
        super().__init__()
        self.size, self.policy, self.ground, self.is_train = size, policy, ground, False
        self.mean, self.std = (torch.tensor(values).view(1, -1, 1, 1) for values in (mean, std))

    def to(self, device: torch.device) -> None:
        """Move with the loader, as fastai asks its transforms to."""
        self.mean, self.std = self.mean.to(device), self.std.to(device)

    def __call__(self, b, split_idx=None, **kwargs):
        self.is_train = split_idx == 0
        return super().__call__(b, split_idx=split_idx, **kwargs)

    # fastai dispatches by type, and `-> None` tells it to leave the type of what comes back
    def encodes(self, x: Ready) -> None:
        return x.as_subclass(TensorImage)

    def encodes(self, x: TensorImage) -> None:  # noqa: F811
        images = x.as_subclass(torch.Tensor)  # fastai's subclass costs time with every operation
        if self.is_train and self.policy != NO_AUGMENTATION:
            images = random_view(to_float(images), self.policy, self.size, self.ground)
        return TensorImage(model_input(images, self.size, self.mean.to(x.device), self.std.to(x.device)))

    def decodes(self, x: TensorImage):
        images = x * self.std.to(x.device) + self.mean.to(x.device)
        return GrayImage(images.mean(1, keepdim=True).clamp(0, 1))
