"""Outputs beside the classes: pictures that show several digits, or no digit.

They come last among a network's outputs, and are taught with pictures that show so, as classes of their own.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

OUTLIERS = ("several", "other")  # in the order of the outputs


def count_outputs(classes: list[str], tells_outliers: bool) -> int:
    """Outputs of a network: one a class, and those of OUTLIERS where it tells them."""
    return len(classes) + len(OUTLIERS) * tells_outliers


def shares_of(logits: "torch.Tensor", n_classes: int, temperature: float) -> "torch.Tensor":
    """Shares of a network's outputs.

    Parameters
    ----------
    logits : Tensor, shape (n, n_classes) or (n, n_classes + 2)
    temperature : float
        Logits are divided by it before the softmax over the classes.

    Returns
    -------
    Tensor, of the logits' shape
        Probabilities of the classes among each other, whose rows sum to 1; behind them, where there are logits for it,
        the shares of OUTLIERS among all outputs.
    """
    import torch

    logits = logits.float()
    probabilities = torch.softmax(logits[:, :n_classes] / temperature, 1)
    if logits.shape[1] == n_classes:
        return probabilities
    return torch.cat([probabilities, torch.softmax(logits, 1)[:, n_classes:]], 1)


def fit_outputs(tensors: dict, own: dict, n_classes: int) -> dict:
    """A network's tensors for another one that tells OUTLIERS where it does not, or the other way round.

    Rows of the classes are taken over; rows of OUTLIERS that are missing stay as they are in `own`.
    """
    import torch

    def fitted(tensor, wanted):
        sizes = {n_classes, n_classes + len(OUTLIERS)}
        if tensor.shape == wanted.shape or tensor.shape[1:] != wanted.shape[1:]:
            return tensor
        if {len(tensor), len(wanted)} != sizes:
            return tensor
        return torch.cat([tensor[:n_classes].to(wanted), wanted[n_classes:]])

    return {name: fitted(tensor, own[name]) if name in own else tensor for name, tensor in tensors.items()}
