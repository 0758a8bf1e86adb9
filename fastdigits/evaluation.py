"""evaluate(): how good a model is on labelled pictures, with intervals."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from .errors import InputError
from .folders import TEST, TRAIN, VALID, read_folder
from .inference import Inference
from .outputs import check_output, write_json
from .prediction import open_models, split_probabilities, table_probabilities
from .sources import PixelSource, open_source

CONFIDENCE_LEVEL = 0.95


@dataclass
class ClassScore:
    """Precision, recall and F1 (0..1) of one class, and its number of pictures."""

    label: str
    precision: float
    recall: float
    f1: float
    pictures: int


@dataclass
class Evaluation:
    """Scores over n labelled pictures.

    Attributes
    ----------
    data : str
        What was evaluated.
    pictures : int
        n.
    accuracy : float
        0..1.
    interval : (float, float)
        Wilson's 95 % interval of the accuracy.
    macro_f1 : float
        Mean F1 of the classes.
    log_loss : float
        Mean negative logarithm of the true label's probability.
    per_class : list of ClassScore
    classes : list of str
    confusion : list of list of int, (classes, classes)
        Row: true label; column: predicted label.
    """

    data: str
    pictures: int
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    log_loss: float
    per_class: list[ClassScore]
    classes: list[str]
    confusion: list[list[int]]

    def __rich__(self):
        from rich.console import Group
        from rich.table import Table

        low, high = self.interval
        title = (
            f"{self.data}: accuracy {self.accuracy:.2%} (95 % interval {low:.2%} .. {high:.2%}) "
            f"of {self.pictures:,} pictures"
        )
        scores = Table("label", "precision", "recall", "F1", "pictures", title="by class")
        for score in self.per_class:
            values = (f"{value:.4f}" for value in (score.precision, score.recall, score.f1))
            scores.add_row(score.label, *values, f"{score.pictures:,}")
        confusion = Table("true \\ predicted", *self.classes, title="confusion")
        for label, row in zip(self.classes, self.confusion):
            confusion.add_row(label, *(str(count) if count else "·" for count in row))
        return Group(title, scores, confusion)


def score(labels: list[str], probabilities: np.ndarray, classes: list[str], data: str) -> Evaluation:
    """Scores of predicted probabilities against true labels.

    Parameters
    ----------
    labels : list of str, length n
        True labels, all of them in `classes`.
    probabilities : ndarray, shape (n, classes), rows sum to 1
    classes : list of str
    data : str
        Name for the table's title.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    truth = np.array([classes.index(label) for label in labels])
    predicted = probabilities.argmax(1)
    every = list(range(len(classes)))
    columns = precision_recall_fscore_support(truth, predicted, labels=every, zero_division=0)
    per_class = [
        ClassScore(label, float(p), float(r), float(f), int(n)) for label, p, r, f, n in zip(classes, *columns)
    ]
    true_probability = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    n_right = int((truth == predicted).sum())
    return Evaluation(
        data=data,
        pictures=len(labels),
        accuracy=n_right / len(labels),
        interval=wilson_interval(n_right, len(labels)),
        macro_f1=float(np.mean(columns[2])),
        log_loss=float(-np.log(np.maximum(true_probability, 1e-15)).mean()),
        per_class=per_class,
        classes=classes,
        confusion=confusion_matrix(truth, predicted, labels=every).tolist(),
    )


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion at the 95 % level (Wilson 1927, JASA 22:209)."""
    from scipy.stats import binomtest

    interval = binomtest(n_right, n).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def evaluate(
    model: str,
    data: str,
    *,
    split: Literal["train", "valid", "test"] | None = None,
    ensemble: list[str] | None = None,
    out: Path | None = None,
    overwrite: bool = False,
) -> Evaluation:
    """Score a model on labelled pictures: accuracy with its 95 % interval, scores by class, confusion.

    Parameters
    ----------
    model
        A run directory or a saved model.
    data
        An image folder, or a table with labels as for convert.
    split
        Which pictures: by default valid of an image folder, all rows of a table. test also names the test part of a
        zip, npz or data set that has one.
    ensemble
        More models; probabilities are averaged.
    out
        A JSON file to write the scores to.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        When the model or the data are wrong, have no labels, or labels that the model does not know.
    """
    if out is not None:
        check_output(Path(out), overwrite)
    inference = Inference(open_models([model, *(ensemble or [])]), exact=True)
    classes = inference.classes
    if Path(data).is_dir():
        split = split or VALID
        folder = read_folder(data)
        part = folder.split(split)
        name = f"{data} ({split})"
        _check_labels(part.labels, classes, name)
        labels, probabilities = part.labels, split_probabilities(inference, folder, split)
    else:
        table = _part_of(open_source(data), split)
        name = table.name
        if not table.has_labels:
            raise _no_labels(name)
        _, labels, probabilities = table_probabilities(inference, table)
        _check_labels(labels, classes, name)
    evaluation = score(labels, probabilities, classes, name)
    if out is not None:
        write_json(Path(out), asdict(evaluation))
    return evaluation


def _part_of(table: PixelSource, split: str | None) -> PixelSource:
    """The table itself, or its test part when `split` asks for it."""
    if split is None or (split == TRAIN and table.test):
        return table
    if split == TEST and table.test:
        return table.test
    raise InputError(f"{table.name} has no part called {split}; leave out --split, or pass an image folder")


def _check_labels(labels: list[str] | None, classes: list[str], name: str) -> None:
    if labels is None:
        raise _no_labels(name)
    unknown = sorted(set(labels) - set(classes))
    if unknown:
        raise InputError(f"{name} has the label {unknown[0]!r}, which the model does not know ({', '.join(classes)})")


def _no_labels(name: str) -> InputError:
    return InputError(f"{name} has no labels, so nothing can be scored; use `fastdigits predict`")
