"""bf16 on a CPU gives the gradients that fp32 gives, where a kernel reaches beyond the picture too."""

import math

import pytest
import torch
from torch import nn

from fastdigits import finetune
from fastdigits.models.unseen_taps import seen_taps, zero_unseen_gradients
from fastdigits.runs.directory import Run


@pytest.mark.parametrize(
    ("convolution", "pixels", "seen"),
    [
        (nn.Conv2d(1, 1, 3, padding=1), 1, [False, True, False]),
        (nn.Conv2d(1, 1, 3, padding=1), 2, [True, True, True]),
        (nn.Conv2d(1, 1, 3, padding=1, stride=2), 2, [False, True, True]),
        (nn.Conv2d(1, 1, 5, padding="same"), 2, [False, True, True, True, False]),
        (nn.Conv2d(1, 1, 3, dilation=2, padding=2), 2, [False, True, False]),
        (nn.Conv2d(1, 1, 2, padding="valid"), 2, [True, True]),
    ],
)
def test_seen_taps(convolution, pixels, seen):
    assert seen_taps(convolution, (pixels, 7)).any(1).tolist() == seen
    x = torch.randn(4, 1, pixels, 7)
    convolution(x).square().sum().backward()
    assert (convolution.weight.grad.abs().sum((0, 1, 3)) > 0).tolist() == seen


def weight_gradient(convolution: nn.Conv2d, x: torch.Tensor, in_bf16: bool) -> torch.Tensor:
    convolution.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
        y = convolution(x)
    y.float().square().sum().backward()
    return convolution.weight.grad.clone()


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 1)])
def test_bf16_gradients_of_one_pixel(kernel, stride):
    torch.manual_seed(0)
    convolution = nn.Conv2d(192, 96, kernel, stride, padding=kernel // 2)
    x = torch.randn(32, 192, 1, 1)
    wanted = weight_gradient(convolution, x, in_bf16=False)
    zero_unseen_gradients(convolution, 192, 1)
    for _ in range(3):
        left = torch.full_like(wanted, float("nan"))  # what the next gradient may find in its memory
        del left
        found = weight_gradient(convolution, x, in_bf16=True)
        assert (found - wanted).norm() < 0.02 * wanted.norm()


def test_what_is_left_in_memory_does_not_reach_the_weights():
    convolution = nn.Conv2d(1, 2, 3, padding=1)
    zero_unseen_gradients(convolution, 1, 1)  # only the middle of the kernel meets the one pixel
    (convolution.weight * torch.full((2, 1, 3, 3), math.nan).index_fill_(2, torch.tensor([1]), 1.0)).sum().backward()
    gradient = convolution.weight.grad
    assert gradient[:, :, 1, 1].tolist() == [[1.0], [1.0]]
    assert gradient.isfinite().all()
    assert gradient.count_nonzero() == 2


def test_a_network_trains_in_bf16_at_any_size(tmp_path, folder):
    options = {"weights": "none", "size": 16, "epochs": 2, "lr": 5e-3, "batch_size": 32, "precision": "bf16"}
    for name in ("one", "two"):
        finetune("test_resnet", folder, out=tmp_path / name, **options)
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()
    assert all(math.isfinite(row["valid_loss"]) for row in Run(tmp_path / "one").history())
