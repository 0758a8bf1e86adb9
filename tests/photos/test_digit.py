"""Photos of one digit come out as MNIST has them: drawn, printed and scanned ones, dark on light and light on dark."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import center_of_mass, zoom

from fastdigits import open_model
from fastdigits.photos.digit import DIGIT_SIDE, SIDE, has_form, normalised
from fastdigits.photos.files import read_gray
from fastdigits.photos.ink import otsu_level
from tests.photos.printed import printed_character


def scanned(digit: np.ndarray, seed: int, dark_paper: bool = False) -> np.ndarray:
    """A real digit as a camera might see it: enlarged, somewhere on unevenly lit, grainy paper."""
    rng = np.random.default_rng(seed)
    large = zoom(digit.astype(float), rng.uniform(12, 20), order=1).clip(0, 255)
    height, width = (int(side * rng.uniform(1.3, 2.2)) for side in large.shape)
    ink = np.zeros((height, width))
    top, left = (rng.integers(2, whole - part - 2) for whole, part in zip(ink.shape, large.shape))
    ink[top : top + large.shape[0], left : left + large.shape[1]] = large
    rows, columns = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    paper = 190 + 50 * rows * rng.uniform(-1, 1) + 50 * columns * rng.uniform(-1, 1)
    photo = paper - ink / 255 * rng.uniform(80, 140) + rng.normal(0, 5, ink.shape)
    return (255 - photo if dark_paper else photo).clip(0, 255).astype(np.uint8)


def assert_form(picture: np.ndarray) -> None:
    """White on black, 20 pixels high or wide in 28, its centre of mass within a pixel of the middle."""
    assert picture.shape == (SIDE, SIDE)
    assert picture.dtype == np.uint8
    assert picture.max() > 220
    rows, columns = (np.flatnonzero((picture > 40).any(axis)) for axis in (1, 0))
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    assert DIGIT_SIDE - 2 <= extent <= DIGIT_SIDE
    assert center_of_mass(picture) == pytest.approx((13.5, 13.5), abs=0.6)


@pytest.mark.parametrize("text", "0123456789")
def test_printed_digits(text):
    assert_form(normalised(printed_character(text)))


def test_light_on_dark_gives_the_same_as_dark_on_light():
    sheet = printed_character("5")
    difference = normalised(sheet).astype(int) - normalised(255 - sheet)
    assert np.abs(difference).max() <= 2


def test_neither_place_nor_size_nor_shade_matters():
    reference = normalised(printed_character("4")).astype(float)
    for sheet in (
        printed_character("4", place=(20, 10)),
        printed_character("4", size=420, shape=(900, 800), place=(300, 200)),
        printed_character("4", paper=200, ink=130),
    ):
        assert np.abs(normalised(sheet) - reference).mean() < 6


def test_scanned_digits_come_back(digit_images):
    """What the camera made of a real digit resembles what MNIST would have made of the digit itself."""
    for k, digit in enumerate(digit_images[0][:24]):
        plain = normalised(np.pad(zoom(digit.astype(float), 16, order=1), 30).clip(0, 255).astype(np.uint8))
        photo = normalised(scanned(digit, seed=k, dark_paper=k % 3 == 0))
        assert_form(photo)
        assert np.corrcoef(plain.ravel(), photo.ravel())[0, 1] > 0.85


def slope(photo: np.ndarray) -> np.ndarray:
    """A lamp on the right."""
    return photo * np.linspace(0.35, 1, photo.shape[1])


def hard_shadow(photo: np.ndarray) -> np.ndarray:
    """Something stands between the lamp and the left half."""
    shadowed = photo.astype(float)
    shadowed[:, : photo.shape[1] // 2] *= 0.55
    return shadowed


def corners(photo: np.ndarray) -> np.ndarray:
    """The lens gives the corners a third of the light."""
    rows, columns = (np.linspace(-1, 1, side) for side in photo.shape)
    return photo * (1 - (rows[:, None] ** 2 + columns**2) / 3)


def on_a_desk(photo: np.ndarray) -> np.ndarray:
    return np.pad(photo.astype(float), 30, constant_values=60)


def beside_a_book(photo: np.ndarray) -> np.ndarray:
    shown = photo.astype(float)
    shown[:, :50] = 50
    return shown


CONDITIONS = (slope, hard_shadow, corners, on_a_desk, beside_a_book)


def taken(condition, sheet: np.ndarray) -> np.ndarray:
    """The photo of a sheet, with a camera's noise."""
    photo = condition(sheet)
    return (photo + np.random.default_rng(0).normal(0, 4, photo.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("text", "0479")
def test_light_and_surroundings(condition, text):
    clean = printed_character(text)
    expected, found = normalised(clean), normalised(taken(condition, clean))
    moved = [np.roll(found, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    assert max(np.corrcoef(expected.ravel(), picture.ravel())[0, 1] for picture in moved) > 0.9


@pytest.mark.realdata
@pytest.mark.parametrize("condition", CONDITIONS)
def test_real_digits_in_any_light_are_read(condition, real_data):
    """Of 40 digits of MNIST, enlarged, not in the middle, at most two are misread."""
    table = pd.read_csv(real_data / "mnist" / "train.csv.gz", nrows=40)
    found = []
    for pixels in table.filter(like="pixel").to_numpy(np.uint8):
        sheet = np.full((400, 400), 235.0)
        sheet[80:276, 110:306] -= zoom(pixels.reshape(28, 28).astype(float), 7, order=1) * 0.8
        found.append(normalised(taken(condition, sheet)))
    model = open_model("digitnet-mnist")
    answers = np.array(model.classes)[model.probabilities(np.stack(found)).argmax(1)]
    assert (answers == table.label.astype(str)).sum() >= 38


DRAWN = {  # with a pen, in a square of ten
    "0": [[(5, 1), (3, 2), (2, 5), (3, 8), (5, 9), (7, 8), (8, 5), (7, 2), (5, 1)]],
    "1": [[(5, 1), (5, 9)]],
    "2": [[(2, 3), (4, 1), (7, 2), (7, 4), (2, 9), (8, 9)]],
    "3": [[(2, 1), (7, 1), (4, 4), (7, 5), (7, 8), (4, 9), (2, 8)]],
    "4": [[(4, 1), (2, 5), (8, 5)], [(7, 2), (6, 9)]],
    "5": [[(7, 1), (3, 1), (3, 4), (6, 4), (7, 6), (6, 9), (2, 9)]],
    "6": [[(6, 1), (3, 4), (2, 7), (4, 9), (6, 8), (7, 6), (5, 5), (3, 6)]],
    "7": [[(2, 1), (8, 1), (4, 9)]],
    "8": [[(5, 5), (3, 3), (5, 1), (7, 3), (5, 5), (3, 7), (5, 9), (7, 7), (5, 5)]],
    "9": [[(7, 3), (5, 1), (3, 3), (4, 5), (7, 4), (7, 3), (6, 9)]],
}


@pytest.mark.parametrize("width", [6, 14])
@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (20, 220)])
def test_drawn_digits_are_read(width, paper, ink):
    found = []
    for k, strokes in enumerate(DRAWN.values()):
        sheet = Image.new("L", (300, 260), paper)
        for stroke in strokes:
            points = [(30 + 8 * k + 12 * x, 90 - 6 * k + 14 * y) for x, y in stroke]
            ImageDraw.Draw(sheet).line(points, fill=ink, width=width, joint="curve")
        found.append(normalised(np.asarray(sheet)))
        assert_form(found[-1])
    model = open_model("digitnet-mnist")
    assert "".join(model.classes[k] for k in model.probabilities(np.stack(found)).argmax(1)) == "0123456789"


def test_a_small_picture_of_a_small_digit():
    """28x28 pixels, white on black, but in a corner and half as large as MNIST's."""
    reference = normalised(printed_character("7"))
    corner = np.zeros((SIDE, SIDE), np.uint8)
    corner[2:14, 14:26] = np.asarray(Image.fromarray(reference[4:24, 4:24]).resize((12, 12), Image.Resampling.BOX))
    assert not has_form(corner)
    assert_form(normalised(corner))
    assert np.corrcoef(normalised(corner).ravel(), reference.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_long_one_is_no_ruling(width):
    straight = np.zeros((SIDE, SIDE), np.uint8)
    straight[2:26, 13 : 13 + width] = 255
    found = normalised(straight)
    assert found.sum() > 0.3 * straight.sum()
    assert DIGIT_SIDE - 2 <= (found > 40).any(1).sum() <= DIGIT_SIDE


@pytest.mark.parametrize("width", [3, 4])
@pytest.mark.parametrize("ink", [100, 130])
@pytest.mark.parametrize("noise", [0, 3])
def test_a_small_thin_digit_on_a_large_sheet(width, ink, noise):
    for text, strokes in DRAWN.items():
        sheet = Image.new("L", (800, 600), 200)
        for stroke in strokes:
            points = [(500 + 5 * x, 400 + 6 * y) for x, y in stroke]
            ImageDraw.Draw(sheet).line(points, fill=ink, width=width, joint="curve")
        photo = np.asarray(sheet) + np.random.default_rng(0).normal(0, noise, (600, 800))
        assert normalised(photo.clip(0, 255).astype(np.uint8)).any(), text


def test_lines_of_the_paper_and_dirt_are_left_out():
    clean = printed_character("3")
    ruled = clean.copy()
    ruled[::35] = np.minimum(ruled[::35], 150)
    ruled[:, ::70] = np.minimum(ruled[:, ::70], 150)
    ruled[30:36, 40:46] = 40  # a speck
    ruled[:60, -25:] = 30  # something that the camera saw beside the sheet
    assert np.corrcoef(normalised(clean).ravel(), normalised(ruled).ravel())[0, 1] > 0.95


def test_pictures_that_have_the_form_stay_as_they_are(digit_images):
    once = normalised(scanned(digit_images[0][3], seed=1))
    assert has_form(once)
    assert normalised(once) is once
    assert not has_form(255 - once)
    assert not has_form(np.zeros((30, 30), np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (900, 1), (3, 2000), (5, 5), (2000, 1500)])
def test_blank_and_strange_sheets_are_black(shape):
    rng = np.random.default_rng(0)
    assert not normalised(np.full(shape, 230, np.uint8)).any()
    grainy = rng.normal(200, 4, shape).clip(0, 255).astype(np.uint8)
    assert not normalised(grainy).any()


def test_a_digit_that_fills_its_picture():
    bold = np.full((40, 30), 255, np.uint8)
    bold[:, 8:22] = 0  # a bold one from border to border
    assert_form(normalised(bold))


def test_otsu_parts_two_levels():
    values = np.concatenate([np.random.default_rng(0).normal(level, 3, 500) for level in (20, 120)])
    assert 40 < otsu_level(values) < 100


def test_photos_are_read_upright(tmp_path):
    """A camera held sideways writes a turned picture and says so."""
    sheet = Image.fromarray(printed_character("7"))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    sheet.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    sheet.save(tmp_path / "upright.jpg", quality=95)
    turned, upright = (read_gray(tmp_path / f"{name}.jpg", normalise=True) for name in ("turned", "upright"))
    assert np.corrcoef(turned.ravel(), upright.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper(tmp_path, ink):
    """Drawing programs save ink alone: black ink lies on white paper, white ink on black."""
    alpha = 255 - printed_character("2", paper=255, ink=0)
    picture = np.stack([np.full_like(alpha, ink)] * 3 + [alpha], axis=2)
    Image.fromarray(picture).save(tmp_path / "drawn.png")
    gray = read_gray(tmp_path / "drawn.png")
    assert gray[0, 0] == 255 - ink
    assert_form(normalised(gray))
