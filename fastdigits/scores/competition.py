"""What a competition's submission was made of, and what to expect of it."""

from dataclasses import dataclass
from pathlib import Path

from ..answers import verdict_line
from .expectation import Expectation
from .intervals import Interval


@dataclass
class Competition:
    """Where everything lies, and what to expect.

    Attributes
    ----------
    folder : Path
    expectation : Expectation or None
        What accuracy to expect on the test rows, by how sure the models are of their answers to them.
    folds_of : str
        What is not on both sides of a fold: groups, row blocks, or random rows alone.
    folds : int
    accuracy, deviation : float
        Mean over the folds, and the standard deviation between them.
    interval : (float, float)
        Of the accuracy, over the pictures of all folds.
    adapted_accuracy : float or None
        Of all folds' pictures, once the answers to each fold have learnt from it; None without --adapt.
    adaptation : list of str
        What the answers to the test rows learnt from them.
    models : int
        That were trained on all rows and predict together.
    epochs : int
        Of each.
    minutes : float
        That it took.
    rows : int
        Of the submission.
    warnings : list of str
    verdicts : dict of str to int
        How many of the submission's answers are sure, doubtful and so on.
    notes : list of str
        What was noticed while the tables were read.
    """

    folder: Path
    expectation: Expectation | None
    folds_of: str
    folds: int
    accuracy: float
    deviation: float
    interval: Interval
    adapted_accuracy: float | None
    adaptation: list[str]
    models: int
    epochs: int
    minutes: float
    rows: int
    warnings: list[str]
    verdicts: dict[str, int]
    notes: list[str]

    def __rich__(self) -> str:
        (low, high), without = self.interval, "" if self.adapted_accuracy is None else " (without adaptation)"
        lines = [
            f"test rows{without}: {self.expectation or 'too few to tell what accuracy to expect'}",
            f"accuracy in {self.folds} folds of {self.folds_of} {self.accuracy:.2%} (95 % interval {low:.2%} .. "
            f"{high:.2%}; deviation between folds {self.deviation:.2%})",
            *self._adapted(),
            f"{self.models} model{'s' if self.models > 1 else ''} of all rows, {self.epochs} epochs each; "
            f"{self.minutes:.1f} minutes",
            *(f"warning: {warning}" for warning in self.warnings),
            f"submission {self.folder}/submission.csv, {self.rows:,} rows: {verdict_line(self.verdicts)}",
            f"report     {self.folder}/report.html (of the first fold)",
        ]
        return "\n".join(lines)

    __str__ = __rich__

    def _adapted(self) -> list[str]:
        if self.adapted_accuracy is None:
            return []
        told = [f"adapted: {line}" for line in self.adaptation]
        return [f"with adaptation to each fold {self.adapted_accuracy:.2%} of all folds' pictures", *told]
