"""Sheets read: what a model says about the digits of a cut sheet, put together to numbers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..photos import Box, Cut, all_cuts, contents_of, cut_sheet
from ..system import whole_file
from .inference import Inference
from .verdicts import ENOUGH, SURE, verdicts_of

STRETCH = 2.0  # how fast a blot that is wider than high is taken for several digits that touch
DOUBT = "?"


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
    """What stands on a sheet: lines of numbers of digits, and where it was written to."""

    lines: list[list[list[Digit]]]
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
        doubtful = sum(digit.verdict != SURE for digit in self.digits)
        if doubtful:
            lines.append(f"{doubtful} of {len(self.digits)} digits are doubtful, marked {DOUBT}")
        lines += [f"written to {file}" for file in (self.file, self.picture) if file]
        return "\n".join(lines)

    __str__ = __rich__

    def write(self, out: Path) -> None:
        """Write the table as csv."""
        with whole_file(out) as partial:
            self.table().to_csv(partial, index=False)
        self.file = out


def _line_text(line: list[list[Digit]]) -> str:
    """A line's numbers, doubtful digits marked, and how sure the least sure digit is."""
    texts = ["".join(digit.label + DOUBT * (digit.verdict != SURE) for digit in number) for number in line]
    least = min(digit.confidence for number in line for digit in number)
    return f"{' '.join(texts)}   (least sure {least:.1%})"


def read_sheet(inference: Inference, gray: np.ndarray) -> Reading:
    """What stands on a sheet, uint8 (h, w)."""
    lines = cut_sheet(gray)
    pictures = [cut.picture for cut in all_cuts(lines)]
    answers = inference.probabilities(np.stack(pictures)) if pictures else []
    return reading_of(lines, answers, inference.classes, inference.least_sure)


def reading_of(lines: list[list[list[Cut]]], answers: np.ndarray, classes: list[str], least: float = ENOUGH) -> Reading:
    """What a cut sheet says, once a model has answered.

    Parameters
    ----------
    lines : list of list of list of Cut
    answers : ndarray of float, shape (n, classes)
        Class probabilities of the pictures of `all_cuts(lines)`, in that order.
    classes : list of str
    least : float
        Digits of a lower confidence are doubtful.
    """
    cuts = all_cuts(lines)
    shown = contents_of(np.stack([cut.picture for cut in cuts])) if cuts else []
    known = {id(cut): (row, content) for cut, row, content in zip(cuts, answers, shown)}

    def digits(cut: Cut) -> list[Digit]:
        row, content = known[id(cut)]
        confidence = float(row.max())
        (verdict,) = verdicts_of(np.array([confidence]), np.array([content]), least)
        whole = [Digit(classes[int(row.argmax())], confidence, verdict, cut.box)]
        parts = [digit for half in cut.halves for digit in digits(half)]
        if parts and min(digit.confidence for digit in parts) > confidence * _likeness_of_one(cut.box):
            return parts
        return whole

    return Reading([[[d for cut in number for d in digits(cut)] for number in line] for line in lines])


def _likeness_of_one(box: Box) -> float:
    """How much the shape of a blot speaks for one digit, 0..1: few are wider than high."""
    return float(np.exp(-STRETCH * max(0.0, box.width / box.height - 1)))
