"""A model's answers to all pictures of a source, read a part at a time."""

import numpy as np

from ..sources import PixelSource
from ..system import progress_bar
from .inference import Inference
from .predictions import Predictions


def answer(inference: Inference, source: PixelSource) -> Predictions:
    """What one or more models say about every picture of a source that passed the gate, in its order."""
    ids, labels, rows, contents = [], [], [], []
    with progress_bar(source.name, source.rows) as advance:
        for chunk in source.chunks():
            ids += chunk.ids
            labels += chunk.labels or []
            rows.append(inference.probabilities(chunk.images))
            contents.append(chunk.contents)
            advance(len(chunk.ids))
    return Predictions(
        ids,
        np.concatenate(rows) if rows else np.zeros((0, len(inference.classes)), np.float32),
        inference.classes,
        contents=np.concatenate(contents) if contents else np.zeros(0, np.uint8),
        least_sure=inference.least_sure,
        own_ids=source.has_ids,
        truth=labels if source.has_labels else None,
        notes=source.notes,
    )
