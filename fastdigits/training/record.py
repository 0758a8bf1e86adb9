"""What run.json says of a training from its start: arguments, versions, data, weights, settings."""

import shlex
import sys
import time
from pathlib import Path

from ..folders import ImageFolder
from ..system import join_world
from .learner import DigitLearner


def first_record(arguments: dict, folder: ImageFolder, prepared: DigitLearner, notes: list[str]) -> dict:
    """What run.json holds from the start."""
    from importlib.metadata import version

    packages = ("fastdigits", "fastai", "torch", "torchvision", "timm", "numpy")
    return {
        "arguments": arguments,
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv[0] else None,
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in packages}},
        "device": prepared.device,
        "precision": prepared.precision,
        "processes": join_world().size,
        "data": str(folder.path.absolute()),
        "data_digest": folder.digest,
        "normalise": folder.normalise,
        "architecture": prepared.backbone.name,
        "classes": folder.classes,
        "size": prepared.size,
        "mean": prepared.mean,
        "std": prepared.std,
        "weights": prepared.weights,
        "transferred": prepared.transferred,
        "of_digits": prepared.of_digits,
        "notes": notes,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def settings_of(options: dict, rules: dict, prepared: DigitLearner) -> dict:
    """What the run goes by, whether the user, the recipe or nobody said so."""
    scaling = None if prepared.transferred else options["scaling"]  # the weights bring their own
    return {name: value for name, value in options.items() if name != "whole"} | {"scaling": scaling, **rules}
