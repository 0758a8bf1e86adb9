"""What every training does with its run directory: begin or go on, fit stage after stage, write the end."""

import shlex
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..answers import open_models
from ..folders import TRAIN, ImageFolder, ground_of_split
from ..models import Backbone, SavedModel, StartingWeights, check_starts
from ..recipes import Stage, epochs_within
from ..runs import Run, random_states, reopen_run, restore_random_states, start_run
from ..scores import leak_notes
from ..system import RUN_MARK, InputError, World, check_output, claimed, join_world, remove_folder
from .callbacks.tensorboard import check_tensorboard
from .learner import DigitLearner, epoch_seconds, prepare_learner
from .options import Rules
from .result import Result, write_result

LEAST_PORTION = 0.05  # of the rows in an epoch


@dataclass(frozen=True)
class Training:
    """What is trained, on what and how; everything but where.

    Attributes
    ----------
    arguments : dict
        As the user gave them; a resumed run must have had the same.
    options : dict
        Of `prepare_learner`.
    plan : callable
        From the prepared learner, which knows what it starts from, to the stages.
    on_epoch : callable or None
        Is given each epoch's history row.
    lasting : bool
        Whether the run is kept, and so gets figures and a checkpoint after every epoch.
    """

    folder: ImageFolder
    backbone: Backbone
    arguments: dict
    options: dict
    plan: Callable[[DigitLearner], list[Stage]]
    rules: Rules
    on_epoch: Callable[[dict], None] | None = None
    lasting: bool = True


def fit_run(training: Training, out: Path, resume: bool, overwrite: bool) -> Result:
    """A finished run at `out`, new or gone on with.

    Raises
    ------
    InputError
        When anything is wrong; a run of which no epoch is done is removed.
    """
    from .callbacks.distillation import Distillation
    from .stages import fit_stages

    rules = training.rules
    if rules.tensorboard:
        check_tensorboard()
    teachers = _teachers(rules.teachers, training.folder) if rules.teachers else []
    world = join_world()  # after what one process can see to be wrong
    with ExitStack() as stack:
        if world.is_first:
            stack.enter_context(claimed(out))
        run, prepared, planned = _go_on(training, out) if resume else _begin(training, out, overwrite)
        try:
            if teachers:  # before the time of an epoch is measured, of which they take a part
                prepared.learner.add_cb(Distillation(teachers, prepared.mean, prepared.std))
            stages = world.first_does(lambda: _recorded_stages(run, prepared, planned, rules.minutes))
            if training.lasting and world.is_first and not run.last_checkpoint.exists():
                _draw_batch(run, prepared)
            history, keep = fit_stages(run, prepared, stages, rules, training.on_epoch, training.lasting)
            return world.first_does(
                lambda: write_result(run, training.folder, prepared, history, keep, training.lasting)
            )
        except InputError:
            if world.is_first and not run.last_checkpoint.exists():  # nothing was trained: leave no half run
                remove_folder(run.path)
            raise


def _begin(training: Training, out: Path, overwrite: bool) -> tuple[Run, DigitLearner, list[Stage]]:
    """A new run, what trains in it, and its planned stages."""
    world, folder, rules = join_world(), training.folder, training.rules
    _check_minutes(rules, world)
    world.first_does(lambda: check_output(out, overwrite, RUN_MARK))
    check_starts(out, training.options["weights"], rules.teachers)
    models = [str(training.options["weights"]), *(rules.teachers or [])]
    # before the seed is set: opening a model draws random numbers, and a run that is gone on with asks no more
    notes = world.first_does(lambda: leak_notes(models, folder))
    with world.first_goes_ahead():
        prepared = prepare_learner(training.backbone, folder, **training.options)
    planned = training.plan(prepared)
    settings = _settings(training.options, asdict(rules), prepared)
    for note in notes:
        print(note)
    record = _first_record(training.arguments, folder, prepared, notes) | {"settings": settings}
    return world.first_does(lambda: start_run(out, record, overwrite)), prepared, planned


def _go_on(training: Training, out: Path) -> tuple[Run, DigitLearner, list[Stage]]:
    """The run that was begun at `out`, what trains in it, and its planned stages."""
    world = join_world()
    _check_minutes(training.rules, world)
    run = reopen_run(out, training.arguments, training.folder.digest)
    _check_processes(run, world)
    with world.first_goes_ahead():
        prepared = prepare_learner(training.backbone, training.folder, start=_start_of(run), **training.options)
    world.first_does(lambda: _note_machine(run, prepared))
    return run, prepared, training.plan(prepared)


def _note_machine(run: Run, prepared: DigitLearner) -> None:
    """Say, and keep with the run, that it goes on in another way than it began."""
    record = run.record()
    began, goes_on = (
        f"{about['precision']} on {about['device']}"
        for about in (record, {"precision": prepared.precision, "device": prepared.device})
    )
    note = f"begun with {began}, continued with {goes_on}: its numbers are not those of either alone"
    if began != goes_on and record.get("machine_note") != note:
        print(note)
        run.write_record(record | {"machine_note": note})


def _first_record(arguments: dict, folder: ImageFolder, prepared: DigitLearner, notes: list[str]) -> dict:
    """What run.json holds from the start."""
    from importlib.metadata import version

    packages = ("fastdigits", "fastai", "torch", "torchvision", "timm", "numpy")
    return {
        "arguments": arguments,
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv[0] else None,
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in packages}},
        "device": prepared.device,
        "precision": prepared.precision,
        "processes": join_world().size,
        "data": str(folder.path.absolute()),
        "data_digest": folder.digest,
        "normalise": folder.normalise,
        "architecture": prepared.backbone.name,
        "classes": folder.classes,
        "size": prepared.size,
        "mean": prepared.mean,
        "std": prepared.std,
        "weights": prepared.weights,
        "transferred": prepared.transferred,
        "of_digits": prepared.of_digits,
        "notes": notes,
        "data_notes": folder.notes,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _settings(options: dict, rules: dict, prepared: DigitLearner) -> dict:
    """What the run goes by, whether the user, the recipe or nobody said so."""
    scaling = None if prepared.transferred else options["scaling"]  # the weights bring their own
    return {name: value for name, value in options.items() if name != "whole"} | {"scaling": scaling, **rules}


def _check_minutes(rules: Rules, world: World) -> None:
    if world.size > 1 and rules.minutes is not None:
        raise InputError("--minutes measures the speed of one process; with several pass --epochs")


def _check_processes(run: Run, world: World) -> None:
    """InputError unless as many processes go on as began; each has its own random states."""
    began = run.record().get("processes", 1)
    if began != world.size:
        raise InputError(f"{run.path} was begun by {began} processes, not {world.size}; resume it with as many")


def _start_of(run: Run) -> StartingWeights | None:
    """What the run started from, once a checkpoint holds its weights; before that they are loaded again."""
    if not run.last_checkpoint.exists():
        return None
    record = run.record()
    of_digits = record.get("of_digits", False)
    return StartingWeights(record["weights"], record["transferred"], record["mean"], record["std"], of_digits)


def _teachers(names: list[str], folder: ImageFolder) -> list[SavedModel]:
    """Models to learn from; InputError unless they tell the folder's classes."""
    teachers = open_models(names)
    for name, teacher in zip(names, teachers):
        if not teacher.in_torch:
            raise InputError(f"--teachers {name} is an ONNX export; pass the run or model that it was made from")
    ground = ground_of_split(folder, TRAIN)
    if any(teacher.ground != ground for teacher in teachers):
        raise InputError(
            f"--teachers were not trained on digits on a {ground} ground, as those of {folder.path} are; convert the "
            "pictures, which brings them to a dark one, and train on that folder"
        )
    if teachers[0].classes != folder.classes:
        known, wanted = (", ".join(classes[:12]) for classes in (teachers[0].classes, folder.classes))
        raise InputError(f"--teachers {names[0]} tells {known}; the data have {wanted}")
    return teachers


def _recorded_stages(run: Run, prepared: DigitLearner, planned: list[Stage], minutes: float | None) -> list[Stage]:
    """The stages as run.json has them; written there when the run begins, with the epochs that `minutes` allow."""
    record = run.record()
    if "stages" not in record:
        if minutes is not None:
            planned = [*planned[:-1], _within(minutes, prepared, planned)]
        record["stages"] = [asdict(stage) for stage in planned]
        run.write_record(record)
    return [Stage.from_record(stage) for stage in record["stages"]]


def _within(minutes: float, prepared: DigitLearner, stages: list[Stage]) -> Stage:
    """The last stage with the epochs that fit into the time, measured on a few batches of each stage."""
    *head_stages, last = stages
    head_seconds = sum(stage.epochs * sum(epoch_seconds(prepared.learner, frozen=True)) for stage in head_stages)
    training, validation = epoch_seconds(prepared.learner, frozen=False)
    left, loader = max(0.0, minutes * 60 - head_seconds), prepared.learner.dls.train
    least = min(1, max(LEAST_PORTION, loader.bs / loader.n))
    epochs, portion = epochs_within(left, training, validation, least)
    stage = replace(last, epochs=epochs, portion=portion)
    over = ", which is longer than asked for" if epochs * (portion * training + validation) > 1.01 * left else ""
    seconds = training + validation
    print(f"an epoch takes about {seconds:.0f} s: {stage.length} in {minutes:g} minutes{over}", flush=True)
    return stage


def _draw_batch(run: Run, prepared: DigitLearner) -> None:
    """figures/batch.png: training pictures with their augmentation; draws from no generator that training uses."""
    from ..figures import draw_batch

    learner = prepared.learner
    states = random_states(learner.dls.loaders)
    images, labels = learner.dls.train.one_batch()
    gray = (images[:32, 0].cpu().numpy() * prepared.std[0] + prepared.mean[0]).clip(0, 1)
    draw_batch(gray, [learner.dls.vocab[int(label)] for label in labels[:32]], run.figure("batch"))
    restore_random_states(states, learner.dls.loaders)
