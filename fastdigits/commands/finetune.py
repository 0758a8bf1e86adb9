"""finetune(): an image folder and a network that knows something -> a finished run, in stages."""

from ..training import FinetuneArguments, FoldResult, Result, Transfer, fit
from .taking import takes


@takes(FinetuneArguments)
def finetune(arguments: FinetuneArguments) -> Result | FoldResult:
    """Fine-tune a network on an image folder: all of it if it knows digits, first its head if it knows photographs.

    Each stage uses a one-cycle schedule unless --schedule says otherwise; learning rates come from a search unless they
    are given or known. After every epoch the run directory holds a checkpoint, and --resume continues from it. Ctrl-C
    keeps the last finished epoch. Optimisers and schedules are written NAME or NAME:key=value,key=value.

    Parameters
    ----------
    arch
        A shipped model to start from (digitnet-mnist, digitnet-kannada, digitnet-tiny-mnist), a network of ours, a
        torchvision or timm classifier (see `fastdigits models`), or the preset resnet50-kannada.
    epochs
        Epochs with the whole network unfrozen; 3 by default, or with few rows as many as are needed for 120 steps. In a
        preset: the epochs of its stage `all`.
    head_epochs
        Epochs before that in which only the head is trained; 1 by default, 0 if the weights were trained on digits or
        if there are no pretrained weights.
    last_epochs
        In a preset: of its stage `last`.
    lr
        Peak learning rate of the head. If it is not given, a search finds it; with weights that were trained on digits
        and the default optimiser it is 0.004. When all layers are trained, the head has half of it.
    lr_mult
        How many times smaller the learning rate of the first layers is when all layers are trained: 100 by default for
        weights that were trained on photographs, 1 for those that were trained on digits.
    schedule
        Of each stage, in place of its one-cycle: constant, one-cycle (pct_start, div), steps:0=0.01,5=0.001 (the head's
        rate by epoch of the stage), or plateau (factor, patience, min_delta, floor, monitor=valid_loss|train_loss).
    size
        Picture height and width in pixels for the network; by default what the network was made for, or the next
        multiple of 32, at most 224.
    weights
        pretrained (shipped, or downloaded by torchvision or timm), none, a file (.safetensors, .pth, .pt, .bin, .ckpt,
        .tar), an earlier run, a saved model or a shipped one's name. The head is initialised anew, unless it has the
        same classes and is right about at least half of the training pictures.

    Returns
    -------
    Result, or with folds FoldResult

    Raises
    ------
    InputError
        When an option, the data or the weights are wrong.
    """
    return fit(Transfer(arguments))
