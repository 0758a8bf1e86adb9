"""Photos of one digit come out as MNIST has them: drawn, printed and scanned ones, dark on light and light on dark."""

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import center_of_mass, zoom

from fastdigits.photos import DIGIT_SIDE, SIDE, has_form, normalised, otsu_level
from fastdigits.picture_files import read_gray

PRINT = font_manager.findfont("DejaVu Sans")


def printed(text: str, size: int = 200, place=(120, 60), paper=235, ink=40, shape=(420, 380)) -> np.ndarray:
    """A printed character on a sheet."""
    sheet = Image.new("L", shape, paper)
    ImageDraw.Draw(sheet).text(place, text, font=ImageFont.truetype(PRINT, size), fill=ink)
    return np.asarray(sheet)


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
    assert_form(normalised(printed(text)))


def test_light_on_dark_gives_the_same_as_dark_on_light():
    sheet = printed("5")
    difference = normalised(sheet).astype(int) - normalised(255 - sheet)
    assert np.abs(difference).max() <= 2


def test_neither_place_nor_size_nor_shade_matters():
    reference = normalised(printed("4")).astype(float)
    for sheet in (
        printed("4", place=(20, 10)),
        printed("4", size=420, shape=(900, 800), place=(300, 200)),
        printed("4", paper=200, ink=130),
    ):
        assert np.abs(normalised(sheet) - reference).mean() < 6


def test_scanned_digits_come_back(digit_images):
    """What the camera made of a real digit resembles what MNIST would have made of the digit itself."""
    for k, digit in enumerate(digit_images[0][:24]):
        plain = normalised(np.pad(zoom(digit.astype(float), 16, order=1), 30).clip(0, 255).astype(np.uint8))
        photo = normalised(scanned(digit, seed=k, dark_paper=k % 3 == 0))
        assert_form(photo)
        assert np.corrcoef(plain.ravel(), photo.ravel())[0, 1] > 0.85


def test_lines_of_the_paper_and_dirt_are_left_out():
    clean = printed("3")
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
    sheet = Image.fromarray(printed("7"))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    sheet.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    sheet.save(tmp_path / "upright.jpg", quality=95)
    turned, upright = (read_gray(tmp_path / f"{name}.jpg", normalise=True) for name in ("turned", "upright"))
    assert np.corrcoef(turned.ravel(), upright.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper(tmp_path, ink):
    """Drawing programs save ink alone: black ink lies on white paper, white ink on black."""
    alpha = 255 - printed("2", paper=255, ink=0)
    picture = np.stack([np.full_like(alpha, ink)] * 3 + [alpha], axis=2)
    Image.fromarray(picture).save(tmp_path / "drawn.png")
    gray = read_gray(tmp_path / "drawn.png")
    assert gray[0, 0] == 255 - ink
    assert_form(normalised(gray))
