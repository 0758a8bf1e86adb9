"""Scratch networks for 28x28 gray digits, layer by layer as they were published in Keras.

Each takes gray pictures (n, 1, 28, 28) and gives logits (n, n_classes).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

KERAS_BATCHNORM = {"eps": 1e-3, "momentum": 0.01}  # Keras's momentum 0.99 is what torch calls 0.01


def conv_elu(n_classes: int) -> nn.Sequential:
    """Two wide convolutions with ELU, then SELU layers."""
    return nn.Sequential(
        _lecun(nn.Conv2d(1, 64, 5)),  # (n, 64, 24, 24)
        FastELU(),
        nn.AvgPool2d(2),
        nn.BatchNorm2d(64, **KERAS_BATCHNORM),
        _lecun(nn.Conv2d(64, 32, 5)),  # (n, 32, 8, 8)
        FastELU(),
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


def conv5_bn(n_classes: int) -> nn.Sequential:
    """Five convolutions without padding and one large dense layer."""
    return nn.Sequential(
        _glorot(nn.Conv2d(1, 32, 3)),
        nn.ReLU(),
        _glorot(nn.Conv2d(32, 32, 3)),  # (n, 32, 24, 24)
        nn.ReLU(),
        nn.BatchNorm2d(32, **KERAS_BATCHNORM),
        _glorot(nn.Conv2d(32, 64, 3)),
        nn.ReLU(),
        _glorot(nn.Conv2d(64, 64, 3)),  # (n, 64, 20, 20)
        nn.ReLU(),
        nn.BatchNorm2d(64, **KERAS_BATCHNORM),
        _glorot(nn.Conv2d(64, 128, 3)),  # (n, 128, 18, 18)
        nn.ReLU(),
        nn.BatchNorm2d(128, **KERAS_BATCHNORM),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),  # (n, 10368)
        nn.BatchNorm1d(10368, **KERAS_BATCHNORM),
        _glorot(nn.Linear(10368, 256)),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.BatchNorm1d(256, **KERAS_BATCHNORM),
        _glorot(nn.Linear(256, n_classes)),
    )


def mlp_300_100(n_classes: int) -> nn.Sequential:
    """The perceptron with two hidden layers that LeCun et al. measured in 1998."""
    return nn.Sequential(
        nn.Flatten(),
        _glorot(nn.Linear(784, 300)),
        nn.ReLU(),
        _glorot(nn.Linear(300, 100)),
        nn.ReLU(),
        _glorot(nn.Linear(100, n_classes)),
    )


def conv5x5(n_classes: int) -> nn.Sequential:
    """Two blocks of 5x5 convolutions."""
    return nn.Sequential(
        *_pooled_block(1, 32, dropout=0.25),  # (n, 32, 14, 14)
        *_pooled_block(32, 64, dropout=0.25),  # (n, 64, 7, 7)
        nn.Flatten(),
        *_dense_relu(3136, 256, dropout=0.5),
        _glorot(nn.Linear(256, n_classes)),
    )


def conv5x5_tuned(n_classes: int) -> nn.Sequential:
    """Four such blocks, as a search found them; the dropouts, which are not published, are those of conv5x5."""
    return nn.Sequential(
        *_pooled_block(1, 64, dropout=0.25),  # (n, 64, 14, 14)
        *_pooled_block(64, 64, dropout=0.25),  # (n, 64, 7, 7)
        *_pooled_block(64, 128, dropout=0.25),  # (n, 128, 3, 3)
        *_pooled_block(128, 128, dropout=0.25),  # (n, 128, 1, 1)
        nn.Flatten(),
        *_dense_relu(128, 256, dropout=0.5),
        _glorot(nn.Linear(256, n_classes)),
    )


def dnn_he(n_classes: int) -> nn.Sequential:
    """Two hidden layers with He's weights and dropout."""
    return nn.Sequential(
        nn.Flatten(),
        _he(nn.Linear(784, 300)),
        nn.ReLU(),
        nn.Dropout(0.2),
        _he(nn.Linear(300, 100)),
        nn.ReLU(),
        nn.Dropout(0.2),
        _glorot(nn.Linear(100, n_classes)),
    )


def dnn_tuned(n_classes: int) -> nn.Sequential:
    """Two hidden layers of 150 with BatchNorm, as a grid search found them."""
    batchnorm = {"eps": 1e-3, "momentum": 0.2}  # Keras's momentum 0.8
    return nn.Sequential(
        nn.Flatten(),
        _glorot(nn.Linear(784, 150)),
        nn.ReLU(),
        nn.BatchNorm1d(150, **batchnorm),
        _glorot(nn.Linear(150, 150)),
        nn.ReLU(),
        nn.BatchNorm1d(150, **batchnorm),
        _glorot(nn.Linear(150, n_classes)),
    )


def conv3_pool(n_classes: int) -> nn.Sequential:
    """Three convolutions, each with a pool, and two dense layers."""
    return nn.Sequential(
        _glorot(nn.Conv2d(1, 12, 7, padding="same")),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 12, 14, 14)
        _glorot(nn.Conv2d(12, 32, 3, padding="same")),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 32, 7, 7)
        _glorot(nn.Conv2d(32, 64, 3, padding="same")),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 64, 3, 3)
        nn.Flatten(),
        *_dense_relu(576, 128, dropout=0.5),
        *_dense_relu(128, 64, dropout=0.5),
        _glorot(nn.Linear(64, n_classes)),
    )


def dcnn_prelu(n_classes: int) -> nn.Sequential:
    """Six convolutions without padding or pools; those without an activation have none in the notebook either."""
    return nn.Sequential(
        _glorot(nn.Conv2d(1, 8, 7)),
        ElementPReLU(8, 22, 22),
        nn.BatchNorm2d(8, **KERAS_BATCHNORM),
        nn.Dropout(0.5),
        _glorot(nn.Conv2d(8, 16, 5)),
        ElementPReLU(16, 18, 18),
        nn.Dropout(0.5),
        nn.Dropout(0.25),
        _glorot(nn.Conv2d(16, 32, 3)),
        _glorot(nn.Conv2d(32, 64, 3)),  # (n, 64, 14, 14)
        nn.Dropout(0.25),
        _glorot(nn.Conv2d(64, 128, 2)),
        _glorot(nn.Conv2d(128, 64, 4)),  # (n, 64, 10, 10)
        nn.Dropout(0.25),
        nn.Flatten(),  # (n, 6400)
        _glorot(nn.Linear(6400, 512)),
        ElementPReLU(512),
        nn.BatchNorm1d(512, **KERAS_BATCHNORM),
        nn.Dropout(0.5),
        _glorot(nn.Linear(512, 512)),
        ElementPReLU(512),
        _glorot(nn.Linear(512, n_classes)),
    )


def conv8_leaky(n_classes: int) -> nn.Sequential:
    """Eight convolutions with LeakyReLU in three blocks."""
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


SCRATCH: dict[str, Callable[[int], nn.Sequential]] = {
    "conv-elu": conv_elu,
    "conv5-bn": conv5_bn,
    "mlp-300-100": mlp_300_100,
    "conv5x5": conv5x5,
    "conv5x5-tuned": conv5x5_tuned,
    "dnn-he": dnn_he,
    "dnn-tuned": dnn_tuned,
    "conv3-pool": conv3_pool,
    "dcnn-prelu": dcnn_prelu,
    "conv8-leaky": conv8_leaky,
}


def _pooled_block(n_in: int, n_out: int, dropout: float) -> list[nn.Module]:
    convolution = _glorot(nn.Conv2d(n_in, n_out, 5, padding="same"))
    return [convolution, nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(n_out, **KERAS_BATCHNORM), nn.Dropout(dropout)]


def _dense_relu(n_in: int, n_out: int, dropout: float) -> list[nn.Module]:
    return [_glorot(nn.Linear(n_in, n_out)), nn.ReLU(), nn.Dropout(dropout)]


def _leaky_block(n_in: int, n_out: int, n_convolutions: int) -> list[nn.Module]:
    layers = []
    for k in range(n_convolutions):
        norm = nn.BatchNorm2d(n_out, eps=1e-5, momentum=0.1)
        nn.init.uniform_(norm.weight, -0.05, 0.05)  # as published
        layers += [_glorot(nn.Conv2d(n_in if k == 0 else n_out, n_out, 3, padding=1)), norm, nn.LeakyReLU(0.1)]
    return [*layers, nn.MaxPool2d(2), nn.Dropout(0.25)]


class FastELU(nn.Module):
    """ELU (Clevert et al. 2015, arXiv:1511.07289) as max(x, exp(min(x, 0)) - 1).

    torch's own goes by expm1, which on a CPU takes five times as long as exp and more than half of this network's time;
    close to zero the two differ by 1e-7.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _FastELU.apply(x)


class _FastELU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: torch.Tensor) -> torch.Tensor:
        y = torch.maximum(x, x.clamp(max=0).exp_().sub_(1))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        (y,) = ctx.saved_tensors
        return y.clamp(max=0).add_(1).mul_(gradient)


class GaussianDropout(nn.Module):
    """Multiplies by noise of mean 1 and deviation sqrt(p / (1 - p)) (Srivastava et al. 2014, JMLR 15:1929)."""

    def __init__(self, p: float):
        super().__init__()
        self.deviation = (p / (1 - p)) ** 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        noise = torch.randn(x.shape, device=x.device)  # randn_like takes seven times as long where channels come last
        return x * (1 + self.deviation * noise).to(x.dtype)


class ElementPReLU(nn.Module):
    """PReLU with a slope of its own for each element, all zero at first, as Keras's; torch's have one a channel."""

    def __init__(self, *shape: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # as if each element were a channel
        return F.prelu(x.flatten(1), self.weight.flatten()).view(x.shape)


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


def _he(layer: nn.Linear) -> nn.Module:
    """Uniform weights of variance 2 / mean of inputs and outputs (He et al. 2015, arXiv:1502.01852); biases zero."""
    nn.init.xavier_uniform_(layer.weight, gain=2**0.5)
    nn.init.zeros_(layer.bias)
    return layer
