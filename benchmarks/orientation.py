"""Makes the classifier by which `sources/orientation.py` tells which way up pictures are stored, and measures it.

FASTDIGITS_DATA=data python -m benchmarks.orientation
"""

import os
from pathlib import Path

import numpy as np

from fastdigits.sources import ORIENTATION_FILE, orientation_features, orientation_note

from .made_tables import labelled_rows

RIDGE = 1.0
SETS = ("mnist", "kannada")


def weights_of(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Ridge regression of the ten classes on the features: (features + 1, 10)."""
    features = orientation_features(images)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    gram = features.T @ features + RIDGE * np.eye(features.shape[1])
    return np.linalg.solve(gram, features.T @ (np.eye(10)[labels] - 0.1))


def main() -> None:
    tables = {name: labelled_rows(Path(os.environ["FASTDIGITS_DATA"], name, "train.csv.gz")) for name in SETS}
    weights = np.stack([weights_of(*tables[name]) for name in SETS])
    np.savez_compressed(ORIENTATION_FILE, weights=weights.astype(np.float16))
    print(f"wrote {ORIENTATION_FILE}, {ORIENTATION_FILE.stat().st_size:,} bytes")
    generator = np.random.default_rng(0)
    for name, (images, labels) in tables.items():
        ways = {"upright": images, "transposed": images.transpose(0, 2, 1), "mirrored": images[:, :, ::-1]}
        for way, turned in ways.items():
            told = 0
            for _ in range(200):
                rows = generator.choice(len(images), 60, replace=False)
                told += bool(orientation_note(name, turned[rows], [str(label) for label in labels[rows]]))
            print(f"{name}, {way}: told of {told} of 200 tables of 60 rows")


if __name__ == "__main__":
    main()
