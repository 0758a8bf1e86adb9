"""The workers of a search: processes of this machine, a line for each trial that ends, successors for the dead."""

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta

from ..system import progress_bar, usable_cores
from .definition import OBJECTIVES, Search
from .folder import StudyFolder

POLL_S = 0.5


def ended_trials(study) -> list:
    """Trials that are complete, pruned or failed."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def run_workers(folder: StudyFolder, study, n_trials: int, until: float, workers: int, search: Search) -> None:
    """Let workers train until all trials have ended, a printed line for each; a worker that dies gets a successor."""
    command = [sys.executable, "-m", "fastdigits.search.trials", str(folder.path), str(n_trials), str(until)]
    environment = {"OMP_NUM_THREADS": str(max(1, usable_cores() // workers)), **os.environ}

    def start():
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)

    told = {trial.number for trial in ended_trials(study)}
    running, deaths = [start() for _ in range(workers)], 0
    try:
        with progress_bar("trials", n_trials) as advance:
            advance(len(told), _best_so_far(study, search))
            while running:
                time.sleep(POLL_S)
                for trial in ended_trials(study):
                    if trial.number not in told:
                        told.add(trial.number)
                        print(_trial_line(trial, study, search), flush=True)
                        advance(1, _best_so_far(study, search))
                for worker in [worker for worker in running if worker.poll() is not None]:
                    running.remove(worker)
                    worker.stdin.close()
                    if worker.returncode == 0:
                        continue
                    deaths += 1
                    print(f"a worker died (exit code {worker.returncode}); another takes its place", flush=True)
                    if deaths > max(n_trials, 3):
                        raise RuntimeError(f"workers die one after the other; see the logs in {folder.path / 'trials'}")
                    running.append(start())
    finally:
        for worker in running:
            worker.terminate()
            worker.wait()
            worker.stdin.close()


def running_trials(study) -> list:
    """Trials that run on other machines, now that ours have ended; one that was begun a day ago has died."""
    now = datetime.now()
    running = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "RUNNING"]
    return [trial for trial in running if now - trial.datetime_start < timedelta(days=1)]


def _trial_line(trial, study, search: Search) -> str:
    """A trial that has ended, in one line."""
    values = trial.user_attrs.get("values") or trial.params
    settings = " ".join(f"{name}={_short(value)}" for name, value in values.items() if name not in search.space.fixed)
    state = trial.state.name.lower()
    score = f"{trial.value:.4f}" if trial.value is not None else trial.user_attrs.get("reason", state)
    if state == "pruned" and trial.intermediate_values:
        last = max(trial.intermediate_values)
        score = f"pruned after epoch {last} at {trial.intermediate_values[last]:.4f}"
    return f"trial {trial.number:>3} · {score} · {settings}{_best_so_far(study, search, ' · ')}"


def _best_so_far(study, search: Search, before: str = "") -> str:
    best = best_trial(study, search)
    return f"{before}best {best.value:.4f} (trial {best.number})" if best else ""


def best_trial(study, search: Search):
    """The complete trial with the best value, the first of several; None without any."""
    complete = [trial for trial in ended_trials(study) if trial.state.name == "COMPLETE"]
    sign = 1 if OBJECTIVES[search.objective] == "minimize" else -1
    return min(complete, key=lambda trial: (sign * trial.value, trial.number), default=None)


def _short(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
