"""Models at work: the machine's device, a batch size found while it predicts, bf16 where no label changes."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from .machine import find_device, find_precision, prepare_machine
from .saved import SavedModel

TRIED_ON_CPU, TRIED_ON_GPU = (64, 128, 256, 512), (256, 1024, 4096)
SURE = 0.25  # lead of the first label over the second that bf16, good for two digits, cannot turn around


class Inference:
    """One or more models that predict together, the mean of their probabilities.

    Parameters
    ----------
    models : list of SavedModel
    precision : 'auto' or 'fp32'
        auto computes in bf16 where the machine is fast at it, and again in fp32 whatever is not sure by then.
    """

    def __init__(self, models: list[SavedModel], precision: str = "auto"):
        import torch

        prepare_machine()
        self.device = find_device()
        self.in_bf16 = find_precision(precision, self.device) == "bf16"
        self.models = models
        self.batch_size = BatchSize(TRIED_ON_CPU if self.device == "cpu" else TRIED_ON_GPU)
        for model in models:
            model.module.to(self.device, memory_format=torch.channels_last)

    @property
    def classes(self) -> list[str]:
        return self.models[0].classes

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Mean class probabilities of gray pictures uint8 (n, h, w): float32 (n, classes), rows sum to 1."""
        return np.concatenate([self._timed(batch) for batch in self._batches(images)])

    def _batches(self, images: np.ndarray) -> Iterator[np.ndarray]:
        start = 0
        while start < len(images):
            batch = images[start : start + self.batch_size.pictures]
            yield batch
            start += len(batch)

    def _timed(self, batch: np.ndarray) -> np.ndarray:
        started = time.perf_counter()
        probabilities = self._mean(batch)
        self.batch_size.note(len(batch), time.perf_counter() - started)
        return probabilities

    def _mean(self, batch: np.ndarray) -> np.ndarray:
        if not self.in_bf16:
            return np.mean([model.probabilities(batch) for model in self.models], axis=0)
        import torch

        with torch.autocast(self.device, torch.bfloat16):
            probabilities = np.mean([model.probabilities(batch) for model in self.models], axis=0)
        second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
        unsure = first - second < SURE
        if unsure.any():
            probabilities[unsure] = np.mean([model.probabilities(batch[unsure]) for model in self.models], axis=0)
        return probabilities


class BatchSize:
    """How many pictures go through the network at once: each of several sizes is tried on real work, the best stays.

    Parameters
    ----------
    tried : sequence of int
        The largest must hold in memory.

    Attributes
    ----------
    pictures : int
        What the next batch should have.
    """

    def __init__(self, tried: Sequence[int]):
        self.waiting, self.rates = list(tried), {}
        self.trial_pictures = max(tried)  # each size is tried on as many
        self.is_warm, self.done, self.seconds = False, 0, 0.0

    @property
    def pictures(self) -> int:
        return self.waiting[0] if self.waiting else max(self.rates, key=self.rates.get)

    def note(self, n: int, seconds: float) -> None:
        """A batch of `n` pictures took so long."""
        if not self.waiting or n != self.pictures:
            return
        if not self.is_warm:  # the first batch also pays for what torch sets up
            self.is_warm = True
            return
        self.done, self.seconds = self.done + n, self.seconds + seconds
        if self.done >= self.trial_pictures:
            self.rates[self.waiting.pop(0)] = self.done / self.seconds
            self.done, self.seconds = 0, 0.0
