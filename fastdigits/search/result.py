"""What a search found."""

from dataclasses import dataclass
from pathlib import Path

from .folder import StudyFolder


@dataclass(frozen=True)
class Study:
    """What a search found.

    Attributes
    ----------
    path : Path
    trials : int
        That have ended.
    pruned, failed : int
        Of them.
    best_trial : int
    best_value : float
        Of the objective, on the valid rows that chose it.
    best_values : dict
        Of the options that were searched.
    winner, untuned : float or None
        Mean accuracy (0..1) of both in fresh folds; None where they were not scored.
    command : str
        That trains the winner once more.
    """

    path: Path
    trials: int
    pruned: int
    failed: int
    best_trial: int
    best_value: float
    best_values: dict
    winner: float | None
    untuned: float | None
    command: str

    @property
    def numbers(self) -> dict:
        """What was found, for result.json and the page's numbers."""
        return {name: value for name, value in vars(self).items() if name != "path"}

    def __rich__(self) -> str:
        lines = [
            f"{self.trials} trials, {self.pruned} of them pruned, {self.failed} failed",
            f"the best is trial {self.best_trial} with {self.best_value:.4f} on the valid rows that chose it: "
            + " ".join(f"{name}={value}" for name, value in self.best_values.items()),
        ]
        if self.winner is not None:
            lines.append(f"in fresh folds it has {self.winner:.2%}, untuned {self.untuned:.2%}")
        return "\n".join([*lines, f"report {StudyFolder(self.path).report}", f"again: {self.command}"])

    __str__ = __rich__
