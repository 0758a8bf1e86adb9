"""finetune() and lr_find(): a Learner over an image folder, trained in stages into a run directory."""

import random
import shlex
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from .errors import InputError
from .folders import VALID, ImageFolder, pixel_statistics, read_folder
from .models import Backbone, find_backbone
from .runs import Run, random_states, reopen_run, restore_random_states, start_run, write_json

Precision = Literal["auto", "fp32", "bf16", "fp16"]

FALLBACK_LR = 2e-3  # fastai's fine_tune default, taken when the search finds nothing
SEARCH_BATCHES = 100  # of a learning-rate search
SEARCH_SKIPS = (10, 5)  # first and last batches of a search that tell nothing, as fastai skips them
TIMED_BATCHES = 8  # of a throughput measurement
STEP_PX = 32  # backbones halve their picture five times
LARGEST_DEFAULT_PX = 224


@dataclass(frozen=True)
class Stage:
    """One one-cycle fit.

    Attributes
    ----------
    name : str
    epochs : int
    frozen : bool
        Train the head (and, as fastai does, the body's BatchNorm) only.
    lr : (float, float) or None
        Peak learning rate of the first and of the last layer group; None: decided by the search before the stage.
    search : bool
        Run a learning-rate search before the stage.
    pct_start, div : float
        Share of the stage in which the rate rises, and the peak over the first rate.
    """

    name: str
    epochs: int
    frozen: bool
    lr: tuple[float, float] | None = None
    search: bool = False
    pct_start: float = 0.25
    div: float = 25.0


@dataclass(frozen=True)
class Preset:
    """A published recipe: what `finetune NAME` takes unless a flag says otherwise."""

    arch: str
    stages: tuple[Stage, ...]
    size: int
    batch_size: int
    augment: str


PRESETS = {
    # its lr_find runs before the frozen and before the unfrozen stage; the rates are the published ones
    "resnet50-kannada": Preset(
        arch="resnet50",
        stages=(
            Stage("head", 4, frozen=True, lr=(1e-2, 1e-1), search=True),
            Stage("all", 5, frozen=False, lr=(2e-6, 2e-3), search=True),
            Stage("last", 3, frozen=False, lr=(2e-7, 2e-6)),  # slice(2e-6): a tenth for all groups but the last
        ),
        size=32,
        batch_size=64,
        augment="resnet50-kannada",
    )
}


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
    given = {name: value for name, value in locals().items() if name not in ("resume", "overwrite", "out")}
    arguments = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    out = Path(out) if out else Path("runs", f"{_file_name(arch)}-{Path(data).name}")
    _check_options(arguments)
    folder = read_folder(data)
    if VALID not in folder.splits and (early_stopping is not None or keep == "best"):
        raise InputError(f"{data} has no valid pictures, which early stopping and --keep best need")
    preset = PRESETS.get(arch)
    backbone = find_backbone(preset.arch if preset else arch)
    session = _prepare(backbone, folder, arguments, preset)
    if resume:
        run = reopen_run(out, arguments, folder.digest)
    else:
        run = start_run(out, _record(arguments, folder, session), overwrite)
    return _train(run, folder, session, arguments, preset)


def _check_options(arguments: dict) -> None:
    for name in ("epochs", "head_epochs", "size", "batch_size", "early_stopping", "minutes", "lr"):
        value, least = arguments[name], 0 if name == "head_epochs" else 1
        if value is None:
            continue
        if (value <= 0 if name in ("minutes", "lr") else value < least) or value != value:
            above = "above 0" if name in ("minutes", "lr") else f"{least} or more"
            raise InputError(f"--{name.replace('_', '-')} {value} makes no sense; give {above}")
    if arguments["minutes"] is not None and arguments["epochs"] is not None:
        raise InputError("--minutes sets the epochs itself; leave out --epochs")


@dataclass
class _Session:
    """What one training process works with."""

    backbone: Backbone
    learner: "fastai.learner.Learner"  # noqa: F821 (fastai is loaded only where it is used)
    size: int
    mean: list[float]
    std: list[float]
    transferred: bool
    weights_origin: str
    device: str
    precision: str


def _prepare(backbone: Backbone, folder: ImageFolder, arguments: dict, preset: Preset | None) -> _Session:
    """A Learner with starting weights, over the folder's loaders; all random generators start from the seed."""
    import torch

    from .augmentation import find_policy
    from .loaders import digit_loaders
    from .starting_weights import load_weights

    policy = find_policy(arguments["augment"] or (preset.augment if preset else "light"))
    size = arguments["size"] or (preset.size if preset else _default_size(backbone, folder))
    device = _device()
    _seed_everything(arguments["seed"])
    module = backbone.build(len(folder.classes), size)
    backbone.check_size(module, size)
    start = load_weights(module, backbone, arguments["weights"])
    mean, std = start.mean, start.std
    if mean is None:  # nothing to transfer: the data's own statistics, the same on each channel
        mean, std = ([value] * 3 for value in pixel_statistics(folder))
    batch_size = arguments["batch_size"] or (preset.batch_size if preset else 64)
    dls = digit_loaders(
        folder, size=size, mean=mean, std=std, batch_size=batch_size, policy=policy, device=torch.device(device)
    )
    precision = _precision(arguments["precision"], device)
    learner = _learner(dls, module, backbone, precision)
    return _Session(backbone, learner, size, mean, std, start.transferred, start.origin, device, precision)


def _default_size(backbone: Backbone, folder: ImageFolder) -> int:
    if backbone.fixed_size:
        return backbone.fixed_size
    pictures = folder.size or LARGEST_DEFAULT_PX
    return min(-(-pictures // STEP_PX) * STEP_PX, LARGEST_DEFAULT_PX)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _precision(wanted: Precision, device: str) -> str:
    """The precision that `auto` means on this machine; others as they are, if the device can do them.

    bf16 on a CPU pays only where the CPU multiplies it in hardware (AMX or AVX512-BF16); MPS stays with fp32.
    """
    import torch

    if device == "mps" or wanted == "fp32":
        return "fp32"
    if device == "cpu":
        if wanted == "fp16":
            raise InputError("--precision fp16 needs a GPU; accepted here are auto, fp32 and bf16")
        fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        return "bf16" if wanted == "bf16" or fast else "fp32"
    if wanted == "auto":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return wanted


def _seed_everything(seed: int) -> None:
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _learner(dls, module, backbone: Backbone, precision: str):
    import torch
    from fastai.losses import CrossEntropyLossFlat
    from fastai.callback.core import TrainEvalCallback
    from fastai.learner import CastToTensor, Learner, Recorder
    from fastai.metrics import accuracy

    from .callbacks import Autocast
    from .optimizers import FusedAdam

    learner = Learner(
        dls,
        module.to(memory_format=torch.channels_last),  # what convolutions are fast with on CPUs and tensor cores
        loss_func=CrossEntropyLossFlat(),
        opt_func=FusedAdam,
        splitter=backbone.layer_groups,
        metrics=accuracy,
        default_cbs=False,  # fastai's progress bar among them does not notice that it writes to a log
        cbs=[TrainEvalCallback(), Recorder(), CastToTensor(), *([Autocast(precision)] if precision != "fp32" else [])],
    )
    learner.model.to(dls.device)
    return learner


def _record(arguments: dict, folder: ImageFolder, session: _Session) -> dict:
    """What run.json holds from the start."""
    from importlib.metadata import version

    packages = ("fastdigits", "fastai", "torch", "torchvision", "timm", "numpy")
    return {
        "arguments": arguments,
        "command": shlex.join(sys.argv) if sys.argv[0] else None,
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in packages}},
        "device": session.device,
        "precision": session.precision,
        "data": str(folder.path),
        "data_digest": folder.digest,
        "architecture": session.backbone.name,
        "classes": folder.classes,
        "size": session.size,
        "mean": session.mean,
        "std": session.std,
        "weights": session.weights_origin,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _train(run: Run, folder: ImageFolder, session: _Session, arguments: dict, preset: Preset | None) -> Result:
    """Run (or go on with) all stages, then write everything that belongs to a finished run."""
    from .callbacks import BatchProgress, EpochEnd

    learner, record = session.learner, run.record()
    if "stages" not in record:
        record["stages"] = [asdict(stage) for stage in _plan(session, arguments, preset)]
        run.write_record(record)
    stages = [Stage(**{**stage, "lr": stage["lr"] and tuple(stage["lr"])}) for stage in record["stages"]]
    epoch_end = EpochEnd(run, stages, arguments["early_stopping"])
    learner.add_cbs([epoch_end, BatchProgress()])
    checkpoint = run.read_checkpoint()
    first_stage, first_epoch = 0, 0
    if checkpoint:
        first_stage, first_epoch = checkpoint["next_stage"], checkpoint["next_epoch"]
        epoch_end.start_from(checkpoint)
        run.restore_history(checkpoint["history"])
        learner.model.load_state_dict(checkpoint["model"])
        restore_random_states(checkpoint["random"], learner.dls.loaders)
    elif VALID in folder.splits:
        _draw_batch(run, learner)
    try:
        for number in range(first_stage, len(stages)):
            resumed = checkpoint if checkpoint and number == first_stage and first_epoch else None
            _fit_stage(run, session, stages, number, epoch_end, resumed)
    except KeyboardInterrupt:
        done, planned = len(epoch_end.history), sum(stage.epochs for stage in stages)
        print(f"interrupted: {done} of {planned} epochs are kept in {run.path}; the same command with --resume goes on")
        raise
    return _finish(run, folder, session, arguments, epoch_end)


def _plan(session: _Session, arguments: dict, preset: Preset | None) -> list[Stage]:
    """The stages of a run before any learning-rate search."""
    head_epochs, epochs, lr = arguments["head_epochs"], arguments["epochs"], arguments["lr"]
    if not session.transferred:
        if head_epochs:
            raise InputError("--head-epochs needs weights to transfer; leave it out with --weights none")
        head_epochs = 0
    if preset:
        return _preset_plan(preset, session.transferred, head_epochs, epochs, lr)
    head_epochs = 1 if head_epochs is None else head_epochs
    if arguments["minutes"] is not None:
        epochs = _epochs_within(session, arguments["minutes"], head_epochs)
    # fastai's fine_tune: half the head's rate for the whole network, a hundredth of that for its first layers
    unfrozen_lr = (lr / 200, lr / 2) if lr and session.transferred else (lr, lr) if lr else None
    head = Stage("head", head_epochs, frozen=True, lr=(lr, lr) if lr else None, search=lr is None, pct_start=0.99)
    searches = lr is None and head_epochs == 0
    div = 5.0 if session.transferred else 25.0
    body = Stage("all", epochs or 3, frozen=False, lr=unfrozen_lr, search=searches, pct_start=0.3, div=div)
    return [head, body] if head_epochs else [body]


def _preset_plan(
    preset: Preset, transferred: bool, head_epochs: int | None, epochs: int | None, lr: float | None
) -> list[Stage]:
    from dataclasses import replace

    stages = [stage for stage in preset.stages if transferred or not stage.frozen]
    if head_epochs is not None:
        stages = [replace(s, epochs=head_epochs) if s.frozen else s for s in stages if head_epochs or not s.frozen]
    if epochs is not None:
        stages = [replace(s, epochs=epochs) if s.name == "all" else s for s in stages]
    if lr is not None:
        largest = max(stage.lr[1] for stage in stages)
        stages = [replace(s, lr=tuple(rate * lr / largest for rate in s.lr)) for s in stages]
    return stages


def _fit_stage(run: Run, session: _Session, stages: list[Stage], number: int, epoch_end, resumed: dict | None) -> None:
    """One stage from its start, or from the checkpoint `resumed` inside it."""
    learner, stage = session.learner, stages[number]
    first_epoch = resumed["next_epoch"] if resumed else 0
    learner.opt = None  # each stage has its own optimiser, as fastai clears its state on (un)freezing
    if len(learner.splitter(learner.model)[0]) and stage.frozen:
        learner.freeze()
    else:
        learner.unfreeze()
    if resumed:
        learner.opt.load_state_dict(resumed["optimizer"])
    elif stage.search:
        with learner.removed_cbs([cb for cb in learner.cbs if cb.name in ("epoch_end", "batch_progress")]):
            search = find_lr(learner)
        _record_search(run, stage.name, search)
    lr = stage.lr or _rates_from_search(run, stage, stages, session.transferred)
    epoch_end.begin_stage(number, first_epoch)
    with learner.no_logging():
        learner.fit_one_cycle(
            stage.epochs,
            slice(*lr) if lr[0] != lr[1] else lr[1],
            pct_start=stage.pct_start,
            div=stage.div,
            start_epoch=first_epoch,
        )


def _rates_from_search(run: Run, stage: Stage, stages: list[Stage], transferred: bool) -> tuple[float, float]:
    """Rates of a stage without its own: from the search before it or before an earlier stage."""
    base = next(iter(run.record()["lr_find"].values()))["lr"]
    if stage.frozen or not transferred:
        return base, base
    return base / 200, base / 2


def find_lr(learner, batches: int = SEARCH_BATCHES) -> dict:
    """fastai's learning-rate range test (Smith 2015, arXiv:1506.01186); weights are as before afterwards.

    Returns
    -------
    dict
        lrs, losses (lists of float, one a batch), lr (the choice), fallback (None, or why the choice is a default).
    """
    from fastai.callback.schedule import valley

    from .callbacks import RangeTest

    with learner.no_logging():
        learner.fit(batches // max(1, len(learner.dls.train)) + 1, cbs=RangeTest(num_it=batches))
    skip_first, skip_last = SEARCH_SKIPS
    points = list(zip(learner.recorder.lrs, (float(loss) for loss in learner.recorder.losses)))
    points = [(float(lr), loss) for lr, loss in points[skip_first : len(points) - skip_last] if np.isfinite(loss)]
    lrs, losses = [lr for lr, _ in points], [loss for _, loss in points]
    search = {"lrs": lrs, "losses": losses, "lr": FALLBACK_LR, "fallback": None}
    if len(points) < 10:
        search["fallback"] = f"only {len(points)} batches were usable"
    elif min(losses) > 0.95 * losses[0]:
        search["fallback"] = "the loss did not fall at any rate"
    else:
        search["lr"] = valley(lrs, losses, batches)[0]
    return search


def _record_search(run: Run, stage: str, search: dict) -> None:
    """Note a search in run.json, lr_find.csv and lr_find.png."""
    record = run.record()
    record["lr_find"] = {**record.get("lr_find", {}), stage: search}
    run.write_record(record)
    write_search(record["lr_find"], run.lr_find_csv, run.lr_find_png)
    print(_search_line(stage, search), flush=True)


def _search_line(stage: str, search: dict) -> str:
    why = f" (fallback: {search['fallback']})" if search["fallback"] else ""
    return f"learning-rate search · {stage} · {search['lr']:.2e}{why}"


def write_search(searches: dict[str, dict], csv_file: Path, png_file: Path) -> None:
    """The curve of each stage's search as a table `stage,lr,loss` and as a picture."""
    import pandas as pd

    from .figures import draw_lr_find
    from .outputs import whole_file

    tables = [
        pd.DataFrame({"stage": stage, "lr": search["lrs"], "loss": search["losses"]})
        for stage, search in searches.items()
    ]
    with whole_file(csv_file) as partial:
        pd.concat(tables).to_csv(partial, index=False)
    draw_lr_find(searches, png_file)


def _epochs_within(session: _Session, minutes: float, head_epochs: int) -> int:
    """How many unfrozen epochs fit into the time, measured on a few batches of each stage; at least one."""
    frozen, unfrozen = (_epoch_seconds(session.learner, frozen) for frozen in (True, False))
    left = minutes * 60 - head_epochs * frozen
    epochs = max(1, int(left / unfrozen))
    over = "" if unfrozen <= left else ", which is longer than asked for"
    print(f"an epoch takes about {unfrozen:.0f} s: {epochs} in {minutes:g} minutes{over}", flush=True)
    return epochs


def _epoch_seconds(learner, frozen: bool) -> float:
    """Seconds that one epoch of training and validation takes; weights and random states are as before afterwards."""
    from .callbacks import BatchClock, RangeTest

    states = random_states(learner.dls.loaders)
    learner.opt, clock = None, BatchClock()
    if frozen:
        learner.freeze()
    else:
        learner.unfreeze()
    n_epochs = TIMED_BATCHES // max(1, len(learner.dls.train)) + 1
    with learner.no_logging():
        learner.fit(n_epochs, cbs=[RangeTest(1e-9, 1e-9, TIMED_BATCHES, stop_div=False), clock])
    learner.opt = None
    restore_random_states(states, learner.dls.loaders)
    a_batch = float(np.median(np.diff(clock.ends)))
    n_valid = len(learner.dls.valid_ds)
    # a validation picture costs the forward pass, about a third of a training one
    return a_batch * (len(learner.dls.train) + n_valid / learner.dls.train.bs / 3)


def _draw_batch(run: Run, learner) -> None:
    """figures/batch.png: training pictures with their augmentation; draws from no generator that training uses."""
    from .figures import draw_batch

    states = random_states(learner.dls.loaders)
    batch = learner.dls.train.one_batch()
    images, labels = learner.dls.train.decode(batch)[:2]
    gray = images[:32].float().mean(1).clamp(0, 1).cpu().numpy()
    draw_batch(gray, [learner.dls.vocab[int(label)] for label in labels[:32]], run.figure("batch"))
    restore_random_states(states, learner.dls.loaders)


def _finish(run: Run, folder: ImageFolder, session: _Session, arguments: dict, epoch_end) -> Result:
    """Saved model, predictions and scores on valid, figures; result.json last."""
    from .evaluation import score
    from .figures import draw_confusion, draw_curves
    from .outputs import whole_file
    from .prediction import Predictions, file_probabilities
    from .saved import SavedModel

    module = session.learner.model
    kept = epoch_end.history[-1]["epoch"]
    if arguments["keep"] == "best":
        best = run.read_checkpoint(best=True)
        module.load_state_dict(best["model"])
        kept = best["history"][-1]["epoch"]
    saved = SavedModel(
        module.float().eval(), session.backbone.name, folder.classes, session.size, session.mean, session.std
    )
    saved.write(run.path)
    result = {
        "accuracy": None,
        "interval": None,
        "valid_pictures": 0,
        "epochs": len(epoch_end.history),
        "kept_epoch": kept,
        "seconds": round(sum(row["seconds"] for row in epoch_end.history), 1),
    }
    if VALID in folder.splits:
        valid = folder.split(VALID)
        probabilities = file_probabilities([saved], valid.files, "valid")
        table = Predictions(valid.ids, probabilities, folder.classes).table(probabilities=True)
        table.insert(1, "true", valid.labels)
        with whole_file(run.predictions_file) as partial:
            table.to_csv(partial, index=False)
        evaluation = score(valid.labels, probabilities, folder.classes, f"{folder.path} ({VALID})")
        write_json(run.evaluation_file, asdict(evaluation))
        draw_confusion(evaluation.confusion, folder.classes, run.figure("confusion"))
        result |= {
            "accuracy": evaluation.accuracy,
            "interval": evaluation.interval,
            "valid_pictures": evaluation.pictures,
        }
    draw_curves(epoch_end.history, run.figure("curves"))
    write_json(run.result_file, result)
    return Result(run, result)


@dataclass(frozen=True)
class LearningRate:
    """What a learning-rate search suggests, and where its curve lies."""

    lr: float
    fallback: str | None
    csv: Path
    png: Path

    def __rich__(self) -> str:
        why = f" (fallback: {self.fallback})" if self.fallback else ""
        return f"learning rate {self.lr:.2e}{why}\nwritten to {self.csv} and {self.png}"

    __str__ = __rich__


def lr_find(
    arch: str,
    data: Path,
    *,
    size: int | None = None,
    batch_size: int | None = None,
    weights: str = "pretrained",
    augment: str | None = None,
    precision: Precision = "auto",
    seed: int = 5,
    out: Path | None = None,
    overwrite: bool = False,
) -> LearningRate:
    """Search for a learning rate: the curve as PNG and CSV and the suggestion, or a stated fallback.

    With weights to transfer the head alone is searched, as finetune does; without, the whole network.

    Parameters
    ----------
    arch
        A torchvision or timm classifier (see `fastdigits models`), or the preset resnet50-kannada.
    data
        An image folder.
    size
        Picture height and width in pixels for the network; by default the next multiple of 32.
    batch_size
        Pictures a step; 64 by default.
    weights
        pretrained, none, a .safetensors or .pth file, an earlier run or a saved model.
    augment
        As for finetune.
    precision
        As for finetune.
    seed
        Same seed, same machine: same curve.
    out
        Folder for lr_find.csv and lr_find.png; by default runs/lr-find-<arch>-<data>.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    LearningRate

    Raises
    ------
    InputError
        When an option, the data or the weights are wrong.
    """
    from .outputs import check_output, whole_folder

    arguments = {name: locals()[name] for name in ("size", "batch_size", "weights", "augment", "precision", "seed")}
    arguments |= dict.fromkeys(("epochs", "head_epochs", "early_stopping", "minutes", "lr"))
    out = Path(out) if out else Path("runs", f"lr-find-{_file_name(arch)}-{Path(data).name}")
    check_output(out, overwrite)
    _check_options(arguments)
    preset = PRESETS.get(arch)
    session = _prepare(find_backbone(preset.arch if preset else arch), read_folder(data), arguments, preset)
    if session.transferred:
        session.learner.freeze()
    search = find_lr(session.learner)
    with whole_folder(out) as partial:
        stage = "head" if session.transferred else "all"
        write_search({stage: search}, partial / "lr_find.csv", partial / "lr_find.png")
    return LearningRate(search["lr"], search["fallback"], out / "lr_find.csv", out / "lr_find.png")


def _file_name(arch: str) -> str:
    return arch.replace(":", "-").replace("/", "-")
