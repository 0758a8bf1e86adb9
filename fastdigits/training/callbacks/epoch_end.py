"""The fastai callback that keeps each finished epoch, and the decisions that it leads to."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from copy import deepcopy

from fastai.callback.core import Callback, CancelFitException

from ...recipes import Stage
from ...runs import Run, checkpoint_weights, random_states
from ...system import join_world
from .together import bare_network

MOST_LINES = 20  # of a stage; history.csv has all epochs


class EpochEnd(Callback):
    """After each epoch: a history row, a checkpoint, the decision to stop early, and of some a printed line.

    Parameters
    ----------
    run : Run
    stages : list of Stage
    patience : int or None
        Stop a stage after that many epochs in a row whose valid loss was not lower by `min_delta`.
    min_delta : float
    keep : 'last', 'best', 'lowest-loss' or 'last-fall'
        What makes an epoch's checkpoint the best: with lowest-loss the valid loss, with last-fall that it is lower by
        `min_delta`, else the accuracy, and between equal ones the loss.
    listeners : sequence of callable
        Each is given every history row, once it is kept.
    every : int
        After how many epochs a checkpoint is written, beside the first, those that are the best so far, and a stage's
        last.
    """

    order = 60  # after fastai's Recorder (50), whose numbers it reads

    def __init__(
        self,
        run: Run,
        stages: list[Stage],
        patience: int | None = None,
        min_delta: float = 0.0,
        keep: str = "last",
        listeners: Sequence[Callable[[dict], None]] = (),
        every: int = 1,
    ):
        super().__init__()
        self.world = join_world()
        self.directory, self.stages = run, stages  # `run` is fastai's own switch
        self.patience, self.min_delta, self.keep, self.listeners = patience, min_delta, keep, listeners
        self.every = every
        self.unwritten: dict | None = None  # weights of the last finished epoch, where no checkpoint has them
        self.history: list[dict] = []
        self.best: list[float] | None = None  # the larger the better
        self.lowest_loss, self.waited = float("inf"), 0
        self.stage_number, self.first_epoch, self.diverged = 0, 0, False
        self.raised: Exception | None = None  # by a listener
        self.has_head = False  # of the table of this stage's epochs

    def start_from(self, checkpoint: dict) -> None:
        """Take over what the checkpoint of an interrupted run knows."""
        self.history, self.best = checkpoint["history"], checkpoint["best"]
        self.lowest_loss, self.waited = checkpoint["lowest_loss"], checkpoint["waited"]

    def begin_stage(self, number: int, first_epoch: int) -> None:
        """The next fit is stage `number`, whose epochs before `first_epoch` are done."""
        self.stage_number, self.first_epoch, self.has_head = number, first_epoch, False
        if first_epoch == 0:
            self.lowest_loss, self.waited = float("inf"), 0

    @property
    def stage(self) -> Stage:
        return self.stages[self.stage_number]

    @property
    def stage_history(self) -> list[dict]:
        """The rows of the present stage."""
        return [row for row in self.history if row["stage"] == self.stage.name]

    def before_epoch(self):
        self.started, self.loss_sum, self.pictures = time.monotonic(), 0.0, 0

    def after_batch(self):
        if self.training:  # a mean over the epoch; fastai's own average forgets what is older than fifty batches
            count = len(self.yb[0])
            self.loss_sum, self.pictures = self.loss_sum + self.loss.detach() * count, self.pictures + count

    def after_epoch(self):
        if self.epoch < self.first_epoch:  # done before the interruption; fastai calls us all the same
            return
        row = self._row()
        self.diverged = not all(math.isfinite(row[loss] or 0.0) for loss in ("train_loss", "valid_loss"))
        if self.diverged:  # the checkpoint before stays the last; fastai would wrap an error raised here
            raise CancelFitException
        self.history.append(row)
        is_best = self._note_progress(row)
        stops = self.patience is not None and self.waited >= self.patience
        ends = stops or self.epoch + 1 == self.n_epoch
        is_due = ends or is_best or (len(self.history) - 1) % self.every == 0
        checkpoint = self._checkpoint(ends)
        self.unwritten = None if is_due else deepcopy(checkpoint_weights(checkpoint))
        if self.world.is_first:
            if is_due:
                self.directory.write_checkpoint(checkpoint, is_best)
            self.directory.append_history(row)
            if ends or is_told(self.epoch, self.n_epoch):
                told = table_line(row, is_best, with_head=not self.has_head)
                print(told if sys.stdout.isatty() else epoch_line(row), flush=True)
                self.has_head = True
            self._tell_listeners(row)
        if stops:
            fall = f"fall by {self.min_delta:g}" if self.min_delta else "fall"
            print(f"stage {row['stage']} stopped early: valid loss did not {fall} for {self.waited} epochs", flush=True)
            raise CancelFitException

    def _tell_listeners(self, row: dict) -> None:
        """Let who listens know; their error ends the training as it is, while fastai would put its words into it."""
        try:
            for listener in self.listeners:
                listener(row)
        except CancelFitException:  # fastai's own way to end a fit
            raise
        except Exception as error:
            self.raised = error
            raise CancelFitException from None

    def _row(self) -> dict:
        names, values = self.recorder.metric_names[1:-1], self.recorder.final_record
        numbers = dict(zip(names, values))
        loss_sum, pictures = self.world.total(float(self.loss_sum), self.pictures)
        return {
            "stage": self.stage.name,
            "epoch": len(self.history) + 1,
            "train_loss": loss_sum / pictures,
            "valid_loss": numbers.get("valid_loss"),
            "accuracy": numbers.get("accuracy"),
            "precision": numbers.get("precision_score"),
            "recall": numbers.get("recall_score"),
            "f1": numbers.get("f1_score"),
            "lr": float(self.opt.hypers[-1]["lr"]),
            "seconds": round(time.monotonic() - self.started, 2),
        }

    def _note_progress(self, row: dict) -> bool:
        """Update what early stopping and the best checkpoint compare with; is this epoch the best so far?"""
        if row["valid_loss"] is None:
            return False
        if row["valid_loss"] < self.lowest_loss - self.min_delta:
            self.lowest_loss, self.waited = row["valid_loss"], 0
        else:
            self.waited += 1
        by_loss = self.keep in ("lowest-loss", "last-fall")
        score = [-row["valid_loss"]] if by_loss else [row["accuracy"], -row["valid_loss"]]
        margin = self.min_delta if self.keep == "last-fall" else 0.0
        if self.best is not None and score <= [self.best[0] + margin, *self.best[1:]]:
            return False
        self.best = score
        return True

    def _checkpoint(self, ends_stage: bool) -> dict:
        average = getattr(self.learn, "weight_average", None)
        return {
            "next_stage": self.stage_number + ends_stage,
            "next_epoch": 0 if ends_stage else self.epoch + 1,
            "model": bare_network(self.model).state_dict(),
            "average": average.state() if average else None,
            "optimizer": self.opt.state_dict(),
            "random": self.world.gathered(random_states(self.dls.loaders)),  # by rank
            "history": self.history,
            "best": self.best,
            "lowest_loss": self.lowest_loss,
            "waited": self.waited,
        }


def is_told(epoch: int, epochs: int) -> bool:
    """Whether an epoch of a stage, counted from 0, has a line: the first one, and about 20 at equal distances."""
    return epoch == 0 or (epoch + 1) % math.ceil(epochs / MOST_LINES) == 0


def table_line(row: dict, is_best: bool, with_head: bool) -> str:
    """One epoch as a row of a table on a terminal, under its head where asked; a star marks the best so far."""
    names = {"train_loss": "train loss", "valid_loss": "valid loss", "accuracy": "accuracy", "lr": "learning rate"}
    known = {name: title for name, title in names.items() if row[name] is not None}
    cells = [f"{row[name]:.2e}" if name == "lr" else f"{row[name]:.4f}" for name in known]
    widths = [len(title) + 2 for title in known.values()]
    line = f"{row['epoch']:>5}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths))
    line += f"{row['seconds']:>7.0f} s" + (" ★ best" if is_best else "")
    head = "epoch" + "".join(f"{title:>{width}}" for title, width in zip(known.values(), widths)) + "     time"
    return f"stage {row['stage']}\n{head}\n{line}" if with_head else line


def epoch_line(row: dict) -> str:
    """One epoch in one plain line of a log."""
    return f"epoch {row['epoch']:>3} · {row['stage']} · {scores_of(row)} · {row['seconds']:.0f} s"


def scores_of(row: dict) -> str:
    """The losses and the accuracy of a history row."""
    scores = [f"train_loss {row['train_loss']:.4f}"]
    if row["valid_loss"] is not None:
        scores += [f"valid_loss {row['valid_loss']:.4f}", f"accuracy {row['accuracy']:.4f}"]
    return " · ".join(scores)
