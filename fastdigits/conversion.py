"""convert(): a pixel source -> an image folder."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .errors import InputError, check_seed
from .folders import MANIFEST, MANIFEST_SCHEMA, TEST, TRAIN, VALID, ImageFolder, picture_file, read_folder
from .outputs import check_output, whole_folder, writable, write_json
from .picture_files import natural_order
from .pixel_sums import PixelSums
from .png import write_pictures
from .progress import progress_bar
from .pseudo_labels import SURE, add_pseudo_rows, read_pseudo_labels
from .recipes import Split, find_recipe
from .sources import Chunk, PixelSource, open_source, refuse_other_size
from .splitting import SplitMethod, choose_valid, read_groups

MAX_NAME_BYTES = 200  # file systems allow 255, and .png and temporary names come on top
FORBIDDEN_CHARACTERS = frozenset('/\\<>:"|?*')  # in a file name on some system
DEFAULT_SPLIT = Split("stratified", 0.15)
WRITERS = 3  # threads; they also wait for the file system, and more would only wait for Python's lock


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
    overwrite: bool = False,
) -> ImageFolder:
    """Make an image folder from a table of pixels.

    Writes 3-channel pictures `train/<label>/<id>.png`, `valid/<label>/<id>.png`, `test/<id>.png` and, last,
    `manifest.json`. A table without labels becomes `test/`. Memory does not grow with the table's pixels.

    Parameters
    ----------
    source
        csv (plain, .gz, .zip; a competition's zip; archive.zip/member.csv), parquet, npz, idx files,
        sklearn:digits, torchvision:mnist|kmnist|usps|qmnist|emnist-digits, or a folder of pictures whose subfolders
        are labels.
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
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    ImageFolder

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
    check_output(out, overwrite, MANIFEST)
    labels = Path(labels) if labels else None
    table = open_source(source, labels, normalise)
    test_table = _test_table(table, test, normalise)
    if not table.has_labels:
        if groups:
            raise InputError(f"{table.name} has no labels, so it is not split and --groups has no use; leave it out")
        table, test_table = None, table
    label_of = read_pseudo_labels(Path(pseudo_labels), pseudo_confidence) if pseudo_labels else {}
    if label_of and not (table and test_table):
        raise InputError("--pseudo-labels needs labelled rows and a test table; pass --test")
    with whole_folder(out) as partial:
        content = {"classes": [], "pixels": {"mean": 0.0, "std": 1.0}, "rows": {}}
        if table:
            content = _write_labelled(table, partial, valid, split, seed, groups)
        if test_table:
            content["rows"][TEST] = _write_test(test_table, partial)
        notes = [note for source in (table, test_table) if source for note in source.notes]
        if label_of:
            notes.append(add_pseudo_rows(partial, content, label_of))
        manifest = {
            "schema": MANIFEST_SCHEMA,
            "source": _describe(table),
            "test_source": _describe(test_table),
            "size": (table or test_table).size,
            "channels": 3,
            "normalised": normalise,
            "split": {"method": split, "valid": valid, "seed": seed, "groups": groups.name if groups else None},
            "counts": {name: _counts(rows) for name, rows in content["rows"].items()},
            "notes": notes,
            **content,
        }
        write_json(partial / MANIFEST, manifest, indent=None)
    for note in notes:
        print(note)
    return read_folder(out)


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


def _test_table(table: PixelSource, test: str | Path | None, normalise: bool) -> PixelSource | None:
    if test is None:
        return table.test if table.has_labels else None
    if not table.has_labels:
        raise InputError(f"{table.name} has no labels and so is a test table itself; leave out --test")
    test_table = open_source(test, normalise=normalise)
    refuse_other_size(table, test_table)
    return test_table


def _write_labelled(
    table: PixelSource, partial: Path, valid: float, split: SplitMethod, seed: int, groups: Path | None
) -> dict:
    """Write train/ and valid/; what the manifest says of them."""
    written = _write_table(table, partial, TRAIN)
    group_of = read_groups(groups, written.ids) if groups else None
    in_valid = choose_valid(written.labels, valid, split, seed, group_of)
    _move_to_valid(partial, written, in_valid)
    mean, std = written.sums.statistics(~in_valid)
    return {
        "classes": sorted(set(written.labels), key=natural_order),
        "pixels": {"mean": mean, "std": std},  # of the training rows alone
        "rows": _rows_by_split(written, in_valid, group_of),
    }


def _write_test(table: PixelSource, partial: Path) -> dict:
    """Write test/; what the manifest says of it."""
    written = _write_table(table, partial, TEST)
    return {"ids": written.ids, "labels": written.labels, "groups": None, "own_ids": written.own_ids}


@dataclass
class _Written:
    """What is remembered of a table whose pictures are on disk."""

    own_ids: bool
    ids: list[str] = field(default_factory=list)
    labels: list[str] | None = None
    sums: PixelSums = field(default_factory=PixelSums)


def _write_table(table: PixelSource, partial: Path, split: str) -> _Written:
    """Write every picture of `table` under `split` (labelled ones all under train, to be moved later)."""
    written = _Written(table.has_ids, labels=[] if table.has_labels else None)
    seen: set[str] = set()
    made: set[str] = set()

    def checked_jobs():
        for chunk in table.chunks():
            _check_names(chunk, table.name, len(written.ids), seen)
            labels = chunk.labels or [None] * len(chunk.ids)
            files = [picture_file(partial, split, label, id_) for label, id_ in zip(labels, chunk.ids)]
            for folder in {os.path.dirname(file) for file in files} - made:
                os.makedirs(folder, exist_ok=True)
                made.add(folder)
            written.ids += chunk.ids
            if written.labels is not None:
                written.labels += chunk.labels
            written.sums.add(chunk.images)
            yield chunk.images, files

    with progress_bar(f"{split} pictures", table.rows) as advance:
        for n in _write_parallel(checked_jobs()):
            advance(n)
    return written


def _write_parallel(jobs: Iterator[tuple[np.ndarray, list[str]]]) -> Iterator[int]:
    """Write the pictures of each (images, files) job while the next is read; yields how many each job wrote.

    Threads do, since packing and writing a file both let go of Python's lock.
    """
    with ThreadPoolExecutor(WRITERS) as pool:
        waiting: deque[Future[int]] = deque()
        for job in jobs:
            waiting.append(pool.submit(_write_job, *job))
            if len(waiting) > 2 * WRITERS:  # so that memory does not grow when reading is faster
                yield waiting.popleft().result()
        for written in waiting:
            yield written.result()


def _write_job(images: np.ndarray, files: list[str]) -> int:
    with writable(Path(files[0]).parent):  # a full disk is one line
        return write_pictures(images, files)


def _check_names(chunk: Chunk, table: str, first_row: int, seen: set[str]) -> None:
    """InputError for ids and labels that are repeated or cannot be the name of a file or folder."""
    for k, id_ in enumerate(chunk.ids):
        # some file systems do not tell letter cases apart
        if id_.isdecimal() and id_.isascii() and len(id_) < MAX_NAME_BYTES and id_ not in seen:
            seen.add(id_)  # the plain case, for speed
            continue
        where = f"row {first_row + k + 1} of {table}"
        _check_name(id_, "id", where)
        if id_.lower() in seen:
            raise InputError(f"{where}: the id {id_!r} occurs twice; give every row its own id or drop the id column")
        seen.add(id_.lower())
    for k, label in enumerate(chunk.labels or ()):
        if len(label) != 1 or not label.isalnum():
            _check_name(label, "label", f"row {first_row + k + 1} of {table}")


def _check_name(text: str, what: str, where: str) -> None:
    if not text:
        raise InputError(f"{where}: the {what} is empty; fill it or drop the row")
    bad = text.startswith(".") or not FORBIDDEN_CHARACTERS.isdisjoint(text) or not text.isprintable()
    if bad or len(text.encode()) > MAX_NAME_BYTES:
        raise InputError(
            f"{where}: the {what} {text[:40]!r} cannot name a file; accepted are short texts that do not start with "
            "a dot and have none of " + " ".join(sorted(FORBIDDEN_CHARACTERS))
        )


def _move_to_valid(partial: Path, written: _Written, in_valid: np.ndarray) -> None:
    moved = np.flatnonzero(in_valid)
    for label in {written.labels[k] for k in moved}:
        os.makedirs(partial / VALID / label, exist_ok=True)  # labels may differ in letter case alone
    for k in moved:
        label, id_ = written.labels[k], written.ids[k]
        os.rename(picture_file(partial, TRAIN, label, id_), picture_file(partial, VALID, label, id_))


def _rows_by_split(written: _Written, in_valid: np.ndarray, groups: np.ndarray | None) -> dict[str, dict]:
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
