"""Our own networks by name: those that were published for digits, and digitnet; some of them with settings."""

import inspect
from collections.abc import Callable

from torch import nn

from ...system import InputError, Settings, read_spec
from .digitnet import FAST_WIDTH, WIDTH, DigitNet, digitnet_tiny
from .scratch import SCRATCH

OUR_SIZE = 28  # pixels of the pictures that our networks were made for
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    **SCRATCH,
    "digitnet": lambda n_classes, size, width=WIDTH: DigitNet(n_classes, int(width)),
    "digitnet-fast": lambda n_classes, size: DigitNet(n_classes, FAST_WIDTH),
    "digitnet-tiny": lambda n_classes, size: digitnet_tiny(n_classes),
}


def build_network(text: str, n_classes: int, size: int = OUR_SIZE) -> nn.Module:
    """The network that a text such as `digitnet` or `conv5x5:filters=64-128,dropout=0.5` names.

    Raises
    ------
    InputError
        When a setting is unknown, or its value makes no sense.
    ValueError
        When pictures of `size` pixels are too small for it.
    """
    name, settings = read_spec("the network", text, {text.partition(":")[0]: network_settings(text)})
    for key, value in settings.items():
        if key.endswith(("dropout", "momentum")) and not 0 <= value < 1:
            raise InputError(f"{name}:{key}={value:g} makes no sense; accepted are 0 or more and below 1")
        if key == "neurons" and not 1 <= value <= 4096:
            raise InputError(f"{name}:{key}={value:g} makes no sense; accepted are 1 to 4096")
        if key == "width" and not 4 <= value <= 256:
            raise InputError(f"{name}:{key}={value:g} makes no sense; accepted are 4 to 256")
    return NETWORKS[name](n_classes, size, **settings)


def is_network(text: str) -> bool:
    """Whether a text names one of our own networks, with or without settings."""
    return text.partition(":")[0] in NETWORKS


def network_settings(text: str) -> Settings:
    """The settings that the network has, and their defaults: what its function takes beside classes and size."""
    _, _, *settings = inspect.signature(NETWORKS[text.partition(":")[0]]).parameters.values()
    return {setting.name: setting.default for setting in settings}
