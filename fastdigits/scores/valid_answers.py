"""What a finished run said of its valid pictures: valid_predictions.csv, and the folder in which those pictures lie."""

from dataclasses import dataclass, field

import numpy as np

from ..answers import Predictions
from ..runs import Run
from ..system import InputError, whole_file
from .evaluation import Evaluation
from .expectation import kept_of_valid
from .scoring import class_numbers, score


@dataclass
class ValidAnswers:
    """A model's answers to labelled pictures that it was not trained on.

    Attributes
    ----------
    ids, labels : list of str, length n
        Labels are the true ones.
    probabilities : ndarray of float32, shape (n, classes), rows sum to 1
    classes : list of str
    groups : list of str, length n, or None
        Such as the writers.
    verdicts : dict of str to int
        How many answers are sure, doubtful and so on, as the run noted it.
    """

    ids: list[str]
    labels: list[str]
    probabilities: np.ndarray
    classes: list[str]
    groups: list[str] | None = None
    verdicts: dict[str, int] = field(default_factory=dict)

    def evaluation(self, name: str) -> Evaluation:
        """Scores, with `name` as what was evaluated."""
        evaluation = score(self.labels, self.probabilities, self.classes, name, self.groups)
        evaluation.verdicts = self.verdicts
        return evaluation

    def write(self, run: Run) -> None:
        """valid_predictions.csv: id, true, label, confidence, a probability for each class, and the group if known."""
        table = Predictions(self.ids, self.probabilities, self.classes).table(probabilities=True)
        table = table.drop(columns="verdict")  # the rule for it was made by these very answers
        table.insert(1, "true", self.labels)
        if self.groups:
            table["group"] = self.groups
        with whole_file(run.predictions_file) as partial:
            table.to_csv(partial, index=False)


def read_answers(run: Run, rows: int | None = None) -> ValidAnswers:
    """The answers of a finished run, or the first `rows`; InputError when all its rows were trained on."""
    import pandas as pd

    if not run.predictions_file.is_file():
        raise InputError(
            f"{run.path} has no scores, since all its rows were trained on; name a run with valid pictures"
        )
    classes = run.record()["classes"]
    columns = [f"p_{label}" for label in classes]
    # texts as they are: a class may be called None, and an id may begin with a zero
    table = pd.read_csv(run.predictions_file, nrows=rows, dtype=str, keep_default_na=False)
    groups = table["group"].tolist() if "group" in table else None
    probabilities = table[columns].to_numpy().astype(np.float32)
    noted = run.evaluation() if run.evaluation_file.is_file() else {}
    labels, verdicts = table["true"].tolist(), noted.get("verdicts", {})
    return ValidAnswers(table["id"].tolist(), labels, probabilities, classes, groups, verdicts)


def kept_of_runs(runs: list[Run]) -> dict:
    """What `kept_of_valid` keeps of the answers of all folds' runs, each to rows that it has not seen."""
    answers = [read_answers(run) for run in runs]
    truth = np.concatenate([class_numbers(found.labels, found.classes) for found in answers])
    probabilities = np.concatenate([found.probabilities for found in answers])
    return kept_of_valid(probabilities, truth, np.bincount(truth, minlength=probabilities.shape[1]))
