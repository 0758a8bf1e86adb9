"""Our own recipes: networks that are trained on digits to start from."""

from ..folders import SplitRule
from .definition import Recipe, one_stage

# how each choice was made is told in docs/lab_log.md
OWN_RECIPES = {
    "digitnet": Recipe(
        "digitnet",
        None,
        SplitRule(),
        one_stage(24, 0.01, "one-cycle"),
        batch_size=128,
        optimizer="fastai-adam:weight_decay=0.02",
        augment="medium",
        scaling="standardise",
        label_smoothing=0.05,
        ema=0.999,
    ),
    "digitnet-fast": Recipe(  # an answer within a minute on two cores
        "digitnet-fast",
        None,
        SplitRule(),
        one_stage(2, 0.03, "one-cycle"),
        batch_size=256,
        optimizer="muon",
        scaling="standardise",
        label_smoothing=0.05,
        ema=0.999,
    ),
    "digitnet-tiny": Recipe(
        "digitnet-tiny",
        None,
        SplitRule(),
        one_stage(40, 0.02, "one-cycle"),
        batch_size=128,
        optimizer="fastai-adam:weight_decay=0.01",
        augment="light",
        scaling="standardise",
        ema=0.999,
    ),
}
