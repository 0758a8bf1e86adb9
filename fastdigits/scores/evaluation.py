"""The scores of a model on labelled pictures, with intervals, and how they are shown."""

from collections import Counter
from dataclasses import dataclass, field

from ..models import OUTLIERS
from .calibration import RejectRule, ReliabilityBin
from .comparison import Comparison
from .intervals import Interval
from .stress import StressScore, stress_table

WIDEST_MATRIX, MOST_PAIRS = 12, 20  # classes that fit into 100 columns; pairs that are shown
PERFECT_HINT = "every picture is right; were copies of them trained on? fastdigits explore looks for them"


@dataclass
class ClassScore:
    """Precision, recall and F1 (0..1) of one class with 95 % intervals, and its number of pictures."""

    label: str
    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval
    f1: float
    f1_interval: Interval
    pictures: int


@dataclass
class GroupScore:
    """Accuracy (0..1) on the pictures of one group, such as a writer, with its 95 % interval."""

    group: str
    pictures: int
    accuracy: float
    interval: Interval


@dataclass
class Evaluation:
    """Scores over n labelled pictures; intervals are 95 % ones.

    Attributes
    ----------
    data : str
        What was evaluated.
    pictures : int
        n.
    accuracy : float
        0..1.
    interval : (float, float)
        Wilson's, of the accuracy.
    top2, top2_interval : float, (float, float)
        Share of pictures whose label is the likeliest or the second.
    macro_f1, macro_f1_interval : float, (float, float)
        Mean F1 of the classes that are met; the interval by resampling pictures.
    log_loss : float
        Mean negative logarithm of the true label's probability.
    calibration_error : float
        Expected distance of confidence and accuracy, 0..1.
    reliability : list of ReliabilityBin
    reject : RejectRule
    coverage : list of [threshold, coverage, accuracy]
        At most 200 points of the curve.
    per_class : list of ClassScore
    classes : list of str
    confusion : list of list of int, (classes, classes)
        Row: true label; column: predicted label.
    groups : list of GroupScore, or None
        The worst first, where groups are known.
    groups_interval : (float, float) or None
        Of the accuracy, by resampling whole groups: what to expect of other groups like these; None under five.
    comparison : Comparison or None
        With another model on the same pictures.
    stress : list of StressScore, or None
    verdicts : dict of str to int
        How many answers are sure, doubtful and so on.
    notes : list of str
        What was noticed while the pictures were read.
    """

    data: str
    pictures: int
    accuracy: float
    interval: Interval
    top2: float
    top2_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    log_loss: float
    calibration_error: float
    reliability: list[ReliabilityBin]
    reject: RejectRule
    coverage: list[list[float]]
    per_class: list[ClassScore]
    classes: list[str]
    confusion: list[list[int]]
    groups: list[GroupScore] | None = None
    groups_interval: Interval | None = None
    comparison: Comparison | None = None
    stress: list[StressScore] | None = None
    verdicts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def outliers(self) -> float:
        """Share of pictures, 0..1, that are taken for several digits or none."""
        return sum(self.verdicts.get(name, 0) for name in OUTLIERS) / self.pictures

    def __rich__(self):
        from rich.console import Group
        from rich.table import Table

        low, high = self.interval
        parts = [
            f"{self.data}: accuracy {self.accuracy:.2%} (95 % interval {low:.2%} .. {high:.2%}) "
            f"of {self.pictures:,} pictures",
            *self.sentences(),
        ]
        scores = Table("label", "precision", "recall", "F1", "pictures", title="by class (95 % intervals)")
        for score in self.per_class:
            values = [
                f"{value:.4f} ({low:.3f} .. {high:.3f})"
                for value, (low, high) in (
                    (score.precision, score.precision_interval),
                    (score.recall, score.recall_interval),
                    (score.f1, score.f1_interval),
                )
            ]
            scores.add_row(score.label, *values, f"{score.pictures:,}")
        parts += [scores, self._confusion_table()]
        if self.groups:
            by_group = Table("group", "accuracy", "95 % interval", "pictures", title="by group, the worst first")
            for part in self.groups:
                low, high = part.interval
                by_group.add_row(part.group, f"{part.accuracy:.2%}", f"{low:.2%} .. {high:.2%}", f"{part.pictures:,}")
            parts.append(by_group)
        if self.stress:
            parts.append(stress_table(self.stress))
        return Group(*parts)

    def _confusion_table(self):
        """All of the confusion matrix, or where it is too wide to be read the most confused pairs."""
        from rich.table import Table

        if len(self.classes) <= WIDEST_MATRIX:
            table = Table("true \\ predicted", *self.classes, title="confusion")
            for label, row in zip(self.classes, self.confusion):
                table.add_row(label, *(str(count) if count else "·" for count in row))
            return table
        table = Table("true", "predicted", "pictures", title="most confused pairs")
        for (true, predicted), count in self.confused_pairs.most_common(MOST_PAIRS):
            table.add_row(true, predicted, f"{count:,}")
        return table

    @property
    def confused_pairs(self) -> Counter[tuple[str, str]]:
        """How often each true label is taken for another."""
        return Counter(
            {
                (true, predicted): count
                for true, row in zip(self.classes, self.confusion)
                for predicted, count in zip(self.classes, row)
                if count and true != predicted
            }
        )

    def sentences(self) -> list[str]:
        """The other scores, a line each."""
        (top_low, top_high), (f1_low, f1_high) = self.top2_interval, self.macro_f1_interval
        lines = [
            f"top-2 accuracy {self.top2:.2%} ({top_low:.2%} .. {top_high:.2%}), "
            f"macro F1 {self.macro_f1:.4f} ({f1_low:.4f} .. {f1_high:.4f}), log loss {self.log_loss:.4f}, "
            f"calibration error {self.calibration_error:.2%}",
            self.reject_sentence(),
        ]
        if self.outliers:
            lines.append(f"{self.outliers:.2%} of these pictures are taken for several digits or none")
        if self.accuracy == 1:
            lines.append(PERFECT_HINT)
        if self.groups:
            worst = self.groups[0]
            plural = "s" if len(self.groups) > 1 else ""
            line = f"{len(self.groups)} group{plural}, the worst is {worst.group}: {worst.accuracy:.2%}"
            if self.groups_interval:
                low, high = self.groups_interval
                line += f"; resampling groups, the accuracy's 95 % interval is {low:.2%} .. {high:.2%}"
            lines.append(line)
        return lines + ([self.comparison.verdict] if self.comparison else [])

    def reject_sentence(self) -> str:
        """What to reject for the wished accuracy."""
        rule = self.reject
        if rule.below is None:
            return f"no confidence is high enough for an accuracy of {rule.wished_accuracy:.2%}"
        if rule.coverage == 1:
            return f"nothing need be rejected for an accuracy of {rule.wished_accuracy:.2%}"
        return (
            f"for an accuracy of {rule.wished_accuracy:.2%}, reject what has a confidence below {rule.below:.4f}: "
            f"{1 - rule.coverage:.2%} of these pictures"
        )
