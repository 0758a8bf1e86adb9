"""Data sets known by name: sklearn:digits, bundled and offline, and torchvision's digit sets."""

from pathlib import Path

import numpy as np

from ..system import InputError, cache_folder
from .arrays import array_source
from .pixels import PixelSource, label_texts

TORCHVISION_SETS = {  # our name: (torchvision class, its arguments, are its pictures stored transposed)
    "mnist": ("MNIST", {}, False),
    "kmnist": ("KMNIST", {}, False),
    "usps": ("USPS", {}, False),
    "qmnist": ("QMNIST", {}, False),
    "emnist-digits": ("EMNIST", {"split": "digits"}, True),
}
NAMES = ("sklearn:digits", *(f"torchvision:{name}" for name in TORCHVISION_SETS))


def named_source(name: str) -> PixelSource:
    """The data set called `name`, one of NAMES."""
    if name == "sklearn:digits":
        return _sklearn_digits()
    library, _, key = name.partition(":")
    if library == "torchvision" and key in TORCHVISION_SETS:
        train = _torchvision_source(key, train=True)
        train.test = _torchvision_source(key, train=False)
        return train
    raise InputError(f"{name!r} is no known data set; known are {', '.join(NAMES)}")


def _sklearn_digits() -> PixelSource:
    """1,797 real digits of 8x8 pixels (UCI optical recognition test set), levels 0..16 brought to 0..255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return array_source("sklearn:digits", images, label_texts(digits.target))


def _torchvision_source(key: str, train: bool) -> PixelSource:
    import torchvision

    class_name, arguments, transposed = TORCHVISION_SETS[key]
    root = download_folder()
    try:
        dataset = getattr(torchvision.datasets, class_name)(root, train=train, download=True, **arguments)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; RuntimeError when every mirror failed
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"torchvision:{key} could not be downloaded ({reason}); "
            f"connect to the network, or put torchvision's files for it under {root}"
        ) from None
    images, labels = np.asarray(dataset.data, np.uint8), np.asarray(dataset.targets)
    if labels.ndim == 2:  # QMNIST keeps eight facts about each picture, the class first
        labels = labels[:, 0]
    if transposed:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return array_source(f"torchvision:{key}", images, label_texts(labels))


def download_folder() -> Path:
    """Where downloaded data sets are kept."""
    return cache_folder() / "datasets"
