"""fastai callbacks of a run: precision, the end of each epoch, where to go on after a kill; and who calls them."""

import math
import time
from copy import deepcopy

import torch
from fastai.callback.core import Callback, CancelFitException
from fastai.callback.fp16 import AMPMode, MixedPrecision
from fastai.callback.schedule import LRFinder, ParamScheduler
from fastai.learner import Learner

from .progress import progress_bar
from .runs import Run, random_states


class EventLearner(Learner):
    """fastai's Learner that calls the callbacks which have something to do at an event.

    fastai's own asks every callback at every event; each that has no such method looks for it in the learner and the
    model before it does nothing, which takes a millisecond a batch.
    """

    def _call_one(self, event_name: str):
        for callback in self.cbs.sorted("order"):
            listens = hasattr(type(callback), event_name) or event_name in vars(callback)
            if listens or event_name == "after_fit":  # after which every callback is switched on again
                callback(event_name)


class AnyDeviceMixedPrecision(MixedPrecision):
    """fastai's mixed precision on any device; its own takes CUDA for granted."""

    def __init__(self, precision: str):
        super().__init__(AMPMode(precision))
        self.precision = precision

    def before_fit(self):
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
        device = next(self.model.parameters()).device.type
        self.autocast = torch.autocast(device, dtype)
        # bf16 has the range of fp32, so only fp16 needs its gradients scaled
        self.learn.scaler, self.scales = torch.amp.GradScaler(device, enabled=self.precision == "fp16"), []
        self.inside = False

    def before_batch(self):
        super().before_batch()
        self.inside = True

    def after_loss(self):
        super().after_loss()
        self.inside = False

    def close(self):
        """Leave autocast after training that ended inside a batch; it would stay on for the whole thread."""
        if getattr(self, "inside", False):
            self.after_loss()


class EpochEnd(Callback):
    """After each epoch: a history row, a printed line, a checkpoint, and the decision to stop early.

    Parameters
    ----------
    run : Run
    stages : list of Stage
    patience : int or None
        Stop a stage after that many epochs in a row without a lower valid loss.
    """

    order = 60  # after fastai's Recorder (50), whose numbers it reads

    def __init__(self, run: Run, stages: list, patience: int | None = None):
        super().__init__()
        self.directory, self.stages, self.patience = run, stages, patience  # `run` is fastai's own switch
        self.history: list[dict] = []
        self.best: list[float] | None = None  # accuracy, minus valid loss
        self.lowest_loss, self.waited = float("inf"), 0
        self.stage_number, self.first_epoch, self.diverged = 0, 0, False
        self.average_loss = None

    def start_from(self, checkpoint: dict) -> None:
        """Take over what the checkpoint of an interrupted run knows."""
        self.history, self.best = checkpoint["history"], checkpoint["best"]
        self.lowest_loss, self.waited = checkpoint["lowest_loss"], checkpoint["waited"]
        self.average_loss = checkpoint["smooth_loss"]

    def begin_stage(self, number: int, first_epoch: int) -> None:
        """The next fit is stage `number`, whose epochs before `first_epoch` are done."""
        self.stage_number, self.first_epoch = number, first_epoch
        if first_epoch == 0:
            self.average_loss, self.lowest_loss, self.waited = None, float("inf"), 0

    def before_fit(self):
        if self.average_loss is not None:  # goes on where the interrupted run's average was
            value, count = self.average_loss
            self.recorder.smooth_loss.val, self.recorder.smooth_loss.count = torch.tensor(value), count

    def before_epoch(self):
        self.started = time.monotonic()

    def after_epoch(self):
        if self.epoch < self.first_epoch:  # done before the interruption; fastai calls us all the same
            return
        row = self._row()
        self.diverged = not math.isfinite(row["train_loss"])
        if self.diverged:  # the checkpoint before stays the last; fastai would wrap an error raised here
            raise CancelFitException
        self.history.append(row)
        is_best = self._note_progress(row)
        stops = self.patience is not None and self.waited >= self.patience
        ends = stops or self.epoch + 1 == self.n_epoch
        self.directory.write_checkpoint(self._checkpoint(ends), is_best)
        self.directory.append_history(row)
        print(epoch_line(row, self.stages[self.stage_number].epochs), flush=True)
        if stops:
            print(f"stage {row['stage']} stopped early: valid loss did not fall for {self.waited} epochs", flush=True)
            raise CancelFitException

    def _row(self) -> dict:
        names, values = self.recorder.metric_names[1:-1], self.recorder.final_record
        numbers = dict(zip(names, values))
        return {
            "stage": self.stages[self.stage_number].name,
            "epoch": len(self.history) + 1,
            "train_loss": numbers["train_loss"],
            "valid_loss": numbers.get("valid_loss"),
            "accuracy": numbers.get("accuracy"),
            "lr": float(self.opt.hypers[-1]["lr"]),
            "seconds": round(time.monotonic() - self.started, 2),
        }

    def _note_progress(self, row: dict) -> bool:
        """Update what early stopping and the best checkpoint compare with; is this epoch the best so far?"""
        if row["valid_loss"] is None:
            return False
        if row["valid_loss"] < self.lowest_loss:
            self.lowest_loss, self.waited = row["valid_loss"], 0
        else:
            self.waited += 1
        score = [row["accuracy"], -row["valid_loss"]]
        if self.best is not None and score <= self.best:
            return False
        self.best = score
        return True

    def _checkpoint(self, ends_stage: bool) -> dict:
        smooth = self.recorder.smooth_loss
        return {
            "next_stage": self.stage_number + ends_stage,
            "next_epoch": 0 if ends_stage else self.epoch + 1,
            "model": self.model.state_dict(),
            "optimizer": plain_optimizer_state(self.opt),
            "random": random_states(self.dls.loaders),
            "history": self.history,
            "best": self.best,
            "lowest_loss": self.lowest_loss,
            "waited": self.waited,
            "smooth_loss": [smooth.val.item(), smooth.count],
        }


class BatchProgress(Callback):
    """A progress bar over one epoch's training batches, on a terminal only."""

    context = None

    def before_train(self):
        self.context = progress_bar(f"epoch {self.epoch + 1}/{self.n_epoch}", len(self.dls.train) * self.dls.train.bs)
        self.advance = self.context.__enter__()

    def after_batch(self):
        if self.training:
            self.advance(len(self.xb[0]))

    def after_train(self):
        self.close()

    def close(self):
        """Take the bar off the screen; also for training that ended in the middle of an epoch."""
        if self.context is not None:
            self.context.__exit__(None, None, None)
            self.context = None


class RangeTest(LRFinder):
    """fastai's learning-rate range test with the weights kept in memory; fastai's own writes them beside the data."""

    def before_fit(self):
        ParamScheduler.before_fit(self)
        self.kept = deepcopy(self.model.state_dict())
        self.best_loss = float("inf")

    def after_fit(self):
        self.opt.zero_grad()
        self.model.load_state_dict(self.kept)
        del self.kept


class BatchClock(Callback):
    """Notes when each training batch ends: `ends`, in seconds."""

    def before_fit(self):
        self.ends: list[float] = []

    def after_batch(self):
        if self.xb[0].is_cuda:
            torch.cuda.synchronize()
        self.ends.append(time.monotonic())


def plain_optimizer_state(optimizer) -> dict:
    """fastai's optimizer state with Python numbers in place of numpy's, so that it loads with weights_only."""
    state = optimizer.state_dict()
    return {
        "state": [dict(values) for values in state["state"]],
        "hypers": [
            {name: value.item() if hasattr(value, "item") else value for name, value in hyper.items()}
            for hyper in state["hypers"]
        ],
    }


def epoch_line(row: dict, stage_epochs: int) -> str:
    """One epoch in one plain line."""
    scores = [f"train_loss {row['train_loss']:.4f}"]
    if row["valid_loss"] is not None:
        scores += [f"valid_loss {row['valid_loss']:.4f}", f"accuracy {row['accuracy']:.4f}"]
    return f"epoch {row['epoch']:>3} · {row['stage']} · {' · '.join(scores)} · {row['seconds']:.0f} s"
