"""Scratch networks for gray digits, layer by layer as they were published in Keras.

Each takes gray pictures (n, 1, size, size) and gives logits (n, n_classes). The shapes in the comments are those of the
published size, 28 pixels. Pictures that are too small for the layers are a ValueError.
"""

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from ...system import InputError
from .layers import ElementPReLU, FastDropout, FastELU, GaussianDropout

KERAS_BATCHNORM = {"eps": 1e-3, "momentum": 0.01}  # Keras's momentum 0.99 is what torch calls 0.01


def conv_elu(n_classes: int, size: int = 28) -> nn.Sequential:
    """Two wide convolutions with ELU, then SELU layers."""
    flat = _flat(32, ((size - 4) // 2 - 4) // 2)
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
        nn.BatchNorm1d(flat, **KERAS_BATCHNORM),
        _lecun(nn.Linear(flat, 128)),
        nn.SELU(),
        nn.BatchNorm1d(128, **KERAS_BATCHNORM),
        _lecun(nn.Linear(128, 64)),
        nn.SELU(),
        _glorot(nn.Linear(64, n_classes)),
    )


def conv5_bn(n_classes: int, size: int = 28) -> nn.Sequential:
    """Five convolutions without padding and one large dense layer."""
    flat = _flat(128, (size - 10) // 2)
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
        FastDropout(0.25),
        nn.Flatten(),  # (n, 10368)
        nn.BatchNorm1d(flat, **KERAS_BATCHNORM),
        _glorot(nn.Linear(flat, 256)),
        nn.ReLU(),
        FastDropout(0.5),
        nn.BatchNorm1d(256, **KERAS_BATCHNORM),
        _glorot(nn.Linear(256, n_classes)),
    )


def mlp_300_100(n_classes: int, size: int = 28) -> nn.Sequential:
    """The perceptron with two hidden layers that LeCun et al. measured in 1998."""
    return nn.Sequential(
        nn.Flatten(),
        _glorot(nn.Linear(size**2, 300)),
        nn.ReLU(),
        _glorot(nn.Linear(300, 100)),
        nn.ReLU(),
        _glorot(nn.Linear(100, n_classes)),
    )


def conv5x5(
    n_classes: int,
    size: int = 28,
    filters: str = "32-64",
    dense: str = "256",
    dropout: float = 0.25,
    dense_dropout: float = 0.5,
) -> nn.Sequential:
    """A block of 5x5 convolutions for each of `filters`, which halves the picture, then the `dense` layers."""
    maps, neurons = numbers_of("filters", filters, at_most=4), numbers_of("dense", dense)
    flat = _flat(maps[-1], size >> len(maps))
    return nn.Sequential(
        *(layer for pair in pairwise([1, *maps]) for layer in _pooled_block(*pair, dropout)),
        nn.Flatten(),
        *(layer for pair in pairwise([flat, *neurons]) for layer in _dense_relu(*pair, dense_dropout)),
        _glorot(nn.Linear(neurons[-1], n_classes)),
    )


def conv5x5_tuned(
    n_classes: int,
    size: int = 28,
    filters: str = "64-64-128-128",
    dense: str = "256",
    dropout: float = 0.25,
    dense_dropout: float = 0.5,
) -> nn.Sequential:
    """conv5x5 as a search found it; the dropouts, which are not published, are those of conv5x5."""
    return conv5x5(n_classes, size, filters, dense, dropout, dense_dropout)


def dnn_he(n_classes: int, size: int = 28, dense: str = "300-100", dropout: float = 0.2) -> nn.Sequential:
    """Two hidden layers, or as many as `dense` names, with He's weights and dropout."""
    neurons = numbers_of("dense", dense)
    return nn.Sequential(
        nn.Flatten(),
        *(layer for pair in pairwise([size**2, *neurons]) for layer in _dense_relu(*pair, dropout, _he)),
        _glorot(nn.Linear(neurons[-1], n_classes)),
    )


def dnn_tuned(n_classes: int, size: int = 28, neurons: float = 150, momentum: float = 0.8) -> nn.Sequential:
    """Two hidden layers of `neurons` with BatchNorm of Keras's `momentum`, as a grid search found them."""
    width, batchnorm = int(neurons), {"eps": 1e-3, "momentum": round(1 - momentum, 9)}  # torch counts what is new
    return nn.Sequential(
        nn.Flatten(),
        _glorot(nn.Linear(size**2, width)),
        nn.ReLU(),
        nn.BatchNorm1d(width, **batchnorm),
        _glorot(nn.Linear(width, width)),
        nn.ReLU(),
        nn.BatchNorm1d(width, **batchnorm),
        _glorot(nn.Linear(width, n_classes)),
    )


def conv3_pool(n_classes: int, size: int = 28) -> nn.Sequential:
    """Three convolutions, each with a pool, and two dense layers."""
    flat = _flat(64, size >> 3)
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
        *_dense_relu(flat, 128, dropout=0.5),
        *_dense_relu(128, 64, dropout=0.5),
        _glorot(nn.Linear(64, n_classes)),
    )


def dcnn_prelu(n_classes: int, size: int = 28) -> nn.Sequential:
    """Six convolutions without padding or pools; those without an activation have none in the notebook either."""
    flat = _flat(64, size - 18)
    return nn.Sequential(
        _glorot(nn.Conv2d(1, 8, 7)),
        ElementPReLU(8, size - 6, size - 6),
        nn.BatchNorm2d(8, **KERAS_BATCHNORM),
        FastDropout(0.5),
        _glorot(nn.Conv2d(8, 16, 5)),
        ElementPReLU(16, size - 10, size - 10),
        FastDropout(0.5),
        FastDropout(0.25),
        _glorot(nn.Conv2d(16, 32, 3)),
        _glorot(nn.Conv2d(32, 64, 3)),  # (n, 64, 14, 14)
        FastDropout(0.25),
        _glorot(nn.Conv2d(64, 128, 2)),
        _glorot(nn.Conv2d(128, 64, 4)),  # (n, 64, 10, 10)
        FastDropout(0.25),
        nn.Flatten(),  # (n, 6400)
        _glorot(nn.Linear(flat, 512)),
        ElementPReLU(512),
        nn.BatchNorm1d(512, **KERAS_BATCHNORM),
        FastDropout(0.5),
        _glorot(nn.Linear(512, 512)),
        ElementPReLU(512),
        _glorot(nn.Linear(512, n_classes)),
    )


def conv8_leaky(n_classes: int, size: int = 28) -> nn.Sequential:
    """Eight convolutions with LeakyReLU in three blocks."""
    flat = _flat(256, size >> 3)
    return nn.Sequential(
        *_leaky_block(1, 64, 3),  # (n, 64, 14, 14)
        *_leaky_block(64, 128, 3),  # (n, 128, 7, 7)
        *_leaky_block(128, 256, 2),  # (n, 256, 3, 3)
        nn.Flatten(),
        _glorot(nn.Linear(flat, 256)),
        nn.LeakyReLU(0.1),
        nn.BatchNorm1d(256, **KERAS_BATCHNORM),
        _glorot(nn.Linear(256, n_classes)),
    )


SCRATCH: dict[str, Callable[..., nn.Sequential]] = {
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


def numbers_of(name: str, text: str, at_most: int = 8) -> list[int]:
    """Widths of layers, written 64-64-128; InputError unless there are 1 to `at_most` of them, each 1 to 4096."""
    parts = text.split("-")
    if not (1 <= len(parts) <= at_most and all(part.isdecimal() and 1 <= int(part) <= 4096 for part in parts)):
        raise InputError(
            f"{name}={text} makes no sense; accepted are 1 to {at_most} whole numbers of 1 to 4096, written 32-64"
        )
    return [int(part) for part in parts]


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


def _flat(maps: int, side: int) -> int:
    """Elements of `maps` maps of side x side pixels; ValueError when none is left of the pictures."""
    if side < 1:
        raise ValueError("the pictures are too small for these layers")
    return maps * side**2


def _pooled_block(n_in: int, n_out: int, dropout: float) -> list[nn.Module]:
    convolution = _glorot(nn.Conv2d(n_in, n_out, 5, padding="same"))
    return [convolution, nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(n_out, **KERAS_BATCHNORM), FastDropout(dropout)]


def _dense_relu(n_in: int, n_out: int, dropout: float, start: Callable = _glorot) -> list[nn.Module]:
    return [start(nn.Linear(n_in, n_out)), nn.ReLU(), FastDropout(dropout)]


def _leaky_block(n_in: int, n_out: int, n_convolutions: int) -> list[nn.Module]:
    layers = []
    for k in range(n_convolutions):
        norm = nn.BatchNorm2d(n_out, eps=1e-5, momentum=0.1)
        nn.init.uniform_(norm.weight, -0.05, 0.05)  # as published
        layers += [_glorot(nn.Conv2d(n_in if k == 0 else n_out, n_out, 3, padding=1)), norm, nn.LeakyReLU(0.1)]
    return [*layers, nn.MaxPool2d(2), FastDropout(0.25)]
