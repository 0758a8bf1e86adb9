"""The models that a server answers with: opened once, each with its own queue."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from ..answers import SURE, Inference, Judge, Predictions, find_model, open_model
from ..folders import measured, resized
from ..models import OUTLIERS, OnnxModel, SavedModel, model_name, read_description
from ..photos import SIDE, contents_of
from ..scores import Expectation, expectation_of
from ..system import InputError
from .batching import Batcher
from .limits import Limits, Refusal

SEEN, MEASURED, OF_EACH = 10_000, 500, 16  # pictures whose answers are kept, that are measured, of each question


class Seen:
    """What is kept of the last pictures: what the model said, and what they look like."""

    def __init__(self):
        self.probabilities: deque[np.ndarray] = deque(maxlen=SEEN)
        self.images: deque[np.ndarray] = deque(maxlen=MEASURED)  # at 28 px
        self.count, self.told = 0, (0, None)  # of all pictures; how many they were when an expectation was told

    def add(self, images: np.ndarray, probabilities: np.ndarray) -> None:
        """Pictures uint8 (n, h, w) and their probabilities (n, classes)."""
        self.probabilities.extend(probabilities)
        self.images.extend(resized(images[:OF_EACH], SIDE))
        self.count += len(images)

    def expectation(self, model: SavedModel | OnnxModel) -> Expectation | None:
        """What accuracy to expect on them; None of too few, or where the model cannot tell."""
        count, told = self.told
        if count != self.count:
            ids = [str(number) for number in range(len(self.probabilities))]
            about = {"measured": measured(np.array(self.images))}
            told = expectation_of([model], Predictions(ids, np.array(self.probabilities), model.classes, **about))
            self.told = self.count, told
        return told


@dataclass
class Served:
    """A model at work.

    Attributes
    ----------
    name : str
        By which clients ask for it.
    model : SavedModel or OnnxModel
    description : dict
        Of its model.json.
    batcher : Batcher
    seen : Seen
        The last pictures that were asked about.
    """

    name: str
    model: SavedModel | OnnxModel
    description: dict
    batcher: Batcher
    seen: Seen = field(default_factory=lambda: Seen())

    @property
    def classes(self) -> list[str]:
        return self.model.classes

    @property
    def judge(self) -> Judge:
        return self.batcher.inference.judge

    async def shares(self, images: np.ndarray) -> np.ndarray:
        """What `Inference.shares` says of pictures uint8 (n, h, w), which are then among those seen."""
        shares = await self.batcher.shares(images)
        self.seen.add(images, self.judge.probabilities(shares))
        return shares

    def about(self) -> dict:
        """What clients are told of it."""
        told = (
            "architecture",
            "classes",
            "size",
            "channels",
            "temperature",
            "reject",
            "outliers",
            "normalise",
            "sha256",
        )
        about = {key: self.description.get(key) for key in told}
        return {"name": self.name, **about, "doubtful_below": self.judge.least_sure, "card": self.model.card}

    def answer(self, name: str, shares: np.ndarray, gray: np.ndarray) -> dict:
        """What clients are told of a picture called `name`.

        Parameters
        ----------
        name : str
        shares : ndarray of float, shape (1, outputs)
            As `Inference.shares` gives them.
        gray : ndarray of uint8, shape (h, w)
            The picture, light ink on dark.
        """
        (verdict,) = self.judge.verdicts(shares, contents_of(gray[None]))
        (probabilities,), outliers = self.judge.probabilities(shares), self.judge.outliers(shares)
        confidence = float(probabilities.max())
        told = {} if outliers is None else {"outliers": dict(zip(OUTLIERS, outliers[0].tolist()))}
        return {
            "name": name,
            "label": self.classes[int(probabilities.argmax())],
            "confidence": confidence,
            "verdict": verdict,
            "doubtful": verdict != SURE,
            "probabilities": {label: float(p) for label, p in zip(self.classes, probabilities)},
            **told,
        }


class ServedModels:
    """Several models by name; the first one answers where none is asked for."""

    def __init__(self, models: list[Served]):
        self.by_name = {served.name: served for served in models}
        self.first = models[0]

    def __iter__(self):
        return iter(self.by_name.values())

    def named(self, name: str | None) -> Served:
        """The model that a client asks for."""
        if name is None:
            return self.first
        if name not in self.by_name:
            raise Refusal(404, f"no model is called {name[:80]!r} here; there are {', '.join(self.by_name)}")
        return self.by_name[name]

    @asynccontextmanager
    async def at_work(self):
        """The models answer within this block."""
        tasks = [asyncio.create_task(served.batcher.run()) for served in self]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def open_served(models: list[str], limits: Limits) -> ServedModels:
    """Open the models, each once; InputError for one that cannot be opened, or two of one name."""
    opened: list[Served] = []
    for model in models:
        name = model_name(model)
        if name in [served.name for served in opened]:
            raise InputError(f"two models are called {name}; serve one of them, or rename its folder")
        found, description = open_model(model), read_description(find_model(model))
        # exact: in fp32; what is asked beside a picture changes its answer in the seventh digit at most
        batcher = Batcher(Inference([found], exact=True), limits.waiting, limits.answer_s)
        opened.append(Served(name, found, description, batcher))
    return ServedModels(opened)
