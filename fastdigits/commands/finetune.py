"""finetune(): an image folder and a network that knows something -> a finished run, in stages."""

from pathlib import Path

from ..folders import TRAIN, VALID, ImageFolder
from ..models import NONE, starting_weights_of
from ..recipes import DIGIT_LR, default_batch_size, default_epochs, find_schedule, plan_stages, without_valid
from ..system import InputError, Precision
from ..training import (
    DEFAULTS,
    LEARNER_OPTIONS,
    STAGE_OPTIONS,
    Fit,
    FoldResult,
    Keep,
    OnEpoch,
    Result,
    Scaling,
    Training,
    check_valid,
    chosen_options,
    chosen_rules,
    find_preset,
    fit_or_folds,
    fit_run,
    given_arguments,
    run_name,
    training_folder,
)


def finetune(
    arch: str,
    data: Path,
    *,
    epochs: int | None = None,
    head_epochs: int | None = None,
    last_epochs: int | None = None,
    lr: float | None = None,
    lr_mult: float | None = None,
    schedule: str | None = None,
    optimizer: str | None = None,
    size: int | None = None,
    batch_size: int | None = None,
    weights: str = "pretrained",
    augment: str | None = None,
    scaling: Scaling | None = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    minutes: float | None = None,
    precision: Precision = "auto",
    early_stopping: int | None = None,
    min_delta: float | None = None,
    keep: Keep | None = None,
    label_smoothing: float | None = None,
    ema: float | None = None,
    teachers: list[str] | None = None,
    tensorboard: bool = False,
    normalise: bool | None = None,
    folds: int | None = None,
    repeats: int = 1,
    seed: int = 5,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_epoch: OnEpoch = None,
) -> Result | FoldResult:
    """Fine-tune a classifier on an image folder in stages: first its head, then all of it.

    Each stage is a one-cycle fit unless --schedule says otherwise; rates come from a learning-rate search unless they
    are given or known. After every epoch the run directory holds a checkpoint, and --resume goes on from it. Ctrl-C
    keeps the last finished epoch. Optimisers and schedules are written NAME or NAME:key=value,key=value.

    Parameters
    ----------
    arch
        A shipped model to start from (digitnet-mnist, digitnet-kannada), a network of ours, a torchvision or timm
        classifier (see `fastdigits models`), or the preset resnet50-kannada.
    data
        An image folder made by convert, or by hand as train/<label>/ and valid/<label>/.
    epochs
        Epochs with the whole network unfrozen; 3 by default, on few rows as many as make 120 steps. In a preset: of its
        stage `all`.
    head_epochs
        Epochs of the head alone before that; 1 by default, 0 from weights that were trained on digits and where there
        is nothing to transfer.
    last_epochs
        In a preset: of its stage `last`.
    lr
        Peak learning rate of the head; without it a search decides, or from digits and with the default optimiser it
        is 0.004. Once all is trained the head has half of it.
    lr_mult
        How many times smaller the first layers' rate is then: 100 by default for weights that were trained on
        photographs, 1 for those that were trained on digits.
    schedule
        Of each stage, in place of its one-cycle: constant, one-cycle (pct_start, div), steps:0=0.01,5=0.001 (the head's
        rate by epoch of the stage), or plateau (factor, patience, min_delta, floor, monitor=valid_loss|train_loss).
    optimizer
        fastai-adam by default, or sgd, adam, adamw, nadam, adadelta, rmsprop with their settings as for train.
    size
        Picture height and width in pixels for the network; by default what the network was made for, or the
        next multiple of 32.
    batch_size
        Pictures a step; 64 by default, 32 of fewer than 640 rows.
    weights
        pretrained (shipped, or downloaded by torchvision or timm), none, a .safetensors or .pth file, an earlier run,
        a saved model or a shipped one's name. The head starts fresh, unless it tells the same
        classes and is right about at least half of the training pictures.
    augment
        none, light, medium, strong, or a recipe's: conv5-bn, conv5x5, conv8-leaky, resnet50-kannada. Never a mirror.
        light by default.
    scaling
        With --weights none, of the pixels by the training rows: normalise, centre, or by default standardise; weights
        bring their own.
    clip_value
        Gradients are cut to -value..value; 0: they are not.
    clip_norm
        Each tensor's gradient is cut to this norm by itself; 0: it is not.
    minutes
        Measure the speed and set the epochs so that training takes about this long.
    precision
        auto: bf16 or fp16 where the machine is fast at it, else fp32.
    early_stopping
        End a stage after so many epochs in a row whose valid loss is not lower by `min_delta`; 0: never.
    min_delta
        See early_stopping.
    keep
        Weights of the last epoch (the default), of the one with the best accuracy on valid, of the one with the lowest
        loss, or of the last in which the loss fell by `min_delta` (last-fall).
    label_smoothing
        Share of each label's weight that is spread over all classes, such as 0.05.
    ema
        Validate and save the moving average of the weights with this decay, such as 0.999; 0: the weights themselves.
    teachers
        Models to learn from as much as from the labels (distillation): their mean probabilities on each picture.
    tensorboard
        Write each epoch's numbers for TensorBoard, into a time-stamped folder inside the run.
    normalise
        Cut the digit out of each picture of a folder made by hand and bring it to the form of MNIST's pictures; by
        default where the weights that training starts from were trained on such pictures.
    folds
        Train so many times, each time on all but one fold of the labelled rows, and score on that fold. Where groups
        are known, such as writers, none is on both sides.
    repeats
        Of folds, with as many seeds.
    seed
        Same seed, same machine: same numbers.
    out
        The run directory; by default runs/<arch>-<data>.
    resume
        Go on with the interrupted run at `out`; give the other options as before.
    overwrite
        Replace the run at `out`.
    on_epoch
        From Python: is called with each epoch's row of history.csv; what it raises ends the training.

    Returns
    -------
    Result, or with folds FoldResult

    Raises
    ------
    InputError
        When an option, the data or the weights are wrong.
    """
    arguments = given_arguments(locals())
    arguments["weights"] = weights = starting_weights_of(arch, str(weights))
    fit = transfer_fit(arguments, on_epoch)
    folder = training_folder(data, normalise, [weights, *(teachers or [])])
    return fit_or_folds(fit, f"{run_name(arch)}-{Path(data).name}", folder, arguments, out, resume, overwrite)


def transfer_fit(arguments: dict, on_epoch: OnEpoch = None, draw: bool = True) -> Fit:
    """What fine-tunes on a folder with the arguments of `finetune`, which are checked here as far as they need no data.

    Parameters
    ----------
    draw : bool
        Whether the run gets its figures.
    """
    backbone, preset = find_preset(arguments["arch"])
    if arguments["minutes"] is not None and preset:
        raise InputError(f"--minutes cannot set the epochs of the preset {arguments['arch']}; leave it out")
    if arguments["weights"] != NONE and arguments["scaling"]:
        raise InputError("--scaling comes with the weights; leave it out, or pass --weights none")
    if arguments["last_epochs"] is not None and not preset:
        raise InputError("--last-epochs are of the preset resnet50-kannada; leave them out")
    if arguments["schedule"]:
        find_schedule(arguments["schedule"])

    def fit(folder: ImageFolder, out: Path, arguments: dict, resume: bool, overwrite: bool) -> Result:
        check_valid(folder, arguments["early_stopping"], arguments["keep"])
        options = chosen_options(LEARNER_OPTIONS, arguments, preset)
        planned = {name: arguments[name] for name in STAGE_OPTIONS}
        if not preset:
            rows = len(folder.split(TRAIN))
            options["batch_size"] = arguments["batch_size"] or default_batch_size(rows)
            planned["epochs"] = arguments["epochs"] or default_epochs(rows, options["batch_size"])
        if arguments["schedule"] and VALID not in folder.splits:
            planned["schedule"] = without_valid(arguments["schedule"])
            if planned["schedule"] != arguments["schedule"]:
                print("no valid pictures: the train loss lowers the rate")
        training = Training(
            folder,
            backbone,
            arguments,
            options,
            plan=lambda prepared: plan_stages(
                prepared.transferred,
                published=preset.stages if preset else (),
                of_digits=prepared.of_digits,
                digit_lr=DIGIT_LR if options["optimizer"].startswith(DEFAULTS["optimizer"]) else None,
                **planned,
            ),
            rules=chosen_rules(arguments, preset),
            on_epoch=on_epoch,
            draw=draw,
        )
        return fit_run(training, out, resume, overwrite)

    return fit
