"""The end of a search: its best trial scored again in folds that did not choose it, the page, result.json last."""

import json
import shlex

from ..system import InputError, remove_folder, whole_file, write_json
from ..training import FOLDS_RECORD, FoldResult
from .definition import FOLDS_SEED, Search
from .folder import StudyFolder
from .result import Study
from .space import Value
from .workers import best_trial, ended_trials, running_trials


def finish_study(folder: StudyFolder, study, search: Search, folds: int) -> Study:
    """Score the winner again, write the report, and result.json last."""
    from .report import write_study_report

    ended, best = ended_trials(study), best_trial(study, search)
    if best is None:
        reasons = {trial.user_attrs.get("reason") for trial in ended} - {None}
        why = f": {sorted(reasons)[0]}" if reasons else ""
        raise InputError(f"no trial was complete{why}; see the logs in {folder.path / 'trials'}")
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
    resume = (place / FOLDS_RECORD).is_file()
    return fresh.train(values, folds=folds, out=place, resume=resume, overwrite=not resume)


def _command(search: Search, values: dict) -> str:
    """The command that trains with these values."""
    name, options = search.options(values)
    flags = [part for option, value in options.items() for part in _flag(option.replace("_", "-"), value)]
    return shlex.join(["fastdigits", search.command, name, search.data, *flags, "--seed", str(search.seed)])


def _flag(name: str, value: Value) -> list[str]:
    """An option as it is typed; what a function chose may be of any kind."""
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", *map(str, value if isinstance(value, (list, tuple)) else [value])]
