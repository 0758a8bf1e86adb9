"""BatchNorm when a network predicts: folded into the convolutions, or with statistics of the pictures asked about."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def folded(module: "torch.nn.Module") -> "torch.nn.Module":
    """A copy of a network in which each BatchNorm that follows a convolution in a Sequential is part of it.

    The outputs are the same but for rounding, and the maps are gone through once less. A network without such pairs
    is given back itself.
    """
    if not any(True for _ in _pairs(module)):
        return module
    from torch.nn import Identity
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    module = copy.deepcopy(module)
    for parent, first, second in list(_pairs(module)):
        parent[first], parent[second] = fuse_conv_bn_eval(parent[first], parent[second]), Identity()
    return module


def _pairs(module: "torch.nn.Module") -> Iterator[tuple["torch.nn.Sequential", int, int]]:
    """Where a BatchNorm follows a convolution: the Sequential, and both places in it."""
    from torch.nn import BatchNorm2d, Conv2d, Sequential

    for parent in module.modules():
        if isinstance(parent, Sequential):
            for (first, convolution), (second, norm) in pairwise(enumerate(parent)):
                if type(convolution) is Conv2d and type(norm) is BatchNorm2d and norm.track_running_stats:
                    yield parent, first, second


@contextmanager
def statistics_of(module: "torch.nn.Module", inputs: "torch.Tensor", share: float) -> Iterator[None]:
    """Within this block a network's normalisation knows some pictures (Li et al. 2017, arXiv:1603.04779).

    Parameters
    ----------
    module : Module
        In evaluation mode; one without BatchNorm stays as it is.
    inputs : Tensor, shape (n, channels, h, w)
        As the network wants them.
    share : float
        0..1, how much the mean and variance of these pictures count beside those of training.
    """
    import torch

    norms = [layer for layer in module.modules() if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)]
    norms = [layer for layer in norms if layer.track_running_stats]
    trained = [(layer.momentum, {name: values.clone() for name, values in layer.named_buffers()}) for layer in norms]
    try:
        for layer in norms:
            layer.momentum = share  # of one batch, by which its statistics are mixed in
            layer.train()
        with torch.inference_mode():
            module(inputs)
        for layer in norms:
            layer.eval()
        yield
    finally:
        for layer, (momentum, buffers) in zip(norms, trained):
            layer.eval()
            layer.momentum = momentum
            for name, values in layer.named_buffers():
                values.copy_(buffers[name])
