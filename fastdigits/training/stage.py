"""Fitting one stage of a training: its rates, given or searched for, and its schedule."""

import numpy as np

from ..recipes import OneCycle, Stage, find_schedule
from ..runs import Run
from ..system import InputError, join_world
from .learner import DigitLearner, renew_optimizer
from .lr_search import find_lr, note_search, search_line, searched_rates

OF_TRAINING_ALONE = (
    "epoch_end",
    "batch_progress",
    "weight_average",
    "distillation",
)  # callbacks that a search goes without
FINAL_DIV = 1e5  # of a one-cycle's peak over its last rate, as fastai's


class Diverged(InputError):
    """The loss is no number any more: by the user's choice of rate or precision, as far as one can tell."""


def fit_stage(
    run: Run, prepared: DigitLearner, stages: list[Stage], number: int, epoch_end, checkpoint: dict | None
) -> None:
    """One stage from its start, or from a `checkpoint` inside it."""
    learner, stage = prepared.learner, stages[number]
    if checkpoint is None and stage.search:
        _search(run, learner, stage)
    renew_optimizer(learner, stage.frozen)
    if checkpoint:
        learner.opt.load_state_dict(checkpoint["optimizer"])
    rates = stage.lr or searched_rates(run, stage, prepared.transferred)
    first_epoch = checkpoint["next_epoch"] if checkpoint else 0
    epoch_end.begin_stage(number, first_epoch)
    with learner.no_logging():
        _fit(learner, stage, rates, first_epoch)
    if epoch_end.diverged:
        raise Diverged(
            f"the loss is no number any more after {len(epoch_end.history)} finished epochs, in stage {stage.name} at "
            f"--lr {rates[1]:g}; pass a smaller --lr (and --precision fp32, if it was not)"
        )


def _fit(learner, stage: Stage, rates: tuple[float, float], first_epoch: int) -> None:
    """fastai's fit with the stage's schedule."""
    from fastai.callback.schedule import ParamScheduler, combined_cos

    from ..recipes import FusedAdam
    from .callbacks.batch import EpochRates

    schedule, peaks = find_schedule(stage.schedule), slice(*rates) if rates[0] != rates[1] else rates[1]
    if isinstance(schedule, OneCycle) and isinstance(learner.opt, FusedAdam):
        options = {"pct_start": schedule.pct_start, "div": schedule.div, "start_epoch": first_epoch}
        learner.fit_one_cycle(stage.epochs, peaks, **options)
        return
    by_group = _rates_by_group(learner, peaks)
    if isinstance(schedule, OneCycle):  # fastai's would replace the momentum that the user chose by its own
        rise_and_fall = combined_cos(schedule.pct_start, by_group / schedule.div, by_group, by_group / FINAL_DIV)
        scheduler = ParamScheduler({"lr": rise_and_fall})
    else:
        scheduler = EpochRates(schedule, by_group)
    learner.fit(stage.epochs, peaks, cbs=scheduler, start_epoch=first_epoch)


def _rates_by_group(learner, peaks: slice | float) -> np.ndarray:
    """Peak rates of the layer groups, spread over them by fastai."""
    learner.opt.set_hyper("lr", peaks)
    return np.array([group["lr"] for group in learner.opt.hypers])


def _search(run: Run, learner, stage: Stage) -> None:
    """Search for a learning rate; note it in run.json, lr_find.csv and lr_find.png."""
    renew_optimizer(learner, stage.frozen)
    with learner.removed_cbs([cb for cb in learner.cbs if cb.name in OF_TRAINING_ALONE]):
        search = find_lr(learner)
    join_world().first_does(lambda: note_search(run, stage, search))
    print(search_line(stage.name, search), flush=True)
