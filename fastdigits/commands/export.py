"""export(): a run's model as something that predicts without the run, checked before it is called done."""

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ..answers import Judge, find_model, open_model
from ..folders import VALID
from ..models import (
    DESCRIPTION_FILE,
    GRAPH_FILE,
    LIGHT,
    OnnxModel,
    SavedModel,
    check_outlives,
    check_writes_onnx,
    model_name,
    read_onnx,
    read_saved,
    write_onnx,
)
from ..runs import Run, unchanged_folder
from ..scores import (
    ExportCheck,
    calibration_pictures,
    checked_difference,
    drawn_pictures,
    int8_on_others,
    int8_on_valid,
    pictures_of_other_sizes,
    reference_answers,
)
from ..system import InputError, check_output, whole_file, whole_folder

KINDS = ("model", "onnx", "learner", "web")
INDEX = "index.html"
CHECKED_IN_BROWSER = 4  # pictures, when a page is opened
# by which a browser's probabilities may differ, which are rounded otherwise; in int8 a step is more
BROWSER_TOLERANCE = {False: 1e-3, True: 0.05}


@dataclass(frozen=True, kw_only=True)
class Export(ExportCheck):
    """What was written, and how it was checked; see also `ExportCheck`.

    Attributes
    ----------
    path : Path
    megabytes : float or None
        Of a web page.
    """

    path: Path
    megabytes: float | None = None

    def __rich__(self) -> str:
        size = f" ({self.megabytes:.1f} MB)" if self.megabytes else ""
        return f"written to {self.path}{size}{' ' if self.changed is not None else '; '}{ExportCheck.__str__(self)}"

    __str__ = __rich__


def export(
    model: str,
    out: Path,
    *,
    to: Literal["model", "onnx", "learner", "web"] = "model",
    int8: bool = False,
    calibration: str | None = None,
    runtime: Path | None = None,
    collect: bool = False,
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
        predict.py, a script that needs only numpy, Pillow and onnxruntime. For web: an HTML file, or a folder that gets
        index.html. For learner: the .pkl file, for fastai's load_learner (it needs fastdigits installed, and pickles
        run code when they are loaded); it does not tell pictures without a digit.
    to
        model, onnx (pictures uint8 (n, h, w) in, probabilities out), web (one HTML file on which one draws, or drops
        photos and sheets: it needs no server and no network), or learner.
    int8
        Of onnx and web: weights and activations as bytes, a fraction of the size, and faster on a CPU with VNNI.
        The ranges are measured on training pictures; how many answers change is said.
    calibration
        Pictures for int8, 64 or more, where the run's own training pictures are not at hand: a table, a folder of
        pictures or an image folder.
    runtime
        Of web: a folder with the files of the npm package onnxruntime-web. By default npm fetches them.
    collect
        Of web: also a page on which a class draws digits for a data set; they stay in the browser, which saves them as
        tables for `fastdigits convert --groups`.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Export

    Raises
    ------
    InputError
        When the model is missing or unfinished, or `out` exists; with int8 also when there are too few pictures for it,
        or more than one in a hundred answers, and more than three, change; for web when the files of onnxruntime-web
        cannot be had.
    """
    out = Path(out)
    if to not in KINDS:
        raise InputError(f"--to {to!r} is unknown; accepted are {', '.join(KINDS[:-1])} and {KINDS[-1]}")
    if (int8 or calibration) and (to not in ("onnx", "web") or not int8):
        raise InputError(
            "--int8 is for --to onnx and --to web, and --calibration for --int8; pass them together, or leave them out"
        )
    if (runtime or collect) and to != "web":
        raise InputError("--runtime and --collect are for --to web; leave them out")
    is_file = to == "learner" or (to == "web" and out.suffix.lower() in (".html", ".htm"))
    check_output(out, overwrite, None if is_file else INDEX if to == "web" else DESCRIPTION_FILE)
    saved, place = open_model(model), find_model(model)
    if not saved.in_torch:
        raise InputError(f"{model} is an ONNX export already; pass the run or model that it was made from")
    if to != "web":  # which replaces nothing but its page
        check_outlives(out, "MODEL", model)
    if to == "web":
        return _export_web(model, saved, out / INDEX if not is_file else out, int8, calibration, runtime, collect)
    if to == "onnx":
        with whole_folder(out) as partial:
            _, checked = _write_checked_onnx(model, saved, partial, int8, calibration)
        return Export(path=out, **asdict(checked))
    pictures, expected, real = reference_answers(place, saved)
    device = Run(place).record()["device"] if real else "cpu"
    if to == "model":
        with whole_folder(out) as partial:
            saved.write(partial)
            found = read_saved(partial)
            difference = checked_difference(found.probabilities(pictures), expected, device)
            checked_difference(found.shares(pictures), saved.shares(pictures), device)
    else:
        from ..models import learner_probabilities, write_learner  # which load fastai

        with whole_file(out) as partial:
            write_learner(saved, partial)
            # which is fastai's own, and takes pictures as it was trained on them
            found = learner_probabilities(partial, 255 - pictures if saved.ground == LIGHT else pictures)
            difference = checked_difference(found, expected, device)
    return Export(path=out, pictures=len(pictures), largest_difference=difference, real=real)


def _write_checked_onnx(
    model: str, saved: SavedModel, folder: Path, int8: bool, calibration: str | None
) -> tuple[OnnxModel, ExportCheck]:
    """Write the ONNX form of a model into a folder, and compare their answers."""
    place = find_model(model)
    if int8:
        check_writes_onnx()
        run = Run(place)
        own = unchanged_folder(run) if not calibration and run.record_file.is_file() else None
        images = calibration_pictures(model, saved, own, calibration)
        if own and VALID in own.splits:
            write_onnx(saved, folder, images)
            found = read_onnx(folder)
            return found, int8_on_valid(found, saved, own)
        write_onnx(saved, folder, images[::2])
        found = read_onnx(folder)
        return found, int8_on_others(found, saved, images[1::2])
    pictures, expected, real = reference_answers(place, saved)
    device = Run(place).record()["device"] if real else "cpu"
    write_onnx(saved, folder)
    found = read_onnx(folder)
    difference = checked_difference(found.probabilities(pictures), expected, device)
    for images in (pictures, *pictures_of_other_sizes(saved.size)):
        checked_difference(found.shares(images), saved.shares(images), device)
    return found, ExportCheck(pictures=len(pictures), largest_difference=difference, real=real)


def _export_web(
    model: str, saved: SavedModel, out: Path, int8: bool, calibration: str | None, runtime: Path | None, collect: bool
) -> Export:
    """Write the page that holds the model; its graph is checked as an ONNX export is, and by the browser once more."""
    from ..pages import Embedded, find_runtime, write_web

    check_writes_onnx()
    files = find_runtime(Path(runtime) if runtime else None)
    with TemporaryDirectory(prefix="fastdigits-") as temporary:
        graph, checked = _write_checked_onnx(model, saved, Path(temporary), int8, calibration)
        # drawn, since the page is handed on and the run's own pictures may be nobody else's business
        pictures = drawn_pictures(saved.size)[:CHECKED_IN_BROWSER]
        judge = Judge.of([saved])
        held = Embedded(
            name=model_name(model),
            graph=(Path(temporary) / GRAPH_FILE).read_bytes(),
            classes=saved.classes,
            least_sure=judge.least_sure,
            above=judge.above,
            normalise=saved.normalise,
            pictures=pictures,
            shares=graph.shares(pictures),
            tolerance=BROWSER_TOLERANCE[int8],
        )
        write_web(out, held, files, collect)
    return Export(path=out, megabytes=out.stat().st_size / 1e6, **asdict(checked))
