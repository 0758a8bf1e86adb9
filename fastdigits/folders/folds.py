"""Folds: an image folder split several ways, so that every row is held back once and no group is on both sides."""

import hashlib
from dataclasses import replace

import numpy as np

from ..system import InputError
from .layout import ImageFolder
from .splits import TRAIN, VALID, Split


def fold_folders(folder: ImageFolder, n_folds: int, seed: int) -> list[ImageFolder]:
    """The labelled rows of `folder`, train and valid together, in `n_folds` splits.

    Each class is spread evenly over the folds. Where groups are known, such as writers, none is on both sides
    (scikit-learn's StratifiedGroupKFold).

    Raises
    ------
    InputError
        When there are fewer groups, or rows of a class, than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rows = labelled_rows(folder)
    labels, groups = np.array(rows.labels), rows.groups
    _check_folds(folder, n_folds, rows)
    splitter = StratifiedGroupKFold if groups else StratifiedKFold
    splits = splitter(n_folds, shuffle=True, random_state=seed).split(labels, labels, groups)
    folds = [_fold(folder, rows, train, valid) for train, valid in splits]
    _check_classes(folds)
    return folds


def labelled_rows(folder: ImageFolder) -> Split:
    """Train and valid rows as one split; groups only where all have one."""
    parts = [folder.splits[name] for name in (TRAIN, VALID) if name in folder.splits]
    has_groups = all(part.groups for part in parts)
    return Split(
        [name for part in parts for name in part.file_names],
        [id_ for part in parts for id_ in part.ids],
        [label for part in parts for label in part.labels],
        [group for part in parts for group in part.groups] if has_groups else None,
        all(part.own_ids for part in parts),
    )


def _check_folds(folder: ImageFolder, n_folds: int, rows: Split) -> None:
    if n_folds < 2:
        raise InputError(f"--folds {n_folds} makes no sense; accepted are 2 or more")
    if folder.manifest and folder.manifest.get("pseudo_labelled"):
        raise InputError(
            f"{folder.path} has {folder.manifest['pseudo_labelled']:,} rows whose labels nobody gave, which folds "
            "would score by; convert without --pseudo-labels and --look-alikes"
        )
    if rows.groups and len(set(rows.groups)) < n_folds:
        found = len(set(rows.groups))
        raise InputError(f"{folder.path} has {found} groups, too few for --folds {n_folds}; pass {found} or fewer")
    rarest = min(folder.classes, key=rows.labels.count)
    if rows.labels.count(rarest) < n_folds:
        raise InputError(
            f"{folder.path} has {rows.labels.count(rarest)} pictures of the class {rarest!r}, too few for "
            f"--folds {n_folds}; pass fewer"
        )


def _check_classes(folds: list[ImageFolder]) -> None:
    """InputError unless every class stands on both sides of every fold."""
    for number, fold in enumerate(folds, start=1):
        for name, split in fold.splits.items():
            missing = [label for label in fold.classes if label not in set(split.labels)]
            if missing:
                raise InputError(
                    f"fold {number} of {len(folds)} has no {name} picture of the class {missing[0]!r}, since few "
                    "groups have it; pass fewer --folds, or another --seed"
                )


def _fold(folder: ImageFolder, rows: Split, train: np.ndarray, valid: np.ndarray) -> ImageFolder:
    """The folder as if it had been split so; its pixel statistics are taken from its own training rows."""
    splits = {name: _chosen(rows, chosen) for name, chosen in ((TRAIN, train), (VALID, valid))}
    digest = hashlib.sha256(folder.digest.encode() + np.asarray(valid, np.int64).tobytes()).hexdigest()
    return replace(folder, splits=splits, digest=digest, manifest=None, whole=folder)


def _chosen(rows: Split, chosen: np.ndarray) -> Split:
    def of(values: list[str] | None) -> list[str] | None:
        return None if values is None else [values[row] for row in chosen]

    return Split(of(rows.file_names), of(rows.ids), of(rows.labels), of(rows.groups), rows.own_ids)
