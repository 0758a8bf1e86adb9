"""Predicted labels in the form that a competition wants."""

from collections import Counter
from pathlib import Path

from ..sources import Location, locate, read_small_csv, tables_of
from ..system import InputError

SUBMISSIONS = {"kaggle": ("ImageId", "Label"), "kannada": ("id", "label")}


def submission_table(ids: list[str], labels: list[str], own_ids: bool, submission: str):
    """A DataFrame in the form that a competition wants; see `predict` for what `submission` may be."""
    import pandas as pd

    if submission == "kaggle":
        numbers = _whole_numbers(ids) if own_ids else range(1, len(labels) + 1)
        return pd.DataFrame(dict(zip(SUBMISSIONS["kaggle"], (numbers, labels))))
    if submission == "kannada":
        return pd.DataFrame(dict(zip(SUBMISSIONS["kannada"], (_each_once(ids), labels))))
    path = Path(submission)
    if not path.exists() and not any(parent.is_file() for parent in path.parents):  # a zip, of which it is a part
        raise InputError(
            f"--submission {submission} is neither kaggle, kannada nor a file; pass the competition's sample"
        )
    return _like_sample(ids, labels, own_ids, path)


def _whole_numbers(ids: list[str]) -> list[int]:
    """The rows' own ids as a Kaggle submission takes them; InputError unless they are whole numbers, each once."""
    strange = next((id_ for id_ in ids if not id_.isdecimal()), None)
    if strange is not None:
        raise InputError(
            f"the id {strange!r} is no whole number, as --submission kaggle writes them; pass the competition's sample"
        )
    return _each_once(list(map(int, ids)))


def _each_once(ids: list) -> list:
    twice = [id_ for id_, count in Counter(ids).items() if count > 1]
    if twice:
        raise InputError(f"the id {twice[0]} occurs more than once; a submission names each row once")
    return ids


def _like_sample(ids: list[str], labels: list[str], own_ids: bool, path: Path):
    """The sample's own columns, ids and order with our labels, matched by id, or by position for tables without ids."""
    location = submission_sample(path)
    with location.open() as stream:
        sample = read_small_csv(stream, location.name, keep_default_na=False)
    if len(sample.columns) != 2:
        raise InputError(
            f"{location.name} has the columns {', '.join(sample.columns)}; a sample has an id and a label column"
        )
    if len(sample) != len(ids):
        raise InputError(
            f"{location.name} has {len(sample):,} rows, the predicted table has {len(ids):,}; "
            "is it the sample of another competition?"
        )
    id_column, label_column = sample.columns
    if own_ids and all(id_.isdecimal() for id_ in [*ids, *sample[id_column]]):  # 007.png is the sample's 7
        ids = [str(int(id_)) for id_ in ids]
        label_of = dict(zip(ids, labels))
        in_sample = [str(int(id_)) for id_ in sample[id_column]]
    else:
        label_of, in_sample = dict(zip(ids, labels)), sample[id_column].tolist()
    if sample[id_column].duplicated().any():
        raise InputError(f"{location.name} names an id more than once; pass the competition's own sample")
    if set(in_sample) == set(label_of):
        sample[label_column] = [label_of[id_] for id_ in in_sample]
    elif own_ids:
        strange = next(id_ for id_ in in_sample if id_ not in label_of)
        raise InputError(f"{location.name} asks for the id {strange!r}, which the predicted table does not have")
    else:
        sample[label_column] = labels
    return sample


def submission_sample(path: Path) -> Location:
    """Where a sample submission lies: `path` itself, or the one inside a competition's zip or folder."""
    tables = tables_of(path)
    if tables is None:
        return locate(path)
    samples = [location for location in tables if "sample" in location.file_name]
    if len(samples) != 1:
        raise InputError(f"{path} holds {len(samples)} sample submissions; pass the sample file itself")
    return samples[0]
