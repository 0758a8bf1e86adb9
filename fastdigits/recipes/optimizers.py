"""Optimisers by name: torch's behind fastai's face, and fastai's Adam with torch's fused kernel."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from fastai.optimizer import Optimizer, OptimWrapper
from torch.optim.adamw import adamw

from ..system import InputError, Settings, read_spec

MUON_STEPS = 3  # of Newton and Schulz; more are slower, and two epochs of digits no better
_ADAM = {"momentum": 0.9, "rho": 0.999, "eps": 1e-7, "weight_decay": 0.0}

# Keras's defaults, since the recipes are Keras's: `momentum` averages gradients (Adam's beta 1), `rho` their squares
OPTIMIZERS: dict[str, Settings] = {
    "sgd": {"momentum": 0.0, "weight_decay": 0.0},
    "adam": _ADAM,
    "adamw": _ADAM | {"weight_decay": 0.01},
    "nadam": _ADAM,
    "adadelta": {"rho": 0.95, "eps": 1e-7, "weight_decay": 0.0},
    "rmsprop": {"rho": 0.9, "momentum": 0.0, "eps": 1e-7, "centred": 0.0, "weight_decay": 0.0},
    # of few epochs: turns each step of a weight matrix into one of equal size in all directions (Jordan et al. 2024)
    "muon": {"momentum": 0.8, "weight_decay": 0.0},
    "fastai-adam": {"momentum": 0.9, "rho": 0.99, "eps": 1e-5, "weight_decay": 0.01},
}


def find_optimizer(text: str) -> Callable:
    """What makes the optimiser that a text such as `adam` or `sgd:momentum=0.9` names.

    Returns
    -------
    callable
        From layer groups of parameters and `lr` to a fastai optimiser.

    Raises
    ------
    InputError
        When it names none, or with values that make no sense.
    """
    name, settings = read_spec("--optimizer", text, OPTIMIZERS)
    for key, value in settings.items():
        if not (0 <= value < 1 or (key in ("weight_decay", "centred") and value >= 0)):
            raise InputError(f"--optimizer {name}:{key}={value:g} makes no sense; accepted are 0 or more and below 1")
    weight_decay = settings["weight_decay"]
    if name == "fastai-adam":
        numbers = {"mom": settings["momentum"], "sqr_mom": settings["rho"], "eps": settings["eps"], "wd": weight_decay}
        return lambda params, lr: FusedAdam(params, lr, **numbers)
    make, options = _of_torch(name, settings)
    return lambda params, lr: TorchOptimizer(params, make, lr=lr, weight_decay=weight_decay, **options)


def _of_torch(name: str, settings: Settings) -> tuple[Callable, dict]:
    """A class of torch's kind and its arguments but the rate and the decay."""
    fused, one_call = {"fused": True}, {"foreach": True}  # instead of a loop over tensors, which takes longer
    if name == "sgd":
        return torch.optim.SGD, {"momentum": settings["momentum"], **fused}
    if name == "adadelta":
        return torch.optim.Adadelta, {"rho": settings["rho"], "eps": settings["eps"], **one_call}
    if name == "rmsprop":
        options = {"alpha": settings["rho"], "momentum": settings["momentum"], "eps": settings["eps"]}
        from .keras_rmsprop import KerasRMSprop  # loads timm

        return KerasRMSprop, {**options, "centered": bool(settings["centred"])}
    if name == "muon":
        from timm.optim import Muon  # which trains biases and normalisation by AdamW

        return Muon, {"momentum": settings["momentum"], "nesterov": True, "ns_steps": MUON_STEPS}
    options = {"betas": (settings["momentum"], settings["rho"]), "eps": settings["eps"]}
    if name == "nadam":
        return torch.optim.NAdam, {**options, **one_call}
    return (torch.optim.Adam if name == "adam" else torch.optim.AdamW), {**options, **fused}


class TorchOptimizer(OptimWrapper):
    """fastai's face of a torch optimiser, whose state loads with weights_only."""

    def state_dict(self) -> dict:
        state = self.opt.state_dict()
        return {**state, "param_groups": [_plain_numbers(group) for group in state["param_groups"]]}


def _plain_numbers(values: dict) -> dict:
    """The same with Python's numbers in place of numpy's, which fastai's schedules set."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


class FusedAdam(Optimizer):
    """AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101) with fastai's groups, freezing and undecayed tensors.

    Parameters
    ----------
    params : list of list of Tensor
        Layer groups.
    lr : float
    mom, sqr_mom : float
        Averaging of gradients and of their squares; fastai's names and defaults.
    eps : float
    wd : float
        Decoupled weight decay; normalisation layers and biases are left alone, as fastai marks them.
    """

    def __init__(self, params, lr, mom=0.9, sqr_mom=0.99, eps=1e-5, wd=0.01):
        super().__init__(params, [], lr=lr, mom=mom, sqr_mom=sqr_mom, eps=eps, wd=wd)

    def state_dict(self) -> dict:
        """fastai's, with Python numbers in place of numpy's, so that it loads with weights_only."""
        state = super().state_dict()
        hypers = [_plain_numbers(hyper) for hyper in state["hypers"]]
        return {"state": [dict(values) for values in state["state"]], "hypers": hypers}

    def load_state_dict(self, sd: dict) -> None:
        """fastai's, with the tensors moved to the parameters' device."""
        device = self.all_params()[0][0].device

        def moved(value):
            return value.to(device) if isinstance(value, torch.Tensor) else value

        state = [{name: moved(value) for name, value in values.items()} for values in sd["state"]]
        super().load_state_dict({**sd, "state": state})

    @torch.no_grad()
    def step(self, closure=None):
        alike = defaultdict(list)  # groups with the same numbers take one call of the kernel
        for group, hyper in zip(self.param_lists, self.hypers):
            numbers = {name: float(hyper[name]) for name in ("lr", "mom", "sqr_mom", "eps")}
            for p in group:
                if p.requires_grad and p.grad is not None:
                    wd = hyper["wd"] if self._start(p).get("do_wd", True) else 0.0
                    alike[(*numbers.values(), float(wd))].append(p)
        for numbers, params in alike.items():
            self._update(params, *numbers)

    def zero_grad(self):
        for p, *_ in self.all_params():
            p.grad = None  # cheaper than zeros, and a layer that is frozen next keeps no gradient to decay by

    def _start(self, p: torch.Tensor) -> dict:
        state = self.state[p]
        if "exp_avg" not in state:
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(p), torch.zeros_like(p)
            state["step"] = torch.zeros((), device=p.device)
        return state

    def _update(self, params: list[torch.Tensor], lr: float, mom: float, sqr_mom: float, eps: float, wd: float) -> None:
        states = [self.state[p] for p in params]
        adamw(
            params,
            [p.grad for p in params],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=mom,
            beta2=sqr_mom,
            lr=lr,
            weight_decay=wd,
            eps=eps,
            maximize=False,
        )
