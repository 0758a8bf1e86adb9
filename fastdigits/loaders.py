"""Image folder -> fastai DataLoaders: a DataBlock whose resize, augmentation and normalisation run on the batch."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import IndexSplitter, IntToFloatTensor, Normalize, parent_label
from fastai.torch_core import TensorImage
from fastai.vision.augment import DisplayedTransform
from PIL import Image

from .augmentation import NO_AUGMENTATION, Policy, digit_augmentation
from .folders import TRAIN, VALID, ImageFolder, check_trainable, read_gray


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """Bilinear resize of float pictures to (..., c, size, size): the one resize of training, prediction and exports.

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


def read_picture(item: Path | str | np.ndarray | Image.Image) -> TensorImage:
    """A picture file, PIL picture or gray array (h, w) as uint8 gray levels on three channels, (3, h, w)."""
    if isinstance(item, (str, Path)):
        gray = read_gray(Path(item))
    else:
        gray = np.asarray(item.convert("L") if isinstance(item, Image.Image) else item, np.uint8)
    return TensorImage(torch.from_numpy(gray.copy()).expand(3, -1, -1))


class Resize(DisplayedTransform):
    """Resize float pictures to `size` x `size` pixels."""

    order = 15  # after IntToFloatTensor, before augmentation

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def encodes(self, x: TensorImage):
        return resize(x, self.size)


def digit_block(
    classes: list[str], size: int, mean: list[float], std: list[float], policy: Policy, equal_sizes: bool, splitter
) -> DataBlock:
    """The DataBlock of digit pictures: items are picture files, labels their folders' names.

    Parameters
    ----------
    classes : list of str
        In the order of the model's outputs.
    size : int
        Pixels; what the model sees.
    mean, std : list of float, length 3
        Normalisation on the scale 0..1.
    policy : Policy
        Augmentation of training batches.
    equal_sizes : bool
        Pictures of one size are resized as a batch, others one by one.
    splitter : callable
        fastai splitter from items to (train, valid) positions.
    """
    to_size = [IntToFloatTensor, Resize(size)]
    pictures = TransformBlock(
        type_tfms=read_picture,
        item_tfms=None if equal_sizes else to_size,
        batch_tfms=to_size if equal_sizes else None,
    )
    return DataBlock(
        blocks=(pictures, CategoryBlock(vocab=classes)),
        get_y=parent_label,
        splitter=splitter,
        batch_tfms=[*digit_augmentation(policy), Normalize.from_stats(mean, std, cuda=False)],
    )


def digit_loaders(
    folder: ImageFolder,
    *,
    size: int,
    mean: list[float],
    std: list[float],
    batch_size: int = 64,
    policy: Policy = NO_AUGMENTATION,
    device: torch.device | str = "cpu",
) -> DataLoaders:
    """Train and valid DataLoaders of an image folder; the valid one is empty when the folder has no valid split.

    Raises
    ------
    InputError
        When the folder has fewer than two classes, or a class is missing on one side.
    """
    check_trainable(folder)
    train = folder.split(TRAIN).files
    valid = folder.splits[VALID].files if VALID in folder.splits else []
    splitter = IndexSplitter(range(len(train), len(train) + len(valid)))
    block = digit_block(folder.classes, size, mean, std, policy, folder.size is not None, splitter)
    on_gpu = torch.device(device).type == "cuda"
    return block.dataloaders(
        train + valid,
        path=folder.path,
        # fewer rows than a batch: one smaller batch, since fastai drops the last incomplete one
        bs=min(batch_size, len(train)),
        val_bs=2 * batch_size,
        device=device,
        # on the CPU workers would only take time from the model; pictures of 28 px decode in a moment
        num_workers=min(8, os.cpu_count() or 1) if on_gpu else 0,
    )
