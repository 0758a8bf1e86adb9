"""Drawn pictures mixed into the batches that are trained on: digits in rare styles, and what shows no single digit."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from fastai.torch_core import TensorImage

from ...folders import TRAIN, ImageFolder, evenly_spaced, ground_of_split, on_dark, resized, split_images
from ...models import OUTLIERS
from ...photos import SIDE, normalised
from ...styles import DIGITS, KINDS, KINDS_OF_DIGITS, SEVERAL_DIGITS, drawn_digits, drawn_others, side_by_side
from ...system import InputError, progress_bar

AT_ONCE = 8  # batches' worth that are augmented together
OWN, PAIRED = 1 / 6, 2_000  # of pictures without a single digit, made of two training pictures each; of how many


@dataclass
class Pool:
    """Drawn pictures to mix in.

    Attributes
    ----------
    pictures : Tensor of uint8, shape (m, size, size)
    labels : Tensor of int, shape (m,)
        Positions among the network's outputs.
    share : float
        How many are mixed into a batch, of its pictures.
    """

    pictures: torch.Tensor
    labels: torch.Tensor
    share: float


@dataclass(frozen=True)
class Drawing:
    """How much is drawn of something.

    Attributes
    ----------
    what : str
    share : float
        Of a Pool.
    of_rows : float
        Pictures that are drawn, for each training row; at least `least` and at most `most`.
    """

    what: str
    share: float
    of_rows: float
    least: int
    most: int

    def count(self, rows: int) -> int:
        return int(np.clip(rows * self.of_rows, self.least, self.most))


STYLES = Drawing("digits in many styles", 1 / 3, 0.4, 1_840, 23_000)
NO_DIGITS = Drawing("several digits or none", 1 / 6, 0.2, 1_500, 12_000)


class Drawn(Callback):
    """Mixes pictures of each pool into every batch that is trained on.

    Valid pictures are judged by the outputs of the classes alone.

    Parameters
    ----------
    pools : list of Pool
    n_classes : int
    """

    order = MixedPrecision.order + 2  # after teachers have said what they know about the folder's digits

    def __init__(self, pools: list[Pool], n_classes: int):
        super().__init__()
        self.pools, self.n_classes = pools, n_classes

    def before_train(self):
        # what is left of an epoch is not kept, so that a run that is gone on with draws the same
        self.ready = [[] for _ in self.pools]

    def before_batch(self):
        if not self.training:
            return
        images, labels, batch = [self.xb[0]], [self.yb[0]], len(self.xb[0])
        for number, pool in enumerate(self.pools):
            count = max(1, round(pool.share * batch))
            if not self.ready[number] or len(self.ready[number][-1][0]) != count:
                self.ready[number] = self._views(pool, count)
            more_images, more_labels = self.ready[number].pop()
            images.append(more_images)
            labels.append(more_labels)
        self.learn.xb, self.learn.yb = (torch.cat(images),), (torch.cat(labels),)

    def _views(self, pool: Pool, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Augmented and normalised pictures of a pool and their labels, for some batches."""
        rows, device = torch.randint(len(pool.pictures), (count * AT_ONCE,)), self.xb[0].device
        with torch.autocast(device.type, enabled=False):
            images = self.dls.train.after_batch[0](TensorImage(pool.pictures[rows][:, None].to(device)), split_idx=0)
        images = images.as_subclass(torch.Tensor).to(memory_format=torch.channels_last)
        return list(zip(images.split(count), pool.labels[rows].to(device).split(count)))

    def after_pred(self):
        if not self.training:
            self.learn.pred = self.learn.pred[:, : self.n_classes]


def style_pool(folder: ImageFolder, size: int, seed: int) -> Pool:
    """Digits in the styles of `styles`, for a folder whose classes are digits.

    Raises
    ------
    InputError
        When it has other classes.
    """
    if not set(folder.classes) <= set(DIGITS):
        others = ", ".join(sorted(set(folder.classes) - set(DIGITS))[:5])
        raise InputError(
            f"--styles draws the digits 0 to 9, and {folder.path} has other classes ({others}); leave it out"
        )
    count = STYLES.count(len(folder.split(TRAIN)))
    drawn = drawn_digits(count, seed, folder.classes, _in_form(folder, size))
    return _pool(folder, size, ((picture, folder.classes.index(label)) for picture, label, _ in drawn), STYLES, count)


def outlier_pool(folder: ImageFolder, size: int, seed: int) -> Pool:
    """Pictures that show several digits or none; some of several are made of pairs of the folder's.

    Where its classes are no numbers, no letters are drawn, which could be among them.
    """
    rows, rng, in_form = len(folder.split(TRAIN)), np.random.default_rng(seed), _in_form(folder, size)
    count = NO_DIGITS.count(rows)
    kinds = tuple(KINDS) if all(label.isdecimal() for label in folder.classes) else KINDS_OF_DIGITS
    several, other = (len(folder.classes) + OUTLIERS.index(name) for name in ("several", "other"))

    def found():
        images = on_dark(folder, split_images(folder, TRAIN, size, evenly_spaced(rows, min(rows, PAIRED))))
        for _ in range(int(count * OWN)):
            pair = side_by_side(*images[rng.integers(len(images), size=2)], rng)
            yield normalised(pair, "dark") if in_form else pair, several
        for picture, kind in drawn_others(count - int(count * OWN), seed, kinds, in_form):
            yield picture, several if kind == SEVERAL_DIGITS else other

    return _pool(folder, size, found(), NO_DIGITS, count)


def _in_form(folder: ImageFolder, size: int) -> bool:
    """Whether drawn pictures are brought to MNIST's form: where the folder's have it, or are as small."""
    return folder.is_normalised or size <= SIDE


def _pool(
    folder: ImageFolder, size: int, found: Iterable[tuple[np.ndarray, int]], drawing: Drawing, count: int
) -> Pool:
    """Of drawn pictures, light ink on dark, and their labels."""
    pictures, labels = [], []
    print(f"drawing {count:,} pictures of {drawing.what}", flush=True)
    with progress_bar("drawing pictures", count) as advance:
        for picture, label in found:
            pictures.append(resized(picture[None], size))
            labels.append(label)
            advance(1)
    images = np.concatenate(pictures)
    images = 255 - images if ground_of_split(folder, TRAIN) == "light" else images
    return Pool(torch.from_numpy(images), torch.tensor(labels), drawing.share)
