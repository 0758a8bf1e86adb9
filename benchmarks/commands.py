"""(d) Peak memory at one and ten times the rows; (e) start-up and help of each command, and the quick answers."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from .measuring import Measurement
from .prediction import save_model

START_ROUNDS, MEMORY_ROUNDS = 7, 2
WATCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(status, usage.ru_maxrss)  # Linux counts in KiB
"""


def measure_memory(small: Path, large: Path) -> list[Measurement]:
    """Peak resident memory in MB of whole commands on two labelled tables, the second ten times as long."""
    found = []
    with tempfile.TemporaryDirectory() as work:
        model = save_model(Path(work, "model"))
        for number in range(MEMORY_ROUNDS):
            for size, table in (("1x", small), ("10x", large)):
                options = ["--weights", "none", "--epochs", "1", "--lr", "0.01", "--overwrite"]
                commands = {
                    "convert": ["convert", table, f"{work}/folder", "--overwrite"],
                    "predict": ["predict", model, table, "--out", f"{work}/p.csv", "--overwrite"],
                    "train": ["finetune", "conv-elu", f"{work}/folder", "--out", f"{work}/run", *options],
                }
                for case, command in commands.items():
                    megabytes = peak_megabytes([sys.executable, "-m", "fastdigits", *map(str, command)])
                    found.append(Measurement("memory", case, f"{size} rows", number, megabytes, "MB"))
                    print(f"memory · {case} · {size} rows · {megabytes:,.0f} MB", flush=True)
    return found


def peak_megabytes(command: list[str]) -> float:
    """Largest resident memory that the process had; its failure is ours.

    A small process starts it and asks, since what the starter holds counts for the started.
    """
    asked = subprocess.run([sys.executable, "-c", WATCHER, *command], check=True, capture_output=True, text=True)
    status, kibibytes = map(int, asked.stdout.split())
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with the wait status {status}: {asked.stderr}")
    return kibibytes / 1024


def measure_startup() -> list[Measurement]:
    """Seconds until a command has shown its help, the models or a photo's digit, and until the package is imported."""
    from fastdigits.cli import COMMANDS

    with tempfile.TemporaryDirectory() as work:
        return _started(COMMANDS, _photo(Path(work, "photo.jpg")))


def _started(commands: Iterable[str], photo: Path) -> list[Measurement]:
    cases = {"import fastdigits": ["-c", "import fastdigits"], "--help": ["-m", "fastdigits", "--help"]}
    cases |= {f"{command} --help": ["-m", "fastdigits", command, "--help"] for command in commands}
    cases["models"] = ["-m", "fastdigits", "models"]
    cases["predict digitnet-mnist photo.jpg"] = ["-m", "fastdigits", "predict", "digitnet-mnist", str(photo)]
    found = []
    for number in range(START_ROUNDS):
        for case, arguments in cases.items():
            seconds = seconds_of([sys.executable, *arguments])
            found.append(Measurement("start-up", case, "fastdigits", number, seconds, "s"))
    return found


def _photo(path: Path) -> Path:
    """A seven on paper, 12 megapixels as a phone's."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (4000, 3000), 225)
    ImageDraw.Draw(picture).line([(1500, 900), (2300, 900), (1800, 2200)], fill=40, width=140)
    picture.save(path)
    return path


def seconds_of(command: list[str]) -> float:
    """How long a process takes; its failure is ours."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
