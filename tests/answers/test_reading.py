"""Sheets of several digits: lines, numbers and digits in order, whatever the paper; what was read, and how sure."""

import difflib
import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import rotate, zoom

from fastdigits import InputError, open_model, read
from fastdigits.answers.inference import Inference
from fastdigits.answers.reading import Digit, Reading, read_sheet, reading_of
from fastdigits.answers.verdicts import Judge
from fastdigits.photos.sheet import Box, cut_sheet
from fastdigits.sources.opening import open_source
from fastdigits.styles.pens import ink_of_text
from tests.photos.printed import LINES, grainy, printed_sheet, ruled, shaded


def counts(gray: np.ndarray) -> list[list[int]]:
    """How many digits each number of each line has."""
    return [[len(number) for number in line] for line in cut_sheet(gray).lines]


EXPECTED = [[len(text) for text in line] for line in LINES]


@pytest.mark.parametrize(
    "paper",
    [
        lambda gray: gray,
        lambda gray: 255 - gray,
        ruled,
        shaded,
        grainy,
        lambda gray: grainy(shaded(ruled(gray))),
        lambda gray: rotate(gray, 1.5, reshape=False, mode="nearest", order=1),
        lambda gray: np.asarray(Image.fromarray(gray).resize((2400, int(2400 * gray.shape[0] / gray.shape[1])))),
        lambda gray: np.asarray(Image.fromarray(gray).resize((330, int(330 * gray.shape[0] / gray.shape[1])))),
    ],
    ids=["plain", "light on dark", "ruled", "shaded", "grainy", "all of it", "turned", "large", "small"],
)
def test_cut_in_reading_order(paper):
    assert counts(paper(printed_sheet())) == EXPECTED


def test_boxes_are_where_the_digits_are():
    gray = printed_sheet([["1", "7"]])
    ((first,), (second,)) = cut_sheet(gray).lines[0]
    assert first.box.right < second.box.left
    for cut in (first, second):
        inside = gray[cut.box.top : cut.box.bottom, cut.box.left : cut.box.right]
        assert inside.min() == 30
        assert cut.picture.shape == (28, 28)
    outside = gray.copy()
    for cut in (first, second):
        outside[cut.box.top : cut.box.bottom, cut.box.left : cut.box.right] = 225
    assert outside.min() > 120  # but for the rims of strokes


def test_nothing_is_read_from_an_empty_sheet():
    inference = Inference([open_model("digitnet-mnist")])
    for gray in (
        np.full((300, 400), 230, np.uint8),
        grainy(np.full((300, 400), 230, np.uint8)),
        np.zeros((1, 1), np.uint8),
    ):
        assert read_sheet(inference, gray).lines == []
    assert str(Reading([])) == "no digit was found"


def test_noise_is_no_sheet():
    dots = np.random.default_rng(0).random((400, 400)) < 0.08
    noise = np.where(dots.repeat(4, 0).repeat(4, 1), 0, 255).astype(np.uint8)
    with pytest.raises(InputError, match=r"the sheet has [\d,]+ blots of ink, more than 2,000; pass a photo of digits"):
        cut_sheet(noise)


def test_thin_sheets_and_strokes():
    assert cut_sheet(np.full((1, 2401), 200, np.uint8)).lines == []
    dashed = np.full((200, 200), 255, np.uint8)
    dashed[10:190:4, 50] = dashed[10:190:4, 120] = 0
    cut_sheet(dashed)
    bars = np.full((900, 1000), 255, np.uint8)
    for row in range(20, 880, 12):
        bars[row : row + 3, 100:550] = 0
    assert len(cut_sheet(bars).cuts) < 200  # bars are no digits that touch


def boxed(gray: np.ndarray) -> np.ndarray:
    """A rectangle around every digit, as forms have them, none of which touches it."""
    framed = gray.copy()
    for cut in cut_sheet(gray).cuts:
        top, bottom, left, right = cut.box.top - 9, cut.box.bottom + 8, cut.box.left - 9, cut.box.right + 8
        framed[top : top + 2, left:right] = framed[bottom : bottom + 2, left : right + 2] = 60
        framed[top:bottom, left : left + 2] = framed[top:bottom, right : right + 2] = 60
    return framed


def test_boxes_around_digits_are_no_digits():
    wide = printed_sheet([["2", "0", "3"], ["4", "7"]])
    sheet = cut_sheet(boxed(wide))
    assert [[len(number) for number in line] for line in sheet.lines] == [[1, 1, 1], [1, 1]]
    plain = cut_sheet(wide)
    for cut, other in zip(sheet.cuts, plain.cuts):
        assert cut.box == other.box
        assert cut.picture.mean() == pytest.approx(other.picture.mean(), rel=0.05)


def test_a_zero_around_a_dot_is_no_box():
    gray = np.full((600, 800), 230, np.uint8)
    gray[250:350, 360:370] = 30
    rows, columns = np.mgrid[0:600, 0:800]
    gray[np.abs(np.hypot((rows - 300) / 50, (columns - 430) / 32) - 1) < 0.12] = 30
    gray[280:320, 425:435] = 30  # as some fonts print it
    assert [[len(number) for number in line] for line in cut_sheet(gray).lines] == [[2]]


def test_small_digits_are_enlarged_and_told():
    small = np.asarray(Image.fromarray(printed_sheet([["2035"]], size=40)).resize((74, 17), Image.Resampling.BOX))
    sheet = cut_sheet(small)
    assert [[len(number) for number in line] for line in sheet.lines] == [[4]]
    assert re.fullmatch(
        r"its digits are about [4-7] px high, too small to be read well; take it from nearer", *sheet.notes
    )
    for cut in sheet.cuts:
        assert 0 <= cut.box.left < cut.box.right <= 74
        assert 0 <= cut.box.top < cut.box.bottom <= 17
    assert cut_sheet(printed_sheet()).notes == []


def test_nothing_is_invented_on_pictures_of_forty_pixels():
    """Four printed digits on 40x10 pixels, as JPEG files have them: four digits are read, nearly all of them right."""
    inference, rng, right = Inference([open_model("digitnet-mnist")], exact=True), np.random.default_rng(0), 0
    for quality in range(20, 60, 2):
        text = "".join(rng.choice(list("0123456789"), 4))
        ink = np.pad(ink_of_text(text, 40, rng, ("DejaVuSans",)), 6)
        file = io.BytesIO()
        small = Image.fromarray((235 - 200 * ink).astype(np.uint8)).resize((40, 10), Image.Resampling.LANCZOS)
        small.save(file, "JPEG", quality=quality)
        reading = read_sheet(inference, np.asarray(Image.open(file)))
        assert [[len(number) for number in line] for line in reading.numbers] == [[4]], (text, quality)
        right += sum(a == b for a, b in zip(text, reading.numbers[0][0]))
    assert right >= 72  # of 80


def test_what_the_model_takes_for_no_digit_is_left_out():
    sheet = cut_sheet(printed_sheet([["20", "3"]]))
    two, nought, three = (np.eye(12)[k] for k in (2, 0, 3))
    other, several = np.array([*[0.1] * 10, 0.1, 0.8]), np.array([*[0.1] * 10, 0.8, 0.1])
    judge = Judge([str(k) for k in range(10)], above=0.5)
    reading = reading_of(sheet, np.stack([two, other, three]), judge)
    assert reading.numbers == [["2", "3"]]
    assert reading.left_out == [sheet.cuts[1].box]
    assert str(reading).splitlines()[-1] == "1 blot of ink left out: no digit, as far as the model can tell"
    reading = reading_of(sheet, np.stack([two, nought, several]), judge)
    assert reading.digits[-1].verdict == "several"
    assert reading.left_out == []
    assert reading_of(sheet, np.stack([other] * 3), judge).lines == []
    # a model that does not tell keeps everything
    plain = Judge([str(k) for k in range(10)])
    assert len(reading_of(sheet, np.stack([two, other, three])[:, :10], plain).digits) == 3


def test_read_as_text_table_and_picture(tmp_path):
    Image.fromarray(printed_sheet()).save(tmp_path / "sheet.png")
    reading = read("digitnet-mnist", tmp_path / "sheet.png", out=tmp_path / "r.csv", picture=tmp_path / "r.png")
    assert [[len(text) for text in line] for line in reading.numbers] == EXPECTED
    right = sum(
        a == b for line, other in zip(LINES, reading.numbers) for x, y in zip(line, other) for a, b in zip(x, y)
    )
    assert right >= 14  # of 17, in a print that the model never saw
    table = pd.read_csv(tmp_path / "r.csv", dtype={"label": str})
    assert list(table) == [
        *("line", "number", "place", "label", "confidence", "verdict", "left", "top", "right", "bottom")
    ]
    assert "".join(table.label) == "".join(digit.label for digit in reading.digits)
    assert table.line.tolist() == sorted(table.line)
    picture = np.asarray(Image.open(tmp_path / "r.png"))
    assert picture.shape == (*printed_sheet().shape, 3)
    assert (picture[..., 0] != picture[..., 1]).any()  # coloured boxes
    assert f"written to {tmp_path / 'r.csv'}" in str(reading)


def test_a_reading_is_written_as_its_name_says(tmp_path):
    Image.fromarray(printed_sheet([["1"]])).save(tmp_path / "sheet.png")
    with pytest.raises(InputError) as caught:
        read("digitnet-mnist", tmp_path / "sheet.png", out=tmp_path / "r.xlsx")
    assert str(caught.value) == f"{tmp_path}/r.xlsx would not be what its name says; name a .csv or .csv.gz file"
    reading = read("digitnet-mnist", tmp_path / "sheet.png", out=tmp_path / "r.csv.gz")
    assert len(pd.read_csv(tmp_path / "r.csv.gz", compression="gzip")) == len(reading.digits)


def test_doubtful_digits_are_marked():
    box = Box(0, 0, 10, 10)
    reading = Reading(
        [[[Digit("3", 0.99, "sure", box), Digit("5", 0.4, "doubtful", box)], [Digit("1", 0.95, "sure", box)]]]
    )
    assert str(reading).splitlines() == [
        "35? 1   (least sure 40.0%)",
        "1 of 3 digits are doubtful, marked ?",
    ]


def test_wrong_sheets(tmp_path):
    Image.fromarray(printed_sheet([["1"]])).save(tmp_path / "sheet.png")
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(InputError, match=r"there.csv exists already"):
        read("digitnet-mnist", tmp_path / "sheet.png", out=tmp_path / "there.csv")
    with pytest.raises(InputError, match=r"--picture .*x.jpg is no PNG; name a file that ends in .png"):
        read("digitnet-mnist", tmp_path / "sheet.png", picture=tmp_path / "x.jpg")
    with pytest.raises(InputError, match=r"nothing.png does not exist"):
        read("digitnet-mnist", tmp_path / "nothing.png")
    assert (tmp_path / "there.csv").read_text() == "mine"


def composed(images: np.ndarray, labels: list[str], seed: int, n_lines: int = 8) -> tuple[np.ndarray, list[str]]:
    """Real digits in lines, jittered in place and size, on ruled, shaded, grainy paper; what stands in each line."""
    rng = np.random.default_rng(seed)
    ink, truth = np.zeros((n_lines * 110 + 80, 1100)), []
    for line in range(n_lines):
        x, told = 40 + rng.integers(0, 40), ""
        while x < 840:
            for _ in range(rng.integers(2, 6)):
                k = rng.integers(len(images))
                rows, columns = (np.flatnonzero(images[k].max(axis) > 40) for axis in (1, 0))
                digit = images[k][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
                large = zoom(digit, rng.uniform(1.8, 2.4), order=1).clip(0, 255)
                top = 50 + 110 * line + int(rng.normal(0, 4)) + (50 - large.shape[0]) // 2
                place = (slice(top, top + large.shape[0]), slice(x, x + large.shape[1]))
                ink[place] = np.maximum(ink[place], large)
                x += large.shape[1] + rng.integers(4, 14)
                told += labels[k]
            x += rng.integers(70, 120)
        truth.append(told)
    rows, columns = np.mgrid[-0.5 : 0.5 : ink.shape[0] * 1j, -0.5 : 0.5 : ink.shape[1] * 1j]
    photo = 205 + 60 * rows * rng.uniform(-1, 1) + 60 * columns * rng.uniform(-1, 1) - ink / 255 * rng.uniform(100, 150)
    for line in range(n_lines + 1):
        photo[120 + 110 * line : 122 + 110 * line] -= 40
    return (photo + rng.normal(0, 4, photo.shape)).clip(0, 255).astype(np.uint8), truth


@pytest.mark.slow
@pytest.mark.realdata
def test_sheets_of_real_digits(real_data):
    """At least 98 % of the digits of ten composed sheets, about a thousand, are read as they are."""
    chunk = next(open_source(real_data / "mnist" / "train.csv.gz").chunks())
    inference = Inference([open_model("digitnet-mnist")])
    right = total = 0
    for seed in range(10):
        gray, truth = composed(chunk.images, chunk.labels, seed)
        found = ["".join(line) for line in read_sheet(inference, gray).numbers]
        assert len(found) == len(truth)
        for one, other in zip(truth, found):
            blocks = difflib.SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
            right, total = right + sum(block.size for block in blocks), total + len(one)
    assert total > 900
    assert right / total >= 0.98
