"""finetune() and train(): an image folder and a network -> a finished run."""

from dataclasses import replace
from pathlib import Path

from .errors import InputError
from .fitting import Rules, fit_run
from .folders import VALID, ImageFolder, read_folder
from .learners import LEARNER_OPTIONS, Keep, Scaling, check_options, chosen_options, find_preset
from .machine import Precision
from .models import find_backbone
from .recipes import find_recipe
from .results import Result
from .schedules import Plateau, Steps, find_schedule
from .stages import DEFAULT_LR_MULT, Stage, plan_stages
from .starting_weights import NONE

RULES = ("keep", "early_stopping", "min_delta", "clip_value", "clip_norm")
BY_VALID = "best or lowest-loss"


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
    keep: Keep | None = None,
    tensorboard: bool = False,
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
        End a stage after so many epochs in a row without a lower valid loss; 0: never.
    keep
        Weights of the last epoch (the default), of the one with the best accuracy on valid, or of the one with the
        lowest loss.
    tensorboard
        Write each epoch's numbers for TensorBoard, into a time-stamped folder inside the run.
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
    arguments = _arguments(locals())
    if minutes is not None and epochs is not None:
        raise InputError("--minutes sets the epochs itself; leave out --epochs")
    backbone, preset = find_preset(arch)
    if minutes is not None and preset:
        raise InputError(f"--minutes cannot set the epochs of the preset {arch}; leave it out")
    folder = read_folder(data)
    _check_valid(folder, early_stopping, keep)
    return fit_run(
        Path(out) if out else Path("runs", f"{arch if preset else backbone.file_name}-{Path(data).name}"),
        folder,
        backbone,
        arguments=arguments,
        options=chosen_options(LEARNER_OPTIONS, arguments, preset),
        plan=lambda transferred: plan_stages(
            transferred, head_epochs, epochs, lr, lr_mult, preset.stages if preset else ()
        ),
        rules=Rules(**chosen_options(RULES, arguments, preset), minutes=minutes, tensorboard=tensorboard),
        resume=resume,
        overwrite=overwrite,
    )


def train(
    recipe: str,
    data: Path,
    *,
    epochs: int | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    optimizer: str | None = None,
    batch_size: int | None = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    augment: str | None = None,
    scaling: Scaling | None = None,
    early_stopping: int | None = None,
    min_delta: float | None = None,
    keep: Keep | None = None,
    minutes: float | None = None,
    weights: str = NONE,
    precision: Precision = "auto",
    tensorboard: bool = False,
    seed: int = 5,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Result:
    """Train a published scratch recipe on an image folder of 28x28 pictures.

    What is left out is as it was published: `fastdigits models` lists the recipes, `convert --recipe` makes their
    split. Optimisers and schedules are written NAME or NAME:key=value,key=value. After every epoch the run directory
    holds a checkpoint, and --resume goes on from it. Ctrl-C keeps the last finished epoch.

    Parameters
    ----------
    recipe
        conv-elu, conv5-bn, mlp-300-100, conv5x5, conv5x5-tuned, dnn-he, dnn-tuned, conv3-pool, dcnn-prelu, conv8-leaky.
    data
        An image folder made by convert, or by hand as train/<label>/ and valid/<label>/.
    epochs
        At most so many.
    lr
        Learning rate; of a schedule its largest.
    schedule
        constant, one-cycle (pct_start, div), steps:0=0.01,5=0.001 by epoch, or plateau (factor, patience, min_delta,
        floor, monitor=valid_loss|train_loss).
    optimizer
        sgd (momentum), adam, adamw, nadam (momentum, rho, eps), adadelta (rho, eps), rmsprop (rho, momentum, eps,
        centred=1), fastai-adam (whose momentum one-cycle moves); all take weight_decay.
    batch_size
        Pictures a step.
    clip_value
        Gradients are cut to -value..value; 0: they are not.
    clip_norm
        Each tensor's gradient is cut to this norm by itself; 0: it is not.
    augment
        none, light, strong, or a recipe's: conv5-bn, conv5x5, conv8-leaky, resnet50-kannada. Never a mirror.
    scaling
        Of the pixels, by the training rows: normalise (0..1), centre (minus their mean), standardise (and divided by
        their deviation).
    early_stopping
        End after so many epochs in a row whose valid loss is not lower by `min_delta`; 0: never.
    min_delta
        See early_stopping.
    keep
        Weights of the last epoch, of the one with the best accuracy on valid, or of the one with the lowest loss.
    minutes
        Measure the speed and set the epochs so that training takes about this long.
    weights
        none, or an earlier run or saved model of the same recipe to go on from, its head included; then name `out`.
    precision
        auto: bf16 or fp16 where the machine is fast at it, else fp32.
    tensorboard
        Write each epoch's numbers for TensorBoard, into a time-stamped folder inside the run.
    seed
        Same seed, same machine: same numbers.
    out
        The run directory; by default runs/<recipe>-<data>.
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
    arguments = _arguments(locals())
    if minutes is not None and epochs is not None:
        raise InputError("--minutes sets the epochs itself; leave out --epochs")
    if weights != NONE and scaling:
        raise InputError("--scaling comes with the weights that training goes on from; leave it out")
    published, folder = find_recipe(recipe, "train"), read_folder(data)
    chosen = chosen_options((*RULES, *LEARNER_OPTIONS), arguments, published)
    stage = _scratch_stage(published.stages[0], epochs, lr, schedule)
    _check_valid(folder, early_stopping, keep)
    if VALID not in folder.splits:
        chosen, stage = _without_valid(chosen, stage)
    rules = Rules(**{name: chosen[name] for name in RULES}, minutes=minutes, tensorboard=tensorboard)
    return fit_run(
        Path(out) if out else Path("runs", f"{recipe}-{Path(data).name}"),
        folder,
        find_backbone(published.arch),
        arguments=arguments,
        options={**{name: chosen[name] for name in LEARNER_OPTIONS}, "whole": True},
        plan=lambda transferred: [stage],
        rules=rules,
        resume=resume,
        overwrite=overwrite,
    )


def _arguments(given: dict) -> dict:
    """What a command was called with, checked, as run.json holds it: without what says where to write and how."""
    arguments = {name: value for name, value in given.items() if name not in ("resume", "overwrite", "out")}
    arguments |= {"data": str(Path(given["data"])), "weights": str(given["weights"])}
    check_options(arguments)
    return arguments


def _scratch_stage(published: Stage, epochs: int | None, lr: float | None, schedule: str | None) -> Stage:
    """The one stage of a recipe, with the user's changes."""
    found = find_schedule(schedule or published.schedule)
    if lr is None:
        lr = found.peak if isinstance(found, Steps) else published.lr[1]
    return replace(published, epochs=epochs or published.epochs, lr=(lr, lr), schedule=schedule or published.schedule)


def _check_valid(folder: ImageFolder, early_stopping: int | None, keep: str | None) -> None:
    """InputError when a folder without valid pictures is to be judged by them."""
    if VALID not in folder.splits and (early_stopping or keep not in (None, "last")):
        raise InputError(f"{folder.path} has no valid pictures, which early stopping and --keep {BY_VALID} need")


def _without_valid(chosen: dict, stage: Stage) -> tuple[dict, Stage]:
    """A recipe's rules and stage for a folder without valid pictures: nothing in them looks at valid."""
    schedule = find_schedule(stage.schedule)
    on_valid = isinstance(schedule, Plateau) and schedule.monitor == "valid_loss"
    if on_valid:
        stage = replace(stage, schedule=f"{stage.schedule}{',' if ':' in stage.schedule else ':'}monitor=train_loss")
    if on_valid or chosen["early_stopping"] or chosen["keep"] != "last":
        print("no valid pictures: all epochs are trained, the last one's weights kept, train loss lowers the rate")
    return {**chosen, "early_stopping": None, "keep": "last"}, stage
