"""digitnet: a small residual network for digits of 28x28 pixels, fast on a CPU; and one for microcontrollers."""

import torch
from torch import nn

WIDTH = 32  # channels at 28 pixels; twice as many at 14, four times at 7
FAST_WIDTH = 16  # as CPUs multiply channels by sixteen: 12 take as long
TINY_WIDTHS = ((8, 12), (16, 18), (24,))  # of each convolution there


class DigitNet(nn.Module):
    """A 5x5 stem, two stages of one residual block each, the mean of the last maps; by default 464,106 parameters.

    Parameters
    ----------
    n_classes : int
    width : int
        Channels at 28 pixels; a teacher has more of them.
    """

    def __init__(self, n_classes: int, width: int = WIDTH):
        super().__init__()
        fine, middle, coarse = width, 2 * width, 4 * width
        self.stem = nn.Sequential(*_convolution(1, fine, 5), nn.MaxPool2d(2))  # (n, 32, 14, 14)
        self.stage1 = nn.Sequential(*_convolution(fine, middle), Residual(middle), nn.MaxPool2d(2))  # (n, 64, 7, 7)
        self.stage2 = nn.Sequential(*_convolution(middle, coarse), Residual(coarse))  # (n, 128, 7, 7)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())  # (n, 128)
        self.head = nn.Linear(coarse, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (n, n_classes) of normalised pictures (n, 1 or 3, h, w); three channels are taken as one gray."""
        return self.head(self.features(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the head sees: (n, 128)."""
        gray = x if x.shape[1] == 1 else x.mean(1, keepdim=True)
        return self.pool(self.stage2(self.stage1(self.stem(gray))))


def digitnet_tiny(n_classes: int) -> nn.Sequential:
    """Fewer than 10,000 parameters: five 3x3 convolutions in a row, two poolings between, the mean of the last maps."""
    (first, second), (third, fourth), (last,) = TINY_WIDTHS
    return nn.Sequential(
        *_convolution(1, first),
        *_convolution(first, second),
        nn.MaxPool2d(2),  # (n, 12, 14, 14)
        *_convolution(second, third),
        *_convolution(third, fourth),
        nn.MaxPool2d(2),  # (n, 18, 7, 7)
        *_convolution(fourth, last),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),  # (n, 24)
        nn.Linear(last, n_classes),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015, arXiv:1512.03385)."""

    def __init__(self, width: int):
        super().__init__()
        second, normalised, _ = _convolution(width, width)
        self.body = nn.Sequential(*_convolution(width, width), second, normalised)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.body(x))


def _convolution(n_in: int, n_out: int, kernel: int = 3) -> list[nn.Module]:
    convolution = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
