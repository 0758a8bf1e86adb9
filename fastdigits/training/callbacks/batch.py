"""fastai callbacks of a training, but for the end of its epochs: precision, rates, gradients, the bar."""

import time
from copy import deepcopy

import numpy as np
import torch
from fastai.callback.core import Callback
from fastai.callback.fp16 import AMPMode, MixedPrecision
from fastai.callback.schedule import LRFinder, ParamScheduler
from fastai.learner import Learner, Recorder
from fastai.losses import CrossEntropyLossFlat
from torch.nn import functional

from ...recipes import EpochSchedule
from ...system import progress_bar
from .epoch_end import scores_of
from .together import bare_network


class EventLearner(Learner):
    """fastai's Learner without what takes longer than the work where a batch is small.

    fastai's own asks every callback at every event, each looks for the event's method in the learner and the model
    before it does nothing, asks every tensor whether it has to move, and keeps tensor classes that every operation
    dispatches by.
    """

    def __call__(self, event_name: str | list[str]):
        for name in [event_name] if isinstance(event_name, str) else event_name:
            for callback in self._listeners(name):
                callback(name)

    def _listeners(self, event_name: str) -> list[Callback]:
        """The callbacks that have something to do at the event, in their order; found once for each set of them."""
        key = (event_name, *map(id, self.cbs))
        known = self.__dict__.setdefault("known_listeners", {})
        if key not in known:
            known[key] = [
                callback
                for callback in self.cbs.sorted("order")
                if hasattr(type(callback), event_name)
                or event_name in vars(callback)
                or event_name == "after_fit"  # after which every callback is switched on again
            ]
        return known[key]

    def _set_device(self, b):
        return b if self.dls.device.type == "cpu" else super()._set_device(b)

    def to_detach(self, b, cpu=True, gather=True):
        """Without fastai's gathering of other processes' tensors, which must be of one size; see `together`."""
        return super().to_detach(b, cpu, gather=False)

    def _split(self, b):
        super()._split(b)
        self.xb, self.yb = (tuple(x.as_subclass(torch.Tensor) for x in part) for part in (self.xb, self.yb))


class PlainCrossEntropy(CrossEntropyLossFlat):
    """fastai's cross-entropy over plain tensors, of which it makes no tensors of its own class.

    Labels are smoothed in training alone: losses on valid can then be compared between runs.
    """

    def __call__(self, inp: torch.Tensor, targ: torch.Tensor, **kwargs) -> torch.Tensor:
        return self.func(inp, targ) if inp.requires_grad else functional.cross_entropy(inp, targ)


class LeanRecorder(Recorder):
    """fastai's Recorder, which leaves the smoothed loss of each batch alone unless a search for a rate needs it."""

    name = "recorder"

    def before_fit(self):
        super().before_fit()
        self.is_search = any(isinstance(callback, LRFinder) for callback in self.learn.cbs)

    def after_batch(self):
        if self.is_search or not self.training:
            super().after_batch()


class AnyDeviceMixedPrecision(MixedPrecision):
    """fastai's mixed precision on any device; its own takes CUDA for granted."""

    def __init__(self, precision: str):
        super().__init__(AMPMode(precision))
        self.precision = precision

    def before_fit(self):
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
        device = next(self.model.parameters()).device.type
        self.autocast = torch.autocast(device, dtype)
        # bf16 has the range of fp32, so only fp16 needs its gradients scaled
        self.learn.scaler, self.scales = torch.amp.GradScaler(device, enabled=self.precision == "fp16"), []
        self.inside = False

    def before_batch(self):
        super().before_batch()
        self.inside = True

    def after_loss(self):
        super().after_loss()
        self.inside = False

    def close(self):
        """Leave autocast after training that ended inside a batch; it would stay on for the whole thread."""
        if getattr(self, "inside", False):
            self.after_loss()


class EpochRates(Callback):
    """Sets each epoch's learning rate by a schedule that knows the epochs before.

    Parameters
    ----------
    schedule : EpochSchedule
    rates : array of float, one a layer group
        The peak rates. The schedule, a plateau's floor included, is the last group's; the others keep their share of
        it.
    """

    def __init__(self, schedule: EpochSchedule, rates: np.ndarray):
        super().__init__()
        self.schedule, self.lr, self.shares = schedule, float(rates[-1]), rates / rates[-1]

    def before_epoch(self):
        self.opt.set_hypers(lr=self.schedule.rate(self.lr, self.epoch_end.stage_history) * self.shares)


class ClipGradients(Callback):
    """Cuts gradients to -value..value, then each tensor's gradient to a norm, as Keras's clipvalue and clipnorm.

    Parameters
    ----------
    value, norm : float or None
    """

    order = MixedPrecision.order + 1  # which brings scaled gradients back to their size

    def __init__(self, value: float | None = None, norm: float | None = None):
        super().__init__()
        self.value, self.norm = value, norm

    def before_step(self):
        params = [p for p in self.model.parameters() if p.grad is not None]
        if self.value:
            torch.nn.utils.clip_grad_value_(params, self.value)
        if self.norm:
            for p in params:
                p.grad.mul_((self.norm / p.grad.norm()).clamp(max=1))


class BatchProgress(Callback):
    """A progress bar over one epoch's training batches with the scores of the epoch before, on a terminal only."""

    context = None

    def before_train(self):
        what = f"epoch {self.epoch + 1}/{self.n_epoch}"
        if self.epoch_end.history:
            what += f" ({scores_of(self.epoch_end.history[-1])})"
        self.context = progress_bar(what, len(self.dls.train) * self.dls.train.bs)
        self.advance = self.context.__enter__()

    def after_batch(self):
        if self.training:
            self.advance(self.dls.train.bs)

    def after_train(self):
        self.close()

    def close(self):
        """Take the bar off the screen; also for training that ended in the middle of an epoch."""
        if self.context is not None:
            self.context.__exit__(None, None, None)
            self.context = None


class RangeTest(LRFinder):
    """fastai's learning-rate range test with the weights kept in memory; fastai's own writes them beside the data."""

    def before_fit(self):
        ParamScheduler.before_fit(self)
        self.kept = deepcopy(bare_network(self.model).state_dict())
        self.best_loss = float("inf")

    def after_fit(self):
        self.opt.zero_grad()
        bare_network(self.model).load_state_dict(self.kept)
        del self.kept


class BatchClock(Callback):
    """Notes when each training batch ends: `ends`, in seconds."""

    def before_fit(self):
        self.ends: list[float] = []

    def after_batch(self):
        if self.xb[0].is_cuda:
            torch.cuda.synchronize()
        self.ends.append(time.monotonic())
