"""compete(): a competition's files and a number of minutes -> honest scores, models of all rows, a submission."""

import math
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..answers import (
    Inference,
    counted,
    open_model,
    open_models,
    source_to_predict,
    submission_sample,
    submission_table,
)
from ..audit import adapted, answer_and_expect, read_pictures, write_blocks
from ..folders import TEST, TRAIN, VALID, ImageFolder, fold_folders, on_dark, split_images
from ..models import (
    NONE,
    SavedModel,
    check_outlives,
    find_backbone,
    read_description,
    shipped_architecture,
    shipped_names,
)
from ..photos import Ground, natural_order
from ..recipes import find_recipe
from ..runs import Run
from ..scores import (
    Competition,
    Interval,
    class_numbers,
    kept_of_runs,
    leak_warnings,
    read_answers,
    wilson_interval,
)
from ..sources import open_source
from ..system import InputError, check_output, replaced_folder, write_json
from ..training import LEARNER_OPTIONS, FoldResult, chosen_options, epoch_seconds, prepare_learner
from .convert import convert
from .report import report
from .train import train

RECIPE = "digitnet"
MARK, BLOCKS, RESULT = "compete.json", "blocks.csv", "result.json"  # the first file, one in between, the last
N_FOLDS = 3
SHARE_FOR_FOLDS, SHARE_FOR_MODELS = 0.35, 0.5  # of the minutes; the rest is for reading, scoring and predicting
WHOLE_EPOCHS = 24  # of one model; with time for more, more models are trained
AUTO = "auto"
FEW_ROWS = 5000  # under which starting from other digits helps


def compete(
    source: Path,
    *,
    minutes: float = 10.0,
    weights: str = AUTO,
    groups: Path | None = None,
    ground: Ground = "auto",
    adapt: bool = False,
    strict: bool = False,
    seed: int = 5,
    out: Path | None = None,
    overwrite: bool = False,
) -> Competition:
    """Make a submission from a competition's files: scores in folds, models of all rows, submission.csv.

    digitnet is trained in three folds, for a score on rows that it has not seen, then on all rows. Each fold holds
    back whole groups, such as writers, if they are known; else blocks of rows, if the rows stand in the order of
    their writers. What accuracy to expect on the test rows is told from how sure the models are of them. If there
    is enough time, several models are trained on all rows, and the mean of their probabilities is the prediction.
    The submission has the sample's columns, ids and order.

    Parameters
    ----------
    source
        The competition's zip, or a folder with its train table, test table and sample submission.
    minutes
        About how long it may take.
    weights
        none, or the model to start from: digitnet-mnist, digitnet-kannada, or your own digitnet. auto: none for tables
        of 5,000 rows or more; for smaller tables a shipped digitnet that does not know their rows yet.
    groups
        A csv with an id column and one group column (such as the writer): no group on both sides of a fold.
    ground
        As for convert.
    adapt
        Let the answers learn from the test table itself, as for predict, and say what that gains in the folds.
    strict
        As for convert.
    seed
        Same seed, same machine: same numbers, as long as the machine is as fast.
    out
        The folder for everything; by default runs/compete-<source>.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Competition

    Raises
    ------
    InputError
        When a table or the sample is missing, or anything in them is wrong.
    """
    started, source = time.monotonic(), Path(source)
    out = Path(out) if out else Path("runs", f"compete-{source.resolve().stem}")
    _check_inputs(source, minutes, groups)
    check_output(out, overwrite, MARK)
    if weights not in (AUTO, NONE):
        check_outlives(out, "--weights", weights)
        open_model(weights)
    with replaced_folder(out):
        write_json(out / MARK, {"source": str(source), "minutes": minutes, "weights": weights, "seed": seed})
        folder, folds_of = _converted(source, out, groups, ground, strict, seed)
        weights, warnings = _start(folder, weights)
        epoch_s = epoch_time(folder, weights)
    fold_epochs, epochs, n_models = plan(epoch_s, max(0.0, minutes * 60 - (time.monotonic() - started)))
    print(f"{N_FOLDS} folds of {fold_epochs} epochs, then {n_models} x {epochs} epochs on all rows", flush=True)
    options = {"weights": weights, "seed": seed}
    folds = train(RECIPE, folder.path, epochs=fold_epochs, folds=N_FOLDS, **options, out=out / "folds")
    models = []
    for number in range(n_models):
        models.append(str(out / f"model{number + 1}"))
        train(RECIPE, folder.path, epochs=epochs, weights=weights, seed=seed + number, out=Path(models[-1]))
    runs = [Run(place) for place in folds.runs]
    test = source_to_predict(str(source), ground=ground)
    predictions = answer_and_expect(Inference(calibrated(models, runs)), test, adapt)
    predictions.write(out / "submission.csv", str(source))
    report([str(folds.runs[0])], out=out / "report.html")
    result = Competition(
        out,
        predictions.expectation,
        folds_of,
        N_FOLDS,
        folds.accuracy,
        folds.deviation,
        _interval(folds),
        _adapted_accuracy(runs, folder, seed) if adapt else None,
        predictions.adaptation,
        n_models,
        epochs,
        (time.monotonic() - started) / 60,
        len(predictions.ids),
        warnings,
        counted(predictions.verdicts),
        folder.manifest["notes"],
    )
    write_json(out / RESULT, {name: value for name, value in asdict(result).items() if name != "folder"})
    return result


def _check_inputs(source: Path, minutes: float, groups: Path | None) -> None:
    """InputError for what can be seen to be wrong before anything is written."""
    if not 0 < minutes < math.inf:
        raise InputError(f"--minutes {minutes:g} makes no sense; accepted is a number above 0")
    table = open_source(source)
    if not table.has_labels or table.test is None:
        raise InputError(
            f"{source} needs a train table with labels and a test table; pass the competition's zip or folder"
        )
    submission_sample(source)
    if groups and not Path(groups).is_file():
        raise InputError(f"{groups} does not exist; --groups takes a csv with an id column and one group column")


def _converted(
    source: Path, out: Path, groups: Path | None, ground: Ground, strict: bool, seed: int
) -> tuple[ImageFolder, str]:
    """The image folder of all rows and what its folds hold back; InputError unless its test rows fit the sample."""
    folds_of = "groups" if groups else "random rows"
    if not groups and write_blocks(read_pictures(str(source), ground=ground), N_FOLDS, out / BLOCKS):
        print("the rows stand in the order of their writers, so whole blocks of rows are held back", flush=True)
        folds_of, groups = "row blocks", out / BLOCKS
    folder = convert(source, out / "digits", valid=0, groups=groups, ground=ground, strict=strict)
    test = folder.split(TEST)
    submission_table(test.ids, folder.classes[:1] * len(test), test.own_ids, str(source))
    fold_folders(folder, N_FOLDS, seed)
    print(folder, flush=True)
    return folder, folds_of


def _start(folder: ImageFolder, weights: str) -> tuple[str, list[str]]:
    """What training starts from, and warnings where that knows the rows already."""
    if weights == AUTO:
        weights = choose_weights(folder)  # those without a leak
        print(f"--weights {weights}", flush=True)
        return weights, []
    warnings = leak_warnings(folder, weights)
    for warning in warnings:
        print(f"warning: {warning}", flush=True)
    return weights, warnings


def plan(epoch_s: float, budget_s: float) -> tuple[int, int, int]:
    """Epochs of each fold, epochs of each model of all rows, and how many such models fit into the time.

    Parameters
    ----------
    epoch_s : float
        Seconds that an epoch over all rows takes.
    budget_s : float
        Seconds in all.
    """
    in_folds = budget_s * SHARE_FOR_FOLDS / epoch_s / (N_FOLDS - 1)  # each fold trains on two thirds of the rows
    on_all = budget_s * SHARE_FOR_MODELS / epoch_s
    n_models = max(1, int(on_all / WHOLE_EPOCHS))
    epochs = max(1, min(WHOLE_EPOCHS, int(on_all / n_models)))
    return max(1, min(epochs, int(in_folds))), epochs, n_models


def epoch_time(folder: ImageFolder, weights: str) -> float:
    """Seconds that an epoch over all rows takes, measured on a few batches."""
    options = chosen_options(LEARNER_OPTIONS, {"weights": weights, "precision": "auto", "seed": 0}, find_recipe(RECIPE))
    prepared = prepare_learner(find_backbone(RECIPE), folder, **options, whole=True)
    return sum(epoch_seconds(prepared.learner, frozen=False))


def choose_weights(folder: ImageFolder) -> str:
    """What to start from: nothing with many rows, else a shipped model that tells the same classes without a leak."""
    if len(folder.split(TRAIN)) < FEW_ROWS:
        for name in reversed(shipped_names()):  # that of MNIST first
            if shipped_architecture(name) != RECIPE:
                continue
            if open_model(name).classes == folder.classes and not leak_warnings(folder, name):
                return name
    return NONE


def calibrated(models: list[str], runs: list[Run]) -> list[SavedModel]:
    """Models of all rows, which get from the folds' runs their temperature and what is kept of valid; on disk, too."""
    opened, kept = open_models(models), kept_of_runs(runs)
    temperature = float(np.mean([read_description(run.path)["temperature"] for run in runs]))
    for model, place in zip(opened, models):
        model.temperature, model.valid = temperature, kept
        model.write(Path(place))
    return opened


def _adapted_accuracy(runs: list[Run], folder: ImageFolder, seed: int) -> float:
    """Of all folds' pictures, where the answers to each fold learn from it as from a table without labels."""
    right = []
    for run, fold in zip(runs, fold_folders(folder, N_FOLDS, seed)):
        found, rows = read_answers(run), fold.split(VALID)
        order = np.array(sorted(range(len(rows)), key=lambda row: natural_order(rows.ids[row])))
        truth = class_numbers([rows.labels[row] for row in order], found.classes)
        model, place = open_model(run.path), {id_: row for row, id_ in enumerate(found.ids)}
        images = on_dark(fold, split_images(fold, VALID, model.size, order))
        probabilities = found.probabilities[[place[rows.ids[row]] for row in order]]
        probabilities, _ = adapted(Inference([model]), lambda images=images: [images], probabilities)
        right.append(probabilities.argmax(1) == truth)
    return float(np.concatenate(right).mean())


def _interval(folds: FoldResult) -> Interval:
    pictures = sum(fold.pictures for fold in folds.folds)
    right = sum(round(fold.accuracy * fold.pictures) for fold in folds.folds)
    return wilson_interval(right, pictures)
