"""The run directory: its file names, its records, its checkpoints.

run.json (first) · lr_find.csv/png · history.csv · checkpoints/ · model.safetensors + model.json
valid_predictions.csv · figures/ · result.json (last)
"""

import json
import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

from ..system import RUN_MARK, InputError, whole_file, write_json
from .history import append_history, read_history, write_history


@dataclass(frozen=True)
class Run:
    """A run directory at `path`."""

    path: Path

    @property
    def record_file(self) -> Path:
        return self.path / RUN_MARK

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    @property
    def history_file(self) -> Path:
        return self.path / "history.csv"

    @property
    def last_checkpoint(self) -> Path:
        return self.path / "checkpoints" / "last.pt"

    @property
    def best_checkpoint(self) -> Path:
        return self.path / "checkpoints" / "best.pt"

    @property
    def lr_find_csv(self) -> Path:
        return self.path / "lr_find.csv"

    @property
    def lr_find_png(self) -> Path:
        return self.path / "lr_find.png"

    @property
    def predictions_file(self) -> Path:
        return self.path / "valid_predictions.csv"

    @property
    def evaluation_file(self) -> Path:
        return self.path / "evaluation.json"

    def evaluation(self) -> dict:
        """What evaluation.json says: the scores on valid."""
        return _read_json(self.evaluation_file)

    @property
    def report_file(self) -> Path:
        return self.path / "report.html"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    def figure(self, name: str) -> Path:
        return self.path / "figures" / f"{name}.png"

    @property
    def finished(self) -> bool:
        return self.result_file.is_file()

    def refuse_unfinished(self) -> None:
        """InputError where a run was begun and not finished."""
        if self.record_file.is_file() and not self.finished:
            raise InputError(f"{self.path} is an unfinished run; finish it with --resume")

    def record(self) -> dict:
        """What run.json says; InputError when it is missing or damaged."""
        return _read_json(self.record_file)

    def result(self) -> dict:
        """What result.json says; InputError when the run is not finished."""
        return _read_json(self.result_file)

    def write_record(self, record: dict) -> None:
        write_json(self.record_file, record)

    def history(self) -> list[dict]:
        """One row an epoch, as numbers where they are."""
        return read_history(self.history_file)

    def append_history(self, row: dict) -> None:
        """Add one epoch to history.csv, with its header line when it is the first."""
        append_history(self.history_file, row)

    def restore_history(self, rows: list[dict]) -> None:
        """Write history.csv anew from the rows that a checkpoint holds."""
        write_history(self.history_file, rows)

    def write_checkpoint(self, state: dict, best: bool) -> None:
        """Replace the last checkpoint, and before it the best one when `best`.

        In that order, a kill between the two repeats the epoch on resume and leaves both as they should be.
        """
        import torch

        with whole_file(self.last_checkpoint) as partial:
            torch.save(state, partial)
            if best:
                with whole_file(self.best_checkpoint) as best_partial:
                    best_partial.unlink()
                    try:
                        os.link(partial, best_partial)  # checkpoints are replaced, never written into
                    except OSError:
                        shutil.copyfile(partial, best_partial)

    def read_checkpoint(self, best: bool = False) -> dict | None:
        """The last (or best) checkpoint on the CPU, None when there is none yet. Tensors and plain values only."""
        import torch

        path = self.best_checkpoint if best else self.last_checkpoint
        if not path.is_file():
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of foreign pickles, which are refused
                return torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # torch, zip and pickle have errors of their own for each fault
            raise damaged(path) from None


def checkpoint_weights(checkpoint: dict) -> dict:
    """The weights in a run's checkpoint that count: their moving average where there is one."""
    return checkpoint["average"]["weights"] if checkpoint["average"] else checkpoint["model"]


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; is {path.parent} a finished run?") from None
    except ValueError:
        raise damaged(path) from None


def damaged(path: Path) -> InputError:
    """What to say of a file that cannot be read."""
    return InputError(f"{path} is damaged; start the run again with --overwrite")
