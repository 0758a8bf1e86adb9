"""A sheet of several handwritten digits: cut apart, and put in the order in which one reads them."""

import math
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ..system import InputError
from .digit import cut_out, without_lines
from .ground import rim_levels
from .ink import LEAST_CONTRAST, averaged, otsu_level, sheet_ink

WORKING_SIDE = 1600  # larger photos are averaged down to about this
NEIGHBOURHOOD = 0.2  # of the sheet, in which paper has one brightness
RULING = 0.3  # of the sheet's width or height; straight and thin ink so long is ruling
LEAST_HEIGHT = 0.4  # of the usual height of a digit; lower blots are parts of one, or dirt
SPECK_HEIGHT = 0.15  # of it; what is lower and narrower is dirt
SHARED = 0.5  # of the narrower one's width, by which two blots above each other are one digit
SAME_LINE = 0.8  # of the usual height, by which a digit may stand above or below the last three of its line
GAP = 0.9  # of the usual height of a digit; wider gaps part numbers
LEAST_FRAMED, CORNER = 0.3, 0.12  # of a frame's height: what it is drawn around; of its sides: where its corners are
MOST_BLOTS = 2000  # on a sheet; noise and patterns have more
MOST_TOGETHER = 8  # times as wide as high: what is wider is a line, not digits that touch
SMALL, ENLARGED_TO, MOST_ENLARGED = 10, 24, 6  # pixels: digits that are hard to read; and how far, times
WIDE = 1.15  # times as wide as high: such a blot may be several digits that touch


@dataclass(frozen=True)
class Box:
    """Where something stands on a sheet, in pixels of the photo; right and bottom are not part of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def encloses(self, other: "Box") -> bool:
        """Whether the other lies inside, and touches no side."""
        across = self.left < other.left and other.right < self.right
        return across and self.top < other.top and other.bottom < self.bottom

    def shifted(self, by: int, shape: tuple[int, int]) -> "Box":
        """The box so many pixels further right and down, within a picture of a shape (h, w)."""
        height, width = shape
        left, right = (min(max(0, side + by), width) for side in (self.left, self.right))
        top, bottom = (min(max(0, side + by), height) for side in (self.top, self.bottom))
        return Box(left, top, max(right, left + 1), max(bottom, top + 1))

    def with_(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass
class Cut:
    """A digit that was cut out of a sheet.

    Attributes
    ----------
    box : Box
        On the photo.
    picture : ndarray of uint8, shape (28, 28)
        In MNIST's form.
    halves : list of Cut
        What it falls into, if it may be two digits that touch.
    """

    box: Box
    picture: np.ndarray
    halves: list["Cut"]

    def all(self) -> list["Cut"]:
        """Itself, its halves, and theirs."""
        return [self, *(one for half in self.halves for one in half.all())]


@dataclass
class Sheet:
    """A sheet that was cut apart.

    Attributes
    ----------
    lines : list of list of list of Cut
        Lines from above, in each its numbers from the left, of each its digits; empty where nothing is written.
    notes : list of str
        What is noticed about the sheet.
    """

    lines: list[list[list[Cut]]]
    notes: list[str] = field(default_factory=list)

    @property
    def cuts(self) -> list[Cut]:
        """Every cut, and after it the halves into which it may fall."""
        return [one for line in self.lines for number in line for cut in number for one in cut.all()]


def cut_sheet(gray: np.ndarray) -> Sheet:
    """The digits of a sheet; those that are smaller than they can be read are enlarged, and a note says so.

    Parameters
    ----------
    gray : ndarray of uint8, shape (h, w)
        Dark on light or light on dark, upright; ruling and shade do no harm.

    Returns
    -------
    Sheet

    Raises
    ------
    InputError
        When there are more blots of ink than a sheet of digits has.
    """
    factor = max(1, min(round(max(gray.shape) / WORKING_SIDE), *gray.shape))
    lines, usual = _cut_lines(averaged(gray, factor), factor)
    if not lines or factor * usual >= SMALL:
        return Sheet(lines)
    times = min(MOST_ENLARGED, math.ceil(ENLARGED_TO / usual), max(1, WORKING_SIDE // max(gray.shape)))
    if times > 1:
        larger = Image.fromarray(gray).resize([times * side for side in gray.shape[::-1]], Image.Resampling.BICUBIC)
        # paper around, since digits that fill their sheet leave too little to know it by
        margin = times * gray.shape[0]
        padded = np.pad(np.asarray(larger, np.float32), margin, constant_values=np.median(rim_levels(gray[None])))
        enlarged, height = _cut_lines(padded, 1 / times)
        if enlarged:
            lines, usual, factor = enlarged, height, 1 / times
            for cut in Sheet(lines).cuts:
                cut.box = cut.box.shifted(-margin // times, gray.shape)
    height = factor * usual
    return Sheet(lines, [f"its digits are about {height:.0f} px high, too small to be read well; take it from nearer"])


def _cut_lines(gray: np.ndarray, factor: float) -> tuple[list[list[list[Cut]]], float]:
    """The lines of a sheet, float (h, w), and the usual height of its digits; `factor` pixels of the photo are one."""
    ink = without_lines(sheet_ink(gray, NEIGHBOURHOOD), RULING)
    numbers, boxes = _blots(ink)
    if len(boxes) > MOST_BLOTS:
        raise InputError(f"the sheet has {len(boxes):,} blots of ink, more than {MOST_BLOTS:,}; pass a photo of digits")
    if not boxes:
        return [], 0.0
    usual = _usual_height(boxes)
    digits = _joined(boxes, usual)
    lines = []
    for line in _lines(digits, usual):
        found, end = [], None
        for members, box in line:
            if end is None or box.left - end > GAP * usual:
                found.append([])
            place = slice(box.top, box.bottom), slice(box.left, box.right)
            found[-1].append(_cut(ink[place], np.isin(numbers[place], members), box, usual, factor))
            end = max(box.right, end or 0)
        lines.append(found)
    return lines, usual


def _blots(ink: np.ndarray) -> tuple[np.ndarray, dict[int, Box]]:
    """The number of the connected blot at each point (0: none), and each blot's box."""
    from scipy.ndimage import find_objects, label

    mask = ink > max(otsu_level(ink), LEAST_CONTRAST / 2)
    if not mask.any() or ink[mask].mean() - ink[~mask].mean() < LEAST_CONTRAST:
        return np.zeros(ink.shape, int), {}
    numbers, _ = label(mask, np.ones((3, 3)))
    boxes = {
        number: Box(columns.start, rows.start, columns.stop, rows.stop)
        for number, (rows, columns) in enumerate(find_objects(numbers), start=1)
    }
    usual = _usual_height(boxes)
    kept = {n: box for n, box in boxes.items() if max(box.height, box.width) > max(2, SPECK_HEIGHT * usual)}
    if len(kept) > MOST_BLOTS:  # which is no sheet
        return numbers, kept
    return numbers, {n: box for n, box in kept.items() if not _is_frame(numbers, n, kept)}


def _is_frame(numbers: np.ndarray, blot: int, boxes: dict[int, Box]) -> bool:
    """Whether a blot is a box drawn around others: ink in its corners, and another blot inside."""
    box = boxes[blot]
    around = any(box.encloses(other) and other.height > LEAST_FRAMED * box.height for other in boxes.values())
    if not around:
        return False
    own = numbers[box.top : box.bottom, box.left : box.right] == blot
    high, wide = (max(1, int(side * CORNER)) for side in own.shape)
    corners = (
        own[rows, columns].any()
        for rows in (slice(high), slice(-high, None))
        for columns in (slice(wide), slice(-wide, None))
    )
    return all(corners)


def _usual_height(boxes: dict[int, Box]) -> float:
    """The height of a digit here: the median of blots that are not much lower than the highest ones."""
    heights = np.array([box.height for box in boxes.values()])
    high = np.sort(heights)[-max(1, len(heights) // 4) :]  # among them may be dirt and parts of digits, but not many
    return float(np.median(heights[heights > LEAST_HEIGHT * np.median(high)]))


def _joined(boxes: dict[int, Box], usual: float) -> list[tuple[list[int], Box]]:
    """Blots that are one digit, such as a 5 and its roof: those that stand above each other, close by."""
    digits = [([number], box) for number, box in sorted(boxes.items(), key=lambda item: -item[1].height)]
    joined: list[tuple[list[int], Box]] = []
    for members, box in digits:
        for k, (others, around) in enumerate(joined):
            shared = min(box.right, around.right) - max(box.left, around.left)
            apart = max(box.top, around.top) - min(box.bottom, around.bottom)
            together = box.with_(around)
            if shared > SHARED * min(box.width, around.width) and apart < 0.3 * usual and together.height < 1.5 * usual:
                joined[k] = (others + members, together)
                break
        else:
            joined.append((members, box))
    return [(members, box) for members, box in joined if box.height > LEAST_HEIGHT * usual]


def _lines(digits: list[tuple[list[int], Box]], usual: float) -> list[list[tuple[list[int], Box]]]:
    """Digits by lines from above, in each from the left; a line may climb or fall slowly."""
    lines: list[list[tuple[list[int], Box]]] = []
    for digit in sorted(digits, key=lambda item: item[1].left):
        distances = [abs(digit[1].middle - np.mean([box.middle for _, box in line[-3:]])) for line in lines]
        if distances and min(distances) < SAME_LINE * usual:
            lines[int(np.argmin(distances))].append(digit)
        else:
            lines.append([digit])
    return sorted(lines, key=lambda line: np.mean([box.middle for _, box in line]))


def _cut(ink: np.ndarray, blots: np.ndarray, box: Box, usual: float, factor: float) -> Cut:
    """The digit whose points are `blots`; both arrays are those of its box."""
    picture = cut_out(ink, blots)
    halves = []
    if WIDE * max(box.height, usual) < box.width < MOST_TOGETHER * max(box.height, usual):
        halves = _halves(ink, blots, box, usual, factor)
    on_photo = Box(
        *(math.floor(factor * side) for side in (box.left, box.top)),
        *(math.ceil(factor * side) for side in (box.right, box.bottom)),
    )
    return Cut(on_photo, picture, halves)


def _halves(ink: np.ndarray, blots: np.ndarray, box: Box, usual: float, factor: float) -> list[Cut]:
    """The two parts of a blot at the column of its middle half that has the least ink."""
    if box.width < 3:
        return []
    columns = np.where(blots, ink, 0).sum(0)
    quarter = max(1, box.width // 4)
    at = quarter + int(np.argmin(columns[quarter : box.width - quarter]))
    found = []
    for start, stop in ((0, at), (at, box.width)):
        rows = np.flatnonzero(blots[:, start:stop].any(1))
        if not len(rows):
            return []
        place = slice(rows[0], rows[-1] + 1), slice(start, stop)
        part = Box(box.left + start, box.top + int(rows[0]), box.left + stop, box.top + int(rows[-1]) + 1)
        found.append(_cut(ink[place], blots[place], part, usual, factor))
    return found
