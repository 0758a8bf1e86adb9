"""Fitting the stages of a run, from its beginning or from its checkpoint: their rates, schedules and callbacks."""

from contextlib import ExitStack

import numpy as np
from fastai.callback.core import Callback
from fastai.callback.schedule import ParamScheduler, combined_cos
from fastai.learner import Learner

from ..recipes import EpochSchedule, FusedAdam, OneCycle, Stage, find_schedule
from ..runs import Run, checkpoint_weights, restore_random_states
from ..system import InputError, join_world
from .arguments import Keep, OnEpoch
from .callbacks.batch import BatchProgress, ClipGradients, EpochRates
from .callbacks.epoch_end import EpochEnd
from .callbacks.tensorboard import open_tensorboard
from .callbacks.together import SharedScores, Together
from .callbacks.weight_average import WeightAverage
from .learner import DigitLearner, renew_optimizer
from .lr_search import find_lr, note_search, rate_line, searched_rates
from .options import Rules

# callbacks that a search goes without
OF_TRAINING_ALONE = ("epoch_end", "batch_progress", "weight_average", "distillation")
SELDOM = 10  # epochs between checkpoints that serve only where training diverges
FINAL_DIV = 1e5  # of a one-cycle's peak over its last rate, as fastai's


class Diverged(InputError):
    """The loss is no number any more: by the user's choice of rate or precision, as far as one can tell."""


def fit_stages(
    run: Run, prepared: DigitLearner, stages: list[Stage], rules: Rules, on_epoch: OnEpoch, lasting: bool = True
) -> tuple[list[dict], Keep]:
    """Train what the run's checkpoint leaves to do; the weights that count are the learner's then.

    Of a run that is not `lasting` checkpoints are seldom written: nobody will go on from them.

    Returns
    -------
    list of dict
        The run's whole history.
    Keep
        Whose epoch's weights are kept: what the rules say, unless the training diverged.
    """
    checkpoint, keep = run.read_checkpoint(), rules.keep
    epoch_end, average = _add_callbacks(run, prepared.learner, stages, rules, on_epoch, lasting, checkpoint)
    if checkpoint:
        _restore(checkpoint, run, prepared.learner, epoch_end, average)
    first = checkpoint["next_stage"] if checkpoint else 0
    try:
        with ExitStack() as stack:
            for callback in prepared.learner.cbs:  # what they hold open is closed, however training ends
                stack.callback(getattr(callback, "close", lambda: None))
            for number in range(first, len(stages)):
                inside = checkpoint is not None and number == first and checkpoint["next_epoch"] > 0
                fit_stage(run, prepared, stages[number], epoch_end, number, checkpoint if inside else None)
    except Diverged as error:
        if not epoch_end.history:
            raise
        print(f"{error}; the best of the finished epochs is kept", flush=True)
        keep = _restored(run, prepared, keep, epoch_end)
    except KeyboardInterrupt:
        done, all_epochs = len(epoch_end.history), sum(stage.epochs for stage in stages)
        print(f"{done} of {all_epochs} epochs are kept in {run.path}; the same command with --resume goes on")
        raise
    else:
        if average:
            prepared.learner.model.load_state_dict(average.state()["weights"])
    return epoch_end.history, keep


def _add_callbacks(
    run: Run,
    learner: Learner,
    stages: list[Stage],
    rules: Rules,
    on_epoch: OnEpoch,
    lasting: bool,
    checkpoint: dict | None,
) -> tuple[EpochEnd, WeightAverage | None]:
    """Give the learner what the rules ask for; returned are those that a checkpoint has to restore."""
    world, epochs_done = join_world(), len(checkpoint["history"]) if checkpoint else 0
    listeners = [open_tensorboard(run.tensorboard, epochs_done)] if rules.tensorboard and world.is_first else []
    listeners += [on_epoch] if on_epoch else []
    every = 1 if lasting else SELDOM
    epoch_end = EpochEnd(run, stages, rules.early_stopping or None, rules.min_delta, rules.keep, listeners, every)
    average = WeightAverage(rules.ema) if rules.ema else None
    learner.add_cbs([epoch_end, BatchProgress(), ClipGradients(rules.clip_value, rules.clip_norm)])
    if average:
        learner.add_cb(average)
    if world.size > 1:
        learner.add_cbs([Together(world), SharedScores(world)])
    return epoch_end, average


def _restore(checkpoint: dict, run: Run, learner: Learner, epoch_end: EpochEnd, average: WeightAverage | None) -> None:
    """Bring weights, callbacks, history and random states to where they were when the checkpoint was written."""
    world = join_world()
    epoch_end.start_from(checkpoint)
    world.first_does(lambda: run.restore_history(checkpoint["history"]))
    learner.model.load_state_dict(checkpoint["model"])
    if average:
        average.start_from(checkpoint["average"])
    restore_random_states(checkpoint["random"][world.rank], learner.dls.loaders)


def fit_stage(
    run: Run, prepared: DigitLearner, stage: Stage, epoch_end: EpochEnd, number: int, checkpoint: dict | None
) -> None:
    """Stage `number` from its start, or from a `checkpoint` inside it."""
    learner = prepared.learner
    if checkpoint is None and stage.search:
        _search(run, learner, stage)
    renew_optimizer(learner, stage.frozen)
    learner.dls.train.portion = stage.portion
    if checkpoint:
        learner.opt.load_state_dict(checkpoint["optimizer"])
    rates = stage.lr or searched_rates(run, stage, prepared.transferred)
    peaks = slice(*rates) if rates[0] != rates[1] else rates[1]
    schedule = find_schedule(stage.schedule)
    first_epoch = checkpoint["next_epoch"] if checkpoint else 0
    epoch_end.begin_stage(number, first_epoch)
    with learner.no_logging():
        if isinstance(schedule, OneCycle) and isinstance(learner.opt, FusedAdam):
            options = {"pct_start": schedule.pct_start, "div": schedule.div, "start_epoch": first_epoch}
            learner.fit_one_cycle(stage.epochs, peaks, **options)
        else:
            learner.fit(stage.epochs, peaks, cbs=_scheduler(learner, schedule, peaks), start_epoch=first_epoch)
    if epoch_end.raised:
        raise epoch_end.raised
    if epoch_end.diverged:
        raise Diverged(
            f"the loss is no number any more after {len(epoch_end.history)} finished epochs, in stage {stage.name} at "
            f"a peak rate of {rates[1]:g}; pass a smaller --lr (and --precision fp32, if it was not)"
        )


def _scheduler(learner: Learner, schedule: OneCycle | EpochSchedule, peaks: slice | float) -> Callback:
    """What sets the rates of the layer groups, spread over them by fastai, by a schedule."""
    learner.opt.set_hyper("lr", peaks)
    by_group = np.array([group["lr"] for group in learner.opt.hypers])
    if isinstance(schedule, OneCycle):  # fastai's would replace the momentum that the user chose by its own
        rise_and_fall = combined_cos(schedule.pct_start, by_group / schedule.div, by_group, by_group / FINAL_DIV)
        return ParamScheduler({"lr": rise_and_fall})
    return EpochRates(schedule, by_group)


def _search(run: Run, learner, stage: Stage) -> None:
    """Search for a learning rate; note it in run.json, lr_find.csv and lr_find.png."""
    renew_optimizer(learner, stage.frozen)
    with learner.removed_cbs([cb for cb in learner.cbs if cb.name in OF_TRAINING_ALONE]):
        search = find_lr(learner)
    join_world().first_does(lambda: note_search(run, stage, search))
    print(rate_line(stage.name, search), flush=True)


def _restored(run: Run, prepared: DigitLearner, keep: Keep, epoch_end: EpochEnd) -> Keep:
    """Which epoch is kept of a run that diverged: the best, or where no valid pictures tell, the last finished one."""
    if run.best_checkpoint.exists():
        return "best" if keep == "last" else keep
    weights = epoch_end.unwritten or checkpoint_weights(run.read_checkpoint())
    prepared.learner.model.load_state_dict(weights)
    return "last"
