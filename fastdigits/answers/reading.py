"""Sheets read: what a model says about the digits of a cut sheet, put together to numbers."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..photos import OTHER, SEVERAL, Box, Cut, Sheet, contents_of, cut_sheet
from ..sources import Notes
from .inference import Inference
from .verdicts import NAMES, SURE, Judge
from .written import write_table

STRETCH = 2.0  # how fast a blot that is wider than high is taken for several digits that touch
DOUBT = "?"
SEVERAL_DIGITS, OTHER_THAN_DIGIT = NAMES[SEVERAL], NAMES[OTHER]


@dataclass(frozen=True)
class Digit:
    """A digit on a sheet.

    Attributes
    ----------
    label : str
    confidence : float
        Probability of the label.
    verdict : str
        'sure', or why a person should look; see `verdicts_of`.
    box : Box
        In pixels of the photo.
    """

    label: str
    confidence: float
    verdict: str
    box: Box


@dataclass
class Reading:
    """What stands on a sheet.

    Attributes
    ----------
    lines : list of list of list of Digit
        Lines, in each its numbers, of each its digits.
    left_out : list of Box
        Blots of ink that the model takes for no digit: specks, letters, what was crossed out.
    notes : list of str
        What was noticed about the sheet.
    file, picture : Path or None
        Where the table and the picture were written to.
    """

    lines: list[list[list[Digit]]]
    left_out: list[Box] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    file: Path | None = None
    picture: Path | None = None

    @property
    def numbers(self) -> list[list[str]]:
        """The numbers of each line."""
        return [["".join(digit.label for digit in number) for number in line] for line in self.lines]

    @property
    def digits(self) -> list[Digit]:
        return [digit for line in self.lines for number in line for digit in number]

    def table(self):
        """A DataFrame with a row for each digit: line, number, place, label, confidence, verdict, and its box."""
        import pandas as pd

        rows = [
            (i, j, k, digit.label, digit.confidence, digit.verdict, *vars(digit.box).values())
            for i, line in enumerate(self.lines, start=1)
            for j, number in enumerate(line, start=1)
            for k, digit in enumerate(number, start=1)
        ]
        columns = ["line", "number", "place", "label", "confidence", "verdict", "left", "top", "right", "bottom"]
        return pd.DataFrame(rows, columns=columns)

    def __rich__(self) -> str:
        lines = [_line_text(line) for line in self.lines] or ["no digit was found"]
        if self.left_out:
            blots = "1 blot" if len(self.left_out) == 1 else f"{len(self.left_out)} blots"
            lines.append(f"{blots} of ink left out: no digit, as far as the model can tell")
        lines += self.notes
        doubtful = sum(digit.verdict != SURE for digit in self.digits)
        if doubtful:
            lines.append(f"{doubtful} of {len(self.digits)} digits are doubtful, marked {DOUBT}")
        lines += [f"written to {file}" for file in (self.file, self.picture) if file]
        return "\n".join(lines)

    __str__ = __rich__

    def write(self, out: Path) -> None:
        """Write the table as csv or csv.gz."""
        write_table(self.table(), out)
        self.file = out


def _line_text(line: list[list[Digit]]) -> str:
    """A line's numbers, doubtful digits marked, and how sure the least sure digit is."""
    texts = ["".join(digit.label + DOUBT * (digit.verdict != SURE) for digit in number) for number in line]
    least = min(digit.confidence for number in line for digit in number)
    return f"{' '.join(texts)}   (least sure {least:.1%})"


def read_sheet(inference: Inference, gray: np.ndarray) -> Reading:
    """What stands on a sheet, uint8 (h, w)."""
    sheet = cut_sheet(gray)
    pictures = [cut.picture for cut in sheet.cuts]
    shares = inference.shares(np.stack(pictures)) if pictures else []
    return reading_of(sheet, shares, inference.judge)


def reading_of(sheet: Sheet, shares: np.ndarray, judge: Judge) -> Reading:
    """What a cut sheet says, once a model has answered.

    Parameters
    ----------
    sheet : Sheet
    shares : ndarray of float, shape (n, outputs)
        As `Inference.shares` gives them for the pictures of `sheet.cuts`, in that order.
    judge : Judge
    """
    cuts = sheet.cuts
    verdicts = judge.verdicts(shares, contents_of(np.stack([cut.picture for cut in cuts]))) if cuts else []
    probabilities = judge.probabilities(shares) if cuts else []
    known = {id(cut): found for cut, *found in zip(cuts, probabilities, verdicts)}

    def digits(cut: Cut) -> list[Digit]:
        """The digit of a cut, or those of its halves; none where there is none."""
        row, verdict = known[id(cut)]
        confidence = float(row.max())
        halves = [digits(half) for half in cut.halves]
        parts = [digit for half in halves for digit in half] if all(halves) else []
        least = min((digit.confidence for digit in parts), default=0.0)
        is_told = judge.above is not None  # else its verdicts are those of the ink alone, which tells no letters
        if is_told and verdict == OTHER_THAN_DIGIT:  # if not two digits that touch
            return parts if all(digit.verdict == SURE for digit in parts) else []
        if is_told and verdict == SEVERAL_DIGITS and parts:
            return parts
        if least > confidence * _likeness_of_one(cut.box):
            return parts
        return [Digit(judge.classes[int(row.argmax())], confidence, verdict, cut.box)]

    lines, left_out = [], []
    for line in sheet.lines:
        read = [[(digits(cut), cut.box) for cut in number] for number in line]
        left_out += [box for number in read for found, box in number if not found]
        numbers = [[digit for found, _ in number for digit in found] for number in read]
        lines.append([number for number in numbers if number])
    return Reading([line for line in lines if line], left_out, Notes(sheet.notes))


def _likeness_of_one(box: Box) -> float:
    """How much the shape of a blot speaks for one digit, 0..1: few are wider than high."""
    return float(np.exp(-STRETCH * max(0.0, box.width / box.height - 1)))
