"""What a model learns while one labels: pictures with labels, and others that look like them."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..folders import SplitRule, choose_valid
from .look_alikes import copies_of, look_alikes_of
from .pool import Pool

HELD_BACK_FROM = 100  # labels, of which a part is held back to calibrate; of fewer, all are learnt


@dataclass(frozen=True)
class Lesson:
    """Pictures to learn.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, h, w)
        First those with a label, then their look-alikes.
    ids, labels : list of str
    given : int
        How many of the labels somebody gave; the others were passed on.
    held_back : set of str
        Ids of pictures that are not learnt, but calibrate.
    """

    images: np.ndarray
    ids: list[str]
    labels: list[str]
    given: int
    held_back: set[str]


def lesson_of(pool: Pool, classes: list[str], label_of: dict[str, str]) -> Lesson:
    """What is to be learnt once so much was said.

    Parameters
    ----------
    pool : Pool
    classes : list of str
    label_of : dict of str to str
        By id a class, NO_DIGIT or UNSURE.
    """
    rows, given = pool.labelled(label_of, classes)
    held_back = {pool.ids[row] for row, is_held in zip(rows, held_back_of(given)) if is_held}
    known = {id_: label for id_, label in label_of.items() if id_ not in held_back}
    left_out = {*label_of, *copies_of(pool, held_back, {})}
    look_alikes, passed_on = look_alikes_of(pool, classes, known, left_out)
    rows += look_alikes.tolist()
    return Lesson(pool.images(rows), [pool.ids[row] for row in rows], given + passed_on, len(given), held_back)


def held_back_of(labels: list[str]) -> np.ndarray:
    """Which pictures are held back, bool (n,): of each class at least one, or none at all."""
    if len(labels) < HELD_BACK_FROM or min(Counter(labels).values()) < 2:
        return np.zeros(len(labels), bool)
    held = max(math.ceil(SplitRule.valid * len(labels)), len(set(labels)))
    return choose_valid(labels, held, SplitRule.method, SplitRule.seed)
