"""A saved model as a fastai Learner, pickled for fastai's load_learner."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from fastai.losses import CrossEntropyLossFlat

from .saved import SavedModel


class TemperedLoss(CrossEntropyLossFlat):
    """fastai's cross-entropy, whose probabilities are those of logits divided by a temperature."""

    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def activation(self, out: torch.Tensor) -> torch.Tensor:
        return super().activation(out / self.temperature)


class ClassesAlone(torch.nn.Module):
    """A network without the outputs that come behind those of its classes, which fastai has no names for."""

    def __init__(self, network: torch.nn.Module, n_classes: int):
        super().__init__()
        self.network, self.n_classes = network, n_classes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)[:, : self.n_classes]


def write_learner(saved: SavedModel, path: Path) -> None:
    """A fastai Learner around the model, as `learner.pkl` for fastai's load_learner."""
    from fastai.data.transforms import IndexSplitter
    from fastai.learner import Learner
    from fastai.metrics import accuracy
    from PIL import Image

    from ..batches import NO_AUGMENTATION, digit_block

    with tempfile.TemporaryDirectory() as folder:
        blank = [Path(folder, label, "blank.png") for label in saved.classes]  # loaders want items; export drops them
        for file in blank:
            file.parent.mkdir()
            Image.new("L", (saved.size, saved.size)).save(file)
        block = digit_block(
            saved.classes,
            saved.size,
            saved.mean,
            saved.std,
            NO_AUGMENTATION,
            equal_sizes=False,
            splitter=IndexSplitter([0]),
        )
        dls = block.dataloaders(blank, path=folder, bs=len(blank), num_workers=0, device="cpu")
        network = ClassesAlone(saved.module, len(saved.classes)) if saved.outliers else saved.module
        learner = Learner(dls, network, loss_func=TemperedLoss(saved.temperature), metrics=accuracy)
        learner.path = path.parent.absolute()
        learner.export(path.name)


def learner_probabilities(path: Path, images: np.ndarray) -> np.ndarray:
    """What the Learner pickled at `path`, which we have just written, says about uint8 pictures (n, h, w)."""
    import warnings

    from fastai.learner import load_learner

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="load_learner` uses Python's insecure pickle")
        learner = load_learner(path)
    loader = learner.dls.test_dl(list(images), rm_type_tfms=0, num_workers=0)  # arrays, where it was made with files
    with learner.no_mbar():
        return learner.get_preds(dl=loader)[0].numpy()
