"""What models say about a shard of a table, and about all shards as one table."""

import json
from pathlib import Path

import numpy as np

from ..folders import Shard, check_alike, read_part, table_order
from ..sources import Notes, PixelSource
from ..system import whole_file
from .answering import answer
from .inference import Inference
from .predictions import Predictions


def predict_shard(
    inference: Inference, shard: Shard, table: PixelSource, out: Path, models: list[dict], ground: str, strict: bool
) -> int:
    """Predict a shard's rows, to where they wait for the others; how many they are. One that is done is kept.

    Parameters
    ----------
    models : list of dict
        The models' descriptions.
    ground : str
        Of the pictures, as the user said it.
    strict : bool
        Whether anything that is noticed is an error.

    Raises
    ------
    InputError
        When a shard that is done was predicted from another table, by other models or in another way.
    """
    how = {"tta": inference.tta, "exact": inference.exact, "ground": ground, "contents": "judged, measured, agreement"}
    about = {"source": table.digest(), "models": [model["sha256"] for model in models], **how}
    check_alike(shard, out, about, _about)
    place = shard.place(out)
    if place.exists():
        with np.load(place) as file:
            rows = len(file["ids"])
    else:
        places: list[int] = []
        found = answer(inference, shard.part(table, places))
        if strict:
            found.notes.refuse()
        content = {name: getattr(found, name) for name in ("probabilities", "contents", "agreement")}
        content["ids"] = np.array(found.ids, str)
        if found.outliers is not None:
            content["outliers"] = found.outliers
        content["measured"] = found.measured
        with whole_file(place) as partial, partial.open("wb") as file:
            about, notes = json.dumps(about), json.dumps(found.notes)
            np.savez(file, **content, places=places, own_ids=found.own_ids, about=about, notes=notes)
        rows = len(found.ids)
    return rows


def _about(place: Path) -> dict:
    with np.load(place) as file:  # reads what is asked for alone
        return json.loads(str(file["about"]))


def joined_shards(inference: Inference, shard: Shard, out: Path) -> Predictions:
    """What the models said about all shards' rows, in the order of their table."""
    parts = [read_part(place) for place in shard.places(out)]
    order = table_order(parts)

    def joined(name: str) -> np.ndarray:
        return np.concatenate([part[name] for part in parts])[order]

    notes = Notes()
    for part in parts:
        notes.add(*json.loads(str(part["notes"])))
    return Predictions(
        joined("ids").tolist(),
        joined("probabilities"),
        inference.classes,
        contents=joined("contents"),
        outliers=joined("outliers") if "outliers" in parts[0] else None,
        agreement=joined("agreement"),
        measured=np.concatenate([part["measured"] for part in parts]),
        least_sure=inference.judge.least_sure,
        own_ids=bool(parts[0]["own_ids"]),
        notes=notes,
    )
