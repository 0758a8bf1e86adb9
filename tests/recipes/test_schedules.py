"""Schedules give the published rates, and the optimisers are those that their names say."""

import numpy as np
import pytest
import torch

from fastdigits.recipes.optimizers import OPTIMIZERS, find_optimizer
from fastdigits.recipes.schedules import Steps, find_schedule
from fastdigits.training.callbacks.batch import ClipGradients


def test_steps():
    schedule = find_schedule("steps:0=0.01,5=0.005,10=0.003")
    assert isinstance(schedule, Steps)
    rates = [schedule.rate(0.01, [{}] * epoch) for epoch in range(12)]
    assert rates == pytest.approx([0.01] * 5 + [0.005] * 5 + [0.003] * 2)
    assert schedule.rate(0.1, [{}] * 5) == pytest.approx(0.05)


def torch_rates(losses: list[float], lr: float, factor: float, patience: int, min_delta: float, floor: float):
    """The rate of each epoch by torch, which lowers it after `patience` + 1 epochs without progress."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, patience=patience - 1, threshold=min_delta, threshold_mode="abs", min_lr=floor, eps=0
    )
    rates = []
    for loss in losses:
        rates.append(optimizer.param_groups[0]["lr"])
        plateau.step(loss)
    return rates


@pytest.mark.parametrize(("patience", "floor"), [(1, 0.0), (2, 1e-5), (3, 0.0)])
def test_plateau_is_torchs(patience, floor):
    losses = np.random.default_rng(patience).uniform(0, 1, 40).cumsum()[::-1] % 3
    text = f"plateau:factor=0.25,patience={patience},min_delta=0.01,floor={floor},monitor=train_loss"
    rows = [{"train_loss": loss} for loss in losses]
    ours = [find_schedule(text).rate(0.002, rows[:epoch]) for epoch in range(len(rows))]
    assert ours == pytest.approx(torch_rates(losses.tolist(), 0.002, 0.25, patience, 0.01, floor))
    assert len(set(ours)) > 2


def test_a_rate_below_the_floor_of_a_plateau_stays():
    schedule = find_schedule("plateau:factor=0.25,patience=1,floor=1e-5")
    rows = [{"valid_loss": 1.0}] * 6
    assert [schedule.rate(1e-6, rows[:epoch]) for epoch in range(6)] == [1e-6] * 6


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_downhill(name):
    point = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = find_optimizer(name)([[point]], lr=1.0 if name == "adadelta" else 0.05)
    before = (point**2).sum().item()
    for _ in range(60):
        (point**2).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert (point**2).sum().item() < before * 0.95


def test_rmsprop_is_keras():
    """Two steps by hand: eps under the root, centred, the rate inside the momentum."""
    rho, momentum, eps, lr = 0.9, 0.1, 1e-7, 0.002
    point = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = find_optimizer(f"rmsprop:rho={rho},momentum={momentum},centred=1")([[point]], lr=lr)
    optimizer.clear_state()  # as fastai does when it unfreezes
    square, mean, step, value = 0.0, 0.0, 0.0, 1.0
    for gradient in (0.5, -0.3):
        point.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        square, mean = rho * square + (1 - rho) * gradient**2, rho * mean + (1 - rho) * gradient
        step = momentum * step + lr * gradient / (square - mean**2 + eps) ** 0.5
        value -= step
        assert point.item() == pytest.approx(value)


def test_gradients_are_clipped_by_value_and_then_tensor_by_tensor():
    model = torch.nn.Linear(3, 2)
    model.weight.grad = torch.tensor([[5.0, -5.0, 0.1], [0.0, 0.0, 0.0]])
    model.bias.grad = torch.tensor([0.3, 0.4])
    clip = ClipGradients(1.0, 1.0)
    clip.learn = type("Learner", (), {"model": model})()
    clip.before_step()
    cut = torch.tensor([1.0, -1.0, 0.1])
    torch.testing.assert_close(model.weight.grad[0], cut / cut.norm())
    torch.testing.assert_close(model.bias.grad, torch.tensor([0.3, 0.4]))  # its norm is 0.5 already
