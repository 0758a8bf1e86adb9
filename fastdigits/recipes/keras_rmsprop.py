"""Keras's RMSprop, which conv8-leaky was published with."""

import torch
from timm.optim import RMSpropTF


class KerasRMSprop(RMSpropTF):
    """timm's RMSprop, which has eps under the root as Keras has, but with averages that start at zero, not at one.

    torch's takes the root first, and with `centered` that of numbers which rounding makes negative. The averages are
    made at a tensor's first step, since fastai clears an optimiser's state whenever layers are frozen or unfrozen.
    """

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and not self.state[p]:
                    averages = ["square_avg"]
                    averages += ["momentum_buffer"] if group["momentum"] else []
                    averages += ["grad_avg"] if group["centered"] else []
                    self.state[p] = {"step": torch.tensor(0.0), **{name: torch.zeros_like(p) for name in averages}}
        return super().step(closure)
