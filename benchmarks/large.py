"""(f) A million rows through convert and predict: rate and peak memory, beside a tenth of them."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from .commands import peak_megabytes
from .measuring import Measurement

ROWS, FILE_ROWS = 1_000_000, 100_000
SEED = 1
MODEL = "digitnet-mnist"


def measure(table: Path) -> list[Measurement]:
    """Rows a second and MB of whole commands on ten csv files, and on the first of them.

    Their rows are those of `table`, each seen from views that are drawn at random.
    """
    found = []
    with tempfile.TemporaryDirectory() as work:
        pattern = write_tables(table, Path(work, "parts"))
        for size, source, rows in (("1x", pattern.replace("*", "00"), FILE_ROWS), ("10x", pattern, ROWS)):
            commands = {
                "convert": ["convert", source, f"{work}/folder", "--overwrite"],
                "predict": ["predict", MODEL, source, "--out", f"{work}/p.csv", "--overwrite"],
            }
            for case, command in commands.items():
                started = time.perf_counter()
                megabytes = peak_megabytes([sys.executable, "-m", "fastdigits", *command])
                rate = rows / (time.perf_counter() - started)
                found.append(Measurement("large tables", case, f"{size} rows", 0, megabytes, "MB"))
                found.append(Measurement("large tables", f"{case}, rate", f"{size} rows", 0, rate, "rows/s"))
                print(f"large tables · {case} · {rows:,} rows · {rate:,.0f} rows/s · {megabytes:,.0f} MB", flush=True)
    return found


def write_tables(table: Path, folder: Path) -> str:
    """Files 00.csv to 09.csv of labelled rows; the pattern that fits them."""
    from fastdigits.batches import POLICIES, random_view
    from fastdigits.sources import open_source

    folder.mkdir()
    chunks = list(open_source(table).chunks())
    images = np.concatenate([chunk.images for chunk in chunks])
    labels = np.array([label for chunk in chunks for label in chunk.labels])
    random, _ = np.random.default_rng(SEED), torch.manual_seed(SEED)
    texts = np.array([str(value) for value in range(256)])
    header = ",".join(["label", *(f"pixel{k}" for k in range(images[0].size))])
    for number in range(ROWS // FILE_ROWS):
        rows = random.integers(0, len(images), FILE_ROWS)
        with (folder / f"{number:02}.csv").open("w") as file:
            file.write(header + "\n")
            for some in np.array_split(rows, FILE_ROWS // 2000):
                views = random_view(torch.from_numpy(images[some])[:, None] / 255, POLICIES["light"], images.shape[1])
                levels = texts[views.mul(255).round().byte().flatten(1).numpy()]
                file.writelines(f"{label},{','.join(row)}\n" for label, row in zip(labels[some], levels))
    return f"{folder}/*.csv"
