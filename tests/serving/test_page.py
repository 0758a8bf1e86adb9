"""The pages in a real browser: drawing, keys, uploads, collecting, sizes; and the server under many requests."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt, maximum_filter, zoom

from benchmarks import serving
from benchmarks.browser import draw_strokes
from fastdigits import convert, predict, train
from fastdigits.system.png import encode_pictures
from tests.browsers import needs_chromium
from tests.photos.printed import printed_sheet

pytestmark = pytest.mark.slow
NAME_OF = (  # as a screen reader reads it
    "e => e.ariaLabel || e.ariaLabelledByElements?.[0]?.textContent || e.textContent "
    "|| e.labels?.[0]?.textContent || ''"
)
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    return tmp_path_factory.mktemp("collected") / "drawn"


@pytest.fixture(scope="module")
def address(collected):
    with serving.running_server("--also", "digitnet-kannada", "--collect", str(collected)) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture
def page(browser, address):
    """The drawing page; whatever the browser complains of is an error of the test, but for refused uploads."""
    context = browser.new_context(viewport=DESKTOP)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.goto(address)
    yield page
    context.close()
    assert [said for said in complaints if "the server responded with a status of 4" not in said] == []


def pen_strokes(image: np.ndarray) -> list[list[tuple[float, float]]]:
    """Strokes of a pen, points in shares of the picture's side, that follow the ridges of a digit's ink."""
    large = zoom(image.astype(float), 112 / len(image), order=1)
    depth = distance_transform_edt(large > 110)
    ridge = (depth >= maximum_filter(depth, 3) - 0.3) & (depth > 1.5)
    points, strokes = np.argwhere(ridge).tolist(), []
    while points:
        stroke = [points.pop(0)]
        while points:
            distances = [(r - stroke[-1][0]) ** 2 + (c - stroke[-1][1]) ** 2 for r, c in points]
            nearest = int(np.argmin(distances))
            if distances[nearest] > 25:  # the pen is lifted
                break
            stroke.append(points.pop(nearest))
        strokes.append([(column / 112, row / 112) for row, column in stroke])
    return strokes


def draw(page, image: np.ndarray) -> None:
    """Draw a digit with the mouse, by every third point of its strokes."""
    draw_strokes(page, [stroke[:1] + stroke[1::3] for stroke in pen_strokes(image)])


@pytest.fixture(scope="module")
def digits(digit_images) -> tuple[np.ndarray, list[str]]:
    """Real digits, twice as large as scikit-learn has them and with a border, uint8 (n, 24, 24)."""
    images, labels = digit_images[0][:30], digit_images[1][:30]
    return np.pad(np.stack([zoom(one, 2, order=1) for one in images]), ((0, 0), (4, 4), (4, 4))), labels.astype(str)


def announced(page) -> str:
    from playwright.sync_api import expect

    expect(page.locator("#status")).to_contain_text("This is a")
    return page.inner_text("#label")


@needs_chromium
def test_strokes_of_real_digits_are_recognised(page, digits):
    right = 0
    for image, label in zip(*digits):
        page.click("#clear")
        draw(page, image)
        right += announced(page) == label
    assert right >= 0.6 * len(digits[1])  # 8x8 pixels make poor strokes; those of MNIST are drawn below
    shares = [float(text.removesuffix(" %")) for text in page.locator(".percent").all_inner_texts()]
    assert abs(sum(shares) - 100) < 1
    assert page.inner_text("tr.first th") == page.inner_text("#label")


@needs_chromium
@pytest.mark.realdata
def test_real_strokes_of_mnist(page, real_data):
    table = pd.read_csv(real_data / "mnist" / "train.csv.gz", nrows=40)
    images = table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28)
    right = 0
    for image, label in zip(images, table.label.astype(str)):
        page.click("#clear")
        draw(page, image)
        right += announced(page) == label
    assert right >= 38


@needs_chromium
def test_undo_clear_and_keys(page):
    from playwright.sync_api import expect

    pad = page.locator("#pad")
    pad.focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(24):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert announced(page) == "1"
    page.keyboard.press("Control+z")
    expect(page.locator("#label")).to_have_text("")
    box = pad.bounding_box()
    page.mouse.click(box["x"] + 90, box["y"] + 90)
    announced(page)
    page.click("#undo")
    expect(page.locator("#status")).to_have_text("")
    page.mouse.click(box["x"] + 90, box["y"] + 90)
    announced(page)
    pad.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#label")).to_have_text("")
    assert page.locator(".percent").all_inner_texts() == [""] * 10


@needs_chromium
def test_a_doubtful_drawing_is_marked_and_models_are_picked(page):
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    for x, y in ((140, 220), (220, 60)):  # a letter
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up()
    announced(page)
    assert page.locator("#doubtful").is_visible()
    before = page.inner_text("#confidence")
    with page.expect_response(lambda response: "model=digitnet-kannada" in response.url):
        page.select_option("#model", "digitnet-kannada")
    page.wait_for_timeout(300)
    assert page.inner_text("#confidence") != before


@needs_chromium
def test_what_is_cleared_comes_back(page, digits):
    from playwright.sync_api import expect

    draw(page, digits[0][0])
    said = announced(page)
    page.click("#clear")
    kept = page.locator("#last button")
    expect(kept).to_have_count(1)
    draw(page, digits[0][1])
    announced(page)
    kept.click()  # and what was drawn meanwhile stands there now
    assert announced(page) == said
    expect(kept).to_have_count(1)
    assert kept.inner_text() != said or digits[1][0] == digits[1][1]


@needs_chromium
def test_pad_and_answer_have_one_height_and_on_a_phone_both_are_seen(browser, address, digits):
    for viewport in (DESKTOP, PHONE):
        page = browser.new_context(viewport=viewport).new_page()
        page.goto(address)
        draw(page, digits[0][0])
        announced(page)
        pad, answer, bars = (page.locator(name).bounding_box() for name in ("#pad", ".answer", ".bars"))
        if viewport == DESKTOP:
            assert abs(pad["y"] - answer["y"]) <= 1
            assert abs(pad["y"] + pad["height"] - bars["y"] - bars["height"]) <= 2
        else:
            assert answer["y"] + answer["height"] <= viewport["height"]
        page.context.close()


@needs_chromium
def test_a_table_tells_how_far_it_is(page, digit_images, tmp_path):
    from playwright.sync_api import expect

    table = pd.DataFrame(np.tile(digit_images[0].reshape(-1, 64), (12, 1)))
    table.to_csv(tmp_path / "long.csv", index=False)
    page.set_input_files("#file", str(tmp_path / "long.csv"))
    expect(page.locator("#upload-status progress")).to_be_visible()
    expect(page.locator("#upload-status")).to_have_text("long.csv: 21,564 rows answered", timeout=60_000)


def upload(page, file) -> str:
    """What the page says of a file."""
    from playwright.sync_api import expect

    page.set_input_files("#file", str(file))
    expect(page.locator("#upload-status")).not_to_have_text(re.compile(r"^$|…\s*$"))
    return page.inner_text("#upload-status")


@needs_chromium
def test_photo_sheet_and_table(page, digits, digit_table, tmp_path):
    photo = np.full((400, 300), 215, np.uint8)
    photo[100:292, 60:252] -= (zoom(digits[0][0], 8, order=1) * 0.6).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    with page.expect_request("**/predict?*") as asked:
        assert re.fullmatch(r"photo.jpg: 0, [\d.]+ %(, doubtful)?", upload(page, tmp_path / "photo.jpg"))
    assert "normalise" not in asked.value.url  # that is for the model to say
    assert page.inner_text("#label") == "0"
    Image.fromarray(printed_sheet()).save(tmp_path / "sheet.png")
    page.check("[value=sheet]")
    assert upload(page, tmp_path / "sheet.png").startswith("sheet.png: 17 digits")
    lines = page.locator(".numbers li").evaluate_all("all => all.map((li) => [...li.children].map((e) => e.value))")
    assert [[len(number) for number in line] for line in lines] == [[4, 3], [2, 3, 1], [4]]
    sheet, box = (page.locator(name).first.bounding_box() for name in (".sheet", ".box"))
    assert sheet["width"] > 300
    assert sheet["x"] < box["x"] < sheet["x"] + sheet["width"]
    digit_table.drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    assert upload(page, tmp_path / "t.csv") == "t.csv: 200 rows answered"
    with page.expect_download() as download:
        page.click("text=predictions.csv")
    answers = pd.read_csv(download.value.path())
    expected = predict("digitnet-mnist", tmp_path / "t.csv", out=tmp_path / "p.csv")
    assert answers.label.astype(str).tolist() == expected.labels


@needs_chromium
def test_bad_uploads_get_a_message_and_the_page_lives_on(page, digits, tmp_path):
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "wrong.csv").write_text("a,b,c\n1,2,3\n")
    noise = np.random.default_rng(0).integers(0, 256, (3400, 3400), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "heavy.png", compress_level=0)
    Image.fromarray(np.zeros((7100, 7100), np.uint8)).save(tmp_path / "bomb.png")
    assert upload(page, tmp_path / "text.png") == "text.png is no PNG or JPEG picture; save it as one of these"
    assert upload(page, tmp_path / "wrong.csv").startswith("wrong.csv has 3 pixel columns, which is no square")
    assert upload(page, tmp_path / "heavy.png") == "the upload is larger than 10 MB; send a smaller one"
    assert upload(page, tmp_path / "bomb.png") == "bomb.png has more than 50 million pixels; send a smaller picture"
    draw(page, digits[0][0])
    assert announced(page) == "0"


@needs_chromium
def test_a_drawn_data_set_converts_and_trains(page, address, collected, digits, tmp_path):
    from playwright.sync_api import expect

    page.goto(f"{address}/collect")
    images, labels = digits
    for _writer in range(2):
        for _ in range(10):
            wanted = page.inner_text("#wanted")
            draw(page, images[labels.tolist().index(wanted)])
            page.click("#keep")
            expect(page.locator("#status")).to_contain_text(f"Kept your {wanted}.")
        assert page.inner_text("#yours") == "10"
        page.click("#take-back")
        expect(page.locator("#yours")).to_have_text("9")
        again = page.inner_text("#wanted")
        draw(page, images[labels.tolist().index(again)])
        page.click("#keep")
        expect(page.locator("#yours")).to_have_text("10")
        page.click("#new-writer")
    assert pd.read_csv(collected / "writers.csv").writer.value_counts().to_dict() == {"w0001": 10, "w0002": 10}
    convert(collected / "digits.csv", tmp_path / "digits", groups=collected / "writers.csv", valid=0.5)
    train("dnn-he", tmp_path / "digits", epochs=1, batch_size=4, out=tmp_path / "run")
    assert (tmp_path / "run" / "result.json").is_file()


@needs_chromium
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/", "/collect"])
def test_nothing_is_wider_than_the_screen_and_all_can_be_named(browser, address, viewport, path):
    context = browser.new_context(viewport=viewport, has_touch=viewport == PHONE)
    page = context.new_page()
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for element in page.locator("button, select, input, canvas, a").all():
        assert element.evaluate(NAME_OF).strip(), element.evaluate("e => e.outerHTML")
    small = page.locator("button:visible").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().height < 44).map(e => e.id)"
    )
    assert small == []  # a finger's width
    context.close()


def test_many_requests_get_the_answers_of_predict(digit_images, tmp_path, collected, address):
    """2,000 requests from 32 connections."""
    images = np.pad(digit_images[0].repeat(2, 1).repeat(2, 2), ((0, 0), (6, 6), (6, 6)))
    bodies = list(encode_pictures(np.concatenate([images, images[:203]])))
    assert len(bodies) == 2000
    (tmp_path / "p").mkdir()
    for k, body in enumerate(bodies):
        (tmp_path / "p" / f"{k}.png").write_bytes(body)
    expected = predict("digitnet-mnist", tmp_path / "p", out=tmp_path / "p.csv", probabilities=True)
    host, _, port = address.removeprefix("http://").partition(":")
    done = serving.load(host, int(port), bodies)
    assert [answer["label"] for answer in done.answers] == expected.labels
    told = np.array([answer["confidence"] for answer in done.answers])
    np.testing.assert_allclose(told, expected.confidences, atol=1e-5)
    assert done.latencies_ms.max() < 20_000


def test_the_baseline_of_the_benchmark_answers_alike(digit_images):
    bodies = list(encode_pictures(digit_images[0][:40]))
    code = "from benchmarks.serving import serve_one_at_a_time as s; s()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        theirs = serving.load("127.0.0.1", int(process.stdout.readline()), bodies, 4).answers
        process.terminate()
    with serving.running_server() as (host, port):
        ours = serving.load(host, port, bodies, 4).answers
    assert [answer["label"] for answer in ours] == [answer["label"] for answer in theirs]
