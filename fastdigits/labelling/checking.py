"""What to expect of a model that was trained while one labels: its valid pictures are few, but labels still come in."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..answers import Predictions, open_model
from ..folders import read_folder, spread_rows
from ..runs import Run
from ..scores import Expectation, class_numbers, expectation_of, kept_of_valid, read_answers
from .planning import MOST_COMPARED, Planner
from .teaching import DATA

LEAST_CHECKED = 30  # pictures of which a model's answers are known to be right or wrong, before anything is told


class Check:
    """A model's answers to pictures that it has not learnt: its valid ones, and those that were labelled since.

    Parameters
    ----------
    run : Path
        Of a lesson.

    Attributes
    ----------
    model : SavedModel
    learnt : set of str
        Ids of the pictures that had labels when it was trained, its valid ones too.
    """

    def __init__(self, run: Path):
        self.model = open_model(run)
        splits = read_folder(run.with_name(DATA)).splits.values()
        self.learnt = {id_ for split in splits for id_ in split.ids}
        answers = read_answers(Run(run))
        self.probabilities, self.truth = answers.probabilities, class_numbers(answers.labels, answers.classes)

    def expectation(self, planner: Planner, label_of: dict[str, str]) -> Expectation | None:
        """What to expect on the pictures without labels; None where too few answers are known to be right or wrong.

        Parameters
        ----------
        planner : Planner
            That asks this model.
        label_of : dict of str to str
            What was said by now.
        """
        pool = planner.pool
        rows, labels = planner.learnt(label_of)
        since = [k for k, row in enumerate(rows) if pool.ids[row] not in self.learnt]
        rest = pool.open_rows(label_of)
        rest = rest[spread_rows(len(rest), MOST_COMPARED)]
        if len(self.truth) + len(since) < LEAST_CHECKED or not len(rest):
            return None
        probabilities, truth = [self.probabilities], [self.truth]
        if since:
            probabilities.append(planner.probabilities(np.array([rows[k] for k in since])))
            truth.append(class_numbers([labels[k] for k in since], planner.classes))
        shares = np.array(self.model.valid["shares"])
        kept = kept_of_valid(np.concatenate(probabilities), np.concatenate(truth), shares)
        ids = [pool.ids[row] for row in rest]
        found = Predictions(ids, planner.probabilities(rest), planner.classes)
        return expectation_of([replace(self.model, valid=kept)], found)
