"""What models say about all pictures of a source, in its order, and the tables that it is written to."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..folders import MANIFEST, TEST, read_folder
from ..photos import PICTURE_ENDINGS, left_out, list_pictures, picture_ids
from ..sources import (
    PixelSource,
    has_pictures,
    holds_tables,
    is_competition,
    is_picture_folder,
    is_trained_on,
    open_source,
    open_tables,
)
from ..system import InputError, whole_file
from .inference import Inference
from .probabilities import file_probabilities, split_probabilities, table_probabilities
from .submissions import submission_table

TABLE_ENDINGS = (".csv", ".csv.gz", ".txt")  # of what is written


@dataclass
class Predictions:
    """What one or more models say about n pictures.

    Attributes
    ----------
    ids : list of str, length n
    probabilities : ndarray of float32, shape (n, classes), rows sum to 1
    classes : list of str
    own_ids : bool
        Whether the ids came with the source, rather than being row numbers.
    file : Path or None
        Where they were written.
    """

    ids: list[str]
    probabilities: np.ndarray
    classes: list[str]
    own_ids: bool = True
    file: Path | None = None

    @property
    def labels(self) -> list[str]:
        return [self.classes[k] for k in self.probabilities.argmax(1)]

    @property
    def confidences(self) -> np.ndarray:
        """Probability of the predicted label, shape (n,)."""
        return self.probabilities.max(1)

    def table(self, probabilities: bool = False):
        """A DataFrame `id,label,confidence`, with a column `p_<class>` for each class when asked."""
        import pandas as pd

        table = pd.DataFrame({"id": self.ids, "label": self.labels, "confidence": self.confidences})
        if probabilities:
            table[[f"p_{label}" for label in self.classes]] = self.probabilities
        return table

    def submission(self, form: str):
        """A DataFrame in the form that a competition wants; see `predict` for what `form` may be."""
        return submission_table(self.ids, self.labels, self.own_ids, form)

    def write(self, out: Path, submission: str | None = None, probabilities: bool = False) -> None:
        """Write the table, or the submission, as csv or csv.gz."""
        table = self.submission(submission) if submission else self.table(probabilities)
        with whole_file(out) as partial:
            packed = {"method": "gzip", "mtime": 0} if out.suffix == ".gz" else None  # the same rows, the same bytes
            table.to_csv(partial, index=False, compression=packed)
        self.file = out

    def __rich__(self) -> str:
        shown = min(len(self.ids), 10)
        lines = [
            f"{id_}: {label} ({confidence:.1%})"
            for id_, label, confidence in zip(self.ids[:shown], self.labels, self.confidences)
        ]
        if len(self.ids) > shown:
            lines = [f"{len(self.ids):,} predictions, mean confidence {self.confidences.mean():.1%}"]
        return "\n".join(lines + ([f"written to {self.file}"] if self.file else []))

    __str__ = __rich__


def table_to_predict(sources: list[str], label_column: str | None = None) -> PixelSource:
    """The table to predict: of a competition's zip or a whole data set the part that is there to be predicted."""
    for source in sources:
        if Path(source).is_dir() and not holds_tables(Path(source)):
            raise InputError(f"{source} is no table; --also and --shard are for tables of pixels")
    return open_tables(sources, to_predict=True, label_column=label_column)


def predict_source(
    inference: Inference, source: str, also: list[str] | None = None, label_column: str | None = None
) -> Predictions:
    """Predictions for every picture that `source` holds, in its order."""
    path, classes = Path(source), inference.classes
    if path.suffix.lower() in PICTURE_ENDINGS and not also:
        answer = file_probabilities(inference, [path], inference.normalise)
        return Predictions([path.name], answer, classes, own_ids=False)  # row 1 of a submission
    if also or not path.exists():  # a pattern, or a name such as sklearn:digits
        table = table_to_predict([source, *(also or [])], label_column)
        ids, _, probabilities = table_probabilities(inference, table)
        return Predictions(ids, probabilities, classes, table.has_ids)
    has_tables = path.is_dir() and is_competition(path)  # which count for more than pictures beside them
    # but not for more than an image folder's own
    if (path / MANIFEST).is_file() or ((path / TEST).is_dir() and (is_trained_on(path) or not has_tables)):
        folder = read_folder(path, inference.normalise)
        split = folder.split(TEST)
        return Predictions(split.ids, split_probabilities(inference, folder, TEST), classes, split.own_ids)
    files = list_pictures(path)
    if files and not has_tables:
        answers = file_probabilities(inference, files, inference.normalise)
        for note in left_out(path):
            print(note)
        return Predictions(picture_ids(files), answers, classes)
    if path.is_dir() and not holds_tables(path) and not has_pictures(path):
        raise InputError(f"{path} holds no pictures; pass a folder of {', '.join(PICTURE_ENDINGS)} files or a table")
    table = open_source(source, None, inference.normalise and is_picture_folder(path), label_column)
    table = table.test or table  # of a competition's zip or a whole data set, the part that is there to be predicted
    ids, _, probabilities = table_probabilities(inference, table)
    return Predictions(ids, probabilities, classes, table.has_ids)
