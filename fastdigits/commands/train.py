"""train(): an image folder and a recipe -> a finished run, from nothing."""

from dataclasses import replace
from pathlib import Path

from ..folders import VALID, ImageFolder
from ..models import NONE, file_part, find_backbone
from ..recipes import Stage, find_recipe, peak_of, without_valid
from ..system import InputError, Precision
from ..training import (
    LEARNER_OPTIONS,
    Fit,
    FoldResult,
    Keep,
    OnEpoch,
    Result,
    Rules,
    Scaling,
    Training,
    check_valid,
    chosen_options,
    chosen_rules,
    fit_or_folds,
    fit_run,
    given_arguments,
    training_folder,
)


def train(
    recipe: str,
    data: Path,
    *,
    epochs: int | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    optimizer: str | None = None,
    size: int | None = None,
    batch_size: int | None = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    augment: str | None = None,
    scaling: Scaling | None = None,
    early_stopping: int | None = None,
    min_delta: float | None = None,
    keep: Keep | None = None,
    label_smoothing: float | None = None,
    ema: float | None = None,
    teachers: list[str] | None = None,
    minutes: float | None = None,
    weights: str = NONE,
    precision: Precision = "auto",
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
    """Train a recipe on an image folder: digitnet, or a published one.

    What is left out is as the recipe has it: `fastdigits models` lists the recipes, `convert --recipe` makes their
    split. Optimisers and schedules are written NAME or NAME:key=value,key=value. After every epoch the run directory
    holds a checkpoint, and --resume goes on from it. Ctrl-C keeps the last finished epoch.

    Parameters
    ----------
    recipe
        digitnet, conv-elu, conv5-bn, mlp-300-100, conv5x5, conv5x5-tuned, dnn-he, dnn-tuned, conv3-pool, dcnn-prelu,
        conv8-leaky. Some take settings: conv5x5:filters=32-64,dense=256,dropout=0.25,dense_dropout=0.5 (and
        conv5x5-tuned), dnn-he:dense=300-100,dropout=0.2, dnn-tuned:neurons=150,momentum=0.8.
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
        centred=1), fastai-adam (whose momentum one-cycle moves); all take weight_decay, from which fastai-adam alone
        spares biases and normalisation.
    size
        Height and width in pixels to which pictures are brought for the network; 28 by default.
    batch_size
        Pictures a step.
    clip_value
        Gradients are cut to -value..value; 0: they are not.
    clip_norm
        Each tensor's gradient is cut to this norm by itself; 0: it is not.
    augment
        none, light, medium, strong, or a recipe's: conv5-bn, conv5x5, conv8-leaky, resnet50-kannada. Never a mirror.
    scaling
        Of the pixels, by the training rows: normalise (0..1), centre (minus their mean), standardise (and divided by
        their deviation).
    early_stopping
        End after so many epochs in a row whose valid loss is not lower by `min_delta`; 0: never.
    min_delta
        See early_stopping.
    keep
        Weights of the last epoch, of the one with the best accuracy on valid, of the one with the lowest loss, or of
        the last in which it fell by `min_delta` (last-fall), which Keras's early stopping restores.
    label_smoothing
        Share of each label's weight that is spread over all classes, such as 0.05.
    ema
        Validate and save the moving average of the weights with this decay, such as 0.999; 0: the weights themselves.
    teachers
        Models to learn from as much as from the labels (distillation): their mean probabilities on each picture.
    minutes
        Measure the speed and set the epochs so that training takes about this long.
    weights
        none, or an earlier run or saved model of the same recipe to go on from, its head included; then name `out`.
    precision
        auto: bf16 or fp16 where the machine is fast at it, else fp32.
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
        The run directory; by default runs/<recipe>-<data>.
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
    fit = scratch_fit(arguments, on_epoch)
    folder = training_folder(data, normalise, [weights, *(teachers or [])])
    return fit_or_folds(fit, f"{file_part(recipe)}-{Path(data).name}", folder, arguments, out, resume, overwrite)


def scratch_fit(arguments: dict, on_epoch: OnEpoch = None, draw: bool = True) -> Fit:
    """What trains on a folder with the arguments of `train`, which are checked here as far as they need no data.

    Parameters
    ----------
    draw : bool
        Whether the run gets its figures.
    """
    if arguments["weights"] != NONE and arguments["scaling"]:
        raise InputError("--scaling comes with the weights that training goes on from; leave it out")
    recipe = find_recipe(arguments["recipe"], "train")
    backbone = find_backbone(recipe.arch)
    planned = _scratch_stage(recipe.stages[0], *(arguments[name] for name in ("epochs", "lr", "schedule")))

    def fit(folder: ImageFolder, out: Path, arguments: dict, resume: bool, overwrite: bool) -> Result:
        check_valid(folder, arguments["early_stopping"], arguments["keep"])
        rules, stage = chosen_rules(arguments, recipe), planned
        if VALID not in folder.splits:
            rules, stage = _trained_blindly(rules, stage)
        training = Training(
            folder,
            backbone,
            arguments,
            options={**chosen_options(LEARNER_OPTIONS, arguments, recipe), "whole": True},
            plan=lambda prepared: [stage],
            rules=rules,
            on_epoch=on_epoch,
            draw=draw,
        )
        return fit_run(training, out, resume, overwrite)

    return fit


def _scratch_stage(published: Stage, epochs: int | None, lr: float | None, schedule: str | None) -> Stage:
    """The one stage of a recipe, with the user's changes."""
    schedule = schedule or published.schedule
    peak = peak_of(schedule)
    if lr is None:
        lr = peak or published.lr[1]
    return replace(published, epochs=epochs or published.epochs, lr=(lr, lr), schedule=schedule)


def _trained_blindly(rules: Rules, stage: Stage) -> tuple[Rules, Stage]:
    """A recipe's rules and stage for a folder without valid pictures: nothing in them looks at valid."""
    schedule = without_valid(stage.schedule)
    if schedule != stage.schedule or rules.early_stopping or rules.keep != "last":
        rate = ", train loss lowers the rate" if schedule != stage.schedule else ""
        print(f"no valid pictures: all epochs are trained, the last one's weights kept{rate}")
    return replace(rules, early_stopping=None, keep="last"), replace(stage, schedule=schedule)
