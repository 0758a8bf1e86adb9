"""Tables become an image folder: pictures first, then their split, manifest.json last; whole, or in shards."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...photos import natural_order
from ...sources import Notes, PixelSource
from ...system import InputError, remove_folder, whole_folder, write_json
from ..labelled import labelled_ids
from ..layout import MANIFEST, MANIFEST_SCHEMA, ImageFolder
from ..shards import Shard, ShardDone, last_one
from ..splits import TEST, TRAIN, VALID
from ..splitting import SplitRule, choose_valid, read_groups
from .pictures import Written, move_to_valid, write_table
from .pseudo_labels import add_pseudo_rows
from .shards import put_together, write_shard


@dataclass(frozen=True)
class KnownSplit:
    """The split of pictures that were split before.

    Attributes
    ----------
    valid_ids : set of str
    group_of : dict of str to str, or None
        The group of each id.
    how : dict
        What the manifest says of it.
    """

    valid_ids: set[str]
    group_of: dict[str, str] | None
    how: dict

    @classmethod
    def of(cls, folder: ImageFolder) -> "KnownSplit":
        """That of an image folder, by the ids of `labelled_source`."""
        ids_of = labelled_ids(folder)
        groups = {
            id_: group for name, ids in ids_of.items() for id_, group in zip(ids, folder.split(name).groups or [])
        }
        by_hand = {"method": "none", "valid": 0, "seed": 0, "groups": None}
        how = folder.manifest["split"] if folder.manifest else by_hand
        return cls(set(ids_of.get(VALID, [])), groups or None, how)


@dataclass(frozen=True)
class Conversion:
    """What becomes an image folder, and how.

    Attributes
    ----------
    tables : dict of str to PixelSource
        Under train the labelled rows, which are split; under test the others.
    rule : SplitRule
    groups : Path or None
        A csv of each labelled row's group; no group is on both sides of the split.
    normalised : bool
        Whether the pictures are brought to the form of MNIST's as they are read.
    label_of : dict of str to str
        Pseudo-labels of test rows, which become training rows too.
    ground : str
        Of the pictures, as the user said it: auto, dark or light.
    strict : bool
        Whether anything that is noticed is an error.
    known : KnownSplit or None
        The split, where it is not chosen by the rule.
    """

    tables: dict[str, PixelSource]
    rule: SplitRule
    groups: Path | None
    normalised: bool
    label_of: dict[str, str]
    ground: str = "auto"
    strict: bool = False
    known: KnownSplit | None = None

    def write(self, out: Path) -> None:
        """Write the image folder at `out`."""
        with whole_folder(out) as partial:
            written = {name: write_table(table, partial, name) for name, table in self.tables.items()}
            notes = Notes()
            for table in self.tables.values():
                notes.add(*table.notes)
            if self.strict:
                notes.refuse()
            _write_manifest(partial, written, self._about(), self.groups, notes, self.label_of, self.known)

    def write_part(self, part: Shard, out: Path, overwrite: bool) -> ShardDone | None:
        """Write one shard; the last of them puts all together at `out`. None when that is done."""
        if self.label_of:
            raise InputError("--pseudo-labels are added to whole tables; leave out --shard")
        about = self._about()
        rows = write_shard(part, out, self.tables, about, overwrite)
        if self.strict and any(table.notes for table in self.tables.values()):
            remove_folder(part.place(out))
            next(table.notes for table in self.tables.values() if table.notes).refuse()
        with last_one(part, out) as complete:
            if not complete:
                return ShardDone.of(part, rows, out)
            with whole_folder(out) as partial:
                written, notes = put_together(part, out, partial)
                if self.strict:
                    notes.refuse()
                _write_manifest(partial, written, about, self.groups, notes, {})
        return None

    def _about(self) -> dict:
        """What the manifest says of the sources and the split."""
        return {
            "schema": MANIFEST_SCHEMA,
            "source": _describe(self.tables.get(TRAIN)),
            "test_source": _describe(self.tables.get(TEST)),
            "size": next(iter(self.tables.values())).size,
            "channels": 3,
            "normalised": self.normalised,
            "ground": "dark",  # of the pictures as they are written; the gate has turned others
            "ground_given": self.ground,
            "split": self.known.how
            if self.known
            else {**asdict(self.rule), "groups": self.groups.name if self.groups else None},
        }


def _write_manifest(
    partial: Path,
    written: dict[str, Written],
    about: dict,
    groups: Path | None,
    notes: Notes,
    label_of: dict,
    known: KnownSplit | None = None,
) -> None:
    """Split the labelled rows, add the pseudo-labelled ones, and write manifest.json."""
    content = {"classes": [], "pixels": {"mean": 0.0, "std": 1.0}, "rows": {}}
    if TRAIN in written:
        content = _split_rows(partial, written[TRAIN], *_split_of(written[TRAIN], groups, known, about["split"]))
    if TEST in written:
        test = written[TEST]
        content["rows"][TEST] = {"ids": test.ids, "labels": test.labels, "groups": None, "own_ids": test.own_ids}
    if label_of:
        notes.add(add_pseudo_rows(partial, content, label_of))
    counts = {name: _counts(rows) for name, rows in content["rows"].items()}
    write_json(partial / MANIFEST, {**about, "counts": counts, "notes": notes, **content}, indent=None)


def _split_of(
    written: Written, group_file: Path | None, known: KnownSplit | None, how: dict
) -> tuple[np.ndarray, np.ndarray | None]:
    """Which rows are valid ones, bool (n,), and the group of each, if they have any."""
    if known is not None:
        groups = None if known.group_of is None else np.array([known.group_of[id_] for id_ in written.ids])
        return np.array([id_ in known.valid_ids for id_ in written.ids]), groups
    groups = read_groups(group_file, written.ids) if group_file else None
    return choose_valid(written.labels, how["valid"], how["method"], how["seed"], groups), groups


def _split_rows(partial: Path, written: Written, in_valid: np.ndarray, group_of: np.ndarray | None) -> dict:
    """Move pictures to valid/; what the manifest says of the labelled rows."""
    move_to_valid(partial, written, in_valid)
    mean, std = written.sums.statistics(~in_valid)
    return {
        "classes": sorted(set(written.labels), key=natural_order),
        "pixels": {"mean": mean, "std": std},  # of the training rows alone
        "rows": _rows_by_split(written, in_valid, group_of),
    }


def _rows_by_split(written: Written, in_valid: np.ndarray, groups: np.ndarray | None) -> dict[str, dict]:
    rows = {}
    for name, chosen in ((TRAIN, np.flatnonzero(~in_valid)), (VALID, np.flatnonzero(in_valid))):
        if len(chosen):
            rows[name] = {
                "ids": [written.ids[k] for k in chosen],
                "labels": [written.labels[k] for k in chosen],
                "groups": None if groups is None else groups[chosen].tolist(),
                "own_ids": written.own_ids,
            }
    return rows


def _counts(rows: dict) -> dict[str, int] | int:
    if rows["labels"] is None:
        return len(rows["ids"])
    return dict(sorted(Counter(rows["labels"]).items(), key=lambda item: natural_order(item[0])))


def _describe(table: PixelSource | None) -> dict | None:
    return None if table is None else {"name": table.name, "sha256": table.digest()}
