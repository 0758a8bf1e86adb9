"""The page of a search: trials, what mattered, the winner on rows that did not choose it."""

from ..figures import draw_importances, draw_parallel, draw_search_history
from ..reports import Section, Table, Text, drawn, write_page
from ..training import FoldResult
from .definition import OBJECTIVES, Search
from .folder import StudyFolder
from .result import Study
from .workers import ended_trials

LEAST_TRIALS = 4  # complete ones, for importances to mean anything


def write_study_report(
    folder: StudyFolder,
    study,
    search: Search,
    result: Study,
    winner: FoldResult | None,
    untuned: FoldResult | None,
) -> None:
    """report.html in the study's folder, and its figures and tables in report-parts/.

    Parameters
    ----------
    study : optuna.Study
    winner, untuned : FoldResult or None
        Their scores in fresh folds.
    """
    trials = ended_trials(study)
    sections = [
        Section("In fresh folds", _in_folds(winner, untuned)),
        Section("The search", [_history(trials, search), *_importances(study), *_parallel(trials, search)]),
        Section("Trials", [_trial_table(trials, search)]),
        Section("Search space", [Text(search.space.lines())]),
        Section("Again", [Text([result.command])]),
    ]
    lead = str(result).splitlines()[:-2]
    parts = folder.report.with_name(f"{folder.report.stem}-parts")
    write_page(folder.report, parts, f"Search for {search.name}", lead, sections, result.numbers)


def _in_folds(winner: FoldResult | None, untuned: FoldResult | None) -> list[Text | Table]:
    if winner is None:
        return [Text(["The winner was not scored again; its score above is flattered by having been chosen."])]
    rows = [
        [what, f"{one.accuracy:.2%}", f"{one.deviation:.2%}", str(len(one.folds))]
        for what, one in (("winner", winner), ("untuned", untuned))
    ]
    pairs = list(zip(winner.folds, untuned.folds))
    better = sum(one.accuracy > other.accuracy for one, other in pairs)
    told = (
        f"The winner is better than the untuned recipe in {better} of {len(pairs)} folds. The folds are new, but their "
        "rows are those of the folder: for a last word score on rows that were kept out of it."
    )
    columns = ["", "mean accuracy", "deviation between folds", "folds"]
    return [Text([told]), Table("in-folds", "Winner and untuned recipe", "On rows held back.", columns, rows)]


def _history(trials: list, search: Search):
    values = [_last_value(trial) for trial in trials]
    complete = [trial.state.name == "COMPLETE" for trial in trials]
    drawing = draw_search_history(values, complete, search.objective, OBJECTIVES[search.objective] == "maximize")
    return drawn(
        "history", "History", "Trials in their order; a cross is one that was ended early, or failed.", drawing
    )


def _last_value(trial) -> float | None:
    """The value of a complete trial, the last one told of another."""
    if trial.value is not None or not trial.intermediate_values:
        return trial.value
    return trial.intermediate_values[max(trial.intermediate_values)]


def _importances(study) -> list:
    import optuna

    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    if len(complete) < LEAST_TRIALS or len({trial.value for trial in complete}) == 1:
        return [Text([f"Which options matter can be told from {LEAST_TRIALS} complete trials on."])]
    shares = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    sentence = "PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255): what sets the better trials apart. A rough guide."
    return [drawn("importances", "Importances", sentence, draw_importances(shares))] if shares else []


def _parallel(trials: list, search: Search) -> list:
    complete = [trial for trial in trials if trial.state.name == "COMPLETE" and trial.params]
    if len(complete) < 2:
        return []
    drawing = draw_parallel(
        [trial.params for trial in complete],
        [trial.value for trial in complete],
        {
            name: distribution.choices
            for trial in complete
            for name, distribution in trial.distributions.items()
            if hasattr(distribution, "choices")
        },
        search.objective,
        OBJECTIVES[search.objective] == "maximize",
    )
    return [drawn("parallel", "Complete trials", "A line a trial; the darker, the better.", drawing)]


def _trial_table(trials: list, search: Search) -> Table:
    options = list(dict.fromkeys(name for trial in trials for name in trial.params))
    columns = ["trial", "state", search.objective, "epochs", "minutes", *options, "reason"]
    rows = []
    for trial in trials:
        value, seconds = _last_value(trial), trial.duration.total_seconds() if trial.duration else 0
        rows.append(
            [
                str(trial.number),
                trial.state.name.lower(),
                "" if value is None else f"{value:.4f}",
                str(max(trial.intermediate_values, default=0)),
                f"{seconds / 60:.1f}",
                *(_text(trial.params.get(name, "")) for name in options),
                trial.user_attrs.get("reason", ""),
            ]
        )
    return Table("trials", "Trials", "The value of a pruned trial is that of its last epoch.", columns, rows)


def _text(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
