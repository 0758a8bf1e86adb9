"""Drawn pictures mixed into the batches that are trained on."""

from dataclasses import dataclass

import torch
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from fastai.torch_core import TensorImage

AT_ONCE = 8  # batches' worth that are augmented together


@dataclass
class Pool:
    """Drawn pictures to mix in.

    Attributes
    ----------
    pictures : Tensor of uint8, shape (m, h, h)
        On the ground of the folder's pictures; of any size.
    labels : Tensor of int, shape (m,)
        Positions among the network's outputs.
    share : float
        How many are mixed into a batch, of its pictures.
    """

    pictures: torch.Tensor
    labels: torch.Tensor
    share: float


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
