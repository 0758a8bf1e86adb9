"""What to expect of a model that was trained while one labels: its valid pictures are few, but labels still come in."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..answers import Predictions, open_model
from ..folders import VALID, read_folder
from ..runs import Run
from ..scores import Expectation, class_numbers, expectation_of, kept_of_valid, read_answers
from ..system import InputError
from .planning import MOST_COMPARED, Planner
from .trainer import DATA

Answers = tuple[np.ndarray, np.ndarray]  # probabilities (n, classes), and the true classes (n,)
MOST_EARLIER = 100  # answers of models before, which count until the model's own are more
LEAST_CHECKED = 30  # pictures of which a model's answers are known to be right or wrong, before anything is told
WIDEST_TOLD = 0.1  # interval; where none of these answers is wrong it says next to nothing


class Check:
    """A model's answers to pictures that it has not learnt: its valid ones, and those that were labelled since.

    While these are few, the answers of the models before it to what they had not learnt stand for its own.

    Parameters
    ----------
    run : Path
        Of a `Trainer`.
    classes : list of str
        That are labelled.
    earlier : tuple of ndarray, optional
        Probabilities (n, classes) and true classes (n,), as `known` of the check before gives them.

    Attributes
    ----------
    model : SavedModel
    learnt : set of str
        Ids of the pictures that it has learnt, with a label or by their look-alikes, and of its valid ones.

    Raises
    ------
    InputError
        When the run cannot be read, or tells other classes.
    """

    def __init__(self, run: Path, classes: list[str], earlier: Answers | None = None):
        self.model = open_model(run)
        if set(self.model.classes) != set(classes):
            told = ", ".join(self.model.classes)
            raise InputError(f"{run} tells {told}, and other classes are labelled now; it is trained anew")
        folder = read_folder(run.with_name(DATA))
        labels = [label for split in folder.splits.values() for label in split.labels]
        self.learnt = {id_ for split in folder.splits.values() for id_ in split.ids}
        self.shares = np.bincount(class_numbers(labels, classes), minlength=len(classes))
        self.probabilities, self.truth = np.zeros((0, len(classes))), np.zeros(0, int)
        if VALID in folder.splits:
            answers = read_answers(Run(run))
            columns = [answers.classes.index(name) for name in classes]
            self.probabilities, self.truth = answers.probabilities[:, columns], class_numbers(answers.labels, classes)
        if earlier is not None:
            probabilities, truth = (part[-MOST_EARLIER:] for part in earlier)
            self.probabilities = np.concatenate([probabilities, self.probabilities])
            self.truth = np.concatenate([truth, self.truth])

    def expectation(self, planner: Planner, label_of: dict[str, str]) -> Expectation | None:
        """What to expect on the pictures that it has not learnt; None where the known answers tell too little of it.

        Of those that it has learnt by their look-alikes it is surer than it may be.

        Parameters
        ----------
        planner : Planner
            That asks this model.
        label_of : dict of str to str
            What was said by now.
        """
        pool = planner.pool
        probabilities, truth = self.known(planner, label_of)
        rest = pool.open_rows({*label_of, *self.learnt}, MOST_COMPARED)
        if len(truth) < LEAST_CHECKED or not len(rest):
            return None
        kept = kept_of_valid(probabilities, truth, self.shares)
        found = Predictions([pool.ids[row] for row in rest], planner.probabilities(rest), planner.classes)
        expectation = expectation_of([replace(self.model, valid=kept)], found)
        low, high = expectation.interval
        return expectation if high - low <= WIDEST_TOLD else None

    def known(self, planner: Planner, label_of: dict[str, str]) -> Answers:
        """The answers of which it is known whether they are right: probabilities, and the true classes."""
        rows, labels = planner.learnt(label_of)
        since = [k for k, row in enumerate(rows) if planner.pool.ids[row] not in self.learnt]
        if not since:
            return self.probabilities, self.truth
        answers = planner.probabilities(np.array([rows[k] for k in since]))
        truth = class_numbers([labels[k] for k in since], planner.classes)
        return np.concatenate([self.probabilities, answers]), np.concatenate([self.truth, truth])
