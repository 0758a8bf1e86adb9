"""export(): a run's model as something that predicts without the run, checked before it is called done."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..answers import open_model
from ..folders import VALID, split_source
from ..models import DESCRIPTION_FILE, LIGHT, SavedModel, model_folder, read_onnx, read_saved, write_onnx
from ..runs import Run, unchanged_folder
from ..scores import read_answers
from ..system import InputError, check_output, whole_file, whole_folder

CHECKED_PICTURES = 256
# Of a probability. On one device batches of another size differ by about 1e-6; a GPU multiplies in TF32.
TOLERANCE = {True: 1e-4, False: 1e-2}


@dataclass(frozen=True)
class Export:
    """What was written, and how it was checked."""

    path: Path
    pictures: int
    largest_difference: float
    real: bool

    def __rich__(self) -> str:
        kind = "valid pictures" if self.real else "drawn pictures, since the run's own are not at hand"
        return (
            f"written to {self.path}; checked on {self.pictures} {kind}: same labels, "
            f"probabilities differ by {self.largest_difference:.1e} at most"
        )

    __str__ = __rich__


def export(
    model: str, out: Path, *, to: Literal["model", "onnx", "learner"] = "model", overwrite: bool = False
) -> Export:
    """Write a model that predicts without its run, and check that it predicts the same.

    Parameters
    ----------
    model
        A finished run directory, a saved model, or a shipped one: digitnet-mnist, digitnet-kannada,
        digitnet-tiny-mnist.
    out
        For model: a folder with model.safetensors and model.json. For onnx: a folder with model.onnx, model.json and
        predict.py, a script that needs only numpy, Pillow and onnxruntime. For learner: the .pkl file, for fastai's
        load_learner (it needs fastdigits installed, and pickles run code when they are loaded); it does not tell
        pictures without a digit.
    to
        model, onnx (pictures uint8 (n, h, w) in, probabilities out) or learner.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Export

    Raises
    ------
    InputError
        When the model is missing or unfinished, or `out` exists.
    """
    out = Path(out)
    if to not in ("model", "onnx", "learner"):
        raise InputError(f"--to {to!r} is unknown; accepted are model, onnx and learner")
    check_output(out, overwrite, None if to == "learner" else DESCRIPTION_FILE)
    saved, place = open_model(model), model_folder(model)
    if not saved.in_torch:
        raise InputError(f"{model} is an ONNX export already; pass the run or model that it was made from")
    if out.exists() and out.samefile(place):
        raise InputError(f"{out} is the model itself; name another output")
    pictures, expected, real = _reference(place, saved)
    device = Run(place).record()["device"] if real else "cpu"
    if to == "model":
        with whole_folder(out) as partial:
            saved.write(partial)
            found = read_saved(partial)
            difference = _difference(found.probabilities(pictures), expected, device)
            _difference(found.shares(pictures), saved.shares(pictures), device)
    elif to == "onnx":
        with whole_folder(out) as partial:
            write_onnx(saved, partial)
            found = read_onnx(partial)
            difference = _difference(found.probabilities(pictures), expected, device)
            for images in (pictures, *_pictures_of_other_sizes(saved.size)):
                _difference(found.shares(images), saved.shares(images), device)
    else:
        from ..models import learner_probabilities, write_learner  # which load fastai

        with whole_file(out) as partial:
            write_learner(saved, partial)
            # which is fastai's own, and takes pictures as it was trained on them
            found = learner_probabilities(partial, 255 - pictures if saved.ground == LIGHT else pictures)
            difference = _difference(found, expected, device)
    return Export(out, len(pictures), difference, real)


def _reference(path: Path, saved: SavedModel) -> tuple[np.ndarray, np.ndarray, bool]:
    """Pictures uint8 (n, h, w), the probabilities that an export must repeat, and whether the pictures are real.

    A run whose data are still as they were gives its own valid pictures and recorded predictions.
    """
    run = Run(path)
    folder = unchanged_folder(run) if run.predictions_file.is_file() else None
    if folder:
        images = next(split_source(folder, VALID).chunks()).images[:CHECKED_PICTURES]
        return images, read_answers(run, rows=len(images)).probabilities, True
    drawn = np.random.default_rng(0).integers(0, 256, (32, saved.size, saved.size), dtype=np.uint8)
    return drawn, saved.probabilities(drawn), False


def _pictures_of_other_sizes(size: int) -> list[np.ndarray]:
    """Drawn pictures, uint8 (8, h, w), that are smaller and larger than the network's."""
    drawn = np.random.default_rng(0)
    shapes = [(size // 2 + 1, size // 2 + 1), (size + 9, size + 9), (2 * size, 3 * size)]
    return [drawn.integers(0, 256, (8, *shape), dtype=np.uint8) for shape in shapes]


def _difference(found: np.ndarray, expected: np.ndarray, device: str) -> float:
    """Largest difference of two tables of probabilities; RuntimeError when it is no rounding or labels differ."""
    difference = float(np.abs(found - expected).max())
    other_labels = int((found.argmax(1) != expected.argmax(1)).sum())
    if not difference <= TOLERANCE[device == "cpu"] or other_labels:
        raise RuntimeError(
            f"the export differs from the model by {difference:.2e} in a probability and in {other_labels} labels; "
            "nothing is kept"
        )
    return difference
