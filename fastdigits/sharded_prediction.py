"""What models say about a shard of a table, and about all shards as one table."""

from pathlib import Path

import numpy as np

from .errors import InputError
from .inference import Inference
from .outputs import whole_file
from .probabilities import table_probabilities
from .shards import Shard
from .sources import PixelSource


def predict_shard(inference: Inference, shard: Shard, table: PixelSource, out: Path) -> int:
    """Predict a shard's rows, to where they wait for the others; how many they are."""
    places: list[int] = []
    ids, _, probabilities = table_probabilities(inference, shard.part(table, places))
    with whole_file(shard.place(out)) as partial, partial.open("wb") as file:
        np.savez(file, ids=np.array(ids, str), probabilities=probabilities, places=places, own_ids=table.has_ids)
    return len(ids)


def put_together(shard: Shard, out: Path, classes: list[str]) -> tuple[list[str], np.ndarray, list[str], bool]:
    """Ids, probabilities (n, classes), classes, and whether the ids are the table's own: in its order."""
    parts = []
    for number in range(1, shard.of + 1):
        with np.load(shard.place(out, number)) as file:
            parts.append(dict(file))
    order = np.concatenate([part["places"] for part in parts]).argsort()
    ids, probabilities = (np.concatenate([part[name] for part in parts])[order] for name in ("ids", "probabilities"))
    if probabilities.shape[1] != len(classes):
        raise InputError(f"shards of {out} were predicted by models of other classes; remove {shard.place(out).parent}")
    return ids.tolist(), probabilities, classes, bool(parts[0]["own_ids"])
