"""A fastai Learner over an image folder: starting weights, device, precision, seeds, speed."""

import random
from dataclasses import dataclass

import numpy as np

from ..folders import TRAIN, ImageFolder, ground_of_split, pixel_statistics, spread_rows, usual_side
from ..models import (
    DESCRIPTION_FILE,
    NONE,
    PRETRAINED,
    Backbone,
    StartingWeights,
    count_outputs,
    find_backbone,
    load_weights,
    load_whole,
    model_folder,
    read_description,
    read_saved,
    shipped_architecture,
)
from ..recipes import RECIPES, Recipe
from ..runs import random_states, restore_random_states
from ..system import Precision, find_device, find_precision, join_world, prepare_machine
from .arguments import Scaling

STEP_PX = 32  # backbones halve their picture five times
LARGEST_DEFAULT_PX = 224
ASKED_PICTURES = 500  # of the training pictures, whether a model knows them already
TIMED_BATCHES = 8  # of a throughput measurement; a loader may prepare as many together


@dataclass
class DigitLearner:
    """A fastai Learner with what is needed to save its model.

    Attributes
    ----------
    learner : fastai.learner.Learner
    backbone : Backbone
    size : int
        Pixels; what the network sees.
    mean, std : list of float, length channels
        Normalisation on the scale 0..1.
    transferred, of_digits : bool
        Whether the body started with knowledge, and whether that was of digits.
    weights : str
        Where the starting weights came from.
    device, precision : str
    """

    learner: "fastai.learner.Learner"  # noqa: F821 (fastai is loaded only where it is used)
    backbone: Backbone
    size: int
    mean: list[float]
    std: list[float]
    transferred: bool
    of_digits: bool
    weights: str
    device: str
    precision: str


def find_preset(arch: str) -> tuple[Backbone, Recipe | None]:
    """The classifier that `arch` names, if only as a shipped model's, and the preset when it names one."""
    recipe = RECIPES.get(arch)
    preset = recipe if recipe and recipe.command == "finetune" else None
    return find_backbone(preset.arch if preset else shipped_architecture(arch)), preset


def prepare_learner(
    backbone: Backbone,
    folder: ImageFolder,
    *,
    batch_size: int,
    augment: str,
    scaling: Scaling,
    optimizer: str,
    label_smoothing: float = 0.0,
    balance: bool = False,
    reject: bool = False,
    styles: bool = False,
    size: int | None = None,
    weights: str = PRETRAINED,
    whole: bool = False,
    precision: Precision = "auto",
    seed: int = 5,
    start: StartingWeights | None = None,
) -> DigitLearner:
    """A Learner with starting weights over the folder's loaders; every random generator starts from the seed.

    Parameters
    ----------
    scaling : str
        Of the pixels, by the training rows' statistics, when no weights bring their own.
    balance : bool
        Show every class equally often.
    reject : bool
        Learn to tell pictures that show no single digit, too.
    styles : bool
        Learn from drawn digits, too.
    whole : bool
        The weights are those of the same network and classes, whose head is taken over.
    start : StartingWeights, optional
        Of an earlier time: nothing is loaded, since a checkpoint will bring the weights.
    """
    import torch

    from ..batches import digit_loaders, find_policy
    from ..models import zero_unseen_gradients
    from ..recipes import find_optimizer

    policy, make_optimizer = find_policy(augment), find_optimizer(optimizer)
    size, world = size or _default_size(backbone, folder), join_world()
    prepare_machine()
    device = find_device()
    precision = find_precision(precision, device)
    _seed_everything(seed)
    module = backbone.build(count_outputs(folder.classes, reject), size)
    backbone.check_size(module, size)
    if start is None and whole and weights != NONE:
        start = load_whole(module, backbone, weights, folder.classes)
    if start is None and knows_already(weights, backbone, size, folder):
        print(f"{weights} knows these classes, so its head is kept", flush=True)
        start = load_whole(module, backbone, weights, folder.classes)
    start = start or load_weights(module, backbone, weights, size)
    if (device, precision) == ("cpu", "bf16"):
        zero_unseen_gradients(module, backbone.channels, size)
    mean, std = start.mean, start.std
    if mean is None:  # nothing to transfer; the same on each channel
        mean, std = ([value] * backbone.channels for value in pixel_scale(folder, scaling))
    dls = digit_loaders(
        folder,
        size=size,
        mean=mean,
        std=std,
        batch_size=batch_size,
        policy=policy,
        device=torch.device(device),
        world=world,
        balance=balance,
    )
    if not world.is_first:
        _seed_everything(seed + world.rank)  # of augmentation and dropout; the order of the rows is the same for all
    learner = _learner(dls, module, backbone, precision, make_optimizer, label_smoothing)
    if styles or reject:
        from .callbacks.drawn import Drawn
        from .callbacks.pools import outlier_pool, style_pool

        pools = [style_pool(folder, size, seed)] if styles else []
        pools += [outlier_pool(folder, size, seed)] if reject else []
        learner.add_cb(Drawn(pools, len(folder.classes)))
    return DigitLearner(
        learner, backbone, size, mean, std, start.transferred, start.of_digits, start.origin, device, precision
    )


def knows_already(weights: str, backbone: Backbone, size: int, folder: ImageFolder) -> bool:
    """Whether a saved model tells the folder's classes, and is right about at least half of its training pictures.

    Labels alone do not say so: the digits of every script are called 0 to 9.
    """
    from ..answers import Inference
    from ..folders import on_dark, split_images
    from ..scores import class_numbers

    place = model_folder(weights)
    if weights in (NONE, PRETRAINED) or not (place / DESCRIPTION_FILE).is_file():
        return False
    description = read_description(place)
    if tuple(description[name] for name in ("architecture", "size", "classes")) != (
        backbone.name,
        size,
        folder.classes,
    ):
        return False
    saved, split = read_saved(place), folder.split(TRAIN)
    if saved.ground != ground_of_split(folder, TRAIN):  # training would show it what it does not know
        return False
    rows = spread_rows(len(split), ASKED_PICTURES)
    images = on_dark(folder, split_images(folder, TRAIN, saved.size, rows))
    answers = Inference([saved]).probabilities(images).argmax(1)
    return bool((answers == class_numbers([split.labels[row] for row in rows], folder.classes)).mean() >= 0.5)


def pixel_scale(folder: ImageFolder, scaling: Scaling) -> tuple[float, float]:
    """What is taken from gray levels 0..1 and what they are divided by, from the training rows alone.

    normalise leaves them as they are, centre takes their mean, standardise also divides by their deviation.
    """
    if scaling == "normalise":
        return 0.0, 1.0
    mean, std = pixel_statistics(folder)
    return mean, std if scaling == "standardise" else 1.0


def _default_size(backbone: Backbone, folder: ImageFolder) -> int:
    if backbone.fixed_size:
        return backbone.fixed_size
    pictures = folder.size or usual_side(folder.split(TRAIN).files)
    return min(-(-pictures // STEP_PX) * STEP_PX, LARGEST_DEFAULT_PX)


def _seed_everything(seed: int) -> None:
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _learner(dls, module, backbone: Backbone, precision: str, make_optimizer, label_smoothing: float):
    import torch
    from fastai.callback.core import TrainEvalCallback
    from fastai.metrics import accuracy, skm_to_fastai
    from sklearn.metrics import f1_score, precision_score, recall_score

    from .callbacks.batch import AnyDeviceMixedPrecision, EventLearner, LeanRecorder, PlainCrossEntropy

    by_class = [
        skm_to_fastai(score, average="macro", zero_division=0) for score in (precision_score, recall_score, f1_score)
    ]
    learner = EventLearner(
        dls,
        module.to(memory_format=torch.channels_last),  # what convolutions are fast with on CPUs and tensor cores
        loss_func=PlainCrossEntropy(label_smoothing=label_smoothing),
        opt_func=make_optimizer,
        splitter=backbone.layer_groups,
        metrics=[accuracy, *by_class],
        default_cbs=False,  # fastai's progress bar among them does not notice that it writes to a log
        cbs=[
            TrainEvalCallback(),
            LeanRecorder(),
            *([AnyDeviceMixedPrecision(precision)] if precision != "fp32" else []),
        ],
    )
    learner.model.to(dls.device)
    return learner


def renew_optimizer(learner, frozen: bool) -> None:
    """A new optimiser (fastai clears its state on (un)freezing anyway) over the head alone, or over everything."""
    learner.opt = None
    if frozen:
        learner.freeze()
    else:
        learner.unfreeze()


def epoch_seconds(learner, frozen: bool) -> tuple[float, float]:
    """Seconds of training and of validation in an epoch; weights and random states are as before afterwards."""
    from .callbacks.batch import BatchClock, RangeTest

    states, clock = random_states(learner.dls.loaders), BatchClock()
    renew_optimizer(learner, frozen)
    n_batches = 2 * TIMED_BATCHES
    n_epochs = n_batches // max(1, len(learner.dls.train)) + 1
    with learner.no_logging():
        learner.fit(n_epochs, cbs=[RangeTest(1e-9, 1e-9, n_batches, stop_div=False), clock])
    restore_random_states(states, learner.dls.loaders)
    ends = clock.ends[-TIMED_BATCHES - 1 :]  # the first batches also pay for what torch sets up
    batch_seconds = (ends[-1] - ends[0]) / (len(ends) - 1)
    # a validation picture costs the forward pass, about a third of a training one
    valid_batches = len(learner.dls.valid_ds) / learner.dls.train.bs / 3
    return batch_seconds * len(learner.dls.train), batch_seconds * valid_batches
