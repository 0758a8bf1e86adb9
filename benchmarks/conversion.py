"""(c) From a csv to an image folder: files a second."""

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .measuring import Measurement, Round, take_turns, timed

ROUNDS = 5
THREADS = 4
PART = 500


def measure(table: Path) -> list[Measurement]:
    """Rates for the labelled `table`; all contenders write to one file system."""
    with tempfile.TemporaryDirectory() as work:
        task = (str(table), work)
        contenders = {
            "limit": (limit, *task),
            "limit, threads": (limit_threads, *task),
            "fastdigits": (fastdigits, *task),
            "Pillow threads": (pillow_threads, *task),
            "notebook loop": (notebook_loop, *task),
        }
        return take_turns("conversion", table.name.partition(".")[0], contenders, ROUNDS, "files/s", unmeasured=1)


def fresh(work: str, name: str, write) -> tuple[int, float]:
    """`write(folder)` timed on an empty folder, once earlier writes have reached the disk."""
    folder = Path(work, f"{name}-{os.getpid()}")
    os.sync()
    result = timed(lambda: write(folder))
    shutil.rmtree(folder)
    return result


def fastdigits(table: str, work: str) -> Round:
    """`convert TABLE OUT`."""
    from fastdigits import convert

    return lambda: fresh(work, "fastdigits", lambda folder: sum(map(len, convert(table, folder).splits.values())))


def ready_files(table: str, work: str) -> dict[str, bytes]:
    """The files that fastdigits writes, in memory, by their path in the folder."""
    from fastdigits import convert

    folder = Path(work, f"ready-{os.getpid()}")
    made = convert(table, folder)
    files = {str(file.relative_to(folder)): file.read_bytes() for split in made.splits.values() for file in split.files}
    shutil.rmtree(folder)
    return files


def write_files(files: dict[str, bytes], folder: Path, threads: int) -> int:
    """Write the same bytes to as many files."""
    for parent in {Path(name).parent for name in files}:
        (folder / parent).mkdir(parents=True)
    items, root = list(files.items()), str(folder)

    def write(start: int) -> None:
        for name, content in items[start : start + PART]:
            number = os.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            os.write(number, content)
            os.close(number)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, range(0, len(items), PART)))
    return len(items)


def limit(table: str, work: str) -> Round:
    """Ready bytes into files, one after the other."""
    files = ready_files(table, work)
    return lambda: fresh(work, "limit", lambda folder: write_files(files, folder, 1))


def limit_threads(table: str, work: str) -> Round:
    """Ready bytes into files, by several threads."""
    files = ready_files(table, work)
    return lambda: fresh(work, "limit-threads", lambda folder: write_files(files, folder, THREADS))


def read_table(table: str):
    """Images (n, 28, 28) and labels (n,) by pandas."""
    import numpy as np
    import pandas as pd

    frame = pd.read_csv(table)
    return frame.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28), frame["label"].to_numpy()


def notebook_loop(table: str, work: str) -> Round:
    """pandas and imageio, one row after the other."""
    import imageio.v3 as imageio
    import numpy as np

    def write(folder: Path) -> int:
        images, labels = read_table(table)
        for k, (image, label) in enumerate(zip(images, labels)):
            (folder / str(label)).mkdir(parents=True, exist_ok=True)
            imageio.imwrite(folder / str(label) / f"{k}.png", np.stack([image] * 3, -1))
        return len(images)

    return lambda: fresh(work, "notebook", write)


def pillow_threads(table: str, work: str) -> Round:
    """pandas, and Pillow in a pool of threads."""
    from PIL import Image

    def write(folder: Path) -> int:
        images, labels = read_table(table)
        for label in set(labels):
            (folder / str(label)).mkdir(parents=True)

        def save(k: int) -> None:
            Image.fromarray(images[k]).convert("RGB").save(folder / str(labels[k]) / f"{k}.png", compress_level=1)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(save, range(len(images))))
        return len(images)

    return lambda: fresh(work, "pillow", write)
