"""The server: every endpoint, what it refuses and with which line, its queue, its gate, and the collected digits."""

import asyncio
import csv
import io
import json
import signal
import socket
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from fastdigits import InputError, convert, predict, read_folder, serve, train
from fastdigits.answers.inference import Inference
from fastdigits.serving.app import make_app
from fastdigits.serving.batching import Batcher
from fastdigits.serving.collection import Collection
from fastdigits.serving.limits import Gate, Limits, Refusal, is_from_here
from fastdigits.serving.people import People
from fastdigits.serving.served import Seen, ServedModels, open_served
from tests.photos.printed import LINES, printed_sheet

LIMITS = Limits(picture_bytes=60_000, table_bytes=200_000, pixels=1_000_000, pictures=8, body_s=1)
PNG = {"content-type": "image/png"}


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def drawings(digit_images) -> np.ndarray:
    """Real digits as they would be drawn: dark on light, uint8 (n, 120, 120)."""
    large = digit_images[0][:24].repeat(8, 1).repeat(8, 2)
    return 255 - np.pad(large, ((0, 0), (28, 28), (28, 28)))


CLASSES = [str(k) for k in range(10)]


def opened() -> ServedModels:
    return open_served(["digitnet-mnist", "digitnet-kannada"], LIMITS)


def client_of(models: ServedModels, limits=LIMITS, **options) -> TestClient:
    """A client of a server of its own; models serve one server."""
    return TestClient(make_app(models, limits, **options), base_url="http://localhost", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client():
    with client_of(opened()) as client:
        yield client


@pytest.fixture
def collecting(tmp_path):
    with client_of(opened(), collection=Collection(tmp_path / "drawn", CLASSES)) as client:
        yield client


def refusal(response) -> tuple[int, str]:
    assert list(response.json()) == ["error"]
    return response.status_code, response.json()["error"]


# ---- answers


def test_answers_are_those_of_predict(client, drawings, tmp_path):
    for k, drawing in enumerate(drawings):
        (tmp_path / f"{k}.png").write_bytes(png(drawing))
    expected = predict("digitnet-mnist", tmp_path, out=tmp_path / "p.csv", probabilities=True)
    for k, drawing in enumerate(drawings):
        told = client.post("/predict", content=png(drawing), headers=PNG).json()
        assert told["model"] == "digitnet-mnist"
        (answer,) = told["predictions"]
        assert (answer["name"], answer["label"]) == ("picture", expected.labels[k])
        np.testing.assert_allclose(list(answer["probabilities"].values()), expected.probabilities[k], atol=1e-5)
        assert answer["confidence"] == max(answer["probabilities"].values())
        assert answer["verdict"] == expected.verdicts[k]
        assert answer["doubtful"] == (answer["verdict"] != "sure")
        outliers = [answer["outliers"][name] for name in ("several", "other")]
        np.testing.assert_allclose(outliers, expected.outliers[k], atol=1e-5)


def test_several_pictures_as_a_form(client, drawings):
    files = [("picture", (f"../../{k}.png", png(drawing), "image/png")) for k, drawing in enumerate(drawings[:3])]
    answers = client.post("/predict", files=files).json()["predictions"]
    assert [answer["name"] for answer in answers] == ["0.png", "1.png", "2.png"]
    alone = [client.post("/predict", content=png(one)).json()["predictions"][0] for one in drawings[:3]]
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in alone]


def test_gray_levels_as_json(client, drawings):
    seen = client.post("/predict?seen=true", content=png(drawings[0])).json()["predictions"][0]
    assert np.shape(seen["seen"]) == (28, 28)
    rows = client.post("/predict", json={"images": [seen["seen"], seen["seen"]]}).json()["predictions"]
    one = client.post("/predict", json={"images": seen["seen"]}).json()["predictions"]
    assert [row["name"] for row in rows] == ["0", "1"]
    assert rows[0]["label"] == rows[1]["label"] == one[0]["label"] == seen["label"]
    assert abs(rows[0]["confidence"] - seen["confidence"]) < 1e-5


def test_normalise_and_model_are_chosen(client, drawings):
    body = png(drawings[4])
    raw = client.post("/predict?normalise=false&seen=true", content=body).json()["predictions"][0]
    assert raw["seen"] == (255 - drawings[4]).tolist()  # dark on light was drawn; the model knows light on dark
    other = client.post("/predict?model=digitnet-kannada", content=body).json()
    assert other["model"] == "digitnet-kannada"


def test_a_sheet_is_read_in_order(client):
    told = client.post("/read", content=png(printed_sheet())).json()
    assert [[len(number) for number in line] for line in told["numbers"]] == [
        [len(text) for text in line] for line in LINES
    ]
    height, width = printed_sheet().shape
    assert told["size"] == [width, height]
    first = told["lines"][0][0][0]
    assert set(first) == {"label", "confidence", "verdict", "doubtful", "box"}
    assert 0 <= first["box"]["left"] < first["box"]["right"] <= width
    assert client.post("/read", content=png(np.full((60, 60), 200, np.uint8))).json()["lines"] == []


def test_a_table_gets_its_predictions(client, digit_images, tmp_path):
    header = "id," + ",".join(f"pixel{k}" for k in range(64))
    rows = [f"x{k}," + ",".join(map(str, image.ravel())) for k, image in enumerate(digit_images[0][:150])]
    body = "\n".join([header, *rows]) + "\n"
    (tmp_path / "t.csv").write_text(body)
    response = client.post("/table?name=t.csv", content=body)
    assert response.headers["content-disposition"] == 'attachment; filename="predictions.csv"'
    answers = list(csv.DictReader(io.StringIO(response.text)))
    expected = predict("digitnet-mnist", tmp_path / "t.csv", out=tmp_path / "p.csv", probabilities=True)
    assert [row["id"] for row in answers] == expected.ids
    assert [row["label"] for row in answers] == expected.labels
    np.testing.assert_allclose([float(row["confidence"]) for row in answers], expected.confidences, atol=1e-5)


def test_health_and_models(client):
    told = client.get("/health").json()
    assert told.pop("expectations").keys() == {"digitnet-mnist", "digitnet-kannada"}
    assert told == {"status": "ok", "models": ["digitnet-mnist", "digitnet-kannada"], "waiting": 0}
    about = client.get("/model").json()["models"][0]
    assert about["name"] == "digitnet-mnist"
    assert about["classes"] == [str(k) for k in range(10)]
    assert len(about["sha256"]) == 64
    assert about["doubtful_below"] == about["reject"]["below"]
    assert "# digitnet for 10 classes" in about["card"]


def test_health_says_what_to_expect_on_the_pictures_seen(digit_images):
    models = opened()
    served = models.first
    served.model.valid = {"pictures": 1000, "mistakes": 20, "least_sure": 0.8, "slope": -1.0, "intercept": 0.0}
    served.model.valid["shares"] = [0.1] * 10
    with client_of(models) as client:
        assert client.get("/health").json()["expectations"][served.name] is None  # nothing was seen
        rows = [image.tolist() for image in digit_images[0][:60]]
        for start in range(0, 60, 4):
            assert client.post("/predict", json={"images": rows[start : start + 4]}).status_code == 200
            if start < 44:
                assert client.get("/health").json()["expectations"][served.name] is None  # too few
        told = client.get("/health").json()["expectations"][served.name]
        assert told["pictures"] == 60
        assert told["interval"][0] < told["accuracy"] < told["interval"][1]
        assert client.get("/health").json()["expectations"][served.name] == told
    seen = Seen()
    for _ in range(20):
        seen.add(digit_images[0][:1000], np.full((1000, 10), 0.1, np.float32))
    assert (len(seen.probabilities), len(seen.images), seen.count) == (10_000, 320, 20_000)  # sixteen of each question


def test_an_onnx_folder_is_served(tmp_path, drawings):
    from fastdigits import export

    export("digitnet-mnist", tmp_path / "onnx", to="onnx")
    served = open_served([tmp_path / "onnx", "digitnet-mnist"], LIMITS)
    with client_of(served) as client:
        mine, theirs = (
            client.post(f"/predict?model={name}", content=png(drawings[5])).json()["predictions"][0]
            for name in ("onnx", "digitnet-mnist")
        )
    assert mine["label"] == theirs["label"]
    assert abs(mine["confidence"] - theirs["confidence"]) < 1e-4


# ---- the page


def test_pages_load_nothing_from_elsewhere(client, collecting):
    for answering, path in ((client, "/"), (collecting, "/"), (collecting, "/collect")):
        response = answering.get(path)
        assert response.status_code == 200
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "//" not in response.text.replace("https://localhost", "")  # no address of any other place
    assert 'href="/collect"' not in client.get("/").text
    assert 'href="/collect"' in collecting.get("/").text
    assert refusal(client.get("/collect")) == (404, "there is no GET /collect here")
    for name in ("page.css", "pad.js", "draw.js", "collect.js", "icon.svg"):
        response = client.get(f"/assets/{name}")
        assert response.status_code == 200
        assert "http" not in response.text.replace('xmlns="http://www.w3.org/2000/svg"', "")


# ---- what is refused


def bomb(side: int = 20_000) -> bytes:
    """A PNG of few bytes that says it has side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    body = zlib.compress(bytes(2000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, "GIF")
    return file.getvalue()


NOISE = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)  # which no PNG makes small


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "the request is empty; send a PNG or JPEG picture as its body")),
        (b"hello", (415, "picture is no PNG or JPEG picture; save it as one of these")),
        (gif(), (415, "picture is no PNG or JPEG picture; save it as one of these")),
        (b"\x80\x04pickle", (415, "picture is no PNG or JPEG picture; save it as one of these")),
        (png(NOISE[:90])[:5000], (400, "picture is a damaged picture; save it again")),
        (png(NOISE), (413, "the upload is larger than 0.06 MB; send a smaller one")),
        (
            png(np.zeros((1001, 1000), np.uint8)),
            (413, "picture has more than 1 million pixels; send a smaller picture"),
        ),
        (bomb(), (413, "picture has more than 1 million pixels; send a smaller picture")),
    ],
    ids=["empty", "text", "gif", "pickle", "cut short", "heavy", "large", "bomb"],
)
@pytest.mark.parametrize("path", ["/predict", "/read"])
def test_what_is_no_picture(client, drawings, path, body, expected):
    assert refusal(client.post(path, content=body, headers=PNG)) == expected
    assert client.post("/predict", content=png(drawings[0])).status_code == 200  # it lives on


JSON_TEXT = 'accepted is {"images": [[[0, ...], ...], ...]}, gray levels 0..255 by picture, row and column'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '{"images": ["AAAA", ""]}',
            (400, f"the pictures are no gray levels in three nested lists; {JSON_TEXT}"),
        ),
        ("{", (400, f"the request is no JSON of pictures of one size; {JSON_TEXT}")),
        ("[]", (400, f"the request is no JSON of pictures of one size; {JSON_TEXT}")),
        ('{"images": [[[1, 2], [3]]]}', (400, f"the request is no JSON of pictures of one size; {JSON_TEXT}")),
        ("[" * 30_000, (400, f"the request is no JSON of pictures of one size; {JSON_TEXT}")),
        ('{"images": [1, 2]}', (400, f"the request is no JSON of pictures of one size; {JSON_TEXT}")),
        ('{"images": [[[0.5]]]}', (400, f"the pictures are no gray levels in three nested lists; {JSON_TEXT}")),
        ('{"images": [[[-1, 256]]]}', (400, f"the pictures are no gray levels in three nested lists; {JSON_TEXT}")),
        ('{"images": [' + ",".join(["[[1]]"] * 9) + "]}", (413, "9 pictures were sent; send at most 8 at a time")),
    ],
)
def test_wrong_json(client, body, expected):
    assert refusal(client.post("/predict", content=body, headers={"content-type": "application/json"})) == expected


def test_wrong_forms(client, drawings):
    status, line = refusal(client.post("/predict", data={"a": "b"}, files={}))
    assert (status, line[:40]) == (415, "picture is no PNG or JPEG picture; save ")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    empty = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    assert refusal(client.post("/predict", content=empty, headers=headers)) == (
        400,
        "the form holds no files; send PNG or JPEG pictures as its parts",
    )
    many = [("p", (f"{k}.png", png(drawings[0]), "image/png")) for k in range(9)]
    assert refusal(client.post("/predict", files=many)) == (
        400,
        "the form cannot be read: Too many files. Maximum number of files is 8.",
    )
    assert refusal(client.post("/read", files=many[:2])) == (
        400,
        "several pictures were sent; send one at a time",
    )


def test_wrong_questions(client, drawings):
    body = png(drawings[0])
    assert refusal(client.post("/predict?model=../x", content=body)) == (
        404,
        "no model is called '../x' here; there are digitnet-mnist, digitnet-kannada",
    )
    assert refusal(client.post("/predict?normalise=yes", content=body)) == (
        400,
        "normalise=yes is unknown; accepted are true and false",
    )
    assert refusal(client.get("/predict")) == (405, "there is no GET /predict here")
    assert refusal(client.get("/assets/../app.py"))[0] == 404
    assert refusal(client.get("/assets/%2e%2e/app.py"))[0] == 404


def test_what_was_seen_of_large_pictures_is_shown_smaller_and_of_many_refused(client):
    gray = np.zeros((300, 450), np.uint8)
    gray[100:200, 4:8] = 200
    seen = client.post("/predict?seen=true&normalise=false&ground=dark", content=png(gray)).json()["predictions"][0]
    assert np.shape(seen["seen"]) == (75, 112)
    assert seen["seen"][30] == [0, 200, *[0] * 110]
    seven = [("picture", (f"{k}.png", png(np.zeros((100, 100), np.uint8)), "image/png")) for k in range(7)]
    line = "seen=true returns at most 65,536 pixels; send fewer pictures"
    assert refusal(client.post("/predict?seen=true&normalise=false", files=seven)) == (413, line)
    assert client.post("/predict?normalise=false", files=seven).status_code == 200


@pytest.mark.parametrize("host", ["[", "", "evil.example", "127.0.0.1.evil.example"])
def test_hosts_that_are_not_this_machine(client, host):
    assert refusal(client.get("/health", headers={"host": host}))[0] == 403


def test_a_get_takes_no_body(client):
    assert refusal(client.request("GET", "/", content=b"{", headers={"content-type": "application/json"}))[0] == 413


def test_who_is_on_the_machine_that_serves():
    assert is_from_here("127.0.0.1", "127.0.0.1", "localhost")
    assert is_from_here("::ffff:127.0.0.1", "::", "127.0.0.1")
    assert is_from_here("192.168.1.5", "192.168.1.5", "192.168.1.5")
    assert not is_from_here("192.168.1.7", "192.168.1.5", "192.168.1.5")
    assert not is_from_here("127.0.0.1", "127.0.0.1", "evil.example")  # a name that leads here


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", "my.csv is empty; pass a table of pixel rows"),
        (b"a,b,c\n1,2,3\n", "my.csv has 3 pixel columns, which is no square"),
        (b"\xff\xfe\x00", "my.csv is not UTF-8 text; save it as csv in UTF-8"),
        (b"id,p0,p1,p2,p3\n1,0,0,0\n", "row 1 of my.csv has 3 pixels, expected 4"),
    ],
)
def test_wrong_tables(client, body, line):
    status, told = refusal(client.post("/table?name=../my.csv", content=body))
    assert status == 400
    assert told.startswith(line)
    assert "/" not in told.replace("id/", "")


def test_tables_have_a_larger_limit(client):
    assert refusal(client.post("/table", content=b"1" * 200_001))[0] == 413
    assert refusal(client.post("/table", content=b"1" * 100_000))[0] == 400


def test_other_sites_are_kept_out(client, drawings):
    body = png(drawings[0])
    assert refusal(client.post("/predict", content=body, headers={"origin": "http://evil.example"})) == (
        403,
        "pages of other sites may not use this server",
    )
    assert client.post("/predict", content=body, headers={"origin": "http://localhost"}).status_code == 200
    line = "this server answers to localhost alone; start it with --host to serve others"
    assert refusal(client.get("/health", headers={"host": "evil.example"})) == (403, line)
    for host in ("127.0.0.1:8000", "[::1]:8000", "localhost:1"):
        assert client.get("/health", headers={"host": host}).status_code == 200
    with client_of(opened(), is_local=False) as open_to_all:
        assert open_to_all.get("/health", headers={"host": "192.168.1.7:8000"}).status_code == 200


def test_a_fault_of_ours_is_one_line_for_the_client_and_a_traceback_in_the_log(drawings, caplog):
    broken = open_served(["digitnet-mnist"], LIMITS)
    with client_of(broken) as client:
        batcher = broken.first.batcher
        works, batcher.inference = batcher.inference, None
        assert refusal(client.post("/predict", content=png(drawings[0]))) == (
            500,
            "the server failed; its log says why",
        )
        assert "AttributeError" in caplog.text
        assert (
            "default-src 'none'" in client.post("/predict", content=png(drawings[0])).headers["content-security-policy"]
        )
        batcher.inference = works
        assert client.post("/predict", content=png(drawings[0])).status_code == 200


# ---- time and room


async def _gate_answer(receive, body_s: float) -> int:
    sent = []

    async def send(message):
        sent.append(message)

    async def never(scope, receive, send):
        raise AssertionError("the body must not reach the application")

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"host", b"localhost")]}
    await Gate(never, Limits(body_s=body_s, picture_bytes=10), True)(scope, receive, send)
    return sent[0]["status"]


def test_a_body_that_never_comes_is_not_waited_for():
    async def silent():
        await asyncio.sleep(60)

    assert asyncio.run(_gate_answer(silent, body_s=0.05)) == 408


def test_a_body_without_a_length_is_counted():
    async def endless():
        return {"type": "http.request", "body": b"1234", "more_body": True}

    assert asyncio.run(_gate_answer(endless, body_s=5)) == 413


class Slow:
    """An inference that takes its time, and notes what it was asked together."""

    def __init__(self, seconds: float):
        self.seconds, self.asked = seconds, []

    def shares(self, images: np.ndarray) -> np.ndarray:
        self.asked.append(len(images))
        time.sleep(self.seconds)
        return images.reshape(len(images), -1)[:, :2].astype(np.float32)


async def _ask(batcher: Batcher, questions: list[np.ndarray]):
    running = asyncio.create_task(batcher.run())
    try:
        return await asyncio.gather(*map(batcher.shares, questions), return_exceptions=True)
    finally:
        running.cancel()


def test_what_waits_is_answered_together_and_each_gets_its_own():
    slow = Slow(0.05)
    questions = [np.full((1 + k % 3, 4 + 4 * (k % 2), 4), k, np.uint8) for k in range(40)]  # two sizes
    answers = asyncio.run(_ask(Batcher(slow, waiting=1000, answer_s=30), questions))
    for k, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, np.full((1 + k % 3, 2), k))
    assert sum(slow.asked) == sum(map(len, questions))
    assert len(slow.asked) <= 6


def test_the_queue_is_bounded_and_answers_are_not_waited_for_for_ever():
    one = np.zeros((1, 4, 4), np.uint8)
    answers = asyncio.run(_ask(Batcher(Slow(0.01), waiting=3, answer_s=30), [one] * 5))
    assert [isinstance(answer, Refusal) for answer in answers] == [False] * 3 + [True] * 2
    assert (answers[-1].status, answers[-1].line) == (
        503,
        "too many pictures are waiting; send yours again in a moment",
    )
    (late,) = asyncio.run(_ask(Batcher(Slow(0.5), waiting=3, answer_s=0.05), [one]))
    assert (late.status, late.line) == (504, "no answer within 0.05 s; send it again later")


# ---- collecting


def drawn(client, drawing, label, **who):
    return client.post("/collect", params={"label": label, **who}, content=png(drawing), headers=PNG)


def test_a_class_draws_a_data_set_that_converts_and_trains(collecting, drawings, digit_images, tmp_path):
    labels, token = digit_images[1][:24], None
    for k in range(24):  # four writers, each of whom draws 0, 1 and 2 twice
        drawing = drawings[np.flatnonzero(labels == k % 3)[k // 3 % 2]]
        told = drawn(collecting, drawing, str(k % 3), **({"token": token} if k % 6 else {})).json()
        token = told["token"]
        assert told["id"] == f"d{k + 1:06}"
        assert (told["yours"], told["all"]) == (k % 6 + 1, k + 1)
        assert np.shape(told["seen"]) == (28, 28)
    folder = tmp_path / "drawn"
    writers = [line.split(",")[1] for line in (folder / "writers.csv").read_text().splitlines()[1:]]
    assert writers == [f"w000{k // 6 + 1}" for k in range(24)]
    convert(folder / "digits.csv", tmp_path / "digits", groups=folder / "writers.csv", valid=0.25, split="random")
    split = read_folder(tmp_path / "digits")
    assert len(split.split("train")) + len(split.split("valid")) == 24
    assert not set(split.split("train").groups) & set(split.split("valid").groups)
    train("dnn-he", tmp_path / "digits", epochs=1, batch_size=8, out=tmp_path / "run")
    assert (tmp_path / "run" / "result.json").is_file()


def test_a_digit_is_taken_back_by_its_writer_alone(collecting, drawings, tmp_path):
    first, second = (drawn(collecting, drawings[k], "3").json() for k in range(2))
    assert first["token"] != second["token"]
    for token in (second["token"], "w0001", ""):
        wrong = collecting.delete(f"/collect/{first['id']}", params={"token": token})
        assert refusal(wrong) == (404, "you have drawn no digit 'd000001'")
    taken = collecting.delete("/collect/d000001", params={"token": first["token"]})
    assert taken.json() == {"yours": 0, "all": 1}
    digits = (tmp_path / "drawn" / "digits.csv").read_text().splitlines()
    assert [line[:9] for line in digits[1:]] == ["d000002,3"]
    assert (tmp_path / "drawn" / "writers.csv").read_text() == "id,writer\nd000002,w0002\n"
    assert drawn(collecting, drawings[0], "1", token=first["token"]).json()["id"] == "d000003"


def test_many_who_come_at_once_are_different_people(tmp_path):
    people = People(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        tokens = list(threads.map(lambda _: people.new(), range(40)))
    assert len({people.name_of(token) for token in tokens}) == 40
    again = People(tmp_path)
    assert [again.name_of(token) for token in tokens] == [people.name_of(token) for token in tokens]


def test_what_a_writer_has_drawn_is_counted(tmp_path):
    collection = Collection(tmp_path, ["0"])
    first, token = collection.add(np.eye(28, dtype=np.uint8), "0", None)
    collection.add(np.eye(28, dtype=np.uint8), "0", token)
    _, other = collection.add(np.eye(28, dtype=np.uint8), "0", None)
    collection.take_back(first, token)
    for found in (collection, Collection(tmp_path, ["0"])):
        assert (found.drawn_with(token), found.drawn_with(other), found.drawn_with("unknown")) == (1, 1, 0)


def test_what_is_not_collected(collecting, drawings, tmp_path):
    accepted = "accepted are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert refusal(drawn(collecting, drawings[0], "=cmd()")) == (400, f"the label is '=cmd()'; {accepted}")
    assert refusal(drawn(collecting, drawings[0], "3", token="w0001")) == (
        404,
        "there is no writer of that token; leave it out to become one",
    )
    two = [("p", (f"{k}.png", png(drawings[0]), "image/png")) for k in range(2)]
    assert refusal(collecting.post("/collect?label=3", files=two)) == (
        400,
        "several pictures were sent; send one at a time",
    )
    assert refusal(drawn(collecting, np.full((50, 50), 255, np.uint8), "3")) == (400, "nothing was drawn")
    assert not list((tmp_path / "drawn").iterdir())


def test_the_collection_is_downloaded_where_it_lies(drawings, tmp_path):
    collection = Collection(tmp_path / "drawn", CLASSES)
    app = make_app(opened(), LIMITS, collection, is_local=False)
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5)) as here:
        assert refusal(here.get("/collect/digits.csv")) == (404, "nothing was drawn yet")
        drawn(here, drawings[0], "0")
        assert here.get("/collect/writers.csv").text == "id,writer\nd000001,w0001\n"
        assert "For whoever collects" in here.get("/collect").text
    with TestClient(app, base_url="http://localhost", client=("192.168.1.7", 5)) as elsewhere:
        line = "the collection is downloaded on the machine that serves it"
        assert refusal(elsewhere.get("/collect/digits.csv")) == (403, line)
        assert "For whoever collects" not in elsewhere.get("/collect").text


def test_a_collection_goes_on_after_a_kill(tmp_path):
    image = np.eye(28, dtype=np.uint8) * 255
    collection = Collection(tmp_path, ["0", "1"])
    collection.add(image, "1", None)
    collection.add(image, "0", None)
    with open(tmp_path / "writers.csv", "a") as file:  # killed between the two files, in the midst of a row
        file.write("d000003,w0003\n")
    with open(tmp_path / "digits.csv", "a") as file:
        file.write("d000003,1,0,0")
    again = Collection(tmp_path, ["0", "1"])
    assert len(again) == 2
    assert again.add(image, "0", None)[0] == "d000004"
    assert (tmp_path / "writers.csv").read_text().endswith("d000003,w0003\nd000004,w0004\n")
    assert len(Collection(tmp_path, ["0", "1"])) == 3
    rows = list(csv.DictReader((tmp_path / "digits.csv").read_text().splitlines()))
    assert [(row["id"], row["label"], row["pixel29"]) for row in rows] == [
        ("d000001", "1", "255"),
        ("d000002", "0", "255"),
        ("d000004", "0", "255"),
    ]


def test_a_digit_that_cannot_be_kept_leaves_no_half_row(tmp_path, monkeypatch):
    image = np.eye(28, dtype=np.uint8) * 255
    collection = Collection(tmp_path, ["0"])
    _, token = collection.add(image, "0", None)
    before = (tmp_path / "digits.csv").read_bytes()

    def full(number):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("fastdigits.system.growing_table.os.fsync", full)
        with pytest.raises(Refusal) as refused:
            collection.add(image, "0", token)
    assert (refused.value.status, refused.value.line) == (507, "the digit cannot be kept: No space left on device")
    assert (tmp_path / "digits.csv").read_bytes() == before
    assert collection.add(image, "0", token)[1] == token
    assert len(Collection(tmp_path, ["0"])) == 2


def test_foreign_tables_are_no_collection(tmp_path):
    foreign = "name,points\nanna,3\nbert,4"
    (tmp_path / "digits.csv").write_text(foreign)
    with pytest.raises(InputError, match=r"digits.csv is no table of a collection; name another folder"):
        Collection(tmp_path, ["0"])
    assert (tmp_path / "digits.csv").read_text() == foreign  # untouched
    (tmp_path / "digits.csv").write_text("id,label,pixel0")  # a header that a kill cut short
    assert len(Collection(tmp_path, ["0"])) == 0
    Collection(tmp_path, ["0"]).add(np.eye(28, dtype=np.uint8), "0", None)
    (tmp_path / "writers.csv").write_text("id,writer\n")
    with pytest.raises(InputError, match=r"writers.csv does not name the writer of each id in digits.csv; mend it"):
        Collection(tmp_path, ["0"])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/x cannot be written"):
        Collection(tmp_path / "file" / "x", ["0"])


# ---- the command


def test_wrong_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            InputError, match=rf"127.0.0.1:{port} cannot be listened to \(Address already in use\); pass"
        ):
            serve("digitnet-mnist", port=port)
    with pytest.raises(InputError, match=r"--host nowhere.invalid --port 0 is no address"):
        serve("digitnet-mnist", host="nowhere.invalid", port=0)
    with pytest.raises(InputError, match=r"--host .. --port 0 is no address"):
        serve("digitnet-mnist", host="..", port=0)
    with pytest.raises(InputError, match=r"--port 99999 makes no sense; accepted are 0 to 65535"):
        serve("digitnet-mnist", port=99999)
    with pytest.raises(InputError, match=r"nothing does not exist; pass a run directory"):
        serve(str(tmp_path / "nothing"), port=0)
    with pytest.raises(InputError, match=r"two models are called digitnet-mnist; serve one of them"):
        serve("digitnet-mnist", also=["digitnet-mnist"], port=0)


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(InputError, match=r"serve needs the package uvicorn: pip install 'fastdigits\[serve\]'"):
        serve("digitnet-mnist")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_says_where_and_stops_gracefully(tmp_path, ending):
    line = [sys.executable, "-m", "fastdigits", "serve", "digitnet-mnist", "--port", "0", "--collect", "drawn"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        first, second = process.stdout.readline(), process.stdout.readline()
        address = first.split(" · ")[0].removeprefix("http://")
        assert first == f"http://{address} · digitnet-mnist · Ctrl-C ends it\n"
        assert second == f"http://{address}/collect · digits are collected in drawn\n"
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(f"GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n".encode())
            assert b'"status":"ok"' in b"".join(iter(lambda: connection.recv(4096), b""))
        process.send_signal(ending)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "stopped; 0 digits in drawn\n", "")
    assert [path.name for path in Path(tmp_path).iterdir()] == ["drawn"]  # no key, no cache


def test_a_silent_connection_is_closed(monkeypatch):
    from fastdigits.serving import listening

    monkeypatch.setattr(listening, "HEADERS_S", 0.1)
    closed = []

    class Transport:
        def close(self):
            closed.append(True)

    async def wait():
        from uvicorn import Config
        from uvicorn.protocols.http.h11_impl import H11Protocol
        from uvicorn.server import ServerState

        monkeypatch.setattr(
            H11Protocol, "connection_made", lambda self, transport: setattr(self, "transport", transport)
        )
        protocol = listening._patient_protocol()(Config(lambda: None, log_level="error"), ServerState(), {})
        protocol.connection_made(Transport())
        await asyncio.sleep(0.3)

    asyncio.run(wait())
    assert closed


def test_the_server_computes_in_fp32():
    inference = opened().first.batcher.inference
    assert isinstance(inference, Inference)
    assert inference.exact


def test_verdicts_and_turned_pictures(client, digit_images):
    digit = np.pad(digit_images[0][0].repeat(3, 0).repeat(3, 1), 2)
    noise = (np.random.default_rng(0).random((28, 28)) < 0.4) * 255
    asked = [digit, 255 - digit, np.zeros((28, 28), int), noise]
    answer = client.post("/predict", json={"images": [image.tolist() for image in asked]}).json()
    assert answer["notes"] == [
        "request: 1 of 4 pictures are dark digits on a light ground and were turned to light on dark; where that is "
        "wrong, pass ground=dark"
    ]
    told = answer["predictions"]
    assert told[0]["probabilities"] == told[1]["probabilities"]
    assert [answer["verdict"] for answer in told[2:]] == ["blank", "other"]
    assert [answer["doubtful"] for answer in told[2:]] == [True, True]
    kept = client.post("/predict?ground=dark", json={"images": [(255 - digit).tolist()]}).json()
    assert (kept["notes"], kept["predictions"][0]["verdict"]) == ([], "other")
    assert client.post("/predict?ground=grey", json={"images": [digit.tolist()]}).json()["error"] == (
        "ground=grey is unknown; accepted are auto, dark, light"
    )
    drawn = client.post("/predict?normalise=true", content=png(np.full((200, 200), 240, np.uint8))).json()
    assert drawn["predictions"][0]["verdict"] == "blank"


def test_what_is_noticed_of_a_table_comes_back(client, digit_images):
    header = "class," + ",".join(f"pixel{k}" for k in range(64))
    rows = [f"{k}," + ",".join(map(str, (255 - image).ravel())) for k, image in enumerate(digit_images[0][:20])]
    answer = client.post("/table?name=mine.csv", content="\n".join([header, *rows]))
    assert answer.text.splitlines()[0] == "id,label,confidence,verdict"
    assert json.loads(answer.headers["x-fastdigits-notes"]) == [
        "mine.csv: the column 'class' was read as the label",
        "mine.csv: all pictures are dark digits on a light ground and were turned to light on dark; where that is "
        "wrong, pass ground=dark",
    ]
    plain = "\n".join(
        [header.removeprefix("class,"), *(",".join(map(str, image.ravel())) for image in digit_images[0][:20])]
    )
    assert "x-fastdigits-notes" not in client.post("/table", content=plain).headers
