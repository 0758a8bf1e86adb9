"""Training in folds: a run for each fold and seed, and what they say together."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..answers import Inference, open_model, open_models
from ..folders import VALID, ImageFolder, fold_folders
from ..models import check_starts
from ..runs import Run, check_same
from ..scores import (
    GroupScore,
    StressScore,
    class_numbers,
    mean_under_stress,
    read_answers,
    stress_scores,
    stress_table,
    stressed_pictures,
    stressed_rows,
    wilson_interval,
)
from ..system import InputError, check_output, claimed, fresh_folder, join_world, remove_folder, write_json
from .arguments import TrainingArguments
from .method import Method
from .run import fit_run

FOLDS_RECORD, RESULT = "folds.json", "result.json"  # first and last file


@dataclass
class FoldScore:
    """Accuracy (0..1) of one fold's run on the rows that it never saw."""

    seed: int
    fold: int
    pictures: int
    accuracy: float
    under_stress: float


@dataclass
class FoldResult:
    """What training in folds found.

    Attributes
    ----------
    path : Path
        Of the folds' runs.
    folds : list of FoldScore
    accuracy, deviation : float
        Mean over the folds and seeds, and the standard deviation between folds (of one seed: of its folds).
    seed_deviation : float or None
        Standard deviation of the seeds' means; None of one seed.
    groups : int or None
        How many there are; None when nothing is known about who wrote what.
    worst_group : GroupScore or None
        By the mean accuracy over seeds.
    stress : list of StressScore
        Means over folds and seeds.
    chose_epoch : bool
        Whether the rows that score also chose whose epoch's weights are scored.
    """

    path: Path
    folds: list[FoldScore]
    accuracy: float
    deviation: float
    seed_deviation: float | None
    groups: int | None
    worst_group: GroupScore | None
    stress: list[StressScore]
    chose_epoch: bool = False

    @property
    def runs(self) -> list[Path]:
        """Where each fold's run lies."""
        return [_place(self.path, fold.seed, fold.fold) for fold in self.folds]

    def __rich__(self):
        from rich.console import Group
        from rich.table import Table

        table = Table("seed", "fold", "accuracy", "under stress", "pictures")
        for fold in self.folds:
            table.add_row(
                str(fold.seed), str(fold.fold), f"{fold.accuracy:.2%}", f"{fold.under_stress:.2%}", f"{fold.pictures:,}"
            )
        return Group(table, stress_table(self.stress), *self.sentences())

    def sentences(self) -> list[str]:
        """The numbers to remember, a line each."""
        between = "" if self.seed_deviation is None else f", between seeds {self.seed_deviation:.2%}"
        lines = [f"accuracy {self.accuracy:.2%}, deviation between folds {self.deviation:.2%}{between}"]
        if self.worst_group:
            worst = self.worst_group
            lines.append(f"{self.groups} groups, each scored unseen; the worst is {worst.group}: {worst.accuracy:.2%}")
        else:
            lines.append("no groups are known: the same hand may be on both sides, and the accuracy too high")
        if self.chose_epoch:
            lines.append(
                "each fold chose the epoch that it scores, so the accuracy is somewhat too high; --keep last "
                "--early-stopping 0 chooses none"
            )
        return [*lines, f"under stress {mean_under_stress(self.stress):.2%}", f"runs {self.path}"]


def fit_folds(method: Method, folder: ImageFolder, out: Path) -> FoldResult:
    """Train once on the rest of each fold, with each seed, and score it on the fold.

    Raises
    ------
    InputError
        When there are no folds, or they cannot be made; or when there is something else at `out`.
    """
    arguments = method.arguments
    if arguments.folds is None:
        raise InputError("--repeats needs --folds; without them train again with another --seed")
    if join_world().size > 1:
        raise InputError("--folds trains one network after the other; start it as one process")
    if arguments.repeats < 1:
        raise InputError(f"--repeats {arguments.repeats} makes no sense; accepted are 1 or more")
    seeds = range(arguments.seed, arguments.seed + arguments.repeats)
    folders = {seed: fold_folders(folder, arguments.folds, seed) for seed in seeds}
    with claimed(out):
        _begin(out, folder, arguments)
        return _fit_all(method, folders, out)


def _fit_all(method: Method, folders: dict[int, list[ImageFolder]], out: Path) -> FoldResult:
    """Every fold of every seed trained and scored, those of an earlier time taken as they are."""
    scores, stresses, groups = [], [], []
    for seed, parts in folders.items():
        by_group: dict[str, list[bool]] = {}
        for number, part in enumerate(parts, start=1):
            run = Run(_place(out, seed, number))
            print(f"seed {seed} · fold {number} of {len(parts)}", flush=True)
            if not run.finished:
                _fit_fold(method, part, run, seed=seed, fold=number)
            answers = read_answers(run)
            truth = class_numbers(answers.labels, answers.classes)
            right = answers.probabilities.argmax(1) == truth
            stresses.append(_stress(run, part, truth))
            scores.append(FoldScore(seed, number, len(right), float(right.mean()), mean_under_stress(stresses[-1])))
            for group, is_right in zip(answers.groups or [], right):
                by_group.setdefault(group, []).append(bool(is_right))
        groups.append(by_group)
    result = _together(out, scores, stresses, groups)
    result.chose_epoch = any(_chose_epoch(Run(place)) for place in result.runs)
    write_json(out / RESULT, {name: value for name, value in asdict(result).items() if name != "path"})
    return result


def _place(out: Path, seed: int, fold: int) -> Path:
    return out / f"seed{seed}-fold{fold}"


def _fit_fold(method: Method, part: ImageFolder, run: Run, **which) -> None:
    """A finished run of one fold; when it fails by the user's mistake before anything was trained, nothing is left."""
    begun = run.record_file.is_file()
    try:
        fit_run(method.training(part, **which), run.path, resume=begun, overwrite=not begun)
    except InputError:
        folds = [Run(path) for path in run.path.parent.iterdir() if path.is_dir()]
        if not any(fold.finished or fold.last_checkpoint.exists() for fold in folds):
            remove_folder(run.path.parent)
        raise


def _begin(out: Path, folder: ImageFolder, arguments: TrainingArguments) -> None:
    """Make `out`, or go on with it."""
    record = {"arguments": arguments.record(), "data_digest": folder.digest}
    if arguments.resume:
        if not (out / FOLDS_RECORD).is_file():
            raise InputError(f"{out} holds no folds, so there is nothing to resume; leave out --resume to start them")
        _check_record(out, record)
        return
    if out.exists() and not arguments.overwrite and (out / FOLDS_RECORD).is_file():
        raise InputError(f"{out} exists already; pass --resume to go on, --overwrite to replace it, or another --out")
    check_output(out, arguments.overwrite, FOLDS_RECORD)
    check_starts(out, arguments.weights, arguments.teachers)
    if arguments.teachers:
        open_models(arguments.teachers)  # before anything is removed
    fresh_folder(out)
    write_json(out / FOLDS_RECORD, record)


def _check_record(out: Path, record: dict) -> None:
    """InputError unless the folds at `out` were started with the same options on the same data."""
    try:
        found = json.loads((out / FOLDS_RECORD).read_text(encoding="utf-8"))
        check_same(out, found, **record)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{out / FOLDS_RECORD} is damaged; train again with --overwrite") from None


def _chose_epoch(run: Run) -> bool:
    """Whether the run's valid rows decided whose epoch's weights are kept."""
    rules = run.record()["settings"]
    return rules["keep"] != "last" or bool(rules["early_stopping"])


def _stress(run: Run, folder: ImageFolder, truth: np.ndarray) -> list[StressScore]:
    rows = stressed_rows(len(truth))
    return stress_scores(Inference([open_model(run.path)]), stressed_pictures(folder, VALID, rows), truth[rows])


def _together(
    out: Path, scores: list[FoldScore], stresses: list[list[StressScore]], groups: list[dict[str, list[bool]]]
) -> FoldResult:
    """Means, deviations and the worst group over all folds and seeds."""
    seeds = sorted({score.seed for score in scores})
    accuracies = np.array([[score.accuracy for score in scores if score.seed == seed] for seed in seeds])
    worst = _worst_group(groups) if groups[0] else None
    stress = [
        StressScore(first.name, first.unit, first.strengths, np.mean([s[k].accuracies for s in stresses], 0).tolist())
        for k, first in enumerate(stresses[0])
    ]
    return FoldResult(
        out,
        scores,
        float(accuracies.mean()),
        float(accuracies.std(axis=1, ddof=1).mean()),
        float(accuracies.mean(1).std(ddof=1)) if len(seeds) > 1 else None,
        len(groups[0]) or None,
        worst,
        stress,
    )


def _worst_group(groups: list[dict[str, list[bool]]]) -> GroupScore:
    means = {name: float(np.mean([np.mean(seed[name]) for seed in groups])) for name in groups[0]}
    name = min(means, key=lambda group: (means[group], group))
    n = len(groups[0][name])
    return GroupScore(name, n, means[name], wilson_interval(round(means[name] * n), n))
