"""Models at work: on the machine's device, in batches of the fastest size, in bf16 what it is sure of."""

import copy
import time
from collections.abc import Iterator, Sequence

import numpy as np

from ..models import SavedModel
from ..system import find_device, find_precision, prepare_machine
from .verdicts import Judge

EXACT_BATCH = 256  # one size for ever, of large pictures a part of it: another one changes the last digits
TRIED_ON_CPU, TRIED_ON_GPU = (64, 128, 256, 512), (256, 1024, 4096)
LARGEST_INPUT = {"cpu": 4_000_000, "gpu": 40_000_000}  # floats of a batch, of which a network makes many times more
SURE_DISTANCE = 0.1  # of the share of outliers from its bound
SURE_LEAD = 0.25  # a lead of the first label over the second far beyond the rounding of bf16, which has two digits
SURE_ODDS = 1.0  # a distance, in log odds, between a confidence and the bound of doubt that rounding does not bridge


class Inference:
    """One or more models that predict together, the mean of their probabilities.

    Parameters
    ----------
    models : list of SavedModel or OnnxModel
    exact : bool
        Compute in fp32 and in batches of one size, so that the same pictures always give the same digits. Else the
        fastest batch size is found, and where the machine is fast at bf16, it is used for what it is sure of.
    normalise : bool, optional
        Whether photos are to be brought to the form of MNIST's; by default as the first model says.
    tta : bool
        Test-time augmentation: the mean over several views of each picture.
    """

    def __init__(self, models: list[SavedModel], exact: bool = False, normalise: bool | None = None, tta: bool = False):
        in_torch = all(model.in_torch for model in models)
        uses_torch = any(model.in_torch for model in models)  # else it is not loaded, which takes a second
        self.device = find_device() if uses_torch else "cpu"
        if uses_torch or tta:
            prepare_machine()
        self.in_bf16 = in_torch and not exact and find_precision("auto", self.device) == "bf16"
        self.models, self.tta, self.exact, self.judge = models, tta, exact, Judge.of(models)
        self.normalise = models[0].normalise if normalise is None else normalise
        on_cpu = self.device == "cpu"
        tried, largest = (TRIED_ON_CPU, LARGEST_INPUT["cpu"]) if on_cpu else (TRIED_ON_GPU, LARGEST_INPUT["gpu"])
        picture = max(len(model.mean) * model.size**2 for model in models)
        fitting = [size for size in tried if size * picture <= largest] or [power_of_two(largest // picture)]
        self.batch_size = BatchSize([min(EXACT_BATCH, fitting[-1])] if exact else fitting)
        self._at_work = models if exact else [model.folded() for model in models]
        for model in self._at_work:
            model.to(self.device)

    @property
    def classes(self) -> list[str]:
        return self.judge.classes

    def as_trained(self) -> "Inference":
        """The same with `models` themselves at work, so that what is changed in them changes the answers."""
        found = copy.copy(self)
        found._at_work = self.models
        for model in self.models:
            model.to(self.device)
        return found

    @property
    def compared(self) -> int:
        """How many models' agreement with the mean is told: all, or none where the mean is one model's only view."""
        return len(self.models) if self.tta or len(self.models) > 1 else 0

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Mean class probabilities of pictures uint8 (n, h, w), light on dark: float32 (n, classes), rows sum to 1."""
        return self.judge.probabilities(self.shares(images))

    def shares(self, images: np.ndarray) -> np.ndarray:
        """The same and behind it, of models that tell outliers, their mean shares: float32 (n, outputs)."""
        return self.shares_and_agreement(images)[0]

    def shares_and_agreement(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`shares`, and how far each model alone agrees with their mean.

        Returns
        -------
        shares : ndarray of float32, shape (n, outputs)
        agreement : ndarray of float32, shape (n, models, 2)
            How sure each model alone is of its own answer, without test-time augmentation, and how sure all together
            are of that answer; of one model without test-time augmentation, shape (n, 0, 2).
        """
        shares, agreement = zip(*(self._timed(batch) for batch in self._batches(images)))
        return np.concatenate(shares), np.concatenate(agreement)

    def _batches(self, images: np.ndarray) -> Iterator[np.ndarray]:
        start = 0
        while start < len(images):
            batch = images[start : start + self.batch_size.pictures]
            yield batch
            start += len(batch)

    def _timed(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        started = time.perf_counter()
        found = self._in_bf16(batch) if self.in_bf16 else self._mean(batch)
        self.batch_size.note(len(batch), time.perf_counter() - started)
        return found

    def _in_bf16(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """bf16, and once more in fp32 what is not sure."""
        import torch

        with torch.autocast(self.device, torch.bfloat16):
            shares, agreement = self._mean(batch)
        second, first = np.partition(self.judge.probabilities(shares), -2, axis=1)[:, -2:].T
        unsure = first - second < SURE_LEAD
        unsure |= np.abs(_log_odds(first) - _log_odds(self.judge.least_sure)) < SURE_ODDS
        if self.judge.above is not None:
            unsure |= np.abs(self.judge.outliers(shares).sum(1) - self.judge.above) < SURE_DISTANCE
        if unsure.any():
            shares[unsure], agreement[unsure] = self._mean(batch[unsure])
        return shares, agreement

    def _mean(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean shares, those of outliers over the models that tell them; and the agreement with that mean."""
        found = [model.shares(view) for view in self._views(batch) for model in self._at_work]
        answers = [self.judge.probabilities(shares) for shares in found]
        mean = np.mean(answers, axis=0)
        alone = answers[: self.compared]  # by the first view, the picture as it is
        outliers = [shares[:, len(self.classes) :] for shares in found if shares.shape[1] > len(self.classes)]
        shares = np.concatenate([mean] + ([np.mean(outliers, axis=0)] if outliers else []), axis=1)
        return shares, agreement_of(alone, mean)

    def _views(self, batch: np.ndarray) -> list[np.ndarray]:
        if not self.tta:
            return [batch]
        import torch

        from ..batches import averaged_views
        from ..folders import to_float

        views = averaged_views(to_float(torch.from_numpy(np.array(batch))[:, None]))
        return [view[:, 0].mul(255).round().to(torch.uint8).numpy() for view in views]


def agreement_of(alone: Sequence[np.ndarray], mean: np.ndarray) -> np.ndarray:
    """How sure each model is of its own answer, and the mean of all of that answer: float32 (n, models, 2).

    Parameters
    ----------
    alone : sequence of ndarray, each of shape (n, classes)
        The probabilities of each model.
    mean : ndarray, shape (n, classes)
    """
    agreement = np.zeros((len(mean), len(alone), 2), np.float32)
    for place, own in enumerate(alone):
        agreement[:, place, 0] = own.max(1)
        agreement[:, place, 1] = np.take_along_axis(mean, own.argmax(1)[:, None], axis=1)[:, 0]
    return agreement


def _log_odds(probability: np.ndarray | float) -> np.ndarray:
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(clipped / (1 - clipped))


def power_of_two(most: int) -> int:
    """The largest power of two that is at most so many, and at least 1."""
    return 1 << max(0, most.bit_length() - 1)


class BatchSize:
    """How many pictures go through the network at once: each of several sizes is tried on real work, the best stays.

    Parameters
    ----------
    tried : sequence of int

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
