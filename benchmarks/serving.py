"""(g) The server under 32 connections beside one that answers a picture at a time; the ONNX script beside predict."""

import http.client
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from .commands import peak_megabytes, seconds_of
from .measuring import Measurement

MODEL = "digitnet-mnist"
REQUESTS, CONNECTIONS, ROUNDS = 2000, 32, 3
SCRIPT_ROWS = 10_000


@dataclass
class Load:
    """What many requests came to.

    Attributes
    ----------
    answers : list of dict
        The answer to each picture, in their order.
    latencies_ms : ndarray of float, shape (requests,)
    seconds : float
        From the first to the last.
    """

    answers: list[dict]
    latencies_ms: np.ndarray
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.answers) / self.seconds


def load(host: str, port: int, bodies: list[bytes], connections: int = CONNECTIONS) -> Load:
    """Send each body to /predict from so many connections at a time; an error of any of them is raised."""
    answers, latencies_ms = [None] * len(bodies), np.zeros(len(bodies))

    def one_connection(first: int) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        for k in range(first, len(bodies), connections):
            started = time.perf_counter()
            connection.request("POST", "/predict", bodies[k], {"content-type": "image/png"})
            response = connection.getresponse()
            text = response.read()
            latencies_ms[k] = 1000 * (time.perf_counter() - started)
            if response.status != 200:
                raise RuntimeError(f"picture {k}: {response.status} {text[:200]!r}")
            answers[k] = json.loads(text)["predictions"][0]
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(one_connection, first) for first in range(connections)]:
            done.result()
    return Load(answers, latencies_ms, time.perf_counter() - started)


@contextmanager
def running_server(*options: str) -> Iterator[tuple[str, int]]:
    """Host and port of `fastdigits serve MODEL` in a process of its own."""
    line = [sys.executable, "-m", "fastdigits", "serve", MODEL, "--port", "0", *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        host, port = re.match(r"http://([\d.]+):(\d+)", process.stdout.readline()).groups()
        try:
            yield host, int(port)
        finally:
            process.terminate()


@contextmanager
def one_at_a_time() -> Iterator[tuple[str, int]]:
    """Host and port of a server that answers one picture after the other, as one would write it in an hour."""
    child = subprocess.Popen([sys.executable, "-m", __spec__.name], stdout=subprocess.PIPE, text=True)
    with child as process:
        try:
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.terminate()


def serve_one_at_a_time() -> None:
    """Answer until killed; the port is printed."""
    from PIL import Image

    from fastdigits import open_model
    from fastdigits.photos import normalised

    model, in_turn = open_model(MODEL), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with in_turn:
                gray = np.asarray(Image.open(io.BytesIO(body)).convert("L"))
                row = model.probabilities(normalised(gray)[None])[0]
            answer = {"label": model.classes[int(row.argmax())], "confidence": float(row.max())}
            text = json.dumps({"predictions": [answer]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_) -> None:
            """Nothing."""

    ThreadingHTTPServer.request_queue_size = CONNECTIONS  # or the kernel resets some of them
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def pictures(table: Path, n: int = REQUESTS) -> list[bytes]:
    """The first rows of a table as PNG files."""
    from fastdigits.sources import open_source
    from fastdigits.system import encode_pictures

    found: list[bytes] = []
    for chunk in open_source(table).chunks():
        found += encode_pictures(chunk.images[: n - len(found)])
        if len(found) == n:
            break
    return found


def measure(table: Path, rows: Path) -> list[Measurement]:
    """Requests a second and latencies of both servers in turn, then the ONNX script beside `predict` on `rows`."""
    bodies, found = pictures(table), []
    with running_server() as ours, one_at_a_time() as theirs:
        for number in range(-1, ROUNDS):
            for name, address in (("fastdigits", ours), ("one at a time", theirs)):
                done = load(*address, bodies)
                if number < 0:
                    continue
                values = {"rate": (done.rate, "requests/s")}
                for percent in (50, 95):
                    values[f"latency {percent} %"] = (float(np.percentile(done.latencies_ms, percent)), "ms")
                found += [Measurement("serving", case, name, number, *value) for case, value in values.items()]
                print(f"serving · {name} · {done.rate:,.0f} requests/s", flush=True)
    return found + measure_script(rows)


def measure_script(rows: Path) -> list[Measurement]:
    """Import time, peak memory and seconds for a csv of SCRIPT_ROWS: `predict.py` of an ONNX export, and the stack."""
    from fastdigits import export

    found = []
    with tempfile.TemporaryDirectory() as work:
        export(MODEL, Path(work, "onnx"), to="onnx")
        out = str(Path(work, "p.csv"))
        python = sys.executable
        commands = {
            "script": ("import numpy, onnxruntime, PIL", [python, f"{work}/onnx/predict.py", str(rows), out]),
            "fastdigits": (
                "import fastdigits, torch; fastdigits.predict",
                [python, "-m", "fastdigits", "predict", MODEL, str(rows), "--out", out, "--overwrite"],
            ),
        }
        for number in range(ROUNDS):
            for name, (imports, command) in commands.items():
                seconds = seconds_of(command)
                values = {
                    "import": (seconds_of([python, "-c", imports]), "s"),
                    f"{SCRIPT_ROWS:,} rows": (seconds, "s"),
                    "memory": (peak_megabytes(command), "MB"),
                }
                found += [Measurement("script", case, name, number, *value) for case, value in values.items()]
                print(f"script · {name} · {SCRIPT_ROWS:,} rows · {seconds:.1f} s", flush=True)
    return found


if __name__ == "__main__":
    serve_one_at_a_time()
