"""What is known of a model beside its weights: `model.json`, written beside the weights in whatever form they are."""

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path

from ..system import InputError, file_sha256

DESCRIPTION_FILE, CARD_FILE = "model.json", "README.md"
SCHEMA = 1
DARK, LIGHT = "dark", "light"  # grounds
BRIGHT = 0.6  # mean gray level 0..1 of training pictures; dark ink on a light ground has more
LARGEST_NUMBER = 1e30  # of a mean, a deviation and the like; NaN is not below it either
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
        `below`: the confidence under which a person should look, at least 0.9; on validation pictures the rest then had
        the `wished_accuracy`, where any confidence gave that.
    outliers : dict or None
        Of a model that also tells pictures of several digits or of none: `above` which share of these outputs a picture
        is taken for such.
    normalise : bool
        Whether its pictures had the form of MNIST's, to which photos are therefore brought; see `photos`.
    ground : str
        Of the pictures that it was trained on: dark, as MNIST's, or light. It is asked about light ink on dark, and
        turns that where it knows the other.
    valid : dict or None
        What it keeps of its answers to valid pictures, so that one can tell what to expect of it on others; see
        `scores.kept_of_valid`. None where it had no valid pictures, or was saved by an older version.
    properties : dict or None
        Mean and deviation of what can be measured of its training pictures, see `photos.properties_of`.
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
    valid: dict | None = None
    properties: dict | None = None
    card: str | None = None

    @property
    def above(self) -> float | None:
        """The share of outliers above which a picture is taken for one; None where the model does not tell them."""
        return self.outliers["above"] if self.outliers else None


FIELDS = tuple(field.name for field in fields(ModelDescription) if field.name != "card")  # of model.json


def description_of(about: ModelDescription, sha256: str) -> dict:
    """The content of model.json for a model whose weights have the given sha256."""
    import torch

    fields_of_it = {name: getattr(about, name) for name in FIELDS}
    return {
        "schema": SCHEMA,
        **fields_of_it,
        "channels": len(about.mean),
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
        raise damaged(path) from None
    schema = description.get("schema") if isinstance(description, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(f"{path} has schema {schema}, this fastdigits reads {SCHEMA}; upgrade it")
    missing = [key for key in REQUIRED if not isinstance(description, dict) or key not in description]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; export the model again")
    if not _makes_sense(description):
        raise damaged(path)
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
        and _are_numbers(numbers)
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
        and _is_kept(description.get("valid"), len(classes))
        and _are_pairs(description.get("properties"))
    )


def _are_shares(entry, *names: str) -> bool:
    """Whether an entry of a description is nothing, or holds shares of these names."""
    if entry is None:
        return True
    shares = [entry.get(name) for name in names] if isinstance(entry, dict) else [None]
    return all(isinstance(share, float | int) and 0 <= share <= 1 for share in shares)


def _is_kept(valid, n_classes: int) -> bool:
    """Whether an entry is nothing, or has what `scores.kept_of_valid` gives."""
    if valid is None:
        return True
    if not isinstance(valid, dict) or not isinstance(valid.get("shares"), list) or len(valid["shares"]) != n_classes:
        return False
    numbers = [valid.get(name) for name in ("pictures", "mistakes", "least_sure", "slope", "intercept")]
    if not _are_numbers([*numbers, *valid["shares"]]) or min(valid["shares"]) < 0:
        return False
    return 0 <= valid["mistakes"] <= valid["pictures"] != 0


def _are_pairs(properties) -> bool:
    """Whether an entry is nothing, or has a mean and a deviation by name."""
    if properties is None:
        return True
    pairs = list(properties.values()) if isinstance(properties, dict) else [None]
    return all(isinstance(pair, list) and len(pair) == 2 and _are_numbers(pair) for pair in pairs)


def _are_numbers(values: list) -> bool:
    return all(isinstance(value, float | int) and abs(value) < LARGEST_NUMBER for value in values)


def damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged; export the model again")


def told_in(description: dict) -> dict:
    """The fields of a ModelDescription, but for its card, from the content of model.json; older ones lack some."""
    told = {name: description[name] for name in FIELDS if name in description}
    return told | {"ground": _ground_of(description)}


def _ground_of(description: dict) -> str:
    """The ground of a model's training pictures; older models tell it if they were scaled by their mean, else dark."""
    return description.get("ground") or (LIGHT if min(description["mean"]) > BRIGHT else DARK)


def check_described(file: Path, description: dict) -> None:
    """InputError unless a model's file is there and the one whose sha256 its description holds."""
    if not file.is_file():
        raise InputError(f"{file.parent} lacks {file.name}; export the model again")
    if file_sha256(file) != description["sha256"]:
        raise InputError(f"{file} is not the file that {DESCRIPTION_FILE} names (sha256 differs); export it again")
