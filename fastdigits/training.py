"""finetune(): an image folder and a backbone -> a finished run, trained in stages."""

import shlex
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from .errors import InputError
from .evaluation import score
from .figures import draw_batch, draw_confusion, draw_curves
from .folders import VALID, ImageFolder, read_folder
from .learners import (
    DigitLearner,
    Precision,
    check_numbers,
    epoch_seconds,
    find_recipe,
    prepare_learner,
    renew_optimizer,
)
from .lr_search import find_lr, search_line, write_search
from .outputs import whole_file
from .prediction import Predictions, file_probabilities
from .runs import Run, check_run_output, random_states, reopen_run, restore_random_states, start_run, write_json
from .saved import SavedModel
from .stages import Stage, plan_stages, unfrozen_rates

# What two runs must share to be the same run; the other options of finetune say where and how to write.
LEARNER_OPTIONS = ("size", "batch_size", "weights", "augment", "precision", "seed")


@dataclass(frozen=True)
class Result:
    """A finished run."""

    run: Run
    result: dict

    def __rich__(self) -> str:
        lines = [f"run {self.run.path}"]
        if self.result["accuracy"] is not None:
            low, high = self.result["interval"]
            lines.append(
                f"accuracy {self.result['accuracy']:.2%} (95 % interval {low:.2%} .. {high:.2%}) "
                f"on {self.result['valid_pictures']:,} valid pictures"
            )
        return "\n".join(lines)

    __str__ = __rich__


def finetune(
    arch: str,
    data: Path,
    *,
    epochs: int | None = None,
    head_epochs: int | None = None,
    lr: float | None = None,
    size: int | None = None,
    batch_size: int | None = None,
    weights: str = "pretrained",
    augment: str | None = None,
    minutes: float | None = None,
    precision: Precision = "auto",
    early_stopping: int | None = None,
    keep: Literal["last", "best"] = "last",
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
        A torchvision or timm classifier (see `fastdigits models`), or the preset resnet50-kannada.
    data
        An image folder made by convert, or by hand as train/<label>/ and valid/<label>/.
    epochs
        Epochs with the whole network unfrozen; 3 by default.
    head_epochs
        Epochs of the head alone before that; 1 by default, 0 when there are no weights to transfer.
    lr
        Peak learning rate of the head; without it a search decides.
    size
        Picture height and width in pixels for the network; by default the next multiple of 32.
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
    arguments["data"] = str(data)
    check_numbers(arguments)
    if minutes is not None and epochs is not None:
        raise InputError("--minutes sets the epochs itself; leave out --epochs")
    backbone, preset = find_recipe(arch)
    if minutes is not None and preset:
        raise InputError(f"--minutes cannot set the epochs of the preset {arch}; leave it out")
    folder = read_folder(data)
    if VALID not in folder.splits and (early_stopping is not None or keep == "best"):
        raise InputError(f"{data} has no valid pictures, which early stopping and --keep best need")
    out = Path(out) if out else Path("runs", f"{arch if preset else backbone.file_name}-{Path(data).name}")
    if not resume:
        check_run_output(out, overwrite)
    prepared = prepare_learner(backbone, preset, folder, **{name: arguments[name] for name in LEARNER_OPTIONS})
    planned = plan_stages(prepared.transferred, head_epochs, epochs, lr, preset)
    if resume:
        run = reopen_run(out, arguments, folder.digest)
    else:
        run = start_run(out, _record(arguments, folder, prepared), overwrite)
    return _train(run, folder, prepared, planned)


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
        "data": str(folder.path),
        "data_digest": folder.digest,
        "architecture": prepared.backbone.name,
        "classes": folder.classes,
        "size": prepared.size,
        "mean": prepared.mean,
        "std": prepared.std,
        "weights": prepared.weights,
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
        _draw_batch(run, prepared.learner)
        first_stage = 0
    else:
        epoch_end.start_from(checkpoint)
        run.restore_history(checkpoint["history"])
        prepared.learner.model.load_state_dict(checkpoint["model"])
        restore_random_states(checkpoint["random"], prepared.learner.dls.loaders)
        first_stage = checkpoint["next_stage"]
    try:
        with closing(bar):
            for number in range(first_stage, len(stages)):
                inside = checkpoint is not None and number == first_stage and checkpoint["next_epoch"] > 0
                _fit_stage(run, prepared, stages, number, epoch_end, checkpoint if inside else None)
    except KeyboardInterrupt:
        done, all_epochs = len(epoch_end.history), sum(stage.epochs for stage in stages)
        print(f"{done} of {all_epochs} epochs are kept in {run.path}; the same command with --resume goes on")
        raise
    return _finish(run, folder, prepared, epoch_end.history, arguments["keep"])


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
        learner.opt.load_state_dict(checkpoint["optimizer"])
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
    lr = next(iter(run.record()["lr_find"].values()))["lr"]
    return (lr, lr) if stage.frozen else unfrozen_rates(lr, transferred)


def _draw_batch(run: Run, learner) -> None:
    """figures/batch.png: training pictures with their augmentation; draws from no generator that training uses."""
    states = random_states(learner.dls.loaders)
    images, labels = learner.dls.train.decode(learner.dls.train.one_batch())[:2]
    gray = images[:32].float().mean(1).cpu().numpy() / 255
    draw_batch(gray, [learner.dls.vocab[int(label)] for label in labels[:32]], run.figure("batch"))
    restore_random_states(states, learner.dls.loaders)


def _finish(run: Run, folder: ImageFolder, prepared: DigitLearner, history: list[dict], keep: str) -> Result:
    """Saved model, predictions and scores on valid, figures; result.json last."""
    module, kept_epoch = prepared.learner.model, history[-1]["epoch"]
    if keep == "best":
        best = run.read_checkpoint(best=True)
        module.load_state_dict(best["model"])
        kept_epoch = best["history"][-1]["epoch"]
    saved = SavedModel(
        module.eval(), prepared.backbone.name, folder.classes, prepared.size, prepared.mean, prepared.std
    )
    saved.write(run.path)
    draw_curves(history, run.figure("curves"))
    seconds = round(sum(row["seconds"] for row in history), 1)
    result = {"epochs": len(history), "kept_epoch": kept_epoch, "seconds": seconds}
    result |= {"accuracy": None, "interval": None, "valid_pictures": 0}
    if VALID in folder.splits:
        result |= _score_valid(run, folder, saved)
    write_json(run.result_file, result)
    return Result(run, result)


def _score_valid(run: Run, folder: ImageFolder, saved: SavedModel) -> dict:
    """Predictions, scores and confusion on valid into the run; what result.json takes over."""
    valid = folder.split(VALID)
    probabilities = file_probabilities([saved], valid.files, "valid")
    table = Predictions(valid.ids, probabilities, folder.classes).table(probabilities=True)
    table.insert(1, "true", valid.labels)
    with whole_file(run.predictions_file) as partial:
        table.to_csv(partial, index=False)
    evaluation = score(valid.labels, probabilities, folder.classes, f"{folder.path} ({VALID})")
    write_json(run.evaluation_file, asdict(evaluation))
    draw_confusion(evaluation.confusion, folder.classes, run.figure("confusion"))
    return {
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "valid_pictures": evaluation.pictures,
    }
