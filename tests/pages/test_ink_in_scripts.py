"""The scripts that look at ink are the Python code of `photos` point for point: photos, sheets, noise, real rows."""

import base64
import mimetypes

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import rotate

from fastdigits.pages import ASSETS
from fastdigits.photos import Cut, Turning, contents_of, cut_sheet, normalised
from fastdigits.styles import DIGITS, KINDS, digit_photo, no_digit_photo, styles_of
from fastdigits.system import InputError
from tests.browsers import needs_chromium
from tests.photos.printed import grainy, printed_character, printed_sheet, ruled

pytestmark = [needs_chromium, pytest.mark.slow]
SITE = "http://scripts.test"  # which the browser never asks: its requests are answered here
ASK = """
async ([height, width, packed, what]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const spelled = (data) => btoa(Array.from(data, (level) => String.fromCharCode(level)).join(""));
  const [{ Plane }, { normalised }, { contentsOf, onDark }, { cutSheet }, filters] = await Promise.all(
    ["plane", "digit", "contents", "sheet", "filters"].map((name) => import(`/${name}.js`)));
  const kind = what.float ? Float32Array : Uint8Array;
  const plane = new Plane(height, width, kind.from(bytes));
  if (what.filter) {
    const found = filters[what.filter](plane, ...what.arguments);
    return [found.height, found.width, [...found.data]];
  }
  if (what === "digit") {
    const [digit, turned] = [normalised(plane), onDark(plane)];
    return [spelled(digit.data), spelled(turned.data), contentsOf(digit), contentsOf(turned)];
  }
  const told = ({ box, picture, halves }) =>
    [[box.left, box.top, box.right, box.bottom], spelled(picture.data), halves.map(told)];
  try {
    const { lines, notes } = cutSheet(plane);
    return [lines.map((line) => line.map((number) => number.map(told))), notes];
  } catch (error) {
    return error.message;
  }
}
"""


@pytest.fixture(scope="module")
def script(browser):
    """A function that asks the scripts in a browser about a picture."""
    page = browser.new_context(offline=True).new_page()

    def answer(route):
        name = route.request.url.removeprefix(SITE).lstrip("/") or "index.html"
        if name == "index.html":
            return route.fulfill(body="<!doctype html>", content_type="text/html")
        return route.fulfill(path=ASSETS / name, content_type=mimetypes.guess_type(name)[0])

    page.route("**/*", answer)
    page.goto(SITE)
    return lambda gray, what: page.evaluate(ASK, [*gray.shape, spelled(gray), what])


def spelled(gray: np.ndarray) -> str:
    """Gray levels as a text that is quickly sent."""
    return base64.b64encode(np.ascontiguousarray(gray)).decode()


def assert_alike(script, gray: np.ndarray) -> None:
    """Whether the digit, what is shown and the ground are told alike."""
    digit, turned, shown, shown_as_it_is = script(gray, "digit")
    expected, as_it_is = normalised(gray), Turning("auto").turn(gray[None])[0]
    assert digit == spelled(expected)
    assert turned == spelled(as_it_is)
    assert [shown, shown_as_it_is] == [int(contents_of(one[None])[0]) for one in (expected, as_it_is)]


def test_photos_of_digits(script):
    rng = np.random.default_rng(5)
    for digit in DIGITS:
        for style in styles_of(digit):
            assert_alike(script, digit_photo(digit, style, rng))


def test_what_is_no_digit(script):
    rng = np.random.default_rng(6)
    for kind in KINDS:
        assert_alike(script, no_digit_photo(kind, rng))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 8), (28, 28), (7, 200), (61, 60), (300, 900)])
def test_noise_and_blank_sheets(script, shape):
    assert_alike(script, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    assert_alike(script, np.full(shape, 200, np.uint8))


def test_shades_and_large_photos(script):
    photo = printed_character("4").astype(float)
    assert_alike(script, (photo * np.linspace(0.35, 1, photo.shape[1])).astype(np.uint8))
    half = photo.copy()
    half[:, : photo.shape[1] // 2] *= 0.55
    assert_alike(script, half.astype(np.uint8))
    assert_alike(script, np.asarray(Image.fromarray(photo.astype(np.uint8)).resize((1700, 1900))))


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 99), (0, 60), (0, 64), (100, 161), (80, 161), (89, 161), (96, 161), (30, 140), (0, 161)],
)
def test_lines_as_long_as_their_window_or_shorter(script, start, end):
    """A window has 0.8 of the picture's 150 or 161 pixels; at the border half of it shows the border."""
    for turned in (np.asarray, np.transpose):
        gray = np.full((150, 161), 220, np.uint8)
        inner = start or end - 8
        turned(gray)[30:120, inner : inner + 8] = 40  # a stroke that the line touches
        turned(gray)[52:55, start:end] = 90
        assert_alike(script, gray)


@pytest.mark.realdata
def test_real_rows_on_both_grounds(script, real_data):
    table = pd.read_csv(real_data / "mnist" / "train.csv.gz", nrows=60)
    for image in table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28):
        assert_alike(script, image)
        assert_alike(script, 255 - image)


def told(cut: Cut) -> list:
    box = cut.box
    return [[box.left, box.top, box.right, box.bottom], spelled(cut.picture), [told(half) for half in cut.halves]]


@pytest.mark.parametrize(
    "taken",
    [
        lambda gray: gray,
        lambda gray: 255 - gray,
        lambda gray: grainy(ruled(gray)),
        lambda gray: rotate(gray, 1.5, reshape=False, mode="nearest", order=1),
        lambda gray: np.asarray(Image.fromarray(gray).resize((2400, 1292))),
        lambda gray: np.asarray(Image.fromarray(gray).resize((100, 53))),
        lambda gray: np.full_like(gray, 230),
        lambda gray: np.hypot(*np.mgrid[-300:300, -300:300]).astype(int).astype(np.uint8) // 4 * 4,
    ],
    ids=["plain", "light on dark", "ruled and grainy", "turned", "large", "tiny", "empty", "rings"],
)
def test_sheets(script, taken):
    sheet = taken(printed_sheet())
    found = cut_sheet(sheet)
    assert script(sheet, "sheet") == [[[[told(cut) for cut in n] for n in line] for line in found.lines], found.notes]


def test_digits_that_touch_and_frames(script):
    sheet = printed_sheet([["11", "44"]], size=90).copy()
    rows, columns = (np.flatnonzero((sheet < 128).any(axis)) for axis in (1, 0))
    sheet[(rows[0] + rows[-1]) // 2 : (rows[0] + rows[-1]) // 2 + 6, columns[0] : columns[-1] // 2] = 30  # a bridge
    sheet[4:8, 4:-4] = sheet[-8:-4, 4:-4] = 30
    sheet[4:-4, 4:8] = sheet[4:-4, -8:-4] = 30
    found = cut_sheet(sheet)
    assert any(cut.halves for line in found.lines for number in line for cut in number)
    assert script(sheet, "sheet") == [[[[told(cut) for cut in n] for n in line] for line in found.lines], found.notes]


def test_noise_is_refused_in_the_same_words(script):
    dots = np.full((800, 800), 230, np.uint8)
    for down in range(3):
        dots[down::12, ::12] = dots[down::12, 1::12] = dots[down::12, 2::12] = 20
    with pytest.raises(InputError) as refused:
        cut_sheet(dots)
    assert script(dots, "sheet") == str(refused.value)
    assert "blots of ink, more than 2,000; pass a photo of digits" in str(refused.value)


def test_resizing_is_pillows(script):
    gray = np.random.default_rng(1).integers(0, 256, (23, 31), dtype=np.uint8)
    for height, width in ((40, 60), (7, 12), (23, 90)):
        cubic = Image.fromarray(gray).resize((width, height), Image.Resampling.BICUBIC)
        *_, found = script(gray, {"filter": "resizedBicubic", "arguments": [height, width]})
        np.testing.assert_array_equal(np.reshape(found, (height, width)), np.asarray(cubic))
        linear = Image.fromarray(gray.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
        *_, found = script(gray, {"filter": "resizedBilinear", "arguments": [height, width], "float": True})
        np.testing.assert_allclose(np.reshape(found, (height, width)), np.asarray(linear), rtol=1e-6)
