"""A model's answers to all pictures of a source, read a part at a time."""

import numpy as np

from ..folders import measured
from ..models import count_outputs
from ..sources import PixelSource
from ..system import progress_bar
from .inference import Inference
from .predictions import Predictions

MEASURED = 1_000  # about so many pictures are measured
OF_CHUNK = 100  # or so many of each chunk, where nobody knows how many come


def answer(inference: Inference, source: PixelSource) -> Predictions:
    """What one or more models say about every picture of a source that passed the gate, in its order."""
    ids, labels, rows, contents = [], [], [], []
    looks, agreements = [measured(np.zeros((0, 1, 1), np.uint8))], [np.zeros((0, inference.compared, 2), np.float32)]
    rng = np.random.default_rng(0)
    judge = inference.judge
    n_outputs = count_outputs(judge.classes, judge.above is not None)
    with progress_bar(source.name, source.rows) as advance:
        for chunk in source.chunks():
            looks.append(measured(chunk.images[_some(len(chunk.ids), source.rows, rng)]))
            ids += chunk.ids
            labels += chunk.labels or []
            shares, agreement = inference.shares_and_agreement(chunk.images)
            rows.append(shares)
            agreements.append(agreement)
            contents.append(judge.contents(shares, chunk.contents))
            advance(len(chunk.ids))
    shares = np.concatenate(rows) if rows else np.zeros((0, n_outputs), np.float32)
    return Predictions(
        ids,
        judge.probabilities(shares),
        inference.classes,
        contents=np.concatenate(contents) if contents else np.zeros(0, np.uint8),
        outliers=judge.outliers(shares),
        agreement=np.concatenate(agreements),
        measured=np.concatenate(looks),
        least_sure=judge.least_sure,
        own_ids=source.has_ids,
        truth=labels if source.has_labels else None,
        notes=source.notes,
    )


def _some(n: int, of_all: int | None, rng: np.random.Generator) -> np.ndarray:
    """Which of a chunk's n pictures are measured, int (k,): a random part."""
    k = min(n, OF_CHUNK) if of_all is None else min(n, -(-n * MEASURED // max(of_all, 1)))
    return np.sort(rng.choice(n, k, replace=False))
