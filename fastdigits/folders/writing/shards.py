"""The pictures of a shard of a table, and the pictures of all shards as those of one table."""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from ...sources import Notes, PixelSource
from ...system import InputError, whole_folder, write_json
from ..shards import Shard, check_alike, read_part, table_order
from .pictures import Written, write_table

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
    check_alike(shard, out, about, lambda place: _about(place)["about"])
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


def _about(place: Path) -> dict:
    return json.loads((place / ABOUT).read_text(encoding="utf-8"))


def _rows_file(place: Path, split: str) -> Path:
    return place / f"{split}.npz"


def _write_rows(place: Path, split: str, written: Written, places: list[int]) -> None:
    labels = {} if written.labels is None else {"labels": np.array(written.labels, str)}
    ids, sums = np.array(written.ids, str), written.sums.table()
    np.savez(_rows_file(place, split), ids=ids, places=places, sums=sums, own_ids=written.own_ids, **labels)


def _read_rows(place: Path, split: str) -> dict[str, np.ndarray]:
    return read_part(_rows_file(place, split))


def put_together(shard: Shard, out: Path, partial: Path) -> tuple[dict[str, Written], Notes]:
    """All shards' pictures in `partial`; what is known of their rows, in the table's order, and notes.

    The shards stay as they are, so that nothing is lost when what follows fails or is killed.

    Raises
    ------
    InputError
        When two shards have a row of the same id.
    """
    places = shard.places(out)
    known = [_about(place) for place in places]
    written = {split: _written([_read_rows(place, split) for place in places], split) for split in known[0]["splits"]}
    for place in places:
        for split in known[0]["splits"]:
            _link_pictures(place / split, partial / split)
    notes = Notes()
    for about in known:
        notes.add(*about["notes"])
    return written, notes


def _written(parts: list[dict[str, np.ndarray]], split: str) -> Written:
    """The rows of all shards, in the order of the table."""
    order = table_order(parts)
    ids = np.concatenate([part["ids"] for part in parts])[order].tolist()
    seen: set[str] = set()
    for id_ in ids:  # some file systems do not tell letter cases apart
        if id_.lower() in seen:
            raise InputError(f"the id {id_!r} occurs twice in the {split} rows; give every row its own id")
        seen.add(id_.lower())
    written = Written(bool(parts[0]["own_ids"]), ids)
    if "labels" in parts[0]:
        written.labels = np.concatenate([part["labels"] for part in parts])[order].tolist()
    written.sums.chunks = [np.concatenate([part["sums"] for part in parts], axis=1)[:, order]]
    return written


def _link_pictures(source: Path, target: Path) -> None:
    """Every file below `source` at the same place below `target` too; copied where the file system has no links."""
    for where, _, names in os.walk(source):
        folder = target / Path(where).relative_to(source)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            try:
                os.link(os.path.join(where, name), folder / name)
            except OSError:
                shutil.copyfile(os.path.join(where, name), folder / name)
