"""Scratch networks for 28x28 gray digits, layer by layer as they were published in Keras."""

from collections.abc import Callable

import torch
from torch import nn

KERAS_BATCHNORM = {"eps": 1e-3, "momentum": 0.01}  # Keras's momentum 0.99 is what torch calls 0.01


def conv_elu(n_classes: int) -> nn.Sequential:
    """Gray pictures (n, 1, 28, 28) to logits (n, n_classes); 128,938 parameters with ten classes."""
    return nn.Sequential(
        _lecun(nn.Conv2d(1, 64, 5)),  # (n, 64, 24, 24)
        nn.ELU(),
        nn.AvgPool2d(2),
        nn.BatchNorm2d(64, **KERAS_BATCHNORM),
        _lecun(nn.Conv2d(64, 32, 5)),  # (n, 32, 8, 8)
        nn.ELU(),
        nn.AvgPool2d(2),
        nn.BatchNorm2d(32, **KERAS_BATCHNORM),
        GaussianDropout(0.25),
        nn.Flatten(),  # (n, 512)
        nn.BatchNorm1d(512, **KERAS_BATCHNORM),
        _lecun(nn.Linear(512, 128)),
        nn.SELU(),
        nn.BatchNorm1d(128, **KERAS_BATCHNORM),
        _lecun(nn.Linear(128, 64)),
        nn.SELU(),
        _glorot(nn.Linear(64, n_classes)),
    )


def conv8_leaky(n_classes: int) -> nn.Sequential:
    """Gray pictures (n, 1, 28, 28) to logits (n, n_classes); 1,924,106 parameters with ten classes."""
    return nn.Sequential(
        *_leaky_block(1, 64, 3),  # (n, 64, 14, 14)
        *_leaky_block(64, 128, 3),  # (n, 128, 7, 7)
        *_leaky_block(128, 256, 2),  # (n, 256, 3, 3)
        nn.Flatten(),
        _glorot(nn.Linear(2304, 256)),
        nn.LeakyReLU(0.1),
        nn.BatchNorm1d(256, **KERAS_BATCHNORM),
        _glorot(nn.Linear(256, n_classes)),
    )


def _leaky_block(n_in: int, n_out: int, n_convolutions: int) -> list[nn.Module]:
    layers = []
    for k in range(n_convolutions):
        norm = nn.BatchNorm2d(n_out, eps=1e-5, momentum=0.1)
        nn.init.uniform_(norm.weight, -0.05, 0.05)  # as published
        layers += [_glorot(nn.Conv2d(n_out if k else n_in, n_out, 3, padding=1)), norm, nn.LeakyReLU(0.1)]
    return [*layers, nn.MaxPool2d(2), nn.Dropout(0.25)]


class GaussianDropout(nn.Module):
    """Multiplies by noise of mean 1 and deviation sqrt(p / (1 - p)) (Srivastava et al. 2014, JMLR 15:1929)."""

    def __init__(self, p: float):
        super().__init__()
        self.deviation = (p / (1 - p)) ** 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (1 + self.deviation * torch.randn_like(x)) if self.training else x


def _lecun(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Keras's LeCun-normal weights: a normal cut at two deviations, of variance 1 / inputs; biases zero."""
    deviation = layer.weight[0].numel() ** -0.5 / 0.87962566  # of a standard normal that is cut at two
    nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    nn.init.zeros_(layer.bias)
    return layer


def _glorot(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Keras's default weights (Glorot and Bengio 2010): uniform, by inputs and outputs; biases zero."""
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


SCRATCH: dict[str, Callable[[int], nn.Sequential]] = {"conv-elu": conv_elu, "conv8-leaky": conv8_leaky}
