"""convert(): a pixel source -> an image folder."""

from collections import Counter
from pathlib import Path

import numpy as np

from ..folders import (
    MANIFEST,
    MANIFEST_SCHEMA,
    SURE,
    TEST,
    TRAIN,
    VALID,
    ImageFolder,
    ShardDone,
    SplitMethod,
    Written,
    add_pseudo_rows,
    choose_valid,
    last_one,
    move_to_valid,
    put_together,
    read_folder,
    read_groups,
    read_pseudo_labels,
    read_shard,
    write_shard,
    write_table,
)
from ..photos import natural_order
from ..recipes import Split, find_recipe
from ..sources import PixelSource, open_source, open_tables, refuse_other_size
from ..system import InputError, check_output, check_seed, whole_folder, write_json

DEFAULT_SPLIT = Split("stratified", 0.15)


def convert(
    source: str | Path,
    out: Path,
    *,
    valid: float | None = None,
    split: SplitMethod | None = None,
    seed: int | None = None,
    recipe: str | None = None,
    groups: Path | None = None,
    labels: Path | None = None,
    normalise: bool = False,
    test: str | Path | None = None,
    pseudo_labels: Path | None = None,
    pseudo_confidence: float = SURE,
    also: list[str] | None = None,
    shard: str | None = None,
    overwrite: bool = False,
) -> ImageFolder | ShardDone:
    """Make an image folder from a table of pixels.

    Writes 3-channel pictures `train/<label>/<id>.png`, `valid/<label>/<id>.png`, `test/<id>.png` and, last,
    `manifest.json`. A table without labels becomes `test/`. Memory does not grow with the table's pixels.

    Parameters
    ----------
    source
        csv (plain, .gz, .zip; a competition's zip; archive.zip/member.csv), parquet, npz, idx files,
        sklearn:digits, torchvision:mnist|kmnist|usps|qmnist|emnist-digits, or a folder of pictures whose subfolders
        are labels. 'parts/digits*.csv', in quotes, stands for all files that fit.
    out
        The folder to make.
    valid
        Share of the labelled rows kept for validation, or their number; 0.15 by default; 0: all rows train.
    split
        stratified (the default): every class in proportion; random: any rows; first: the table's first rows are the
        validation set.
    seed
        Of the split's random choice; 5 by default.
    recipe
        A published recipe (see `fastdigits models`), whose split is taken where the three options above are left out.
    groups
        A csv with an id column and one group column (such as the writer): no group on both sides of the split.
    labels
        A csv with a file column and a label column, for a folder of pictures without subfolders.
    normalise
        Cut the digit out of each picture, photo or scan of a folder, dark on light or light on dark, and bring it to
        the form of MNIST's pictures: white on black, 20 pixels in 28, centred.
    test
        A second source whose pictures become test/.
    pseudo_labels
        Predictions for the test pictures, as predict writes them: what a model is sure of becomes training rows too.
    pseudo_confidence
        How sure, 0..1.
    also
        More tables of the same kind, whose rows follow.
    shard
        2/4: do only the second of four parts of the work, for instance on the second of four machines with one file
        system. The one that ends last puts all together; the folder is the same as without shards.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    ImageFolder, or of a shard for which others are missing ShardDone

    Raises
    ------
    InputError
        When anything in the source, the groups or the options is wrong; nothing is left behind.
    """
    out, groups = Path(out), Path(groups) if groups else None
    published = find_recipe(recipe).split if recipe else DEFAULT_SPLIT
    valid = published.valid if valid is None else valid
    split, seed = split or published.method, published.seed if seed is None else seed
    _check_options(valid, split, groups, seed)
    part = read_shard(shard)
    check_output(out, overwrite, MANIFEST)
    tables = _tables(_open(source, also, Path(labels) if labels else None, normalise), test, normalise)
    if groups and TRAIN not in tables:
        raise InputError(f"{tables[TEST].name} has no labels, so it is not split and --groups has no use; leave it out")
    label_of = read_pseudo_labels(Path(pseudo_labels), pseudo_confidence) if pseudo_labels else {}
    if label_of and len(tables) < 2:
        raise InputError("--pseudo-labels needs labelled rows and a test table; pass --test")
    about = {
        "schema": MANIFEST_SCHEMA,
        "source": _describe(tables.get(TRAIN)),
        "test_source": _describe(tables.get(TEST)),
        "size": next(iter(tables.values())).size,
        "channels": 3,
        "normalised": normalise,
        "split": {"method": split, "valid": valid, "seed": seed, "groups": groups.name if groups else None},
    }
    if part is None:
        with whole_folder(out) as partial:
            written = {name: write_table(table, partial, name) for name, table in tables.items()}
            notes = [note for table in tables.values() for note in table.notes]
            _write_manifest(partial, written, about, groups, notes, label_of)
        return _made(out)
    if label_of:
        raise InputError("--pseudo-labels are added to whole tables; leave out --shard")
    rows = write_shard(part, out, tables, about, overwrite)
    with last_one(part, out) as complete:
        if not complete:
            return ShardDone(part, rows, part.missing(out))
        with whole_folder(out) as partial:
            written, notes = put_together(part, out, partial)
            _write_manifest(partial, written, about, groups, notes)
    return _made(out)


def _open(source: str | Path, also: list[str] | None, labels: Path | None, normalise: bool) -> PixelSource:
    if labels or normalise:
        if also:
            raise InputError("--also is for tables; put all pictures into one folder")
        return open_source(source, labels, normalise)
    return open_tables([source, *(also or [])])


def _tables(table: PixelSource, test: str | Path | None, normalise: bool) -> dict[str, PixelSource]:
    """What becomes train/ (to be split) and what becomes test/."""
    if not table.has_labels:
        if test is not None:
            raise InputError(f"{table.name} has no labels and so is a test table itself; leave out --test")
        return {TEST: table}
    test_table = table.test if test is None else _open(test, None, None, normalise)
    if test_table is None:
        return {TRAIN: table}
    refuse_other_size(table, test_table)
    return {TRAIN: table, TEST: test_table}


def _made(out: Path) -> ImageFolder:
    folder = read_folder(out)
    for note in folder.manifest["notes"]:
        print(note)
    return folder


def _check_options(valid: float, split: str, groups: Path | None, seed: int) -> None:
    if not (0 <= valid < 1 or (valid >= 1 and float(valid).is_integer())):
        raise InputError(
            f"--valid {valid:g} makes no sense; accepted are 0 (all rows train), a share such as 0.15, or a whole "
            "number of rows such as 1000"
        )
    if split not in SplitMethod.__args__:
        raise InputError(f"--split {split!r} is unknown; accepted are {', '.join(SplitMethod.__args__)}")
    check_seed(seed)
    if groups and split == "first":
        raise InputError("--split first cuts groups in two; leave out --groups, or use stratified or random")


def _write_manifest(
    partial: Path,
    written: dict[str, Written],
    about: dict,
    groups: Path | None,
    notes: list[str],
    label_of: dict | None = None,
) -> None:
    """Split the labelled rows, add the pseudo-labelled ones, and write manifest.json."""
    content = {"classes": [], "pixels": {"mean": 0.0, "std": 1.0}, "rows": {}}
    if TRAIN in written:
        content = _split_rows(partial, written[TRAIN], groups, **about["split"])
    if TEST in written:
        test = written[TEST]
        content["rows"][TEST] = {"ids": test.ids, "labels": test.labels, "groups": None, "own_ids": test.own_ids}
    if label_of:
        notes.append(add_pseudo_rows(partial, content, label_of))
    counts = {name: _counts(rows) for name, rows in content["rows"].items()}
    write_json(partial / MANIFEST, {**about, "counts": counts, "notes": notes, **content}, indent=None)


def _split_rows(
    partial: Path, written: Written, group_file: Path | None, method: SplitMethod, valid: float, seed: int, groups
) -> dict:
    """Move pictures to valid/; what the manifest says of the labelled rows."""
    group_of = read_groups(group_file, written.ids) if group_file else None
    in_valid = choose_valid(written.labels, valid, method, seed, group_of)
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
