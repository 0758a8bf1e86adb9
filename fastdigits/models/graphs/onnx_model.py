"""A model as ONNX: uint8 pictures in, probabilities out, and all between inside the graph."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...photos import DIGIT, OTHER, SEVERAL
from ...system import InputError, file_sha256, whole_file, write_json
from ..description import (
    CARD_FILE,
    DESCRIPTION_FILE,
    LIGHT,
    ONNX,
    ModelDescription,
    check_described,
    description_of,
    read_description,
    told_in,
)
from ..outliers import shares_of
from ..saved import SavedModel
from .int8 import quantise

if TYPE_CHECKING:
    import onnxruntime
    import torch

GRAPH_FILE, SCRIPT_FILE = "model.onnx", "predict.py"
SCRIPT = Path(__file__).parent / "script.py"  # is copied beside the graph; nothing imports it
OPSET = 20
CARD = """

## As ONNX

`model.onnx` takes gray pictures `images`, uint8 (n, h, w) of any size, white on black, and gives `probabilities`,
float32 (n, classes) in the order of `classes` in `model.json`: resize, normalisation and temperature are in the graph,
and the weights in the file. Of a model that was trained with `--reject` it also gives `outliers`, float32 (n, 2), the
shares of "several digits" and "no digit", and `shown`, uint8 (n,): 0 one digit, 2 several digits, 3 no digit.
`python predict.py PICTURE | FOLDER | TABLE.csv [OUT.csv]` needs numpy, Pillow and onnxruntime alone.
"""
INT8 = """
Weights and activations are int8, so probabilities differ somewhat from those of the model that it was made from, whose
scores these are.
"""


@dataclass
class OnnxModel(ModelDescription):
    """A classifier that onnxruntime computes; predicts as a SavedModel does.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        From `images`, uint8 (n, h, w), to `probabilities`, float32 (n, classes), and where the model tells outliers to
        their shares `outliers`, float32 (n, 2), and `shown`, uint8 (n,); normalisation and temperature are in the graph
        already.
    """

    session: "onnxruntime.InferenceSession"
    turns: bool = False  # light pictures are what it knows, and its graph does not turn others, as those of 0.1 do not

    in_torch = False

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities float32 (n, classes) of gray pictures uint8 (n, h, w)."""
        return self.shares(images)[:, : len(self.classes)]

    def shares(self, images: np.ndarray) -> np.ndarray:
        """The same and behind it, where the model tells them, the shares of OUTLIERS: float32 (n, outputs)."""
        images = 255 - images if self.turns else images
        wanted = ["probabilities", "outliers"] if self.outliers else ["probabilities"]
        return np.concatenate(self.session.run(wanted, {"images": np.ascontiguousarray(images)}), axis=1)

    def folded(self) -> "OnnxModel":
        """Itself: onnxruntime folded what it could when it opened the graph."""
        return self

    def to(self, device: str) -> None:
        """It stays on the CPU."""


def read_onnx(folder: Path) -> OnnxModel:
    """The ONNX export in `folder`.

    Raises
    ------
    InputError
        When a file is missing, damaged or foreign, or onnxruntime is not installed.
    """
    description = read_description(folder)
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        raise InputError("ONNX models need the package onnxruntime: pip install 'fastdigits[onnx]'") from None
    return open_graph(folder / GRAPH_FILE, description)


def open_graph(graph: Path, description: dict) -> OnnxModel:
    """The model whose graph and description these are; InputError when the graph is missing, damaged or foreign."""
    import onnxruntime

    check_described(graph, description)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has classes of its own for each fault
        raise InputError(f"{graph} is no graph that onnxruntime reads: {str(error).splitlines()[0]}") from None
    inputs, outputs = ([one.name for one in found] for found in (session.get_inputs(), session.get_outputs()))
    if (inputs, outputs) != (["images"], _outputs(description.get("outliers"))):
        raise InputError(f"{graph} takes {', '.join(inputs)} and gives {', '.join(outputs)}; export the model again")
    about = told_in(description)
    turns = "ground" not in description and about["ground"] == LIGHT
    return OnnxModel(session=session, turns=turns, **about, card=None)


def _outputs(outliers: dict | None) -> list[str]:
    """Names of what the graph gives."""
    return ["probabilities", "outliers", "shown"] if outliers else ["probabilities"]


def write_onnx(saved: SavedModel, folder: Path, calibration: np.ndarray | None = None) -> None:
    """Write the graph, a script that predicts by it, the card, and the description, last.

    Parameters
    ----------
    saved : SavedModel
    folder : Path
    calibration : ndarray of uint8, shape (n, h, w), optional
        Pictures by which the graph is made int8; see `int8.quantise`.

    Raises
    ------
    InputError
        When the packages that write ONNX are not installed.
    """
    check_writes_onnx()
    write_graph(saved, folder / GRAPH_FILE)
    if calibration is not None:
        quantise(folder / GRAPH_FILE, calibration)
    script = SCRIPT.read_text(encoding="utf-8")
    (folder / SCRIPT_FILE).write_text(script, encoding="utf-8")
    if saved.card is not None:
        (folder / CARD_FILE).write_text(
            saved.card.rstrip() + CARD + ("" if calibration is None else INT8), encoding="utf-8"
        )
    sha256 = file_sha256(folder / GRAPH_FILE)
    write_json(
        folder / DESCRIPTION_FILE,
        description_of(saved, sha256) | {"format": ONNX, "opset": OPSET, "int8": calibration is not None},
    )


def check_writes_onnx() -> None:
    """InputError unless the packages that write ONNX and check it are installed."""
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401 (torch's exporter needs it)
    except ImportError:
        raise InputError(
            "--to onnx needs the packages onnx, onnxscript and onnxruntime: pip install 'fastdigits[onnx]'"
        ) from None


def write_graph(saved: SavedModel, path: Path, optimize: bool = True) -> None:
    """Trace the model with resize, normalisation and temperature into one ONNX file; n, h and w are free.

    Optimised, normalisation is folded into the weights before it; else these stay as the model has them.
    """
    import torch

    n, height, width = (torch.export.Dim(name) for name in ("n", "height", "width"))
    example = torch.zeros(3, saved.size + 2, saved.size + 6, dtype=torch.uint8)  # no two sides alike: all stay free
    with whole_file(path) as partial:
        torch.onnx.export(
            _graph_of(saved),
            (example,),
            partial,
            dynamo=True,
            external_data=False,
            verbose=False,
            opset_version=OPSET,
            optimize=optimize,
            input_names=["images"],
            output_names=_outputs(saved.outliers),
            dynamic_shapes={"images": {0: n, 1: height, 2: width}},
        )


def _graph_of(saved: SavedModel) -> "torch.nn.Module":
    """The model as a module from uint8 pictures (n, h, w) to what OnnxModel says."""
    import torch
    import torch.nn.functional as F

    n_classes = len(saved.classes)

    class Graph(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = saved.module.float().cpu()
            self.register_buffer("pixel_mean", torch.tensor(saved.mean).view(1, -1, 1, 1))
            self.register_buffer("pixel_std", torch.tensor(saved.std).view(1, -1, 1, 1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            gray, size = images[:, None].float() / 255, (saved.size, saved.size)
            if saved.ground == LIGHT:
                gray = 1 - gray
            # antialias changes nothing where pictures grow, so that one graph does what `folders.resize` does
            resized = F.interpolate(gray, size, mode="bilinear", align_corners=False, antialias=True)
            shares = shares_of(self.network((resized - self.pixel_mean) / self.pixel_std), n_classes, saved.temperature)
            if saved.above is None:
                return shares
            outliers = shares[:, n_classes:]
            kind = torch.where(outliers[:, 0] > outliers[:, 1], SEVERAL, OTHER)
            shown = torch.where(outliers.sum(1) > saved.above, kind, DIGIT).to(torch.uint8)
            return shares[:, :n_classes], outliers, shown

    return Graph().eval()
