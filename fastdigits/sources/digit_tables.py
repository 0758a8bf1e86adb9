"""scikit-learn's bundled digits as a competition's tables: something real to try everything on, offline."""

from pathlib import Path

import numpy as np

TRAIN_TABLE, TEST_TABLE = "train.csv", "test.csv"
TRAIN_ROWS = 1500  # of 1,797; the rest plays the competition's test table


def write_digit_tables(folder: Path) -> list[str]:
    """Write scikit-learn's 8x8 digits as Kaggle-style `train.csv` and `test.csv`; returns the test rows' labels."""
    import pandas as pd
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images.reshape(len(digits.images), -1) * (255 / 16)).astype(np.uint8)
    table = pd.DataFrame(pixels, columns=[f"pixel{k}" for k in range(pixels.shape[1])])
    folder.mkdir(parents=True, exist_ok=True)
    train = table[:TRAIN_ROWS]
    train.insert(0, "label", digits.target[:TRAIN_ROWS])
    train.to_csv(folder / TRAIN_TABLE, index=False)
    table[TRAIN_ROWS:].to_csv(folder / TEST_TABLE, index=False)
    return [str(label) for label in digits.target[TRAIN_ROWS:]]
