"""Fitting all stages of a run, from its beginning or from its checkpoint."""

from contextlib import ExitStack

from fastai.learner import Learner

from ..recipes import Stage
from ..runs import Run, restore_random_states
from ..system import join_world
from .callbacks.batch import BatchProgress, ClipGradients
from .callbacks.epoch_end import EpochEnd
from .callbacks.tensorboard import open_tensorboard
from .callbacks.together import SharedScores, Together
from .callbacks.weight_average import WeightAverage
from .learner import DigitLearner
from .options import Keep, OnEpoch
from .result import kept_weights
from .rules import Rules
from .stage import Diverged, fit_stage


def fit_stages(
    run: Run, prepared: DigitLearner, stages: list[Stage], rules: Rules, on_epoch: OnEpoch
) -> tuple[list[dict], Keep]:
    """Train what the run's checkpoint leaves to do; the weights that count are the learner's then.

    Returns
    -------
    list of dict
        The run's whole history.
    Keep
        Whose epoch's weights are kept: what the rules say, unless the training diverged.
    """
    checkpoint, keep = run.read_checkpoint(), rules.keep
    epoch_end, average = _add_callbacks(run, prepared.learner, stages, rules, on_epoch, checkpoint)
    if checkpoint:
        _restore(checkpoint, run, prepared.learner, epoch_end, average)
    try:
        _fit_from(checkpoint, run, prepared, stages, epoch_end)
    except Diverged as error:
        if not epoch_end.history:
            raise
        print(f"{error}; the best of the finished epochs is kept", flush=True)
        keep = _restored(run, prepared, keep)
    except KeyboardInterrupt:
        done, all_epochs = len(epoch_end.history), sum(stage.epochs for stage in stages)
        print(f"{done} of {all_epochs} epochs are kept in {run.path}; the same command with --resume goes on")
        raise
    else:
        if average:
            prepared.learner.model.load_state_dict(average.state()["weights"])
    return epoch_end.history, keep


def _add_callbacks(
    run: Run, learner: Learner, stages: list[Stage], rules: Rules, on_epoch: OnEpoch, checkpoint: dict | None
) -> tuple[EpochEnd, WeightAverage | None]:
    """Give the learner what the rules ask for; returned are those that a checkpoint has to restore."""
    world, epochs_done = join_world(), len(checkpoint["history"]) if checkpoint else 0
    listeners = [open_tensorboard(run.tensorboard, epochs_done)] if rules.tensorboard and world.is_first else []
    listeners += [on_epoch] if on_epoch else []
    epoch_end = EpochEnd(run, stages, rules.early_stopping or None, rules.min_delta, rules.keep, listeners)
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


def _fit_from(
    checkpoint: dict | None, run: Run, prepared: DigitLearner, stages: list[Stage], epoch_end: EpochEnd
) -> None:
    """Fit stage after stage; what callbacks hold open is closed, however it ends."""
    first = checkpoint["next_stage"] if checkpoint else 0
    with ExitStack() as stack:
        for callback in prepared.learner.cbs:
            stack.callback(getattr(callback, "close", lambda: None))
        for number in range(first, len(stages)):
            inside = checkpoint is not None and number == first and checkpoint["next_epoch"] > 0
            fit_stage(run, prepared, stages, number, epoch_end, checkpoint if inside else None)


def _restored(run: Run, prepared: DigitLearner, keep: Keep) -> Keep:
    """Which epoch is kept of a run that diverged: the best, or where no valid pictures tell, the last finished one."""
    if run.best_checkpoint.exists():
        return "best" if keep == "last" else keep
    prepared.learner.model.load_state_dict(kept_weights(run.read_checkpoint()))
    return "last"
