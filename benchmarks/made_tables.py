"""Labelled tables of any size, made of MNIST's rows: more rows, more pixels, more classes."""

from pathlib import Path

import numpy as np
import torch

SEED = 1
SIDE = 28
AT_ONCE = 2_000  # rows
LEVELS = np.array([str(level) for level in range(256)])


def write_table(source: Path, path: Path, rows: int, side: int = SIDE, n_classes: int = 10) -> None:
    """A csv of `rows` rows of MNIST's pictures, each seen from a view that is drawn at random.

    Parameters
    ----------
    source : Path
        MNIST's labelled rows.
    side : int
        Height and width of the pictures, in pixels.
    n_classes : int
        Classes are the numbers from 0 on, their digits beside each other on one picture, and come equally often.
    """
    images, labels = labelled_rows(source)
    of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]
    rng, _ = np.random.default_rng(SEED), torch.manual_seed(SEED)
    width = len(str(n_classes - 1))
    with path.open("w") as file:
        file.write(",".join(["label", *(f"pixel{k}" for k in range(side * side))]) + "\n")
        for start in range(0, rows, AT_ONCE):
            numbers = np.arange(start, min(rows, start + AT_ONCE)) % n_classes
            digits = np.array([[int(digit) for digit in f"{number:0{width}}"] for number in numbers])
            chosen = np.array([[rng.choice(of_digit[digit]) for digit in row] for row in digits])
            views = _views(images, chosen, side)
            file.writelines(f"{label},{','.join(row)}\n" for label, row in zip(numbers, LEVELS[views.numpy()]))


def labelled_rows(source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (n, h, w) and labels int (n,) of a table."""
    from fastdigits.sources import open_source

    chunks = list(open_source(source).chunks())
    labels = np.array([int(label) for chunk in chunks for label in chunk.labels])
    return np.concatenate([chunk.images for chunk in chunks]), labels


def _views(images: np.ndarray, chosen: np.ndarray, side: int) -> torch.Tensor:
    """Pictures of numbers, of the digits in `chosen`, int (n, digits): gray levels, uint8 (n, side * side)."""
    from fastdigits.batches import POLICIES, random_view

    beside = np.concatenate([images[column] for column in chosen.T], axis=2)
    square = _resized(torch.from_numpy(beside)[:, None] / 255, SIDE)
    seen = _resized(random_view(square, POLICIES["light"], SIDE), side)
    return seen.clamp(0, 1).mul(255).round().byte().flatten(1)


def _resized(images: torch.Tensor, side: int) -> torch.Tensor:
    if images.shape[2:] == (side, side):
        return images
    return torch.nn.functional.interpolate(images, (side, side), mode="bilinear", antialias=True)
