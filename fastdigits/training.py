"""finetune(): an image folder and a backbone -> a finished run, trained in stages."""

import shlex
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from .errors import InputError
from .figures import draw_batch
from .folders import VALID, ImageFolder, read_folder
from .learners import (
    DigitLearner,
    Keep,
    check_options,
    epoch_seconds,
    find_recipe,
    prepare_learner,
    renew_optimizer,
)
from .lr_search import find_lr, search_line, write_search
from .machine import Precision
from .outputs import RUN_MARK, check_output
from .results import Result, write_result
from .runs import Run, on_device, random_states, reopen_run, restore_random_states, start_run
from .stages import DEFAULT_LR_MULT, Stage, plan_stages, unfrozen_rates
from .starting_weights import StartingWeights

# The options of finetune that make the Learner; the others plan the stages, or say where to write.
LEARNER_OPTIONS = ("size", "batch_size", "weights", "augment", "precision", "seed")


def finetune(
    arch: str,
    data: Path,
    *,
    epochs: int | None = None,
    head_epochs: int | None = None,
    lr: float | None = None,
    lr_mult: float = DEFAULT_LR_MULT,
    size: int | None = None,
    batch_size: int | None = None,
    weights: str = "pretrained",
    augment: str | None = None,
    minutes: float | None = None,
    precision: Precision = "auto",
    early_stopping: int | None = None,
    keep: Keep = "last",
    seed: int = 5,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Result:
    """Fine-tune a classifier on an image folder in stages: first its head, then all of it.

    Each stage is a one-cycle fit; rates come from a learning-rate search unless given. After every epoch the run
    directory holds a checkpoint, and --resume goes on from it. Ctrl-C keeps the last finished epoch.

    Parameters
    ----------
    arch
        A scratch network, a torchvision or timm classifier (see `fastdigits models`), or the preset resnet50-kannada.
    data
        An image folder made by convert, or by hand as train/<label>/ and valid/<label>/.
    epochs
        Epochs with the whole network unfrozen; 3 by default. In a preset: of its stage `all`.
    head_epochs
        Epochs of the head alone before that; 1 by default, 0 when there are no weights to transfer.
    lr
        Peak learning rate of the head; without it a search decides. Once all is trained the head has half of it.
    lr_mult
        How many times smaller the first layers' rate is then. 100 suits weights that were trained on photographs,
        1 to 5 weights that were trained on digits.
    size
        Picture height and width in pixels for the network; by default what the network was made for, or the
        next multiple of 32.
    batch_size
        Pictures a step; 64 by default.
    weights
        pretrained (downloaded by torchvision or timm), none, a .safetensors or .pth file, an earlier run or a
        saved model. The head always starts fresh.
    augment
        none, light, strong, or a recipe's: conv5-bn, conv5x5, conv8-leaky, resnet50-kannada. Never a mirror.
        light by default.
    minutes
        Measure the speed and set the epochs so that training takes about this long.
    precision
        auto: bf16 or fp16 where the machine is fast at it, else fp32.
    early_stopping
        End a stage after so many epochs in a row without a lower valid loss.
    keep
        Weights of the last epoch, or of the epoch with the best accuracy on valid.
    seed
        Same seed, same machine: same numbers.
    out
        The run directory; by default runs/<arch>-<data>.
    resume
        Go on with the interrupted run at `out`; give the other options as before.
    overwrite
        Replace the run at `out`.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        When an option, the data or the weights are wrong.
    """
    arguments = {name: value for name, value in locals().items() if name not in ("resume", "overwrite", "out")}
    arguments |= {"data": str(Path(data)), "weights": str(weights)}
    check_options(arguments)
    if minutes is not None and epochs is not None:
        raise InputError("--minutes sets the epochs itself; leave out --epochs")
    backbone, preset = find_recipe(arch)
    if minutes is not None and preset:
        raise InputError(f"--minutes cannot set the epochs of the preset {arch}; leave it out")
    folder = read_folder(data)
    if VALID not in folder.splits and (early_stopping is not None or keep == "best"):
        raise InputError(f"{data} has no valid pictures, which early stopping and --keep best need")
    out = Path(out) if out else Path("runs", f"{arch if preset else backbone.file_name}-{Path(data).name}")
    options = {name: arguments[name] for name in LEARNER_OPTIONS}
    if resume:
        run = reopen_run(out, arguments, folder.digest)
        prepared = prepare_learner(backbone, preset, folder, start=_start_of(run), **options)
    else:
        check_output(out, overwrite, RUN_MARK)
        prepared = prepare_learner(backbone, preset, folder, **options)
    planned = plan_stages(prepared.transferred, head_epochs, epochs, lr, lr_mult, preset)
    if not resume:
        run = start_run(out, _record(arguments, folder, prepared), overwrite)
    try:
        return _train(run, folder, prepared, planned)
    except InputError:
        if not run.last_checkpoint.exists():  # nothing was trained: leave no half run behind
            shutil.rmtree(run.path)
        raise


def _start_of(run: Run) -> StartingWeights | None:
    """What the run started from, once a checkpoint holds its weights; before that they are loaded again."""
    if not run.last_checkpoint.exists():
        return None
    record = run.record()
    return StartingWeights(record["weights"], record["transferred"], record["mean"], record["std"])


def _record(arguments: dict, folder: ImageFolder, prepared: DigitLearner) -> dict:
    """What run.json holds from the start."""
    from importlib.metadata import version

    packages = ("fastdigits", "fastai", "torch", "torchvision", "timm", "numpy")
    return {
        "arguments": arguments,
        "command": shlex.join(sys.argv) if sys.argv[0] else None,
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in packages}},
        "device": prepared.device,
        "precision": prepared.precision,
        "data": str(folder.path.absolute()),
        "data_digest": folder.digest,
        "architecture": prepared.backbone.name,
        "classes": folder.classes,
        "size": prepared.size,
        "mean": prepared.mean,
        "std": prepared.std,
        "weights": prepared.weights,
        "transferred": prepared.transferred,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _train(run: Run, folder: ImageFolder, prepared: DigitLearner, planned: list[Stage]) -> Result:
    """Run (or go on with) all stages, then write everything that belongs to a finished run."""
    from .callbacks import BatchProgress, EpochEnd

    arguments, checkpoint = run.record()["arguments"], run.read_checkpoint()
    stages = _settled_stages(run, prepared, planned, arguments["minutes"])
    epoch_end, bar = EpochEnd(run, stages, arguments["early_stopping"]), BatchProgress()
    prepared.learner.add_cbs([epoch_end, bar])
    if checkpoint is None:
        _draw_batch(run, prepared)
        first_stage = 0
    else:
        epoch_end.start_from(checkpoint)
        run.restore_history(checkpoint["history"])
        prepared.learner.model.load_state_dict(checkpoint["model"])
        restore_random_states(checkpoint["random"], prepared.learner.dls.loaders)
        first_stage = checkpoint["next_stage"]
    try:
        with ExitStack() as stack:
            for callback in prepared.learner.cbs:
                stack.callback(getattr(callback, "close", lambda: None))
            for number in range(first_stage, len(stages)):
                inside = checkpoint is not None and number == first_stage and checkpoint["next_epoch"] > 0
                _fit_stage(run, prepared, stages, number, epoch_end, checkpoint if inside else None)
    except KeyboardInterrupt:
        done, all_epochs = len(epoch_end.history), sum(stage.epochs for stage in stages)
        print(f"{done} of {all_epochs} epochs are kept in {run.path}; the same command with --resume goes on")
        raise
    return write_result(run, folder, prepared, epoch_end.history, arguments["keep"])


def _settled_stages(run: Run, prepared: DigitLearner, planned: list[Stage], minutes: float | None) -> list[Stage]:
    """The stages as run.json has them; written there when the run begins, with the epochs that `minutes` allow."""
    record = run.record()
    if "stages" not in record:
        if minutes is not None:
            planned = [*planned[:-1], replace(planned[-1], epochs=_epochs_within(prepared, minutes, planned[:-1]))]
        record["stages"] = [asdict(stage) for stage in planned]
        run.write_record(record)
    return [Stage(**{**stage, "lr": stage["lr"] and tuple(stage["lr"])}) for stage in record["stages"]]


def _epochs_within(prepared: DigitLearner, minutes: float, head_stages: list[Stage]) -> int:
    """How many unfrozen epochs fit into the time, measured on a few batches of each stage; at least one."""
    head_seconds = sum(stage.epochs * epoch_seconds(prepared.learner, frozen=True) for stage in head_stages)
    a_epoch = epoch_seconds(prepared.learner, frozen=False)
    left = minutes * 60 - head_seconds
    epochs = max(1, int(left / a_epoch))
    over = "" if a_epoch <= left else ", which is longer than asked for"
    print(f"an epoch takes about {a_epoch:.0f} s: {epochs} in {minutes:g} minutes{over}", flush=True)
    return epochs


def _fit_stage(
    run: Run, prepared: DigitLearner, stages: list[Stage], number: int, epoch_end, checkpoint: dict | None
) -> None:
    """One stage from its start, or from a `checkpoint` inside it."""
    learner, stage = prepared.learner, stages[number]
    if checkpoint is None and stage.search:
        _search(run, learner, stage)
    renew_optimizer(learner, stage.frozen)
    if checkpoint:
        learner.opt.load_state_dict(on_device(checkpoint["optimizer"], next(learner.model.parameters()).device))
    rates = stage.lr or _searched_rates(run, stage, prepared.transferred)
    first_epoch = checkpoint["next_epoch"] if checkpoint else 0
    epoch_end.begin_stage(number, first_epoch)
    with learner.no_logging():
        learner.fit_one_cycle(
            stage.epochs,
            slice(*rates) if rates[0] != rates[1] else rates[1],
            pct_start=stage.pct_start,
            div=stage.div,
            start_epoch=first_epoch,
        )
    if epoch_end.diverged:
        raise InputError(
            f"the loss is no number any more after {len(epoch_end.history)} finished epochs, in stage {stage.name} at "
            f"--lr {rates[1]:g}; pass a smaller --lr (and --precision fp32, if it was not)"
        )


def _search(run: Run, learner, stage: Stage) -> None:
    """Search for a learning rate; note it in run.json, lr_find.csv and lr_find.png."""
    renew_optimizer(learner, stage.frozen)
    with learner.removed_cbs([cb for cb in learner.cbs if cb.name in ("epoch_end", "batch_progress")]):
        search = find_lr(learner)
    record = run.record()
    record["lr_find"] = {**record.get("lr_find", {}), stage.name: search}
    run.write_record(record)
    write_search(record["lr_find"], run.lr_find_csv, run.lr_find_png)
    print(search_line(stage.name, search), flush=True)


def _searched_rates(run: Run, stage: Stage, transferred: bool) -> tuple[float, float]:
    """Peak rates of a stage that has none of its own, from the run's first search."""
    record = run.record()
    lr = next(iter(record["lr_find"].values()))["lr"]
    return (lr, lr) if stage.frozen else unfrozen_rates(lr, transferred, record["arguments"]["lr_mult"])


def _draw_batch(run: Run, prepared: DigitLearner) -> None:
    """figures/batch.png: training pictures with their augmentation; draws from no generator that training uses."""
    learner = prepared.learner
    states = random_states(learner.dls.loaders)
    images, labels = learner.dls.train.one_batch()
    gray = (images[:32, 0].cpu().numpy() * prepared.std[0] + prepared.mean[0]).clip(0, 1)
    draw_batch(gray, [learner.dls.vocab[int(label)] for label in labels[:32]], run.figure("batch"))
    restore_random_states(states, learner.dls.loaders)
