"""The saved model: `model.safetensors` + `model.json` and a card to read. Nothing in it is ever unpickled."""

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ..system import InputError, file_sha256, whole_file, write_json
from .backbones import find_backbone
from .outliers import count_outputs, shares_of

WEIGHTS_FILE, DESCRIPTION_FILE, CARD_FILE = "model.safetensors", "model.json", "README.md"
SCHEMA = 1
DARK, LIGHT = "dark", "light"  # grounds
BRIGHT = 0.6  # mean gray level 0..1 of training pictures; dark ink on a light ground has more
CHANNELS, LARGEST_SIZE = (1, 3), 10_000  # pixels
ONNX = "onnx"  # the `format` of a description whose model is ONNX; torch's have none
REQUIRED = ("schema", "architecture", "classes", "size", "channels", "mean", "std", "temperature", "sha256")


@dataclass(kw_only=True)
class ModelDescription:
    """What is known of a model beside its weights, whatever computes it.

    Attributes
    ----------
    architecture : str
    classes : list of str
        In the order of the outputs.
    size : int
        Pixels.
    mean, std : list of float, length channels
        Normalisation on the scale 0..1.
    temperature : float
        Logits are divided by it before the softmax.
    reject : dict or None
        `below`: the confidence under which a person should look, so that the rest has the `wished_accuracy`.
    outliers : dict or None
        Of a model that also tells pictures of several digits or of none: `above` which share of these outputs a picture
        is taken for such.
    normalise : bool
        Whether its pictures had the form of MNIST's, to which photos are therefore brought; see `photos`.
    ground : str
        Of the pictures that it was trained on: dark, as MNIST's, or light. It is asked about light ink on dark, and
        turns that where it knows the other.
    card : str or None
        What to know before using it, in Markdown.
    """

    architecture: str
    classes: list[str]
    size: int
    mean: list[float]
    std: list[float]
    temperature: float = 1.0
    reject: dict | None = None
    outliers: dict | None = None
    normalise: bool = False
    ground: str = DARK
    card: str | None = None

    @property
    def above(self) -> float | None:
        """The share of outliers above which a picture is taken for one; None where the model does not tell them."""
        return self.outliers["above"] if self.outliers else None


FIELDS = tuple(field.name for field in fields(ModelDescription) if field.name != "card")  # of model.json


@dataclass
class SavedModel(ModelDescription):
    """A classifier with all that prediction needs.

    Attributes
    ----------
    module : torch.nn.Module
        Pictures (n, channels, size, size) to logits (n, outputs), in evaluation mode: one a class, then OUTLIERS where
        it tells them.
    """

    module: "torch.nn.Module"  # noqa: F821 (torch is loaded only where it is used)

    def model_input(self, images: np.ndarray):
        """Gray pictures uint8 (n, h, w), on the ground it knows, as it wants them: float (n, channels, size, size)."""
        return self._input(self._gray(images))

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities of one batch.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, h, w)
            Light ink on a dark ground.

        Returns
        -------
        ndarray of float32, shape (n, classes), rows sum to 1
        """
        return self.shares(images)[:, : len(self.classes)]

    def shares(self, images: np.ndarray) -> np.ndarray:
        """The same and behind it, where the model tells them, the shares of OUTLIERS: float32 (n, outputs)."""
        import torch

        images = 255 - images if self.ground == LIGHT else images
        with torch.inference_mode():
            return self._shares(self._gray(images)).cpu().numpy()

    def soft_labels(self, gray):
        """Class probabilities (n, classes) of gray pictures (n, 1, h, w), uint8 or floats 0..1, on its device."""
        return self._shares(gray)[:, : len(self.classes)]

    def _shares(self, gray):
        return shares_of(self.module(self._input(gray)), len(self.classes), self.temperature)

    def _gray(self, images: np.ndarray):
        import torch

        return torch.tensor(images, device=next(self.module.parameters()).device)[:, None]

    def _input(self, gray):
        import torch

        from ..folders import model_input

        mean, std = (torch.tensor(values, device=gray.device).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return model_input(gray, self.size, mean, std)

    def write(self, folder: Path) -> None:
        """Write the files into `folder`; the description, which holds the weights' sha256, last."""
        import safetensors.torch

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.module.state_dict().items()}
        with whole_file(folder / WEIGHTS_FILE) as partial:
            # save_file would leave a file that only its owner can read
            partial.write_bytes(safetensors.torch.save(tensors))
        if self.card is not None:
            with whole_file(folder / CARD_FILE) as partial:
                partial.write_text(self.card, encoding="utf-8")
        write_json(folder / DESCRIPTION_FILE, description_of(self, file_sha256(folder / WEIGHTS_FILE)))

    in_torch = True

    def to(self, device: str) -> None:
        """Move to a device."""
        import torch

        self.module.to(device, memory_format=torch.channels_last)


def description_of(saved: SavedModel, sha256: str) -> dict:
    """What model.json says of a model whose weights have the given sha256."""
    import torch

    about = {name: getattr(saved, name) for name in FIELDS}
    return {
        "schema": SCHEMA,
        **about,
        "channels": len(saved.mean),
        "sha256": sha256,
        "versions": {"torch": torch.__version__},
    }


def read_description(folder: Path) -> dict:
    """The checked content of `model.json` in `folder`."""
    path = folder / DESCRIPTION_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder} holds no saved model ({DESCRIPTION_FILE} is missing)") from None
    except (ValueError, RecursionError):
        raise _damaged(path) from None
    schema = description.get("schema") if isinstance(description, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(f"{path} has schema {schema}, this fastdigits reads {SCHEMA}; upgrade it")
    missing = [key for key in REQUIRED if not isinstance(description, dict) or key not in description]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; export the model again")
    if not _makes_sense(description):
        raise _damaged(path)
    return description


def _makes_sense(description: dict) -> bool:
    """Whether all values of a description are of their kind and in their range."""
    classes, mean, std = (description[key] for key in ("classes", "mean", "std"))
    numbers = [*mean, *std] if isinstance(mean, list) and isinstance(std, list) else [None]
    return (
        all(isinstance(description[key], str) for key in ("architecture", "sha256"))
        and all(isinstance(description[key], int) for key in ("schema", "size", "channels"))
        and isinstance(classes, list)
        and all(isinstance(label, str) for label in classes)
        and 0 < len(classes) == len(set(classes))
        and all(isinstance(number, float | int) and math.isfinite(number) for number in numbers)
        and description["channels"] in CHANNELS
        and description["channels"] == len(mean) == len(std)
        and min(std) > 0
        and 1 <= description["size"] <= LARGEST_SIZE
        and isinstance(description["temperature"], float | int)
        and 0 < description["temperature"] < math.inf
        and isinstance(description.get("normalise", False), bool)
        and description.get("ground", DARK) in (DARK, LIGHT)
        and _are_shares(description.get("reject"), "below", "wished_accuracy")
        and _are_shares(description.get("outliers"), "above")
    )


def _are_shares(entry, *names: str) -> bool:
    """Whether an entry of a description is nothing, or holds shares of these names."""
    if entry is None:
        return True
    shares = [entry.get(name) for name in names] if isinstance(entry, dict) else [None]
    return all(isinstance(share, float | int) and 0 <= share <= 1 for share in shares)


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged; export the model again")


def ground_of(description: dict) -> str:
    """The ground of a model's training pictures; older models tell it if they were scaled by their mean, else dark."""
    return description.get("ground") or (LIGHT if min(description["mean"]) > BRIGHT else DARK)


def check_described(file: Path, description: dict) -> None:
    """InputError unless a model's file is there and the one whose sha256 its description holds."""
    if not file.is_file():
        raise InputError(f"{file.parent} lacks {file.name}; export the model again")
    if file_sha256(file) != description["sha256"]:
        raise InputError(f"{file} is not the file that {DESCRIPTION_FILE} names (sha256 differs); export it again")


def read_weights(folder: Path, description: dict) -> dict:
    """Tensors by name of the saved model in `folder`, after their sha256 was compared with its description's.

    Raises
    ------
    InputError
        When the file is missing, damaged, not the one that the description names, or holds NaN.
    """
    import safetensors.torch

    weights = folder / WEIGHTS_FILE
    if description.get("format") == ONNX:
        raise InputError(
            f"{folder} is an ONNX export, which only predicts; pass the run or model that it was made from"
        )
    check_described(weights, description)
    try:
        tensors = safetensors.torch.load_file(weights)
    except (safetensors.SafetensorError, OSError):
        raise _damaged(weights) from None
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise InputError(f"{weights} holds weights that are no numbers; train the model again")
    return tensors


def read_saved(folder: str | Path) -> SavedModel:
    """The saved model in `folder`, on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        When a file is missing or damaged, or the weights are not those that the description names.
    """
    folder = Path(folder)
    description = read_description(folder)
    tensors = read_weights(folder, description)
    n_outputs = count_outputs(description["classes"], description.get("outliers") is not None)
    module = find_backbone(description["architecture"]).build(n_outputs, description["size"])
    try:
        module.load_state_dict(tensors)
    except RuntimeError:
        architecture = description["architecture"]
        raise InputError(f"{folder / WEIGHTS_FILE} does not fit {architecture}; export the model again") from None
    card = folder / CARD_FILE
    return SavedModel(
        module.eval(),
        **{name: description[name] for name in FIELDS if name in REQUIRED},
        reject=description.get("reject"),
        outliers=description.get("outliers"),
        normalise=description.get("normalise", False),
        ground=ground_of(description),
        card=card.read_text(encoding="utf-8") if card.is_file() else None,
    )
