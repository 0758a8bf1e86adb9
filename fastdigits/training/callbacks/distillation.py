"""Learning from the answers of other models."""

import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision

from ...models import SavedModel


class Distillation(Callback):
    """Trains on what teachers say of each picture as much as on its label (Hinton et al. 2015, arXiv:1503.02531).

    Teachers see the pictures as they are augmented. The loss is the mean of the labels' and the cross-entropy with the
    mean of the teachers' probabilities.

    Parameters
    ----------
    teachers : list of SavedModel
    mean, std : list of float
        With which the student's pictures were normalised.
    """

    order = MixedPrecision.order + 1  # after_loss: outside autocast, where the loss is computed in full

    def __init__(self, teachers: list[SavedModel], mean: list[float], std: list[float]):
        super().__init__()
        self.teachers = teachers
        self.mean, self.std = (torch.tensor(values).view(1, -1, 1, 1) for values in (mean, std))

    def before_fit(self):
        device = self.dls.device
        self.mean, self.std = self.mean.to(device), self.std.to(device)
        for teacher in self.teachers:
            teacher.module.to(device, memory_format=torch.channels_last)

    def before_batch(self):
        if self.training:
            gray = (self.xb[0] * self.std + self.mean)[:, :1]
            with torch.no_grad():
                self.told = torch.stack([teacher.soft_labels(gray) for teacher in self.teachers]).mean(0)

    def after_loss(self):
        if self.training:
            digits, classes = self.told.shape  # outliers may come behind them
            taught = F.cross_entropy(self.learn.pred[:digits, :classes].float(), self.told)
            self.learn.loss_grad = (self.learn.loss_grad + taught) / 2
            self.learn.loss = self.learn.loss_grad.clone()
