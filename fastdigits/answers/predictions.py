"""What one or more models say about n pictures, and the files that it is written to."""

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from ..models import OUTLIERS
from ..photos import DIGIT
from ..sources import Notes
from ..system import write_json
from .submissions import submission_table
from .verdicts import ENOUGH, SURE, counted, verdict_line, verdicts_of
from .written import write_table

SHOWN = 10  # answers; of more only their number is told


@dataclass
class Predictions:
    """What one or more models say about n pictures.

    Attributes
    ----------
    ids : list of str, length n
    probabilities : ndarray of float32, shape (n, classes), rows sum to 1
    classes : list of str
    contents : ndarray of uint8, shape (n,), or None
        What the pictures show, see `Judge.contents`; None where they are known to show digits.
    outliers : ndarray of float32, shape (n, 2), or None
        Shares of "several digits" and "no digit" by models that tell them, see `models.OUTLIERS`; else None.
    agreement : ndarray of float32, shape (n, models, 2), or None
        Of several models, or with test-time augmentation, how far they agree; see `Inference.shares_and_agreement`.
    measured : ndarray of float32, shape (m, properties), or None
        What was measured of some pictures, spread over the source; see `photos.properties_of`.
    expectation : scores.Expectation or None
        What accuracy to expect, where the model can tell; without adaptation.
    untold : str or None
        Why it cannot be told.
    adaptation : list of str
        What the answers learnt from their own table, see `audit.adapted`.
    least_sure : float
        Answers of a lower confidence are doubtful.
    own_ids : bool
        Whether the ids came with the source, rather than being row numbers.
    truth : list of str, length n, or None
        Labels that came with the source.
    notes : list of str
        What was noticed while the source was read.
    file : Path or None
        Where they were written.
    submission_form : str or None
        In which form they were, if not as the table.
    """

    ids: list[str]
    probabilities: np.ndarray
    classes: list[str]
    contents: np.ndarray | None = None
    outliers: np.ndarray | None = None
    agreement: np.ndarray | None = None
    measured: np.ndarray | None = None
    expectation: "object | None" = None
    untold: str | None = None
    adaptation: list[str] = field(default_factory=list)
    least_sure: float = ENOUGH
    own_ids: bool = True
    truth: list[str] | None = None
    notes: Notes = field(default_factory=Notes)
    file: Path | None = None
    submission_form: str | None = None

    @property
    def labels(self) -> list[str]:
        return [self.classes[k] for k in self.probabilities.argmax(1)]

    @property
    def confidences(self) -> np.ndarray:
        """Probability of the predicted label, shape (n,)."""
        return self.probabilities.max(1)

    @cached_property
    def verdicts(self) -> list[str]:
        """For each answer sure, doubtful, blank, several or other; see `verdicts_of`."""
        contents = np.full(len(self.ids), DIGIT) if self.contents is None else self.contents
        return verdicts_of(self.confidences, contents, self.least_sure)

    def table(self, probabilities: bool = False):
        """A DataFrame `id,label,confidence,verdict`, and when asked `p_<class>` for each class.

        Behind them `share_several` and `share_other`, where the models tell them.
        """
        import pandas as pd

        table = pd.DataFrame({"id": self.ids, "label": self.labels, "confidence": self.confidences})
        table["verdict"] = self.verdicts
        if probabilities:
            table[[f"p_{label}" for label in self.classes]] = self.probabilities
            if self.outliers is not None:
                table[[f"share_{name}" for name in OUTLIERS]] = self.outliers
        return table

    def submission(self, form: str):
        """A DataFrame in the form that a competition wants; see `predict` for what `form` may be."""
        return submission_table(self.ids, self.labels, self.own_ids, form)

    def write(self, out: Path, submission: str | None = None, probabilities: bool = False) -> None:
        """Write the table, or the submission, as csv or csv.gz, and beside it what was noticed, if anything was."""
        table = self.submission(submission) if submission else self.table(probabilities)
        write_table(table, out)
        self.file, self.submission_form, notes_file = out, submission, notes_file_of(out)
        about = {"expectation": asdict(self.expectation)} if self.expectation else {}
        about |= {"adaptation": self.adaptation} if self.adaptation else {}
        if self.notes or about:
            write_json(notes_file, {"notes": self.notes, "verdicts": counted(self.verdicts)} | about)
        else:
            notes_file.unlink(missing_ok=True)

    def __rich__(self) -> str:
        if len(self.ids) > SHOWN:
            lines = [f"{len(self.ids):,} predictions, mean confidence {self.confidences.mean():.1%}"]
            if self.submission_form is None:  # of a submission they go where warnings go
                lines.append(verdict_line(counted(self.verdicts)))
            if self.expectation:
                lines.append(("without adaptation " if self.adaptation else "") + str(self.expectation))
            if self.untold:
                lines.append(f"what accuracy to expect cannot be told: {self.untold}")
            lines += [f"adapted: {line}" for line in self.adaptation]
        else:
            lines = [
                f"{id_}: {label} ({confidence:.1%})" + (f", {verdict}" if verdict != SURE else "")
                for id_, label, confidence, verdict in zip(self.ids, self.labels, self.confidences, self.verdicts)
            ]
        return "\n".join(lines + ([f"written to {self.file}"] if self.file else []))

    __str__ = __rich__


def notes_file_of(out: Path) -> Path:
    """Where what was noticed is kept beside predictions: predictions.notes.json."""
    plain = out.name.removesuffix(".gz")
    return out.with_name(Path(plain).stem + ".notes.json")


def holds_notes(file: Path) -> bool:
    """Whether a file is such a one, written by us."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"notes", "verdicts"} <= set(found)
