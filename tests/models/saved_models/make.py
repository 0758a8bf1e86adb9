"""Keep a model as this version of fastdigits saves it, with its answers: `python tests/models/saved_models/make.py`.

Done once at each release, in all formats. Later versions must read what lies here and give the same answers, for good
(`test_kept_models.py`).
"""

import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from fastdigits import convert, export, predict, train

SMALL = "dnn-tuned:neurons=20"  # weights of 70 kB
PICTURES = 40


def digit_table(first: int, last: int) -> pd.DataFrame:
    """scikit-learn's digits as `id,label,pixel0..`, 28x28 pixels: 8x8, each three times as large, with a border."""
    digits = load_digits()
    images = np.rint(digits.images[first:last] * (255 / 16)).astype(np.uint8)
    large = np.pad(images.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    table = pd.DataFrame(large.reshape(len(large), -1), columns=[f"pixel{k}" for k in range(large[0].size)])
    table.insert(0, "label", digits.target[first:last])
    table.insert(0, "id", range(first, last))
    return table


def keep(out: Path) -> None:
    """Write `model/`, `onnx/`, `learner.pkl`, `pictures.csv.gz` and the model's `answers.csv` into a new folder."""
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        digit_table(0, 1000).to_csv(work / "train.csv", index=False)
        convert(work / "train.csv", work / "digits")
        train(SMALL, work / "digits", epochs=20, out=work / "run")
        digit_table(1000, 1000 + PICTURES).drop(columns="label").to_csv(out / "pictures.csv.gz", index=False)
        export(work / "run", out / "model")
        export(work / "run", out / "onnx", to="onnx")
        export(work / "run", out / "learner.pkl", to="learner")
        (out / "onnx" / "predict.py").unlink()  # runs by itself; no later version reads it
    predict(out / "model", out / "pictures.csv.gz", out=out / "answers.csv", probabilities=True)


if __name__ == "__main__":
    keep(Path(__file__).parent / version("fastdigits"))
