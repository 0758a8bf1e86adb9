"""The moving average of the weights, as a fastai callback."""

from copy import deepcopy

import torch
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .together import bare_network


class WeightAverage(Callback):
    """Keeps the exponential moving average of the weights, and shows it to validation in their place.

    Weights that swing around a minimum have their average nearer to it (Polyak and Juditsky 1992). Early on the decay
    is smaller, so that the first weights are soon forgotten: after n steps at most (1 + n) / (10 + n), as TensorFlow's.

    Parameters
    ----------
    decay : float
    """

    order = MixedPrecision.order + 2

    def __init__(self, decay: float):
        super().__init__()
        self.decay, self.average, self.trained = decay, None, None

    def before_fit(self):
        if self.average is None:
            self.average = AveragedModel(bare_network(self.model), multi_avg_fn=self._update, use_buffers=True)

    def _update(self, averages: list[torch.Tensor], current: list[torch.Tensor], n_averaged: torch.Tensor) -> None:
        n = int(n_averaged)
        get_ema_multi_avg_fn(min(self.decay, (1 + n) / (10 + n)))(averages, current, n_averaged)

    def after_batch(self):
        if self.training:
            self.average.update_parameters(bare_network(self.model))

    def before_validate(self):
        if not self.dl.n:  # nothing is to be answered
            return
        self.trained = deepcopy(bare_network(self.model).state_dict())
        bare_network(self.model).load_state_dict(self.average.module.state_dict())

    def after_validate(self):
        if self.trained is not None:
            bare_network(self.model).load_state_dict(self.trained)
            self.trained = None

    def state(self) -> dict:
        """For a checkpoint: the averaged `weights` as the model's state, and of how many `steps`."""
        return {"weights": self.average.module.state_dict(), "steps": int(self.average.n_averaged)}

    def start_from(self, state: dict) -> None:
        """Take over what a checkpoint holds."""
        self.before_fit()
        self.average.module.load_state_dict(state["weights"])
        self.average.n_averaged.fill_(state["steps"])
