"""Looking inside a network: its layers and weights, and what it makes of a picture."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .networks.layers import ElementPReLU, FastELU

HISTOGRAM_BINS = 40
MAPPING = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Hardswish, FastELU, ElementPReLU)


@dataclass
class Layer:
    """One layer, as it is met on the way of a picture.

    Attributes
    ----------
    name, kind : str
        As in the module, and its class.
    output_shape : tuple of int
        Without the batch: (channels, h, w) or (features,).
    parameters : int
        Trainable ones.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass
class WeightStatistics:
    """The weights, or the biases, of one layer.

    Attributes
    ----------
    name : str
        The layer's, for biases with "bias" behind it.
    shape : tuple of int
    mean, std, least, most : float
    counts : list of int, length 40
        Of a histogram, between `edges` (41 floats).
    """

    name: str
    shape: tuple[int, ...]
    mean: float
    std: float
    least: float
    most: float
    counts: list[int]
    edges: list[float]


@contextmanager
def watched(module: nn.Module, chosen: Callable[[nn.Module], bool], note: Callable) -> Iterator[None]:
    """While the block lasts, `note(name, layer, output)` is called after each chosen layer."""
    handles = []
    for name, layer in module.named_modules():
        if chosen(layer):
            handles.append(layer.register_forward_hook(partial(_noted, note, name)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _noted(note: Callable, name: str, layer: nn.Module, inputs: tuple, output) -> None:
    note(name, layer, output)


def layer_table(module: nn.Module, pictures: torch.Tensor) -> list[Layer]:
    """Each layer that has no layers of its own, or has parameters of its own, in the order of the computation.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    pictures : Tensor, shape (n, channels, size, size)
    """
    layers: list[Layer] = []

    met: set[nn.Module] = set()

    def own_parameters(layer: nn.Module) -> int:
        return sum(p.numel() for p in layer.parameters(recurse=False) if p.requires_grad)

    def note(name: str, layer: nn.Module, output) -> None:
        first = output if isinstance(output, torch.Tensor) else output[0]
        count = 0 if layer in met else own_parameters(layer)  # a layer may be passed more than once
        met.add(layer)
        layers.append(Layer(name or "(all)", type(layer).__name__, tuple(first.shape[1:]), count))

    with (
        torch.no_grad(),
        watched(module, lambda layer: not list(layer.children()) or own_parameters(layer) > 0, note),
    ):
        module(pictures[:1])
    return layers


def weight_statistics(module: nn.Module) -> list[WeightStatistics]:
    """Statistics and a histogram of the weights, and of the biases, of each convolution and dense layer."""
    found = []
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            found.append(_statistics(name, layer.weight))
            if layer.bias is not None:
                found.append(_statistics(f"{name} bias", layer.bias))
    return found


def _statistics(name: str, parameter: nn.Parameter) -> WeightStatistics:
    values = parameter.detach().float().cpu().numpy()
    counts, edges = np.histogram(values, HISTOGRAM_BINS)
    numbers = (float(values.mean()), float(values.std()), float(values.min()), float(values.max()))
    return WeightStatistics(name, values.shape, *numbers, counts.tolist(), edges.tolist())


def first_filters(module: nn.Module) -> np.ndarray:
    """The first layer's kernels (n, h, w), summed over the input's channels, which are equal.

    A dense first layer over square pictures has kernels as large as those.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            return layer.weight.detach().float().sum(1).cpu().numpy()
        if isinstance(layer, nn.Linear):
            side = int(layer.in_features**0.5)
            if side * side != layer.in_features:
                break
            return layer.weight.detach().float().cpu().numpy().reshape(-1, side, side)
    return np.zeros((0, 1, 1), np.float32)


def feature_maps(module: nn.Module, picture: torch.Tensor) -> list[tuple[str, np.ndarray]]:
    """What each convolution and pooling layer gives for one picture (1, channels, size, size): name and (c, h, w).

    A convolution's maps are those behind its activation, where one follows at once or after BatchNorm. Nothing else may
    come between, such as a residual block's sum.
    """
    maps = []
    convolved = version = None  # what the last convolution gave, normalised or not, and how often it had been changed
    is_its_own = False

    def before(layer: nn.Module, inputs: tuple) -> None:
        nonlocal is_its_own
        is_its_own = inputs[0] is convolved and convolved._version == version

    def note(name: str, layer: nn.Module, output: torch.Tensor) -> None:
        nonlocal convolved, version
        if output.ndim != 4:
            return
        values = output[0].float().cpu().numpy().copy()  # some layers work in place
        if isinstance(layer, MAPPING):
            maps.append((f"{name} {type(layer).__name__}", values))
        elif is_its_own and isinstance(layer, ACTIVATIONS):
            maps[-1] = (f"{maps[-1][0]} + {type(layer).__name__}", values)
        goes_on = isinstance(layer, nn.Conv2d) or (is_its_own and isinstance(layer, nn.BatchNorm2d))
        convolved, version = (output, output._version) if goes_on else (None, None)

    followers = (*ACTIVATIONS, nn.BatchNorm2d)
    handles = [x.register_forward_pre_hook(before) for x in module.modules() if isinstance(x, followers)]
    try:
        with torch.no_grad(), watched(module, lambda layer: isinstance(layer, MAPPING + followers), note):
            module(picture)
    finally:
        for handle in handles:
            handle.remove()
    return maps


def grad_cam(module: nn.Module, pictures: torch.Tensor, classes: list[int]) -> np.ndarray | None:
    """Where the network looked for a class (Grad-CAM; Selvaraju et al. 2017, arXiv:1610.02391).

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    pictures : Tensor, shape (n, channels, size, size)
    classes : list of int, length n
        The class that is asked about, for each picture.

    Returns
    -------
    ndarray of float, shape (n, size, size), 0..1; None for a network without maps of more than one pixel
        The last such maps are taken, whatever gives them.
    """
    outputs: list[torch.Tensor] = []

    def note(name: str, layer: nn.Module, output) -> None:
        if isinstance(output, torch.Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            outputs.append(output)

    with torch.enable_grad(), watched(module, lambda layer: True, note):
        logits = module(pictures.detach().requires_grad_())
    if not outputs:
        return None
    asked = logits[torch.arange(len(classes)), torch.tensor(classes, device=logits.device)].sum()
    (gradient,) = torch.autograd.grad(asked, outputs[-1])
    weights = gradient.mean((2, 3), keepdim=True)
    heat = (weights * outputs[-1]).sum(1, keepdim=True).relu()
    heat = F.interpolate(heat.detach().float(), pictures.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return (heat / heat.amax((1, 2), keepdim=True).clamp(min=1e-12)).cpu().numpy()


def features(module: nn.Module, batches: Iterator[torch.Tensor]) -> np.ndarray:
    """What the last dense or convolutional layer sees, of unit length: float32 (n, features).

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    batches : iterator of Tensor, each of the shape (n, channels, size, size)
    """
    head = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    seen: list[torch.Tensor] = []
    handle = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().flatten(1).float().cpu()))
    try:
        with torch.no_grad():
            for batch in batches:
                module(batch)
    finally:
        handle.remove()
    found = torch.cat(seen).numpy()
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
