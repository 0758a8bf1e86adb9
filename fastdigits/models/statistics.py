"""BatchNorm's statistics of the pictures that are asked about, rather than of those that were trained on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


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
