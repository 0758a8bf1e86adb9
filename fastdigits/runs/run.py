"""The run directory: its file names, its records, its checkpoints. No other module knows them.

run.json (first) · lr_find.csv/png · history.csv · checkpoints/ · model.safetensors + model.json
valid_predictions.csv · figures/ · result.json (last)
"""

import csv
import json
import os
import random
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..system import InputError
from ..system import RUN_MARK, check_output, fresh_folder, room_for, whole_file, write_json

LOSSES, SCORES = ("train_loss", "valid_loss"), ("accuracy", "precision", "recall", "f1")
HISTORY_COLUMNS = ("stage", "epoch", *LOSSES, *SCORES, "lr", "seconds")


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
        with self.history_file.open(newline="", encoding="utf-8") as file:
            return [
                {name: value if name == "stage" else _number(value) for name, value in row.items()}
                for row in csv.DictReader(file)
            ]

    def append_history(self, row: dict) -> None:
        """Add one epoch to history.csv, with its header line when it is the first."""
        is_new = not self.history_file.exists()
        with room_for(self.history_file), self.history_file.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HISTORY_COLUMNS)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            os.fsync(file.fileno())

    def restore_history(self, rows: list[dict]) -> None:
        """Write history.csv anew from the rows that a checkpoint holds."""
        with whole_file(self.history_file) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HISTORY_COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

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
            raise _damaged(path) from None


def _number(text: str) -> float | None:
    return float(text) if text else None


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; is {path.parent} a finished run?") from None
    except ValueError:
        raise _damaged(path) from None


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged; start the run again with --overwrite")


def start_run(path: Path, record: dict, overwrite: bool) -> Run:
    """A new run directory whose run.json holds `record`; an existing one is removed when `overwrite`."""
    check_output(path, overwrite, RUN_MARK)
    run = Run(path)
    fresh_folder(path)
    run.write_record(record)
    return run


def reopen_run(path: Path, arguments: dict, data_digest: str) -> Run:
    """The interrupted run at `path`, to go on with the same arguments over the same data.

    Raises
    ------
    InputError
        When there is no run, it is finished, or arguments or data differ from those it was started with.
    """
    run = Run(path)
    if not run.record_file.is_file():
        raise InputError(f"{path} is no run, so there is nothing to resume; leave out --resume to start one")
    if run.finished:
        raise InputError(f"{path} is finished, so there is nothing to resume; name another --out to train again")
    record = run.record()
    if not {"arguments", "data_digest"} <= record.keys():
        raise _damaged(run.record_file)
    different = [name for name, value in arguments.items() if record["arguments"].get(name) != value]
    if different:
        name = different[0]
        raise InputError(
            f"{path} was started with {name} = {record['arguments'].get(name)!r}, not {arguments[name]!r}; "
            "resume with the options that it was started with"
        )
    if record["data_digest"] != data_digest:
        raise InputError(f"the data of {path} have changed since it was started; start a new run")
    return run


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
