"""Labels that pass on to pictures without one: to those that look like a labelled picture, and to what looks like them.

Label spreading, as semi-supervised learning calls it; what is passed on are pseudo-labels.
"""

import math
from collections.abc import Container, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ..folders import KnownSplit, SplitRule, choose_valid, read_groups
from ..photos import natural_order
from ..sources import NO_DIGIT, UNSURE, Chunk, LabelLog, PixelSource, refuse_unknown_ids
from ..system import InputError
from .order import margins_of, principal
from .pool import Pool

MOST_REACHED = 10_000  # pictures without labels to which labels are passed on
NEIGHBOURS = 12  # of each picture, the nearest
PASSED_ON = 0.9  # how much of what reaches a picture goes on from there
STEPS = 100
MOST_GIVING = 5_000  # labels of a table whose test table takes them on; of more a model learns enough
GIVES, TAKES = "train ", "test "  # before the ids of two tables
SURE_PART, MOST_TAKEN = 0.5, 2_000  # of each class's pictures the surest part, and how many in all are taken


def spread(features: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """How much of each class reaches each picture, where labels pass from look-alike to look-alike.

    Zhou et al. 2004, "Learning with local and global consistency". Unlike scikit-learn's LabelSpreading it does not
    divide by the sum over the classes: a small sum tells that nobody has labelled this kind of picture.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        In which look-alikes are near.
    truth : ndarray of int, shape (n,)
        Index of the class; -1 of a picture without a label.
    classes : int

    Returns
    -------
    ndarray of float, shape (n, classes)
        Not below 0; divided by the roots of the numbers of neighbours, so that pictures with many have no more of it.
    """
    from scipy.sparse import diags_array
    from sklearn.neighbors import kneighbors_graph

    near = kneighbors_graph(features, min(NEIGHBOURS, len(features) - 1), include_self=False)
    near = near.maximum(near.T)
    scale = np.asarray(near.sum(axis=1)).ravel() ** -0.5
    passing = diags_array(scale) @ near @ diags_array(scale)
    given = np.eye(classes + 1)[truth][:, :classes]  # of -1, the last row, nothing
    reached = given
    for _ in range(STEPS):
        reached = PASSED_ON * (passing @ reached) + (1 - PASSED_ON) * given
    return reached * scale[:, None]


def surest_of_each(reached: np.ndarray, classes: int) -> np.ndarray:
    """Of the pictures of each of the first so many classes the half that is surest to be of it, int (k,).

    Not the surest of all: of a class that another one resembles there would be none. A picture is ranked twice within
    its class, by the lead of the first class over the second and by that lead's share of all that reaches it; the worse
    rank counts. The lead alone favours pictures amid many labels, the share alone those far from all of them.
    """
    from scipy.stats import rankdata

    first, lead = reached.argmax(1), margins_of(reached)
    found = []
    for number in range(classes):
        rows = np.flatnonzero((first == number) & (lead > 0))
        share = lead[rows] / reached[rows].sum(1)
        places = np.minimum(rankdata(lead[rows], "max"), rankdata(share, "max"))
        found.append(rows[np.argsort(-places, kind="stable")[: math.ceil(SURE_PART * len(rows))]])
    return np.concatenate(found)


def shares_by_look_alikes(
    pool: Pool, known: np.ndarray, truth: np.ndarray, rows: np.ndarray, classes: int
) -> np.ndarray:
    """Shares of the classes in what reaches pictures without a label, (n, classes); equal ones where nothing does.

    Parameters
    ----------
    pool : Pool
    known : ndarray of int, shape (m,)
        Rows of pictures with a label.
    truth : ndarray of int, shape (m,)
        Indices of their classes.
    rows : ndarray of int, shape (n,)
    classes : int
    """
    reached = _reached(pool, known, truth, rows, classes) + np.finfo(float).tiny
    return reached / reached.sum(1, keepdims=True)


def _reached(pool: Pool, known: np.ndarray, truth: np.ndarray, rows: np.ndarray, classes: int) -> np.ndarray:
    """How much of each class reaches some rows of a pool from those that are known: (n, classes)."""
    features = principal(pool.features([*known, *rows]))
    return spread(features, np.concatenate([truth, np.full(len(rows), -1)]), classes)[len(known) :]


def look_alikes_of(
    pool: Pool, classes: list[str], known: dict[str, str], left_out: Container[str]
) -> tuple[np.ndarray, list[str]]:
    """Rows of pictures that most probably are of a class, int (k,), and the classes; some of these are wrong.

    Pictures that show no digit pass that on, too, so that what looks like them is not taken.

    Parameters
    ----------
    pool : Pool
    classes : list of str
    known : dict of str to str
        Labels by id that are passed on: classes, or NO_DIGIT.
    left_out : container of str
        Ids to which nothing is passed on.
    """
    names = [*classes, NO_DIGIT]
    givers, labels = pool.labelled(known, names)
    takers = pool.open_rows(left_out, MOST_REACHED)
    if not len(takers) or len(set(labels)) < 2:
        return takers[:0], []
    truth = np.array([names.index(label) for label in labels])
    reached = _reached(pool, np.array(givers), truth, takers, len(names))
    chosen = np.random.default_rng(0).permutation(surest_of_each(reached, len(classes)))[:MOST_TAKEN]
    return takers[chosen], [names[k] for k in reached[chosen].argmax(1)]


def passed_on(
    source: PixelSource, labels: LabelLog, rule: SplitRule, groups: Path | None
) -> tuple[dict[str, str], KnownSplit]:
    """The labels that labelled pictures of a source pass on to others, by id; and the split of the labelled ones.

    Nothing comes from those that are kept for validation, and nothing goes to copies of them or to their groups: a
    model is scored on what it has not seen.

    Parameters
    ----------
    source : PixelSource
        Without labels of its own.
    labels : LabelLog
    rule : SplitRule
        By which the labelled pictures are split.
    groups : Path, optional
        A csv of the group of each picture, with a label or without.

    Raises
    ------
    InputError
        When the source has labels itself, those of people are of another source, they cannot be split, or none is
        passed on.
    """
    _refuse_labels_of(source)
    pool = Pool(source).read()
    refuse_unknown_ids(labels.file, set(labels.label_of) - set(pool.ids), source.name)
    label_of = {id_: labels.label_of[id_] for id_ in pool.ids if id_ in labels.label_of}
    group_of = dict(zip(pool.ids, read_groups(groups, pool.ids).tolist())) if groups else {}
    passed, valid_ids = _to_look_alikes(pool, label_of, rule, group_of)
    if not passed:
        raise InputError(
            f"{labels.file} has no label that could be passed on: pictures of two classes must have labels, and others "
            "none; leave out --look-alikes"
        )
    return passed, KnownSplit(valid_ids, group_of or None, _how(rule, groups))


def passed_on_to_test(
    train: PixelSource, test: PixelSource, rule: SplitRule, groups: Path | None
) -> tuple[dict[str, str], KnownSplit]:
    """The labels that a small table passes on to its test table, by the latter's ids; and the split of the former.

    As `passed_on`; `groups` are those of the labelled rows.

    Raises
    ------
    InputError
        When the test table has labels of its own, or the other one too many or too few.
    """
    _refuse_labels_of(test)
    _refuse_many(train.name, train.rows or 0)
    pool = Pool(_side_by_side(train, test)).read()
    label_of = {id_: label for id_, label in zip(pool.ids, pool.labels) if label is not None}
    _refuse_many(train.name, len(label_of))
    if groups:
        train.notes.add(
            f"{groups.name} does not say whose the test pictures are: those that got a label may be of groups that are "
            "held back, so that the accuracy on valid may be too high"
        )
    own_ids = {id_: id_.removeprefix(GIVES) for id_ in label_of}
    group_of = dict(zip(label_of, read_groups(groups, list(own_ids.values())).tolist())) if groups else {}
    passed, valid_ids = _to_look_alikes(pool, label_of, rule, group_of)
    if not passed:
        raise InputError(
            f"no label of {train.name} could be passed on to {test.name}: pictures of two classes must have labels, "
            "and others that are no copies of valid ones none; leave out --look-alikes"
        )
    own_groups = {own_ids[id_]: group for id_, group in group_of.items()}
    split = KnownSplit({own_ids[id_] for id_ in valid_ids}, own_groups or None, _how(rule, groups))
    return {id_.removeprefix(TAKES): label for id_, label in passed.items()}, split


def _side_by_side(train: PixelSource, test: PixelSource) -> PixelSource:
    """Two tables as one, whose ids tell them apart: both may count their rows from 0."""

    def chunks() -> Iterator[Chunk]:
        for mark, table in ((GIVES, train), (TAKES, test)):
            for chunk in table.chunks():
                yield replace(chunk, ids=[mark + id_ for id_ in chunk.ids])

    return PixelSource(f"{train.name} and {test.name}", train.size, True, True, chunks, train.digest)


def _refuse_labels_of(source: PixelSource) -> None:
    if source.has_labels:
        raise InputError(f"{source.name} has labels itself, so that none are passed on; leave out --look-alikes")


def _refuse_many(name: str, labels: int) -> None:
    if labels > MOST_GIVING:
        raise InputError(
            f"{name} has {labels:,} labels, and --look-alikes is for tables of few, {MOST_GIVING:,} at most; leave it "
            "out"
        )


def _to_look_alikes(
    pool: Pool, label_of: dict[str, str], rule: SplitRule, group_of: dict[str, str]
) -> tuple[dict[str, str], set[str]]:
    """By id the labels that labelled pictures pass on to others; and the ids of those that are kept for validation."""
    ids = [id_ for id_, label in label_of.items() if label not in (NO_DIGIT, UNSURE)]
    own_groups = np.array([group_of[id_] for id_ in ids]) if group_of else None
    in_valid = choose_valid([label_of[id_] for id_ in ids], rule.valid, rule.method, rule.seed, own_groups)
    valid_ids = {id_ for id_, is_valid in zip(ids, in_valid) if is_valid}
    known = {id_: label for id_, label in label_of.items() if id_ not in valid_ids}
    classes = sorted({label_of[id_] for id_ in ids}, key=natural_order)
    rows, passed = look_alikes_of(pool, classes, known, {*label_of, *copies_of(pool, valid_ids, group_of)})
    return dict(zip([pool.ids[row] for row in rows], passed)), valid_ids


def _how(rule: SplitRule, groups: Path | None) -> dict:
    """What the manifest says of the split."""
    return asdict(rule) | {"groups": groups.name if groups else None}


def copies_of(pool: Pool, ids: set[str], group_of: dict[str, str]) -> set[str]:
    """Ids of all pictures equal to those of some ids, or of their groups."""
    if not ids:
        return set()
    pixels = {pool.pictures[pool.row_of[id_]].tobytes() for id_ in ids}
    groups = {group_of[id_] for id_ in ids} if group_of else set()
    pairs = zip(pool.ids, pool.pictures)
    return {id_ for id_, picture in pairs if picture.tobytes() in pixels or group_of.get(id_) in groups}
