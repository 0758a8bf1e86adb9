"""What a model learns while one labels: pictures with labels, and those that surely are what their look-alikes are."""

import math
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field

import numpy as np

from ..folders import choose_valid
from ..sources import NO_DIGIT
from .order import margins_of, principal
from .pool import Pool
from .spreading import spread

HELD_BACK_FROM = 100  # labels, of which a part is held back to calibrate; of fewer, all are learnt
HELD_BACK = 0.2  # of them
MOST_REACHED = 10_000  # pictures without labels to which labels are passed on
SURE_PART, MOST_LIKELY = 0.5, 2_000  # of each class's pictures the surest part, and how many in all are learnt


@dataclass(frozen=True)
class Lesson:
    """Pictures to learn.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, h, w)
    ids, labels : list of str
    held_back : set of str
        Ids of pictures that are not learnt, but calibrate.
    likely : Lesson, optional
        Pictures to which nobody gave a label; labelled ones that look like them did.
    """

    images: np.ndarray
    ids: list[str]
    labels: list[str]
    held_back: set[str] = field(default_factory=set)
    likely: "Lesson | None" = None


def lesson_of(pool: Pool, classes: list[str], label_of: dict[str, str]) -> Lesson:
    """What is to be learnt once so much was said.

    Parameters
    ----------
    pool : Pool
    classes : list of str
    label_of : dict of str to str
        By id a class, NO_DIGIT or UNSURE.
    """
    rows = [pool.row_of[id_] for id_, label in label_of.items() if label in classes and id_ in pool.row_of]
    ids = [pool.ids[row] for row in rows]
    labels = [label_of[id_] for id_ in ids]
    held_back = set(np.array(ids)[held_back_of(labels)].tolist())
    known = {id_: label for id_, label in label_of.items() if id_ not in held_back}
    likely = likely_of(pool, classes, known, label_of)
    return Lesson(pool.images(rows), ids, labels, held_back, likely)


def held_back_of(labels: list[str]) -> np.ndarray:
    """Which pictures are held back, bool (n,): of each class at least one, or none at all."""
    if len(labels) < HELD_BACK_FROM or min(Counter(labels).values()) < 2:
        return np.zeros(len(labels), bool)
    held = max(math.ceil(HELD_BACK * len(labels)), len(set(labels)))
    return choose_valid(labels, held, "stratified", seed=0)


def likely_of(pool: Pool, classes: list[str], known: dict[str, str], said: Container[str]) -> Lesson | None:
    """Pictures of which nothing was said and that are surely of a class; None where there are none.

    Pictures that show no digit pass that on, too, so that what looks like them is not learnt.

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
        return None
    truth = np.array([names.index(known[pool.ids[row]]) for row in givers] + [-1] * len(takers))
    features = principal(pool.features([*givers, *takers]))
    shares = spread(features, truth, len(names))[len(givers) :]
    chosen = np.random.default_rng(0).permutation(surest_of_each(shares, len(classes)))[:MOST_LIKELY]
    if not len(chosen):
        return None
    rows = takers[chosen]
    return Lesson(pool.images(rows), [pool.ids[row] for row in rows], [names[k] for k in shares[chosen].argmax(1)])


def surest_of_each(shares: np.ndarray, classes: int) -> np.ndarray:
    """Of the pictures of each of the first so many classes the half that is surest to be of it, int (k,).

    Not the surest of all: of a class that another one resembles there would be none.
    """
    first, margins = shares.argmax(1), margins_of(shares)
    found = []
    for number in range(classes):
        rows = np.flatnonzero((first == number) & (margins > 0))
        found.append(rows[np.argsort(-margins[rows], kind="stable")[: math.ceil(SURE_PART * len(rows))]])
    return np.concatenate(found)
