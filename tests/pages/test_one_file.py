"""The page that holds its model, opened from a disk with the network off: answers, sheets, what it keeps and saves."""

import base64
import json
import subprocess

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import zoom

from fastdigits import InputError, convert, export, predict, read
from fastdigits.pages.runtime import RUNTIME_VERSION
from fastdigits.photos import SIDE
from fastdigits.styles import DIGITS, KINDS, digit_photo, no_digit_photo, styles_of
from fastdigits.system import encode_pictures
from tests.browsers import needs_chromium
from tests.photos.printed import LINES, printed_sheet

pytestmark = [needs_chromium, pytest.mark.slow]
PACKAGE = f"onnxruntime-web@{RUNTIME_VERSION}"
MOST_MS = 15  # a digit's answer
ANSWER = """
async (files) => {
  const { answerPhoto } = await import("fastdigits/engine_here");
  const told = [];
  for (const [name, packed] of files) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const { label, confidence, verdict } = await answerPhoto(new File([bytes], name));
    told.push([label, confidence, verdict]);
  }
  return told;
}
"""
DRAW = """
async (strokes) => {
  const [{ Pad }, { answerDrawing }] = await Promise.all(["pad", "engine_here"].map((m) => import(`fastdigits/${m}`)));
  const pad = new Pad(document.getElementById("pad"), {});
  pad.bring(strokes.map((stroke) => stroke.map(([x, y]) => ({ x, y }))));
  const times = [];
  for (let round = 0; round < 30; round++) {
    const begun = performance.now();
    await answerDrawing(pad);
    times.push(performance.now() - begun);
  }
  const png = await pad.png();
  const packed = btoa(String.fromCharCode(...new Uint8Array(await png.arrayBuffer())));
  return [times.sort((a, b) => a - b)[15], packed, (await answerDrawing(pad)).probabilities];
}
"""


@pytest.fixture(scope="session")
def runtime(tmp_path_factory):
    """The package with the runtime, as npm fetches it."""
    folder = tmp_path_factory.mktemp("npm")
    line = ["npm", "pack", PACKAGE, "--silent"]
    try:
        subprocess.run(line, cwd=folder, check=True, capture_output=True, timeout=200)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm fetches no {PACKAGE} here: {type(error).__name__}")
    subprocess.run(["tar", "xzf", next(folder.glob("*.tgz"))], cwd=folder, check=True)
    return folder / "package"


@pytest.fixture(scope="module")
def file(runtime, tmp_path_factory):
    made = export("digitnet-mnist", tmp_path_factory.mktemp("web") / "page", to="web", runtime=runtime, collect=True)
    assert made.path.name == "index.html"
    assert made.megabytes < 8
    assert f"({made.megabytes:.1f} MB); checked on 32 drawn pictures" in str(made)
    return made.path


@pytest.fixture
def page(browser, file):
    """The page, once its model is open; whatever the browser complains of is an error of the test."""
    context = browser.new_context(offline=True, accept_downloads=True)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("request", lambda request: request.url.startswith("http") and complaints.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()
    assert complaints == []


def answers(page, files: list[tuple[str, bytes]]) -> list[list]:
    return page.evaluate(ANSWER, [[name, base64.b64encode(content).decode()] for name, content in files])


@pytest.mark.realdata
def test_two_thousand_rows_get_the_labels_of_predict(page, real_data, tmp_path):
    rows = pd.read_csv(real_data / "mnist" / "test.csv.gz", nrows=2000)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    expected = predict("digitnet-mnist", tmp_path / "rows.csv", out=tmp_path / "p.csv")
    images = rows.to_numpy(np.uint8).reshape(-1, SIDE, SIDE)
    found = answers(page, [(f"{k}.png", png) for k, png in enumerate(encode_pictures(images))])
    assert sum(told[0] != label for told, label in zip(found, expected.labels)) <= 2
    np.testing.assert_allclose([told[1] for told in found], expected.confidences, atol=0.01)  # which may be in bf16
    assert sum(told[2] != verdict for told, verdict in zip(found, expected.verdicts)) <= 4  # at a bound by rounding


def photos(folder) -> list:
    """Forty photos of digits and of what is none, as PNG and JPEG files in turn."""
    rng, taken = np.random.default_rng(8), []
    for k in range(34):
        digit = DIGITS[k % len(DIGITS)]
        taken.append(digit_photo(digit, styles_of(digit)[k % len(styles_of(digit))], rng))
    taken += [no_digit_photo(kind, rng) for kind in tuple(KINDS)[:6]]
    for k, photo in enumerate(taken):
        Image.fromarray(photo).save(folder / f"photo{k:02}{'.png' if k % 2 else '.jpg'}", quality=90)
    return sorted(folder.iterdir())


def test_forty_photos_get_the_answers_of_predict(page, tmp_path):
    (tmp_path / "photos").mkdir()
    files = photos(tmp_path / "photos")
    expected = predict("digitnet-mnist", tmp_path / "photos", out=tmp_path / "p.csv")
    found = answers(page, [(file.name, file.read_bytes()) for file in files])
    assert [told[0] for told in found] == expected.labels
    assert [told[2] for told in found] == expected.verdicts
    np.testing.assert_allclose([told[1] for told in found], expected.confidences, atol=0.01)


def test_a_phone_s_turned_photo_and_a_picture_on_glass(page, tmp_path):
    photo = Image.fromarray(digit_photo("7", styles_of("7")[0], np.random.default_rng(3)))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    photo.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    ink = 255 - np.asarray(photo)
    black = np.zeros((*ink.shape, 3), np.uint8)
    Image.fromarray(np.dstack([black, np.where(ink > 120, 255, 0).astype(np.uint8)])).save(tmp_path / "glass.png")
    for name in ("turned.jpg", "glass.png"):
        expected = predict("digitnet-mnist", tmp_path / name, out=tmp_path / f"{name}.csv")
        assert answers(page, [(name, (tmp_path / name).read_bytes())])[0][0] == expected.labels[0]


def test_a_drawn_digit_is_answered_at_once(page, tmp_path):
    strokes = [[[80, 60], [200, 60], [130, 220]]]
    median_ms, packed, probabilities = page.evaluate(DRAW, strokes)
    (tmp_path / "drawn.png").write_bytes(base64.b64decode(packed))
    expected = predict("digitnet-mnist", tmp_path / "drawn.png", out=tmp_path / "p.csv", probabilities=True)
    np.testing.assert_allclose(list(probabilities.values()), expected.probabilities[0], atol=1e-4)
    print(f"a digit is answered in {median_ms:.1f} ms")
    assert median_ms < 4 * MOST_MS  # on a machine that does other things, too


def test_five_sheets_are_read_as_read_does(page, tmp_path):
    from playwright.sync_api import expect

    plain = printed_sheet()
    shaded = (plain * np.linspace(0.6, 1, plain.shape[1])).astype(np.uint8)
    enlarged = zoom(plain, 2, order=1)
    sheets = [plain, 255 - plain, shaded, enlarged, printed_sheet([["11", "44"]], size=90)]
    page.check("[value=sheet]")
    for k, sheet in enumerate(sheets):
        Image.fromarray(sheet).save(tmp_path / f"{k}.png")
        expected = read("digitnet-mnist", tmp_path / f"{k}.png")
        page.set_input_files("#file", str(tmp_path / f"{k}.png"))
        expect(page.locator("#upload-status")).to_contain_text(f"{k}.png: ")
        with page.expect_download() as download:
            page.click("#save-json")
        (told,) = json.loads(download.value.path().read_text())["read"]
        assert told["numbers"] == expected.numbers
        digits = [digit for line in told["lines"] for number in line for digit in number]
        assert [digit["box"] for digit in digits] == [vars(digit.box) for digit in expected.digits]
        assert [digit["verdict"] for digit in digits] == [digit.verdict for digit in expected.digits]
        np.testing.assert_allclose(
            [digit["confidence"] for digit in digits], [digit.confidence for digit in expected.digits], atol=1e-4
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["", "#collect"])
def test_nothing_stands_in_the_way_of_a_screen_reader(browser, file, scheme, place):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(file.as_uri() + place)
    page.wait_for_selector("#pad")
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_numbers_are_corrected_by_hand(page, tmp_path):
    Image.fromarray(printed_sheet()).save(tmp_path / "sheet.png")
    page.check("[value=sheet]")
    page.set_input_files("#file", str(tmp_path / "sheet.png"))
    field = page.get_by_label("line 1, number 2")
    field.wait_for()
    assert page.locator(".box span").count() == sum(len(number) for line in LINES for number in line)
    field.fill("999")
    assert page.locator(".box.chosen span").all_inner_texts() == ["9", "9", "9"]
    with page.expect_download() as download:
        page.click("#save-json")
    saved = json.loads(download.value.path().read_text())
    assert saved["read"][0]["model"] == "digitnet-mnist"
    assert saved["read"][0]["numbers"][0][1] == "999"
    assert saved["read"][0]["file"] == "sheet.png"


def test_what_is_no_picture_and_tables_get_one_line(page, tmp_path):
    from playwright.sync_api import expect

    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    page.set_input_files("#file", [str(tmp_path / "text.png"), str(tmp_path / "rows.csv")])
    expect(page.locator("#upload-result .problem")).to_have_count(2)
    assert page.locator("#upload-result .problem").all_inner_texts() == [
        "text.png is no picture that this browser reads; save it as PNG or JPEG",
        "rows.csv is a table; this page answers pictures, fastdigits predict tables",
    ]


def test_digits_that_were_drawn_become_a_data_set(browser, file, tmp_path):
    from playwright.sync_api import expect

    context = browser.new_context(offline=True, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{file.as_uri()}#collect")
    for writer in ("w0001", "w0002"):
        for count in range(1, 13):
            box = page.locator("#pad").bounding_box()
            page.mouse.move(box["x"] + 100, box["y"] + 60)
            page.mouse.down()
            page.mouse.move(box["x"] + 100 + 3 * count, box["y"] + 220, steps=4)
            page.mouse.up()
            page.click("#keep")
            expect(page.locator("#yours")).to_have_text(str(count))
        if writer == "w0001":
            page.click("#take-back")
            expect(page.locator("#yours")).to_have_text("11")
            page.reload()  # nothing is lost by it
            assert page.inner_text("#all") == "11"
            page.click("#new-writer")
    for name in ("digits.csv", "writers.csv"):
        with page.expect_download() as download:
            page.evaluate("document.querySelector('#collecting details').open = true")
            page.click(f"text={name}")
        download.value.save_as(tmp_path / name)
    writers = pd.read_csv(tmp_path / "writers.csv")
    assert writers.writer.value_counts().to_dict() == {"w0001": 11, "w0002": 12}
    digits = pd.read_csv(tmp_path / "digits.csv")
    assert digits.filter(like="pixel").to_numpy().max() == 255
    convert(tmp_path / "digits.csv", tmp_path / "folder", groups=tmp_path / "writers.csv", valid=0.5)
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#clear-kept")
    expect(page.locator("#all")).to_have_text("0")
    context.close()


def test_a_model_that_tells_no_outliers_and_knows_light_ground(page, browser, runtime, run, tmp_path, digit_images):
    """A user's own model of small pictures, in a file of its name."""
    made = export(run, tmp_path / "own.html", to="web", runtime=runtime)
    own = browser.new_context(offline=True).new_page()
    own.goto(made.path.as_uri())
    own.wait_for_selector("body[data-ready]")
    (tmp_path / "p").mkdir()
    for k, png in enumerate(encode_pictures(digit_images[0][:20])):
        (tmp_path / "p" / f"{k:02}.png").write_bytes(png)
    expected = predict(run, tmp_path / "p", out=tmp_path / "p.csv")
    found = answers(own, [(f.name, f.read_bytes()) for f in sorted((tmp_path / "p").iterdir())])
    assert [told[0] for told in found] == expected.labels
    assert [told[2] for told in found] == expected.verdicts
    own.context.close()


def test_large_photos_are_read_in_strips_and_shown_small(page, tmp_path):
    photo = zoom(digit_photo("4", styles_of("4")[0], np.random.default_rng(1)), 60, order=0)
    assert photo.size > 8e6
    Image.fromarray(photo).save(tmp_path / "large.png")
    expected = predict("digitnet-mnist", tmp_path / "large.png", out=tmp_path / "p.csv")
    (found,) = answers(page, [("large.png", (tmp_path / "large.png").read_bytes())])
    assert found[0] == expected.labels[0]
    assert found[1] == pytest.approx(expected.confidences[0], abs=0.01)


def test_the_page_holds_no_picture_of_the_run_and_loads_nothing(run, runtime, tmp_path):
    made = export(run, tmp_path / "own.html", to="web", runtime=runtime)
    text = made.path.read_text(encoding="utf-8")
    about = json.loads(text.partition('id="about">')[2].partition("</script>")[0])
    pictures = np.frombuffer(base64.b64decode(about["check"]["pictures"]), np.uint8)
    assert pictures.mean() == pytest.approx(127.5, abs=10)  # noise
    assert "default-src 'none'" in text.partition("</head>")[0]
    assert 'src="' not in text.replace('src="data:', "")


def test_a_browser_that_computes_otherwise_says_so(browser, file, tmp_path):
    text = file.read_text(encoding="utf-8")
    about = text.partition('id="about">')[2].partition("</script>")[0]
    wrong = json.loads(about)
    wrong["check"]["shares"][0][0] += 0.01
    (tmp_path / "wrong.html").write_text(text.replace(about, json.dumps(wrong)), encoding="utf-8")
    page = browser.new_context(offline=True).new_page()
    page.goto((tmp_path / "wrong.html").as_uri())
    page.wait_for_selector("#waiting.problem")
    said = "this browser computes other answers than the model gives; use another browser"
    assert page.inner_text("#waiting") == said
    page.context.close()


def test_int8_is_smaller_and_answers_alike(browser, runtime, file, tmp_path, digit_images):
    images = np.pad(digit_images[0].repeat(2, 1).repeat(2, 2), ((0, 0), (6, 6), (6, 6)))
    (tmp_path / "rows").mkdir()
    for k, png in enumerate(encode_pictures(images[:400])):
        (tmp_path / "rows" / f"{k:03}.png").write_bytes(png)
    about = {"int8": True, "calibration": str(tmp_path / "rows"), "runtime": runtime}
    made = export("digitnet-mnist", tmp_path / "int8.html", to="web", **about)
    assert made.path.stat().st_size < file.stat().st_size - 1e6
    page = browser.new_context(offline=True).new_page()
    page.goto(made.path.as_uri())
    page.wait_for_selector("body[data-ready]")
    files = sorted((tmp_path / "rows").iterdir())[:100]
    found = answers(page, [(f.name, f.read_bytes()) for f in files])
    expected = predict("digitnet-mnist", tmp_path / "rows", out=tmp_path / "p.csv")  # of photos, as the page has it
    assert np.mean([told[0] == label for told, label in zip(found, expected.labels)]) >= 0.97
    page.context.close()


def test_wrong_questions(tmp_path, runtime, monkeypatch):
    only_web = "--runtime and --collect are for --to web; leave them out"
    with pytest.raises(InputError, match=only_web):
        export("digitnet-mnist", tmp_path / "m", collect=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty holds no ort.wasm.bundle.min.mjs and ort-wasm-simd.*; npm"):
        export("digitnet-mnist", tmp_path / "web", to="web", runtime=tmp_path / "empty")
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (tmp_path / "empty" / name).write_bytes(b"other")
    with pytest.raises(InputError, match=rf"mjs is not that of {PACKAGE}; npm pack {PACKAGE} fetches it"):
        export("digitnet-mnist", tmp_path / "web", to="web", runtime=tmp_path / "empty")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="--to web needs onnxruntime-web, and there is no npm here: npm fetches"):
        export("digitnet-mnist", tmp_path / "web", to="web")
    assert {path.name for path in tmp_path.iterdir()} == {"empty"}
