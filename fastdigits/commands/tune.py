"""tune(): a search for better options of training, by Optuna; each trial is an ordinary run."""

import time
from pathlib import Path
from typing import Literal

from ..models import file_part
from ..search import (
    OBJECTIVES,
    PRUNERS,
    SAMPLERS,
    Search,
    Study,
    StudyFolder,
    begun_or_joined,
    define_search,
    ended_trials,
    finish_study,
    open_study,
    run_workers,
)
from ..system import InputError, check_seed, plain_number

DEFAULT_TRIALS = 30
DAY_S = 86_400


def tune(
    name: str,
    data: Path,
    *,
    space: str | Path | None = None,
    trials: int | None = None,
    timeout: float | None = None,
    sampler: Literal["tpe", "random", "grid"] = "tpe",
    pruner: Literal["hyperband", "median", "none"] = "hyperband",
    objective: Literal["valid_accuracy", "valid_loss"] = "valid_accuracy",
    epochs: int | None = None,
    weights: str | None = None,
    workers: int = 1,
    folds: int = 3,
    storage: str | None = None,
    study: str | None = None,
    seed: int = 5,
    out: Path | None = None,
    overwrite: bool = False,
) -> Study:
    """Search for better options of training with Optuna; each trial is an ordinary run.

    If the search was killed, run the same command again to continue it; with more --trials, the same command adds
    trials to a finished search. To join it from other machines, run the same command with the same --storage there. At
    the end, the winner and the untuned recipe are both trained again in folds, because the score of the best of many
    trials on the validation rows that chose it is too high.

    Parameters
    ----------
    name
        A recipe of `fastdigits train`, or what `fastdigits finetune` accepts.
    data
        An image folder with valid pictures.
    space
        default (rate, batch size, augmentation, label smoothing; of finetune also head_epochs, lr_mult), conv5x5 (what
        the published Hyperband search tried), dnn-tuned (the options of the published grid, whose values are ours), a
        .toml file (option = [values], or [option] with low, high, log, whole), or FILE.py:FUNCTION from an Optuna trial
        to a dict of options. Options are those of train or finetune, network.SETTING, optimizer.SETTING,
        schedule.SETTING. Left out: that of `name`, if it is one of the two, else default.
    trials
        How many trials in total; 30 by default, with a grid all of its points.
    timeout
        Seconds after which no new trial is begun.
    sampler
        tpe (tree-structured Parzen estimator), random, or grid (lists of values only).
    pruner
        What ends hopeless trials early: hyperband, median, none.
    objective
        valid_accuracy or valid_loss.
    epochs
        The most epochs of a trial, unless the space searches them.
    weights
        What to start from, as for train and finetune.
    workers
        Processes on this machine; they share its cores.
    folds
        The number of folds in which the winner and the untuned recipe are scored again; 0: they are not.
    storage
        An Optuna URL, such as sqlite:///study.db or postgresql://..., for workers on several machines; by default a
        journal file in `out`.
    study
        The study's name in the storage; by default <name>-<data>.
    seed
        Random seed of the search and of every training.
    out
        The study's folder; by default runs/tune-<name>-<data>.
    overwrite
        Replace the study at `out`.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        When an option or the data are wrong, or another study is at `out` or in the storage.
    """
    _check_optuna()
    _check_options(sampler, pruner, objective, trials, timeout, workers, folds, seed)
    epochs, trials, timeout, workers, folds, seed = map(plain_number, (epochs, trials, timeout, workers, folds, seed))
    search = define_search(name, Path(data), space, objective, epochs, weights, sampler, pruner, seed, folds)
    folder = StudyFolder(Path(out) if out else Path("runs", f"tune-{file_part(name)}-{Path(data).name}"))
    grid = search.space.grid(seed) if sampler == "grid" else []
    n_trials = trials or len(grid) or DEFAULT_TRIALS
    record = {  # of plain values, as the file gives them back
        "search": search.record(),
        "storage": storage or "",
        "study": study or f"{file_part(name)}-{Path(data).name}",
    }
    with begun_or_joined(folder, record, overwrite):
        opened = open_study(folder, record, grid, overwrite)
    _show_search(search, opened, n_trials)
    run_workers(folder, opened, n_trials, time.time() + (timeout or DAY_S * 365), workers, search)
    return finish_study(folder, opened, search, folds)


def _check_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise InputError("tune needs the package optuna: pip install 'fastdigits[tune]'") from None


def _check_options(sampler, pruner, objective, trials, timeout, workers, folds, seed) -> None:
    check_seed(seed)
    for flag, value, accepted in (
        ("sampler", sampler, SAMPLERS),
        ("pruner", pruner, PRUNERS),
        ("objective", objective, tuple(OBJECTIVES)),
    ):
        if value not in accepted:
            raise InputError(f"--{flag} {value!r} is unknown; accepted are {', '.join(accepted)}")
    for flag, value in (("trials", trials), ("workers", workers)):
        if value is not None and value < 1:
            raise InputError(f"--{flag} {value} makes no sense; accepted are 1 or more")
    if timeout is not None and not timeout > 0:
        raise InputError(f"--timeout {timeout:g} makes no sense; accepted is a number of seconds above 0")
    if folds != 0 and folds < 2:
        raise InputError(f"--folds {folds} makes no sense; accepted are 0 (none) and 2 or more")


def _show_search(search: Search, study, n_trials: int) -> None:
    """What is about to be searched, and what is done already."""
    print(*search.space.lines(), sep="\n")
    done = len(ended_trials(study))
    going_on = f", {done} of them done" if done else ""
    print(
        f"{search.command} {search.name}: {n_trials} trials{going_on}, sampler {search.sampler}, "
        f"pruner {search.pruner}, objective {search.objective}",
        flush=True,
    )
