"""What a model learns while one labels: pictures with labels, and those that surely are what their look-alikes are."""

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..folders import choose_valid
from .look_alikes import likely_of
from .pool import Pool

HELD_BACK_FROM = 100  # labels, of which a part is held back to calibrate; of fewer, all are learnt
HELD_BACK = 0.2  # of them


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
    alike, guesses = likely_of(pool, classes, known, label_of)
    likely = Lesson(pool.images(alike), [pool.ids[row] for row in alike], guesses) if guesses else None
    return Lesson(pool.images(rows), ids, labels, held_back, likely)


def held_back_of(labels: list[str]) -> np.ndarray:
    """Which pictures are held back, bool (n,): of each class at least one, or none at all."""
    if len(labels) < HELD_BACK_FROM or min(Counter(labels).values()) < 2:
        return np.zeros(len(labels), bool)
    held = max(math.ceil(HELD_BACK * len(labels)), len(set(labels)))
    return choose_valid(labels, held, "stratified", seed=0)
