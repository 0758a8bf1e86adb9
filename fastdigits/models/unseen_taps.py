"""Kernel taps that meet nothing but padding, as those of a 3x3 convolution over one pixel do."""

import torch
from torch import nn


def zero_unseen_gradients(module: nn.Module, channels: int, size: int) -> None:
    """Let the gradient of every convolution's unseen taps be zero, as it should be, from now on.

    oneDNN's bf16 kernels on CPUs (seen with 3.13 on AVX512-BF16) leave these entries as the memory was, and a few
    steps later the weights are no numbers any more. A ResNet at 16 px has such convolutions.

    Parameters
    ----------
    module : torch.nn.Module
    channels, size : int
        Of the pictures that it will be trained with; size in pixels.
    """
    sizes: dict[nn.Conv2d, torch.Size] = {}

    def note(convolution: nn.Conv2d, inputs: tuple[torch.Tensor]) -> None:
        sizes[convolution] = inputs[0].shape[-2:]

    # not timm's subclasses that pad by themselves: to oneDNN their padding is pixels
    convolutions = [m for m in module.modules() if type(m) is nn.Conv2d]
    handles = [convolution.register_forward_pre_hook(note) for convolution in convolutions]
    training = module.training
    with torch.no_grad():
        module.eval()(torch.zeros(1, channels, size, size, device=next(module.parameters()).device))
    module.train(training)
    for handle in handles:
        handle.remove()
    for convolution, input_size in sizes.items():
        seen = seen_taps(convolution, input_size)
        if not seen.all() and convolution.weight.requires_grad:
            convolution.weight.register_hook(lambda gradient, seen=seen: torch.where(seen, gradient, 0))


def seen_taps(convolution: nn.Conv2d, input_size: tuple[int, int]) -> torch.Tensor:
    """Which taps of the kernel meet a pixel for some output: bool (kernel height, kernel width)."""
    rows, columns = (_seen_along(convolution, axis, pixels) for axis, pixels in enumerate(input_size))
    return (rows[:, None] & columns[None, :]).to(convolution.weight.device)


def _seen_along(convolution: nn.Conv2d, axis: int, pixels: int) -> torch.Tensor:
    taps, stride, dilation = (getattr(convolution, name)[axis] for name in ("kernel_size", "stride", "dilation"))
    reach = dilation * (taps - 1)
    padding = convolution.padding
    before, both = (reach // 2, reach) if padding == "same" else (0, 0)  # torch pads the odd pixel behind
    if not isinstance(padding, str):
        before, both = padding[axis], 2 * padding[axis]
    outputs = (pixels + both - reach - 1) // stride + 1
    positions = torch.arange(outputs)[:, None] * stride - before + torch.arange(taps) * dilation  # (outputs, taps)
    return ((positions >= 0) & (positions < pixels)).any(0)
