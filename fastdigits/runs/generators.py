"""The states of all random generators that training draws from, as plain values that a checkpoint can hold."""

import random

import numpy as np


def random_states(loaders) -> dict:
    """The states of every random generator that training draws from, as plain values.

    Parameters
    ----------
    loaders : list of fastai DataLoader
        Each has a private generator for its order.
    """
    import torch

    kind, keys, position, has_gauss, gauss = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [kind, keys.tolist(), position, has_gauss, gauss],
        "python": _plain(random.getstate()),
        "loaders": [_plain(loader.rng.getstate()) for loader in loaders],
    }


def restore_random_states(states: dict, loaders) -> None:
    """Set every random generator to what `random_states` noted."""
    import torch

    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
    kind, keys, position, has_gauss, gauss = states["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), position, has_gauss, gauss))
    random.setstate(_state(states["python"]))
    for loader, state in zip(loaders, states["loaders"]):
        loader.rng.setstate(_state(state))


def _plain(state: tuple) -> list:
    version, numbers, gauss = state
    return [version, list(numbers), gauss]


def _state(plain: list) -> tuple:
    version, numbers, gauss = plain
    return version, tuple(numbers), gauss
