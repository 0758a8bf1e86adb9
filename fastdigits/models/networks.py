"""Our own networks by name: those that were published for digits, and digitnet."""

from collections.abc import Callable

from torch import nn

from .digitnet import DigitNet
from .scratch import SCRATCH

NETWORKS: dict[str, Callable[[int], nn.Module]] = {**SCRATCH, "digitnet": DigitNet}
