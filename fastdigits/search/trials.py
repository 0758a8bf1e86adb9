"""The trials of a search: each is asked for, trained as an ordinary run, and its score told to Optuna.

A worker is a process of its own: `python -m fastdigits.search.trials STUDY TRIALS UNTIL`. It ends when its parent does.
"""

import contextlib
import os
import socket
import sys
import threading
import time
from pathlib import Path

from ..runs import Run
from .definition import Search, score_of
from .folder import StudyFolder
from .storage import open_storage

MOST_STARTS = 3  # a trial that was begun so often without finishing an epoch is given up


def make_sampler(search: Search, number: int):
    """Optuna's sampler for a trial, seeded by its number, so that neither going on nor other machines repeat values.

    A grid's points wait in the storage, so that nothing is left to sample.
    """
    from optuna.samplers import RandomSampler, TPESampler

    seed = search.seed + number
    return TPESampler(seed=seed, constant_liar=True) if search.sampler == "tpe" else RandomSampler(seed=seed)


def make_pruner(search: Search):
    """Optuna's pruner. Hyperband's brackets reach from one epoch to all (Li et al. 2018, JMLR 18:185)."""
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

    if search.pruner == "hyperband":
        recipe = search.recipe
        is_planned = recipe is not None and recipe.published is not None  # our own have more epochs on few rows
        planned = search.epochs or (sum(stage.epochs for stage in recipe.stages) if is_planned else "auto")
        return HyperbandPruner(min_resource=1, max_resource=planned, reduction_factor=3)
    return MedianPruner(n_warmup_steps=1) if search.pruner == "median" else NopPruner()


def work(folder: StudyFolder, record: dict, n_trials: int, until: float) -> None:
    """Train one trial after the other until there are `n_trials`, or the time is over; goes on with abandoned ones.

    Parameters
    ----------
    record : dict
        Of study.json.
    until : float
        Seconds since 1970, after which no new trial is begun.
    """
    import optuna

    search = Search.of_record(record["search"])
    storage = open_storage(record["storage"], folder)
    study = optuna.load_study(study_name=record["study"], storage=storage, pruner=make_pruner(search))
    while found := _next_trial(study, search, folder, n_trials, until):
        trial, lock = found
        try:
            run_trial(study, trial, search, folder)
        except BaseException:
            lock.release()  # its file says that the trial was begun here
            raise
        _let_go(lock)


def _let_go(lock) -> None:
    """Release the lock of a trial that has ended, and remove its file."""
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def _next_trial(study, search: Search, folder: StudyFolder, n_trials: int, until: float):
    """A trial that a killed worker left, or a new one, and its lock, held; None when there is nothing left to do."""
    from filelock import FileLock
    from optuna.trial import Trial, TrialState

    with FileLock(folder.path / "trials" / "next.lock"):
        for known in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            lock = _free_lock(folder, known.number)
            if lock is None:
                continue
            if study.get_trials(deepcopy=False)[known.number].state != TrialState.RUNNING:  # it has ended meanwhile
                _let_go(lock)
                continue
            study.sampler = make_sampler(search, known.number)  # it may have been killed before it had values
            return Trial(study, known._trial_id), lock
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        begun = len(study.get_trials(deepcopy=False)) - len(waiting)
        if begun >= n_trials or time.time() >= until or (search.sampler == "grid" and not waiting):
            return None
        trial = study.ask()
        if trial.number >= n_trials:  # another machine asked at the same moment
            trial.set_user_attr("reason", "another machine had begun the last trial")
            study.tell(trial, state=TrialState.FAIL)
            return None
        study.sampler = make_sampler(search, trial.number)
        trial.set_user_attr("worker", f"{socket.gethostname()} {os.getpid()}")
        lock = folder.lock(trial.number)
        lock.acquire()
        return trial, lock


def _free_lock(folder: StudyFolder, number: int):
    """The lock of a trial that was begun here and that nobody trains now, held; else None."""
    from filelock import Timeout

    lock = folder.lock(number)
    if not Path(lock.lock_file).exists() and not folder.journal.exists():
        return None  # begun on another machine, which a journal in this folder says nothing of
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def run_trial(study, trial, search: Search, folder: StudyFolder) -> None:
    """Train a trial as a run, from its start or from its checkpoint, and tell the study how it ended.

    What training prints goes to the trial's log.
    """
    from optuna import TrialPruned
    from optuna.trial import TrialState

    run = folder.run(trial.number)
    starts = _count_start(trial, run)
    with (
        folder.log(trial.number).open("a", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),  # on a terminal the search's own bar is the only one
    ):
        try:
            if starts > MOST_STARTS and not run.finished:
                raise RuntimeError(f"begun {MOST_STARTS} times, and each time killed before an epoch was done")
            value = _train_trial(trial, search, run)
        except TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        except Exception as error:  # whatever it is, the search goes on and the reason is kept
            print(f"failed: {error}")
            trial.set_user_attr("reason", " ".join(str(error).split()) or type(error).__name__)
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, value)
    _drop_checkpoints(run)


def _count_start(trial, run: Run) -> int:
    """How often the trial was begun since it last finished an epoch, this time included."""
    epochs = len(run.history()) if run.history_file.is_file() else 0
    before, epochs_before = trial.user_attrs.get("starts", (0, 0))
    starts = before + 1 if epochs == epochs_before else 1
    trial.set_user_attr("starts", (starts, epochs))
    return starts


def _train_trial(trial, search: Search, run: Run) -> float:
    """The objective of the trial's finished run."""
    from optuna import TrialPruned

    values = search.space.suggest(trial)
    trial.set_user_attr("values", values)

    def report(row: dict) -> None:
        trial.report(score_of(row, search.objective), row["epoch"])
        if trial.should_prune():
            raise TrialPruned

    if not run.finished:
        begun = run.record_file.is_file()
        if begun and run.history_file.is_file():
            _repeat_reports(trial, search, run)
        search.train(values, out=run.path, resume=begun, overwrite=not begun, on_epoch=report)
    _repeat_reports(trial, search, run)  # of an epoch whose checkpoint was all that a killed worker had written
    result = run.result()
    kept = next(row for row in run.history() if row["epoch"] == result["kept_epoch"])
    return score_of(kept, search.objective)


def _repeat_reports(trial, search: Search, run: Run) -> None:
    """Tell the epochs that a killed worker had kept, but perhaps not told."""
    known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    for row in run.history():
        if row["epoch"] not in known:
            trial.report(score_of(row, search.objective), int(row["epoch"]))


def _drop_checkpoints(run: Run) -> None:
    """A trial that has ended needs none, and many would fill the disk."""
    import shutil

    shutil.rmtree(run.last_checkpoint.parent, ignore_errors=True)


def _end_with_parent() -> None:
    """End this process when its parent does, which holds the other end of our standard input."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # without a buffer, which the interpreter would wait for at its end
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: list[str]) -> None:
    """Be a worker of a search: STUDY TRIALS UNTIL."""
    import json

    _end_with_parent()
    folder = StudyFolder(Path(arguments[0]))
    record = json.loads(folder.record_file.read_text(encoding="utf-8"))
    work(folder, record, int(arguments[1]), float(arguments[2]))


if __name__ == "__main__":
    main(sys.argv[1:])
