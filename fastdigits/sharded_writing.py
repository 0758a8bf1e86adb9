"""The pictures of a shard of a table, and the pictures of all shards as those of one table."""

import json
import os
from pathlib import Path

import numpy as np

from .errors import InputError
from .outputs import whole_folder, write_json
from .picture_writing import Written, write_table
from .shards import Shard
from .sources import PixelSource

ABOUT = "shard.json"


def write_shard(shard: Shard, out: Path, tables: dict[str, PixelSource], about: dict, overwrite: bool) -> int:
    """Write a shard's pictures to where it waits for the others; how many rows it has.

    One that is there already is kept, unless `overwrite`.

    Parameters
    ----------
    about : dict
        What the manifest will say of the source and the split; the same for all shards.

    Raises
    ------
    InputError
        When a shard of another conversion waits there.
    """
    _check_others(shard, out, about)
    place = shard.place(out)
    if place.exists() and not overwrite:
        return sum(len(_read_rows(place, name)["ids"]) for name in tables)
    n_rows = 0
    with whole_folder(place) as partial:
        for name, table in tables.items():
            places: list[int] = []
            written = write_table(shard.part(table, places), partial, name)
            _write_rows(partial, name, written, places)
            n_rows += len(places)
        notes = [note for table in tables.values() for note in table.notes]
        write_json(partial / ABOUT, {"about": about, "splits": list(tables), "notes": notes})
    return n_rows


def _check_others(shard: Shard, out: Path, about: dict) -> None:
    for number in range(1, shard.of + 1):
        place = shard.place(out, number)
        if place.exists() and _about(place)["about"] != json.loads(json.dumps(about)):
            raise InputError(
                f"{place} was made of another source or with another split; remove {place.parent}, or repeat the "
                "options of the other shards"
            )


def _about(place: Path) -> dict:
    return json.loads((place / ABOUT).read_text(encoding="utf-8"))


def _rows_file(place: Path, split: str) -> Path:
    return place / f"{split}.npz"


def _write_rows(place: Path, split: str, written: Written, places: list[int]) -> None:
    labels = {} if written.labels is None else {"labels": np.array(written.labels, str)}
    ids, sums = np.array(written.ids, str), written.sums.table()
    np.savez(_rows_file(place, split), ids=ids, places=places, sums=sums, own_ids=written.own_ids, **labels)


def _read_rows(place: Path, split: str) -> dict[str, np.ndarray]:
    with np.load(_rows_file(place, split)) as file:
        return dict(file)


def put_together(shard: Shard, out: Path, partial: Path) -> tuple[dict[str, Written], list[str]]:
    """Move the pictures of all shards into `partial`; what is known of their rows, in the table's order, and notes.

    Raises
    ------
    InputError
        When two shards have a row of the same id.
    """
    places = [shard.place(out, number) for number in range(1, shard.of + 1)]
    known = [_about(place) for place in places]
    written = {split: _written([_read_rows(place, split) for place in places], split) for split in known[0]["splits"]}
    for place in places:
        for split in known[0]["splits"]:
            _move_pictures(place / split, partial / split)
    return written, list(dict.fromkeys(note for about in known for note in about["notes"]))


def _written(parts: list[dict[str, np.ndarray]], split: str) -> Written:
    """The rows of all shards, in the order of the table."""
    order = np.concatenate([part["places"] for part in parts]).argsort()
    ids = np.concatenate([part["ids"] for part in parts])[order].tolist()
    if len(set(ids)) < len(ids):
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise InputError(f"the id {twice!r} occurs twice in the {split} rows; give every row its own id")
    written = Written(bool(parts[0]["own_ids"]), ids)
    if "labels" in parts[0]:
        written.labels = np.concatenate([part["labels"] for part in parts])[order].tolist()
    written.sums.chunks = [np.concatenate([part["sums"] for part in parts], axis=1)[:, order]]
    return written


def _move_pictures(source: Path, target: Path) -> None:
    """Move every file below `source` to the same place below `target`."""
    for where, _, names in os.walk(source):
        folder = target / Path(where).relative_to(source)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            os.rename(os.path.join(where, name), folder / name)
