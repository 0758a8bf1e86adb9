"""Image folder -> fastai DataLoaders: a DataBlock whose resize, augmentation and normalisation run on the batch."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
from fastai.data.core import DataLoaders, TfmdDL
from fastai.data.transforms import IndexSplitter, ToTensor
from fastai.torch_core import TensorCategory
from fastcore.basics import chunked

from ..folders import TRAIN, VALID, DecodedSplit, ImageFolder, check_trainable, decoded_split, ground_of_split
from ..system import World, find_device, shared_batch
from .augmentation import NO_AUGMENTATION, Policy
from .row_order import class_weights, weighted_order
from .transforms import GrayImage, ModelInput, Ready, Resized, read_picture

MOST_AT_ONCE, LARGEST_AT_ONCE = 8, 4_000_000  # batches, and their floats: these stay in the processor's cache
EQUAL = 1e-9  # of the largest weight
SHARE_OF_GPU = 0.25  # of its free memory; the rest is for the network


class DecodedLoader(TfmdDL):
    """fastai's TfmdDL that cuts its batches out of decoded pictures where it can, instead of opening files.

    It can for files of the given splits as long as nobody adds transforms of single items; all else, such as
    `test_dl` over other pictures, goes fastai's way. Both ways give the same validation batches.

    Parameters
    ----------
    decoded : sequence of DecodedSplit
    share : (int, int)
        Which of how many parts of the rows it gives: every so manieth, in an order that all parts agree on.
    weights : ndarray of float, shape (n,), optional
        How often each row is shown where rows are shuffled, beside the others; by default all once an epoch.

    Attributes
    ----------
    portion : float, 0..1
        How many of the rows an epoch gives; where rows are shuffled, each time others.
    """

    def __init__(
        self,
        dataset,
        decoded: Iterable[DecodedSplit] = (),
        share: tuple[int, int] = (0, 1),
        weights: np.ndarray | None = None,
        **kwargs,
    ):
        self.decoded, self.share, self.weights = tuple(decoded), share, weights
        self.has_looked, self.found, self.resident = False, None, None
        self.portion = 1.0
        super().__init__(dataset, **kwargs)

    def new(self, dataset=None, cls=None, **kwargs):
        """fastai forwards the arguments that it knows; ours comes on top."""
        return super().new(dataset, cls, **{"decoded": self.decoded, "share": self.share, **kwargs})

    def shuffle_fn(self, idxs: list[int]) -> list[int]:
        if self.weights is None or len(self.weights) != len(idxs):
            return super().shuffle_fn(idxs)
        return weighted_order(self.weights, self.rng)

    @property
    def is_whole(self) -> bool:
        """Whether an epoch gives every row here, and not only some of them or those of one of several parts."""
        return self.portion == 1 and self.share[1] == 1

    def rows_of(self, rank: int) -> range:
        """The places in the order of an epoch whose rows the part `rank` gives."""
        given = max(min(self.bs, self.n), round(self.portion * self.n))  # one batch at least
        return range(rank, given, self.share[1])

    def __len__(self) -> int:
        if self.is_whole:
            return super().__len__()
        rows = len(self.rows_of(self.share[0]))
        return rows // self.bs if self.drop_last else -(-rows // self.bs)

    def get_idxs(self) -> list[int]:
        if self.is_whole:
            return super().get_idxs()
        places = self.rows_of(self.share[0])
        return list(super().get_idxs())[places.start : places.stop : places.step]

    def __getstate__(self):
        """Pickled without pictures: where it is unpickled, the files are read."""
        return {**vars(self), "decoded": (), "has_looked": False, "found": None, "resident": None}

    def create_batches(self, samps: Iterable[int]) -> Iterator[tuple]:
        tfms = [*self.after_item.fs, *self.before_batch.fs]
        if self.bs is None or not all(isinstance(tfm, ToTensor) for tfm in tfms) or self._pictures() is None:
            yield from super().create_batches(samps)
            return
        images, rows, labels = self._pictures()
        at_once = self._batches_at_once(images.shape[-1])
        for chosen in chunked(samps, at_once * self.bs, False):
            x = GrayImage(_take(self._on_device(images), rows[chosen])[:, None])
            y = None if labels is None else TensorCategory(labels[chosen])
            if at_once > 1:
                x = x if self.device is None else x.to(self.device)
                x = self.after_batch[0](x, split_idx=self.after_batch.split_idx).as_subclass(Ready)
            for start in range(0, len(chosen), self.bs):
                part = slice(start, start + self.bs)
                if len(x[part]) == self.bs or not self.drop_last:
                    yield (x[part],) if y is None else (x[part], y[part])

    def _batches_at_once(self, side: int) -> int:
        """How many batches of pictures of `side` pixels go through ModelInput together.

        Of small pictures the calls cost more than the work.
        """
        if [type(tfm) for tfm in self.after_batch.fs] != [ModelInput]:
            return 1  # other transforms, which may have to come before it
        stage = self.after_batch[0]
        batch = self.bs * stage.mean.numel() * max(stage.size, side) ** 2
        return max(1, min(LARGEST_AT_ONCE // batch, MOST_AT_ONCE))

    def _pictures(self) -> tuple[np.ndarray, np.ndarray, torch.Tensor | None] | None:
        """The array that holds all of the data set's pictures, their rows in it, and their labels' positions.

        None when no array does. The answer is kept, since a loader's data set does not change.
        """
        if not self.has_looked:
            self.has_looked, self.found = True, self._find_pictures()
        return self.found

    def _find_pictures(self) -> tuple[np.ndarray, np.ndarray, torch.Tensor | None] | None:
        files = list(getattr(self.dataset, "items", ()))
        if not files or not all(isinstance(file, Path) for file in files):
            return None
        for split in self.decoded:
            if all(file in split.row_of for file in files):
                rows = np.array([split.row_of[file] for file in files])
                return split.images, rows, self._labels(files)
        return None

    def _labels(self, files: list[Path]) -> torch.Tensor | None:
        if len(self.dataset.tls) < 2:
            return None
        position = self.dataset.tls[1].vocab.o2i
        return torch.tensor([position[label_of(file)] for file in files])

    def _on_device(self, images: np.ndarray) -> np.ndarray | torch.Tensor:
        """The array itself, or on a GPU with room for it a copy there, which is made once."""
        if self.device is None or self.device.type != "cuda":
            return images
        if self.resident is None and images.nbytes < SHARE_OF_GPU * torch.cuda.mem_get_info(self.device)[0]:
            self.resident = torch.tensor(images, device=self.device)
        return images if self.resident is None else self.resident


def _row_weights(folder: ImageFolder, balance: bool) -> np.ndarray | None:
    """How often each training row is shown; None where all are equal."""
    split = folder.split(TRAIN)
    weights = np.ones(len(split)) if split.weights is None else split.weights
    if balance:
        weights = weights * class_weights(split.labels)
    return None if np.ptp(weights) < EQUAL * weights.max() else weights


def _read_decoded(decoded: list[DecodedSplit], file: Path) -> GrayImage:
    """A picture that lies in memory alone; fastai looks at one before it asks for batches."""
    split = next(split for split in decoded if file in split.row_of)
    return read_picture(split.images[split.row_of[file]])


def label_of(file: Path) -> str:
    """The label that a picture's folder names."""
    return file.parent.name


def _take(images: np.ndarray | torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    """Pictures (n, h, w) of the given rows, copied."""
    if isinstance(images, torch.Tensor):
        return images[torch.from_numpy(rows).to(images.device)]
    return torch.from_numpy(images[rows])


def digit_block(
    classes: list[str],
    size: int,
    mean: list[float],
    std: list[float],
    policy: Policy,
    equal_sizes: bool,
    splitter,
    read=read_picture,
    ground: Literal["dark", "light"] = "dark",
) -> DataBlock:
    """The DataBlock of digit pictures: items are picture files, labels their folders' names.

    Parameters
    ----------
    classes : list of str
        In the order of the model's outputs.
    size : int
        Pixels; what the model sees.
    mean, std : list of float, one for each channel of the model
        Normalisation on the scale 0..1. Pictures have one channel up to here: three values make three of it.
    policy : Policy
        Augmentation of training batches.
    equal_sizes : bool
        Pictures of one size are resized as a batch, others one by one.
    splitter : callable
        fastai splitter from items to (train, valid) positions.
    read : callable
        From an item to its GrayImage.
    ground : 'dark' or 'light'
        Of the pictures.
    """
    pictures = TransformBlock(type_tfms=read, item_tfms=None if equal_sizes else Resized(size))
    return DataBlock(
        blocks=(pictures, CategoryBlock(vocab=classes, sort=False)),
        get_y=label_of,
        splitter=splitter,
        batch_tfms=ModelInput(size, mean, std, policy, ground),
        dl_type=DecodedLoader,
    )


def digit_loaders(
    folder: ImageFolder,
    *,
    size: int,
    mean: list[float],
    std: list[float],
    batch_size: int = 64,
    policy: Policy = NO_AUGMENTATION,
    device: torch.device | str | None = None,
    world: World | None = None,
    balance: bool = False,
) -> DataLoaders:
    """Train and valid DataLoaders of an image folder; the valid one is empty when the folder has no valid split.

    Parameters
    ----------
    batch_size : int
        Pictures a step, of all processes together.
    device : torch.device or str, optional
        Where batches are made; by default the GPU where there is one, else the CPU.
    world : World, optional
        The processes that share the rows; each row is given once, and none is left out.
    balance : bool
        Show every class equally often: rows of small classes several times an epoch, not all rows of large ones.

    Raises
    ------
    InputError
        When the folder has fewer than two classes, or a class is missing on one side.
    """
    check_trainable(folder)
    train = folder.split(TRAIN).files
    valid = folder.splits[VALID].files if VALID in folder.splits else []
    splitter = IndexSplitter(range(len(train), len(train) + len(valid)))
    decoded = [decoded_split(folder, name) for name in (TRAIN, VALID) if name in folder.splits]
    read = partial(_read_decoded, decoded) if folder.images else read_picture
    ground = "dark" if policy == NO_AUGMENTATION else ground_of_split(folder, TRAIN)
    block = digit_block(folder.classes, size, mean, std, policy, folder.size is not None, splitter, read, ground)
    is_decoded, world, device = None not in decoded, world or World(), device or find_device()
    alone = world.size == 1
    return block.dataloaders(
        train + valid,
        path=folder.path,
        # fewer rows than a batch: one smaller batch, since fastai drops the last incomplete one
        bs=min(batch_size, len(train)) if alone else shared_batch(len(train), batch_size, world.size),
        drop_last=alone,
        share=(world.rank, world.size),
        weights=_row_weights(folder, balance),
        val_bs=2 * batch_size,
        device=device,
        decoded=decoded if is_decoded else (),
        # on the CPU worker processes would only take time from the model, and decoded pictures need none
        num_workers=0 if is_decoded or torch.device(device).type != "cuda" else min(8, os.cpu_count() or 1),
    )
