"""The labelling page in a real browser: keys, clicks, several people, kills, a screen reader's view, smoothness."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import pandas as pd
import pytest

from benchmarks import serving
from fastdigits import InputError, convert, label
from fastdigits.sources import LabelLog
from tests.browsers import needs_chromium

pytestmark = pytest.mark.slow
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def source(tmp_path_factory, digit_images):
    """All 1,797 digits without labels, ids from 0."""
    file = tmp_path_factory.mktemp("pool") / "digits.csv"
    pixels = [f"pixel{k}" for k in range(64)]
    pd.DataFrame(digit_images[0].reshape(-1, 64), columns=pixels).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def truth(digit_images) -> dict[str, str]:
    return {str(row): str(label) for row, label in enumerate(digit_images[1])}


@contextmanager
def labelling(*arguments):
    """The process and the address of `fastdigits label ARGUMENTS`."""
    port = [] if "--port" in arguments else ["--port", "0"]
    command = [sys.executable, "-m", "fastdigits", "label", *map(str, arguments), *port]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, re.search(r"http://\S+", line).group()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


@contextmanager
def opened(browser, address, viewport=DESKTOP, **options):
    """The page, with pictures; whatever the browser complains of is an error of the test."""
    context = browser.new_context(viewport=viewport, **options)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.goto(address)
    page.wait_for_selector("#pictures img")
    yield page
    context.close()
    assert [said for said in complaints if "Failed to load resource" not in said] == []


def shown(page) -> list[str]:
    """Ids of the pictures that are shown."""
    return [
        text.removeprefix("picture ")
        for text in page.eval_on_selector_all("#pictures img", "all => all.map(e => e.alt)")
    ]


def settled(page, labelled: int) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#labelled")).to_have_text(f"{labelled:,}", timeout=20_000)


@needs_chromium
def test_keys_alone_label_take_back_and_go_on(browser, source, truth, tmp_path):
    with labelling(source, tmp_path / "out", "--order", "as-they-come", "--no-train") as (process, address):
        with opened(browser, address) as page:
            for _ in range(30):
                (id_,) = shown(page)
                page.keyboard.press(truth[id_])
            settled(page, 30)
            (before,) = shown(page)
            page.keyboard.press("ArrowRight")  # later
            assert shown(page) != [before]
            page.keyboard.press("Backspace")
            assert shown(page) == [before]
            page.keyboard.press("ArrowRight")
            page.keyboard.press("x")
            page.keyboard.press("?")
            settled(page, 32)
            page.keyboard.press("Backspace")
            settled(page, 31)
            page.keyboard.press("Backspace")
            settled(page, 30)
            (again,) = shown(page)
            page.keyboard.press(truth[again])
            settled(page, 31)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[0]
    assert f"stopped; 31 pictures have a label: {tmp_path / 'out' / 'labels.csv'}" in told
    assert f"next: fastdigits convert {source} DATA --labels {tmp_path / 'out' / 'labels.csv'} --look-alikes" in told
    found = LabelLog(tmp_path / "out" / "labels.csv").label_of
    assert len(found) == 31
    assert all(truth[id_] == label for id_, label in found.items())
    folder = convert(source, tmp_path / "data", labels=tmp_path / "out" / "labels.csv", valid=0)
    assert len(folder.split("train")) == 31


@needs_chromium
def test_one_key_labels_look_alikes_but_those_that_are_left_out(browser, source, truth, tmp_path):
    with labelling(source, tmp_path / "out", "--no-train") as (_, address), opened(browser, address) as page:
        deadline = time.monotonic() + 30
        while len(shown(page)) == 1 and time.monotonic() < deadline:  # until they are compared
            page.reload()
            page.wait_for_selector("#pictures img")
        presses = 0
        while int(page.inner_text("#labelled").replace(",", "")) < 500:
            before, ids = int(page.inner_text("#labelled").replace(",", "")), shown(page)
            labels = [truth[id_] for id_ in ids]
            most = max(set(labels), key=labels.count)
            for place, label in enumerate(labels):
                if label != most and len(ids) > 1:
                    page.locator("button.picture").nth(place).focus()
                    page.keyboard.press("Space")
                    presses += 1
            page.keyboard.press(most)
            presses += 1
            settled(page, before + labels.count(most))
            while shown(page) == ids:  # the count may come before the next pictures
                page.wait_for_timeout(50)
    assert presses < 250  # half of one for each
    found = LabelLog(tmp_path / "out" / "labels.csv").label_of
    assert all(truth[id_] == label for id_, label in found.items())


@needs_chromium
def test_the_end_is_told_and_stays(browser, source, truth, tmp_path):
    from playwright.sync_api import expect

    few = tmp_path / "few.csv"
    pd.read_csv(source)[:4].to_csv(few, index=False)
    with labelling(few, tmp_path / "out", "--no-train") as (_, address), opened(browser, address) as page:
        for label in ["1", "2", "3", "4"]:
            if page.locator("#pictures img").count():  # some may come together
                page.keyboard.press(label)
                page.wait_for_timeout(300)
        settled(page, 4)
        expect(page.locator("#all")).to_have_text(" of 4")
        page.wait_for_timeout(4_000)  # in which the page looks for more
        expect(page.locator("#why")).to_have_text("Nothing is left for you.")
        assert all(button.is_disabled() for button in page.locator("[data-label]").all())
        page.keyboard.press("Backspace")
        page.wait_for_selector("#pictures img")
        assert all(button.is_enabled() for button in page.locator("[data-label]").all())


@needs_chromium
def test_a_key_beside_a_take_back_labels_nothing_else(browser, source, truth, tmp_path):
    arguments = (source, tmp_path / "out", "--order", "as-they-come", "--no-train")
    with labelling(*arguments) as (_, address), opened(browser, address) as page:
        for _ in range(5):
            (id_,) = shown(page)
            page.keyboard.press(truth[id_])
            page.evaluate(  # both in one turn of the page, and a key that is held down
                "key => { for (const [name, repeat] of [['Backspace', false], [key, false], [key, true], [key, true]])"
                " document.dispatchEvent(new KeyboardEvent('keydown', { key: name, repeat })); }",
                truth[id_],
            )
            page.wait_for_selector(f"#pictures img[alt='picture {id_}']")
            page.keyboard.press(truth[id_])
        settled(page, 5)
    found = LabelLog(tmp_path / "out" / "labels.csv").label_of
    assert found == {id_: truth[id_] for id_ in list(truth)[:5]}


@needs_chromium
def test_an_old_state_that_comes_late_is_not_shown(browser, source, truth, tmp_path):
    arguments = (source, tmp_path / "out", "--order", "as-they-come", "--no-train")
    with labelling(*arguments) as (_, address), opened(browser, address) as page:
        late = []
        page.route("**/label/state*", lambda route: late.append((route, route.fetch())), times=1)
        deadline = time.monotonic() + 20
        while not late and time.monotonic() < deadline:  # for the answer that there is no label yet
            page.wait_for_timeout(50)
        (id_,) = shown(page)
        page.keyboard.press(truth[id_])
        settled(page, 1)
        page.evaluate(  # every number that is shown from now on
            "() => { window.seen = []; new MutationObserver(() => seen.push(document.querySelector('#labelled')"
            ".textContent)).observe(document.querySelector('#labelled'), { childList: true }); }"
        )
        ((route, answer),) = late
        with page.expect_response("**/label/state*"):
            route.fulfill(response=answer)
        page.wait_for_timeout(300)
        assert "0" not in page.evaluate("seen")


@needs_chromium
def test_a_page_outlives_its_server(browser, source, truth, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = (source, tmp_path / "out", "--order", "as-they-come", "--no-train", "--port", port)
    with ExitStack() as stack:
        process, address = stack.enter_context(labelling(*arguments))
        page = stack.enter_context(opened(browser, address))
        process.kill()
        process.wait()
        said = {}
        for _ in range(3):
            (id_,) = shown(page)
            said[id_] = truth[id_]
            page.keyboard.press(truth[id_])
        page.wait_for_selector("#status:has-text('3 not yet written down')")
        stack.enter_context(labelling(*arguments))
        settled(page, 3)
    assert LabelLog(tmp_path / "out" / "labels.csv").label_of == said


def test_another_source_is_not_mixed_in(source, tmp_path):
    with labelling(source, tmp_path / "out", "--no-train"):
        pass
    LabelLog(tmp_path / "out" / "labels.csv").add({"3": "1"}, "w0001")
    shutil.copy(source, tmp_path / "other.csv")
    # in the middle of a long line the error leaves out a part
    with pytest.raises(InputError, match=r"out holds what was made by `label .* another folder, or correct .*json"):
        label(tmp_path / "other.csv", tmp_path / "out")


@needs_chromium
def test_two_at_once_and_twenty_kills_lose_nothing(browser, source, truth, tmp_path):
    out, said = tmp_path / "out", {}
    state = "async () => await (await fetch('/label/state?token=' + sessionStorage.getItem('token'))).json()"
    for kill in range(20):
        with ExitStack() as stack:
            process, address = stack.enter_context(labelling(source, out, "--order", "as-they-come", "--no-train"))
            people = [stack.enter_context(opened(browser, address)) for _ in range(2)]
            known = len(LabelLog(out / "labels.csv"))
            for page in people * 4:
                (id_,) = shown(page)
                said[id_] = truth[id_]
                page.keyboard.press(truth[id_])
            deadline = time.monotonic() + 20
            while people[0].evaluate(state)["labelled"] < known + 8:
                assert time.monotonic() < deadline, kill
            process.kill()
            process.wait()
    rows = pd.read_csv(out / "labels.csv", dtype=str)
    assert len(rows) == len(set(rows["id"])) == 160
    assert dict(zip(rows["id"], rows["label"])) == said
    assert rows["by"].nunique() == 40


@needs_chromium
def test_a_model_learns_meanwhile(browser, source, truth, tmp_path):
    with labelling(source, tmp_path / "out") as (_process, address), opened(browser, address) as page:
        deadline = time.monotonic() + 240
        most = 300  # labels, so that pictures are left however slowly the first model comes
        while "%" not in page.inner_text("#expected") and time.monotonic() < deadline:
            if page.inner_text("#expected"):  # there is one: its right answers to some more pictures are needed
                most = 700
            if int(page.inner_text("#labelled").replace(",", "")) < most:
                labels = [truth[id_] for id_ in shown(page)]
                for place, label in enumerate(labels):
                    if label != labels[0] and len(labels) > 1:
                        page.locator("button.picture").nth(place).click()
                page.keyboard.press(labels[0])
            page.wait_for_timeout(100)
        told = page.inner_text("#expected")
        numbers = (
            r"A model learnt from \d+ labels; expected accuracy on what it has not learnt \d+\.\d % "
            r"\(\d+\.\d % \.\. \d+\.\d %\)\."
        )
        assert re.match(numbers, told)
    run = next((tmp_path / "out" / "trained").glob("*/run/result.json"))
    assert run.is_file()


@needs_chromium
def test_suspects_are_shown_beside_their_likes(browser, tmp_path, digit_images):
    images, labels = digit_images[0][:500], digit_images[1][:500].copy()
    labels[40] = (labels[40] + 5) % 10
    table = pd.DataFrame(images.reshape(500, -1), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "label", labels)
    table.to_csv(tmp_path / "digits.csv", index=False)
    right = str((labels[40] + 5) % 10)
    with ExitStack() as stack:
        _, address = stack.enter_context(labelling(tmp_path / "digits.csv", tmp_path / "out", "--suspects"))
        with opened(browser, address) as page:
            assert shown(page) == ["40"]
            assert page.inner_text("#why").startswith(f"labelled {labels[40]}: looks like {right}")
            assert page.locator(".alike img").count() == 8
            assert page.locator(".alike").all_inner_texts() == [f"most alike of {one}: " for one in (labels[40], right)]
            page.keyboard.press(right)
            settled(page, 1)
            page.keyboard.press("Enter")  # keep
            settled(page, 2)
    rows = pd.read_csv(tmp_path / "out" / "labels.csv", dtype=str)
    assert rows.loc[0, ["id", "label", "before"]].tolist() == ["40", right, str(labels[40])]
    assert rows.loc[1, "label"] == rows.loc[1, "before"]
    folder = convert(tmp_path / "digits.csv", tmp_path / "data", labels=tmp_path / "out" / "labels.csv", valid=0)
    train = folder.split("train")
    assert train.labels[train.ids.index("40")] == right


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_pages_can_be_used_with_a_screen_reader(browser, source, tmp_path, digit_images, scheme):
    from axe_playwright_python.sync_playwright import Axe

    def serious(page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{one['id']}: {one['help']}" for one in found if one["impact"] in ("serious", "critical")]

    suspects = pd.DataFrame(digit_images[0][:300].reshape(300, -1), columns=[f"pixel{k}" for k in range(64)])
    suspects.insert(0, "label", digit_images[1][:300])
    suspects.to_csv(tmp_path / "suspects.csv", index=False)
    look = {"color_scheme": scheme}
    for arguments in ([source, tmp_path / "a"], [tmp_path / "suspects.csv", tmp_path / "b", "--suspects"]):
        with labelling(*arguments) as (_, address):
            for viewport in (DESKTOP, PHONE):
                with opened(browser, address, viewport, **look) as page:
                    assert serious(page) == []
                    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with serving.running_server("--collect", str(tmp_path / "drawn")) as (host, port):
        for path in ("/", "/collect"):
            page = browser.new_context(**look).new_page()
            page.goto(f"http://{host}:{port}{path}")
            assert serious(page) == []


@needs_chromium
def test_many_pictures_open_at_once_and_stay_smooth(browser, tmp_path, digit_images):
    images = np.tile(digit_images[0].repeat(3, 1).repeat(3, 2), (34, 1, 1))[:60_000]
    np.savez(tmp_path / "many.npz", x_train=images)
    with labelling(tmp_path / "many.npz", tmp_path / "out", "--order", "as-they-come", "--no-train") as (_, address):
        started = time.monotonic()
        with opened(browser, address) as page:
            assert time.monotonic() - started < 5
            page.evaluate(
                "() => { window.frames_ = []; let last = performance.now();"
                "const next = now => { window.frames_.push(now - last); last = now; requestAnimationFrame(next); };"
                "requestAnimationFrame(next); }"
            )
            for _ in range(100):
                page.wait_for_selector("#pictures img")
                page.keyboard.press("3")
            settled(page, 100)
            frames = np.array(page.evaluate("window.frames_"))
            assert np.quantile(frames, 0.95) < 50
