"""What models say about a shard of a table, and about all shards as one table."""

import json
from pathlib import Path

import numpy as np

from ..folders import Shard, check_alike, read_arrays, table_order
from ..sources import PixelSource
from ..system import whole_file
from .inference import Inference
from .probabilities import table_probabilities


def predict_shard(inference: Inference, shard: Shard, table: PixelSource, out: Path, models: list[dict]) -> int:
    """Predict a shard's rows, to where they wait for the others; how many they are. One that is done is kept.

    Parameters
    ----------
    models : list of dict
        The models' descriptions.

    Raises
    ------
    InputError
        When a shard that is done was predicted from another table, by other models or in another way.
    """
    how = {"tta": inference.tta, "exact": inference.exact}
    about = {"source": table.digest(), "models": [model["sha256"] for model in models], **how}
    check_alike(shard, out, about, _about)
    place = shard.place(out)
    if not place.exists():
        places: list[int] = []
        ids, _, probabilities = table_probabilities(inference, shard.part(table, places))
        content = {"ids": np.array(ids, str), "probabilities": probabilities, "places": places}
        with whole_file(place) as partial, partial.open("wb") as file:
            np.savez(file, **content, own_ids=table.has_ids, about=json.dumps(about))
    with np.load(place) as file:
        return len(file["ids"])


def _about(place: Path) -> dict:
    with np.load(place) as file:  # reads what is asked for alone
        return json.loads(str(file["about"]))


def joined_shards(shard: Shard, out: Path) -> tuple[list[str], np.ndarray, bool]:
    """Ids, probabilities (n, classes), and whether the ids are the table's own: of all shards, in its order."""
    parts = [read_arrays(place) for place in shard.places(out)]
    order = table_order(parts)
    ids, probabilities = (np.concatenate([part[name] for part in parts])[order] for name in ("ids", "probabilities"))
    return ids.tolist(), probabilities, bool(parts[0]["own_ids"])
