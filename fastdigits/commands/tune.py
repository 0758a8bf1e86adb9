"""tune(): a search for better options of training, by Optuna; each trial is an ordinary run."""

import json
import shlex
import time
from pathlib import Path
from typing import Literal

from ..folders import VALID, check_trainable, fold_folders, read_folder
from ..models import NONE, file_part, starting_weights_of
from ..recipes import find_recipe
from ..search import (
    OBJECTIVES,
    PRUNERS,
    SAMPLERS,
    Search,
    Study,
    StudyFolder,
    best_trial,
    command_of,
    ended_trials,
    find_space,
    open_study,
    run_workers,
    running_trials,
)
from ..system import (
    InputError,
    check_output,
    check_seed,
    fresh_folder,
    plain_number,
    remove_folder,
    whole_file,
    write_json,
)
from ..training import RECORD, FoldResult, find_preset

DEFAULT_TRIALS = 30
DAY_S = 86_400
FOLDS_SEED = 1  # what is added to the search's seed for the folds that score its winner


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

    The same command again goes on where it was killed, and with more --trials adds to a finished search. The same
    command with the same --storage on other machines joins it. At the end the winner is trained again in folds beside
    the untuned recipe, since the best of many trials on its own valid rows flatters.

    Parameters
    ----------
    name
        A recipe of `fastdigits train`, or what `fastdigits finetune` accepts.
    data
        An image folder with valid pictures.
    space
        default (rate, batch size, augmentation, label smoothing), conv5x5 (what the published Hyperband search tried),
        dnn-tuned (the options of the published grid, whose values are ours), a .toml file (option = [values], or
        [option] with low, high, log, whole), or FILE.py:FUNCTION from an Optuna trial to a dict of options. Options are
        those of train or finetune, network.SETTING, optimizer.SETTING, schedule.SETTING. Left out: that of `name`, if
        it is one of the two, else default.
    trials
        How many in all; 30 by default, of a grid all of its points.
    timeout
        Seconds after which no new trial is begun.
    sampler
        tpe (tree-structured Parzen estimator), random, or grid (lists of values only).
    pruner
        What ends hopeless trials early: hyperband, median, none.
    objective
        valid_accuracy or valid_loss.
    epochs
        Of each trial at most, unless the space searches them.
    weights
        To start from, as for train and finetune.
    workers
        Processes on this machine; they share its cores.
    folds
        In which the winner is scored again beside the untuned recipe; 0: it is not.
    storage
        An Optuna URL, such as sqlite:///study.db or postgresql://..., for workers on several machines; by default a
        journal file in `out`.
    study
        The study's name in the storage; by default <name>-<data>.
    seed
        Of the search and of every training.
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
    search = _search(name, Path(data), space, objective, epochs, weights, sampler, pruner, plain_number(seed), folds)
    folder = StudyFolder(Path(out) if out else Path("runs", f"tune-{file_part(name)}-{Path(data).name}"))
    grid = search.space.grid(seed) if sampler == "grid" else []
    n_trials = trials or len(grid) or DEFAULT_TRIALS
    record = {  # of plain values, as the file gives them back
        "search": search.record(),
        "storage": storage or "",
        "study": study or f"{file_part(name)}-{Path(data).name}",
    }
    is_new = _check_folder(folder, record, overwrite)
    try:
        opened = open_study(folder, record, grid, overwrite)
    except InputError:
        if is_new:
            remove_folder(folder.path)
        raise
    write_json(folder.record_file, record)
    _show_search(search, opened, n_trials)
    run_workers(folder, opened, n_trials, time.time() + (timeout or DAY_S * 365), workers, search)
    return _finish(folder, opened, search, folds)


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


def _search(name, data: Path, space, objective, epochs, weights, sampler, pruner, seed, folds) -> Search:
    """What is searched; InputError when the name, the data, the space or the winner's folds are wrong."""
    folder = read_folder(data)
    check_trainable(folder)
    if VALID not in folder.splits:
        raise InputError(f"{data} has no valid pictures, by which trials are compared; convert without --valid 0")
    if folds:
        fold_folders(folder, folds, seed + FOLDS_SEED)  # now rather than after all trials
    if epochs is not None and epochs < 1:
        raise InputError(f"--epochs {epochs} makes no sense; accepted are 1 or more")
    command = command_of(name)
    if command == "train":
        recipe, transfers = find_recipe(name, "train"), False
    else:
        _, recipe = find_preset(name)
        weights = starting_weights_of(name, weights or "pretrained")
        transfers = weights != NONE
    found = find_space(space and str(space), name, command, recipe, transfers)
    return Search(name, str(data.absolute()), folder.digest, found, objective, epochs, weights, sampler, pruner, seed)


def _check_folder(folder: StudyFolder, record: dict, overwrite: bool) -> bool:
    """Make the study's folder, or see whether the study that is there is the same; whether it is new."""
    if folder.record_file.is_file() and not overwrite:
        try:
            found = json.loads(folder.record_file.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(f"{folder.record_file} is damaged; start the study again with --overwrite") from None
        if found != json.loads(json.dumps(record)):
            raise InputError(
                f"{folder.path} is a study with other options; repeat its command to go on, pass --overwrite to "
                "replace it, or name another --out"
            )
        folder.result_file.unlink(missing_ok=True)
        return False
    check_output(folder.path, overwrite, folder.record_file.name)
    fresh_folder(folder.path)
    fresh_folder(folder.path / "trials")
    return True


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


def _finish(folder: StudyFolder, study, search: Search, folds: int) -> Study:
    """Score the winner again, write the report, and result.json last."""
    from ..search import write_study_report

    ended, best = ended_trials(study), best_trial(study, search)
    if best is None:
        reasons = {trial.user_attrs.get("reason") for trial in ended} - {None}
        why = f": {sorted(reasons)[0]}" if reasons else ""
        raise InputError(f"no trial of {folder.path} was complete{why}; see the logs in {folder.path / 'trials'}")
    values = best.user_attrs["values"]
    winner = untuned = None
    elsewhere = running_trials(study)
    if elsewhere:
        print(f"{len(elsewhere)} trials still run on other machines; the one that ends last scores the winner")
    elif folds:
        winner = score_in_folds(folder, search, values, "winner", folds)
        untuned = score_in_folds(folder, search, {}, "untuned", folds)
    result = Study(
        folder.path,
        len(ended),
        sum(trial.state.name == "PRUNED" for trial in ended),
        sum(trial.state.name == "FAIL" for trial in ended),
        best.number,
        best.value,
        values,
        winner and winner.accuracy,
        untuned and untuned.accuracy,
        _command(search, values),
    )
    write_study_report(folder, study, search, result, winner, untuned)
    write_json(folder.result_file, result.numbers)
    return result


def score_in_folds(folder: StudyFolder, search: Search, values: dict, what: str, folds: int) -> FoldResult:
    """Train in folds that the search did not choose by; those of an earlier time are kept if the values are the same.

    Its seed is another, and so are the folds and the random states.
    """
    place = folder.path / what
    print(f"{what} in {folds} folds", flush=True)
    fresh = Search(**{**vars(search), "seed": search.seed + FOLDS_SEED})
    note, content = place.with_name(f"{what}.json"), json.dumps([values, folds])
    if not note.is_file() or note.read_text(encoding="utf-8") != content:
        remove_folder(place)  # first: a kill must not leave old folds beside a note of new values
        with whole_file(note) as partial:
            partial.write_text(content, encoding="utf-8")
    resume = (place / RECORD).is_file()
    return fresh.train(values, folds=folds, out=place, resume=resume, overwrite=not resume)


def _command(search: Search, values: dict) -> str:
    """The command that trains with these values."""
    name, options = search.options(values)
    flags = [part for option, value in options.items() for part in (f"--{option.replace('_', '-')}", str(value))]
    return shlex.join(["fastdigits", search.command, name, search.data, *flags, "--seed", str(search.seed)])
