"""train(): an image folder and a recipe -> a finished run, from nothing."""

from ..training import FoldResult, Result, Scratch, TrainArguments, fit
from .taking import takes


@takes(TrainArguments)
def train(arguments: TrainArguments) -> Result | FoldResult:
    """Train a recipe on an image folder: digitnet, or a published one.

    Options that you leave out are as in the recipe: `fastdigits models` lists the recipes, `convert --recipe` makes
    their split. Optimisers and schedules are written NAME or NAME:key=value,key=value. After every epoch the run
    directory holds a checkpoint, and --resume goes on from it. Ctrl-C keeps the last finished epoch.

    Parameters
    ----------
    recipe
        digitnet, digitnet-fast (for 50,000 rows within a minute), digitnet-tiny (fewer than 10,000 parameters),
        conv-elu, conv5-bn, mlp-300-100, conv5x5, conv5x5-tuned, dnn-he, dnn-tuned, conv3-pool, dcnn-prelu,
        conv8-leaky. Some take settings:
        conv5x5:filters=32-64,dense=256,dropout=0.25,dense_dropout=0.5 (and conv5x5-tuned),
        dnn-he:dense=300-100,dropout=0.2, dnn-tuned:neurons=150,momentum=0.8, digitnet:width=48.
    epochs
        The maximum number of epochs; by default the recipe's, which `fastdigits models NAME` shows; on few rows of the
        recipes of digitnet so many that there are 120 steps.
    lr
        Learning rate; with a schedule the highest one. By default the recipe's.
    schedule
        constant, one-cycle (pct_start, div), steps:0=0.01,5=0.001 by epoch, or plateau (factor, patience, min_delta,
        floor, monitor=valid_loss|train_loss).
    size
        Height and width in pixels to which pictures are brought for the network; 28 by default.
    weights
        none, or an earlier run, saved or shipped model of the same recipe to go on from, its head included; then name
        `out`.

    Returns
    -------
    Result, or with folds FoldResult

    Raises
    ------
    InputError
        When an option, the data or the weights are wrong.
    """
    return fit(Scratch(arguments))
