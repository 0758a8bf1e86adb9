"""Pseudo-labels: test pictures that a model is sure of, trained on as if its answers were their labels.

Transductive: whoever trains so has seen the test pictures, and the score on them says less about new ones.
"""

import os
import shutil
from pathlib import Path

import numpy as np

from ...sources import read_small_csv
from ...system import InputError
from ..splits import TEST, TRAIN, picture_file

PSEUDO_CONFIDENCE = 0.99  # confidence from which an answer is taken for a label
PREFIX = "test-"  # of their ids among the training rows
GROUP = "pseudo-labelled"  # theirs, where others have groups


def read_pseudo_labels(path: Path, least_confidence: float) -> dict[str, str]:
    """Labels by id from predictions (id, label, confidence), of those that are sure enough.

    Raises
    ------
    InputError
        When the file is no such table.
    """
    if not 0 <= least_confidence <= 1:
        raise InputError(f"--pseudo-confidence {least_confidence:g} makes no sense; accepted are 0..1")
    if not path.is_file():
        raise InputError(f"{path} does not exist; --pseudo-labels takes the csv that `fastdigits predict` writes")
    kinds = {"id": str, "label": str, "confidence": np.float64}
    table = read_small_csv(path, dtype=kinds, keep_default_na=False)
    if not {"id", "label", "confidence"} <= set(table.columns):
        raise InputError(
            f"{path} has the columns {', '.join(table.columns)}; --pseudo-labels takes id, label, confidence"
        )
    sure = table[table.confidence >= least_confidence]
    if "verdict" in table:  # of pictures that show no single digit there is nothing to learn
        sure = sure[sure.verdict.isin(("sure", "doubtful"))]
    if sure.empty:
        raise InputError(f"{path} has no row with a confidence of {least_confidence:g} or more; lower it")
    return dict(zip(sure.id, sure.label))


def add_pseudo_rows(folder: Path, content: dict, label_of: dict[str, str]) -> str:
    """Copy the sure ones among the test pictures of a folder in the making to train/; a note that says so.

    Parameters
    ----------
    folder : Path
    content : dict
        Its manifest's `classes` and `rows`; the training rows get new ones.
    label_of : dict of id to label
    """
    train, test = content["rows"][TRAIN], content["rows"][TEST]
    ids = [id_ for id_ in test["ids"] if id_ in label_of]
    if not ids:
        raise InputError(f"the test table has none of the ids of --pseudo-labels, e.g. {next(iter(label_of))!r}")
    taken = {PREFIX + id_ for id_ in ids}.intersection(*[[i for part in content["rows"].values() for i in part["ids"]]])
    if taken:
        raise InputError(f"the table has the id {sorted(taken)[0]!r} itself, which pseudo-labels need; rename it")
    strange = sorted({label_of[id_] for id_ in ids} - set(content["classes"]))
    if strange:
        raise InputError(f"--pseudo-labels has the label {strange[0]!r}, which the training rows do not have")
    for id_ in ids:
        place = picture_file(folder, TRAIN, label_of[id_], PREFIX + id_)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copyfile(picture_file(folder, TEST, None, id_), place)
    content["pseudo_labelled"] = len(ids)
    train["ids"] += [PREFIX + id_ for id_ in ids]
    train["labels"] += [label_of[id_] for id_ in ids]
    if train["groups"] is not None:
        train["groups"] += [GROUP] * len(ids)
    return (
        f"{len(ids):,} of {len(test['ids']):,} test pictures are among the training rows with labels that nobody gave "
        "them: scores on them are transductive"
    )
