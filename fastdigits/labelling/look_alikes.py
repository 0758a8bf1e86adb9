"""What pictures without labels are, as far as those with labels that look like them tell."""

import math
from collections.abc import Container
from pathlib import Path

import numpy as np

from ..folders import SplitRule, choose_valid, read_groups
from ..photos import natural_order
from ..sources import NO_DIGIT, UNSURE, LabelLog, PixelSource
from .order import margins_of, principal
from .pool import Pool

MOST_REACHED = 10_000  # pictures without labels to which labels are passed on
NEIGHBOURS = 12  # to which each picture passes on what reaches it
PASSED_ON = 0.9  # how much of that
STEPS = 100
SURE_PART, MOST_LIKELY = 0.5, 2_000  # of each class's pictures the surest part, and how many in all are taken


def spread(features: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """How much of each class reaches each picture, where labels pass from look-alike to look-alike.

    Zhou et al. 2004, "Learning with local and global consistency". As scikit-learn's LabelSpreading, which tells only
    the shares of the classes: little of any reaches pictures of a kind that nobody has labelled.

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
        Not below 0.
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

    Not the surest of all: of a class that another one resembles there would be none. Sure is what is ahead of others
    of its class by the lead of the first class over the second, and by that lead as a share of all that reaches it: the
    one alone takes what lies amid many labels, the other what lies far from all of them.
    """
    first, lead = reached.argmax(1), margins_of(reached)
    found = []
    for number in range(classes):
        rows = np.flatnonzero((first == number) & (lead > 0))
        share = lead[rows] / reached[rows].sum(1)
        places = np.minimum(_places(lead[rows]), _places(share))
        found.append(rows[np.argsort(-places, kind="stable")[: math.ceil(SURE_PART * len(rows))]])
    return np.concatenate(found)


def _places(values: np.ndarray) -> np.ndarray:
    """The place of each value among all, the lowest 0: int (n,)."""
    return values.argsort(kind="stable").argsort(kind="stable")


def likely_of(
    pool: Pool, classes: list[str], known: dict[str, str], said: Container[str]
) -> tuple[np.ndarray, list[str]]:
    """Rows of pictures of which nothing was said and that are surely of a class, int (k,), and their classes.

    Pictures that show no digit pass that on, too, so that what looks like them is left out.

    Parameters
    ----------
    pool : Pool
    classes : list of str
    known : dict of str to str
        Labels by id that are passed on.
    said : container of str
        Ids of which something was said.
    """
    names = [*classes, NO_DIGIT]
    givers = [pool.row_of[id_] for id_, label in known.items() if label in names and id_ in pool.row_of]
    takers = pool.open_rows(said, MOST_REACHED)
    if not len(takers) or len({known[pool.ids[row]] for row in givers}) < 2:
        return takers[:0], []
    truth = np.array([names.index(known[pool.ids[row]]) for row in givers] + [-1] * len(takers))
    features = principal(pool.features([*givers, *takers]))
    reached = spread(features, truth, len(names))[len(givers) :]
    chosen = np.random.default_rng(0).permutation(surest_of_each(reached, len(classes)))[:MOST_LIKELY]
    return takers[chosen], [names[k] for k in reached[chosen].argmax(1)]


def passed_on(source: PixelSource, labels: LabelLog, rule: SplitRule, groups: Path | None) -> dict[str, str]:
    """The labels that labelled pictures of a source pass on to others, by id.

    None comes from those that the rule keeps for validation, and none goes to their groups: on them a model is scored.

    Parameters
    ----------
    source : PixelSource
        Without labels of its own.
    labels : LabelLog
    rule : SplitRule
        By which the labelled pictures are split.
    groups : Path, optional
        A csv of each picture's group.
    """
    pool = Pool(source).read()
    label_of = {id_: labels.label_of[id_] for id_ in pool.ids if id_ in labels.label_of}
    ids = [id_ for id_, label in label_of.items() if label not in (NO_DIGIT, UNSURE)]
    group_of = dict(zip(pool.ids, read_groups(groups, pool.ids))) if groups else {}
    own_groups = np.array([group_of[id_] for id_ in ids]) if groups else None
    in_valid = choose_valid([label_of[id_] for id_ in ids], rule.valid, rule.method, rule.seed, own_groups)
    held_back = {id_ for id_, is_held in zip(ids, in_valid) if is_held}
    unseen = {group_of[id_] for id_ in held_back} if groups else set()
    said = {*label_of, *(id_ for id_, group in group_of.items() if group in unseen)}
    classes = sorted({label_of[id_] for id_ in ids}, key=natural_order)
    known = {id_: label for id_, label in label_of.items() if id_ not in held_back}
    rows, likely = likely_of(pool, classes, known, said)
    return dict(zip([pool.ids[row] for row in rows], likely))
