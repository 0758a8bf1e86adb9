"""export(): a run's model as something that predicts without the run, checked before it is called done."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ..answers import Inference, Predictions, answer, open_model, source_to_predict
from ..folders import (
    TRAIN,
    VALID,
    ImageFolder,
    is_image_folder,
    read_folder,
    resized,
    split_source,
    spread_pictures,
    spread_rows,
)
from ..models import (
    CALIBRATION_PICTURES,
    DESCRIPTION_FILE,
    LIGHT,
    OnnxModel,
    SavedModel,
    check_writes_onnx,
    model_folder,
    read_onnx,
    read_saved,
    write_onnx,
)
from ..runs import Run, unchanged_folder
from ..scores import class_numbers, read_answers
from ..sources import PixelSource
from ..system import InputError, check_output, whole_file, whole_folder

CHECKED_PICTURES = 256
# Of a probability. On one device batches of another size differ by about 1e-6; a GPU multiplies in TF32.
TOLERANCE = {True: 1e-4, False: 1e-2}
MOST_CHANGED, FEW_CHANGED = 0.01, 3  # of the answers, by int8; of few pictures so many may change
LEAST_CALIBRATION = 64  # pictures


@dataclass(frozen=True)
class Export:
    """What was written, and how it was checked.

    Attributes
    ----------
    path : Path
    pictures : int
        By which it was checked.
    largest_difference : float
        Of a probability.
    real : bool
        Whether the pictures are valid ones of the run.
    changed : int or None
        In int8: how many of `pictures` get another answer, a label or "no single digit"; else None.
    accuracies : (float, float) or None
        In int8: of the model and of its int8 form, where the labels are known.
    """

    path: Path
    pictures: int
    largest_difference: float
    real: bool
    changed: int | None = None
    accuracies: tuple[float, float] | None = None

    def __rich__(self) -> str:
        if self.changed is not None:
            kind = "valid pictures" if self.real else "calibration pictures that no range was measured on"
            told = f"written to {self.path} in int8; of {self.pictures:,} {kind} {self.changed:,} get another answer"
            if self.accuracies:
                told += ", accuracy {:.2%} instead of {:.2%}".format(*reversed(self.accuracies))
            return f"{told}; probabilities differ by {self.largest_difference:.2f} at most"
        kind = "valid pictures" if self.real else "drawn pictures, since the run's own are not at hand"
        return (
            f"written to {self.path}; checked on {self.pictures} {kind}: same labels, "
            f"probabilities differ by {self.largest_difference:.1e} at most"
        )

    __str__ = __rich__


def export(
    model: str,
    out: Path,
    *,
    to: Literal["model", "onnx", "learner"] = "model",
    int8: bool = False,
    calibration: str | None = None,
    overwrite: bool = False,
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
    int8
        Of onnx: weights and activations as bytes, a fraction of the size, and faster on a CPU with VNNI.
        The ranges are measured on training pictures; how many answers change is said.
    calibration
        Pictures for int8, where the run's own training pictures are not at hand: a table, a folder of pictures or an
        image folder.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Export

    Raises
    ------
    InputError
        When the model is missing or unfinished, or `out` exists; with int8 also when there are too few pictures for it,
        or more than one in a hundred answers change.
    """
    out = Path(out)
    if to not in ("model", "onnx", "learner"):
        raise InputError(f"--to {to!r} is unknown; accepted are model, onnx and learner")
    if (int8 or calibration) and (to != "onnx" or not int8):
        raise InputError("--int8 is for --to onnx, and --calibration for --int8; pass them together, or leave them out")
    check_output(out, overwrite, None if to == "learner" else DESCRIPTION_FILE)
    saved, place = open_model(model), model_folder(model)
    if not saved.in_torch:
        raise InputError(f"{model} is an ONNX export already; pass the run or model that it was made from")
    if out.exists() and out.samefile(place):
        raise InputError(f"{out} is the model itself; name another output")
    if int8:
        check_writes_onnx()
        run = Run(place)
        own = unchanged_folder(run) if not calibration and run.record_file.is_file() else None
        images = _calibration_pictures(model, saved, own, calibration)
        with whole_folder(out) as partial:
            if own and VALID in own.splits:
                write_onnx(saved, partial, images)
                made = _on_valid(read_onnx(partial), saved, own)
            else:
                write_onnx(saved, partial, images[::2])
                made = _on_others(read_onnx(partial), saved, images[1::2])
            return replace(made, path=out)
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


def _calibration_pictures(model: str, saved: SavedModel, own: ImageFolder | None, given: str | None) -> np.ndarray:
    """Some pictures like those of training, uint8 (n, h, w), light ink on dark, spread over all that are there."""
    if not own and not given:
        raise InputError(
            f"--int8 measures ranges on training pictures, and those of {model} are not at hand; pass "
            "--calibration with a table or a folder of such pictures"
        )
    folder = read_folder(Path(given), saved.normalise) if given and is_image_folder(Path(given)) else own
    if folder:
        _, images = spread_pictures(folder, TRAIN, saved.size, CALIBRATION_PICTURES)
    else:
        images = _some_of(source_to_predict(given, normalise=saved.normalise), saved.size)
    if len(images) < LEAST_CALIBRATION:
        raise InputError(
            f"--int8 needs {LEAST_CALIBRATION} pictures or more to measure ranges on, and {given or folder.path} has "
            f"{len(images)}"
        )
    return images


def _some_of(source: PixelSource, size: int) -> np.ndarray:
    """At most CALIBRATION_PICTURES of a source, spread over it, uint8 (n, size, size); what was noticed is said."""
    kept, rng = [], np.random.default_rng(0)
    for chunk in source.chunks():
        n = len(chunk.ids)
        share = n if source.rows is None else min(n, -(-n * CALIBRATION_PICTURES // max(source.rows, 1)))
        kept.append(resized(chunk.images[np.sort(rng.choice(n, share, replace=False))], size))
    source.notes.say()
    images = np.concatenate(kept) if kept else np.zeros((0, size, size), np.uint8)
    return images[spread_rows(len(images), CALIBRATION_PICTURES)]


def _on_valid(found: OnnxModel, saved: SavedModel, folder: ImageFolder) -> Export:
    """How far int8 answers otherwise on the valid pictures of the folder that the model was trained on."""
    truth = class_numbers(folder.split(VALID).labels, folder.classes)
    answers = [answer(Inference([one], exact=True), split_source(folder, VALID)) for one in (saved, found)]
    made = _compared(*answers, saved)
    accuracies = tuple(float((one.probabilities.argmax(1) == truth).mean()) for one in answers)
    return replace(made, real=True, accuracies=accuracies)


def _on_others(found: OnnxModel, saved: SavedModel, images: np.ndarray) -> Export:
    """How far int8 answers otherwise on pictures that its ranges were not measured on."""
    ids = [str(row) for row in range(len(images))]
    answers = []
    for one in (saved, found):
        inference = Inference([one], exact=True)
        shares, judge = inference.shares(images), inference.judge
        outliers = judge.outliers(shares)
        answers.append(Predictions(ids, judge.probabilities(shares), judge.classes, outliers=outliers))
    return _compared(*answers, saved)


def _compared(before: Predictions, after: Predictions, saved: SavedModel) -> Export:
    """How many answers differ; InputError when they are many."""
    is_other = before.probabilities.argmax(1) != after.probabilities.argmax(1)
    if saved.above is not None:
        told = [one.outliers.sum(1) > saved.above for one in (before, after)]
        is_other |= told[0] != told[1]
    changed, n = int(is_other.sum()), len(is_other)
    if changed > max(MOST_CHANGED * n, FEW_CHANGED):
        raise InputError(
            f"in int8 {changed / n:.1%} of the answers are others; export it without --int8, or pass --calibration "
            "with pictures that are more like those of training"
        )
    difference = float(np.abs(after.probabilities - before.probabilities).max())
    return Export(Path(), n, difference, real=False, changed=changed)


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
