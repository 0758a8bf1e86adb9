"""Which rows are kept for validation: at random, by class, by row order, and never with a group on both sides."""

import math
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..photos import natural_order
from ..sources import read_small_csv
from ..system import InputError, check_seed
from .splits import TRAIN, VALID

SplitMethod = Literal["stratified", "random", "first"]


@dataclass(frozen=True)
class SplitRule:
    """How labelled rows are parted into train and valid.

    Attributes
    ----------
    method : SplitMethod
        stratified: every class in proportion; random: any rows; first: the table's first rows are valid.
    valid : float
        Share of the rows that are kept for valid, or from 1 on their number; 0: none.
    seed : int
        Of the random choice.
    """

    method: SplitMethod = "stratified"
    valid: float = 0.15
    seed: int = 5

    def check(self, has_groups: bool) -> None:
        """InputError when the rule, or groups beside it, make no sense."""
        if not (0 <= self.valid < 1 or (self.valid >= 1 and float(self.valid).is_integer())):
            raise InputError(
                f"--valid {self.valid:g} makes no sense; accepted are 0 (all rows train), a share such as 0.15, or a "
                "whole number of rows such as 1000"
            )
        if self.method not in SplitMethod.__args__:
            raise InputError(f"--split {self.method!r} is unknown; accepted are {', '.join(SplitMethod.__args__)}")
        check_seed(self.seed)
        if has_groups and self.method == "first":
            raise InputError("--split first cuts groups in two; leave out --groups, or use stratified or random")


def read_groups(path: Path, ids: list[str]) -> np.ndarray:
    """The group of each of `ids`, as an array of texts (n,), from a csv with an id column and one group column."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist; --groups takes a csv with an id column and one group column")
    table = read_small_csv(path, keep_default_na=False)
    id_columns = [name for name in table.columns if name.strip().lower() in ("id", "imageid")]
    if len(table.columns) != 2 or len(id_columns) != 1:
        raise InputError(
            f"{path} has the columns {', '.join(table.columns)}; --groups takes an id column and one group column"
        )
    group_column = next(name for name in table.columns if name != id_columns[0])
    twice = table[id_columns[0]][table[id_columns[0]].duplicated()]
    if len(twice):
        raise InputError(f"{path} names the id {twice.iloc[0]!r} more than once; give every id one group")
    group_of = dict(zip(table[id_columns[0]].str.strip(), table[group_column].str.strip()))
    missing = [id_ for id_ in ids if not group_of.get(id_)]
    if missing:
        raise InputError(f"{path} names no group for {len(missing)} of {len(ids)} ids, e.g. {missing[0]!r}")
    return np.array([group_of[id_] for id_ in ids])


def choose_valid(
    labels: list[str], valid: float, split: SplitMethod, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Which rows are kept for validation.

    Parameters
    ----------
    labels : list of str, length n
    valid : float
        Share 0 <= valid < 1, of which scikit-learn takes the next whole number of rows, or a number of rows.
    split : 'stratified', 'random' or 'first'
    seed : int
    groups : ndarray of str, shape (n,), optional
        No group is on both sides.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    from sklearn.model_selection import train_test_split  # the rows that notebooks get by the same seed

    n = len(labels)
    n_valid = round(valid) if valid >= 1 else math.ceil(valid * n)
    in_valid = np.zeros(n, bool)
    if n_valid >= n:
        raise InputError(f"--valid {valid:g} leaves none of the {n} rows to train on; pass a smaller number or a share")
    if n_valid == 0:
        return in_valid
    if groups is not None:
        in_valid[_valid_groups(np.asarray(labels), groups, n_valid / n, split, seed)] = True
    elif split == "first":
        in_valid[:n_valid] = True
    elif split == "random":
        in_valid[train_test_split(np.arange(n), test_size=n_valid, random_state=seed)[1]] = True
    else:
        in_valid = _stratified(labels, n_valid, seed)
    _check_every_class(np.asarray(labels), in_valid)
    return in_valid


def _stratified(labels: list[str], n_valid: int, seed: int) -> np.ndarray:
    """Which rows are valid ones, bool (n,): of each class its share, and at least one on each side."""
    from sklearn.model_selection import train_test_split

    label, count = min(Counter(labels).items(), key=lambda item: item[1])
    n_classes = len(set(labels))
    if count < 2:
        raise InputError(
            f"the label {label!r} has one row, so it cannot stand on both sides; add rows or use --valid 0"
        )
    if min(n_valid, len(labels) - n_valid) < n_classes:
        raise InputError(
            f"{n_valid} of {len(labels)} rows for validation cannot hold all {n_classes} classes on both sides; "
            "change --valid, or use --valid 0 to train on all rows"
        )
    valid = train_test_split(np.arange(len(labels)), test_size=n_valid, stratify=labels, random_state=seed)[1]
    in_valid = np.zeros(len(labels), bool)
    in_valid[valid] = True
    _exchange_for_rare(np.asarray(labels), in_valid, seed)
    return in_valid


def _exchange_for_rare(labels: np.ndarray, in_valid: np.ndarray, seed: int) -> None:
    """Bring a row of each class to the side that shares leave without any, in exchange for one of the commonest."""
    random = np.random.default_rng(seed)
    for side in (True, False):
        for label in sorted(set(labels) - set(labels[in_valid == side])):
            there = Counter(labels[in_valid == side].tolist())
            commonest = max(sorted(there), key=there.get)
            comes = random.choice(np.flatnonzero((labels == label) & (in_valid != side)))
            goes = random.choice(np.flatnonzero((labels == commonest) & (in_valid == side)))
            in_valid[comes], in_valid[goes] = side, not side


def evenly_spaced(n: int, most: int) -> np.ndarray:
    """At most `most` of n rows, from the first to the last: int (k,), ascending."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).astype(int))


def spread_rows(n: int, most: int) -> np.ndarray:
    """At most `most` of n rows, one at random from each of so many equal parts: int (k,), ascending; always the same.

    Rows at even distances would all be of one class where classes take turns in a table.
    """
    k = min(n, most)
    edges = np.arange(k + 1) * n // max(k, 1)
    return edges[:-1] + (np.random.default_rng(0).random(k) * np.diff(edges)).astype(int)


def _valid_groups(labels: np.ndarray, groups: np.ndarray, valid: float, split: str, seed: int) -> np.ndarray:
    """Rows of whole groups that come nearest to the share `valid`, by class when stratified."""
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold

    n_groups = len(set(groups))
    if n_groups < 2:
        raise InputError(f"--groups has the one group {str(groups[0])!r}; a split by group needs two or more")
    if split == "random":
        n_valid = min(max(1, round(valid * n_groups)), n_groups - 1)
        splitter = GroupShuffleSplit(1, test_size=n_valid, random_state=seed)
        return next(splitter.split(labels, labels, groups))[1]
    smaller = min(valid, 1 - valid)  # a fold is the smaller side
    n_folds = min(max(2, round(1 / smaller)), n_groups, max(Counter(labels.tolist()).values()))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # what it leads to is checked afterwards
        folds = list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels, groups))
    sides = [rest if valid > 0.5 else fold for rest, fold in folds]
    return min(sides, key=lambda rows: abs(len(rows) - valid * len(labels)))


def _check_every_class(labels: np.ndarray, in_valid: np.ndarray) -> None:
    for side, rows in ((TRAIN, ~in_valid), (VALID, in_valid)):
        missing = sorted(set(labels.tolist()) - set(labels[rows].tolist()), key=natural_order)
        if missing:
            raise InputError(
                f"this split leaves no row of the class {missing[0]!r} in {side}; "
                "change --valid or --seed, or use --split stratified"
            )
