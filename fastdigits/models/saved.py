"""The saved model: `model.safetensors` + `model.json` and a card to read. Nothing in it is ever unpickled."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..system import InputError, file_sha256, whole_file, write_json
from .backbones import find_backbone
from .description import (
    CARD_FILE,
    DESCRIPTION_FILE,
    LIGHT,
    ONNX,
    ModelDescription,
    check_described,
    damaged,
    description_of,
    read_description,
    told_in,
)
from .outliers import count_outputs, shares_of
from .statistics import folded, statistics_of

WEIGHTS_FILE = "model.safetensors"


@dataclass
class SavedModel(ModelDescription):
    """A classifier with all that prediction needs.

    Attributes
    ----------
    module : torch.nn.Module
        Pictures (n, channels, size, size) to logits (n, outputs), in evaluation mode: one a class, then OUTLIERS where
        it tells them.
    """

    module: "torch.nn.Module"  # noqa: F821 (torch is loaded only where it is used)

    def model_input(self, images: np.ndarray):
        """Gray pictures uint8 (n, h, w), on the ground it knows, as it wants them: float (n, channels, size, size)."""
        return self._input(self._gray(images))

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities of one batch.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, h, w)
            Light ink on a dark ground.

        Returns
        -------
        ndarray of float32, shape (n, classes), rows sum to 1
        """
        return self.shares(images)[:, : len(self.classes)]

    def shares(self, images: np.ndarray) -> np.ndarray:
        """The same and behind it, where the model tells them, the shares of OUTLIERS: float32 (n, outputs)."""
        import torch

        images = 255 - images if self.ground == LIGHT else images
        with torch.inference_mode():
            return self._shares(self._gray(images)).cpu().numpy()

    def knowing(self, images: np.ndarray, share: float) -> AbstractContextManager[None]:
        """Within the block that this opens its normalisation knows some pictures; see `statistics_of`.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, h, w)
            Light ink on a dark ground.
        share : float
        """
        images = 255 - images if self.ground == LIGHT else images
        return statistics_of(self.module, self.model_input(images), share)

    def folded(self) -> "SavedModel":
        """The same model, faster, for prediction alone; see `statistics.folded`."""
        return replace(self, module=folded(self.module))

    def soft_labels(self, gray):
        """Class probabilities (n, classes) of gray pictures (n, 1, h, w), uint8 or floats 0..1, on its device."""
        return self._shares(gray)[:, : len(self.classes)]

    def _shares(self, gray):
        return shares_of(self.module(self._input(gray)), len(self.classes), self.temperature)

    def _gray(self, images: np.ndarray):
        import torch

        return torch.tensor(images, device=next(self.module.parameters()).device)[:, None]

    def _input(self, gray):
        import torch

        from ..folders import model_input

        mean, std = (torch.tensor(values, device=gray.device).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return model_input(gray, self.size, mean, std)

    def write(self, folder: Path) -> None:
        """Write the files into `folder`; the description, which holds the weights' sha256, last."""
        import safetensors.torch

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.module.state_dict().items()}
        with whole_file(folder / WEIGHTS_FILE) as partial:
            # save_file would leave a file that only its owner can read
            partial.write_bytes(safetensors.torch.save(tensors))
        if self.card is not None:
            with whole_file(folder / CARD_FILE) as partial:
                partial.write_text(self.card, encoding="utf-8")
        write_json(folder / DESCRIPTION_FILE, description_of(self, file_sha256(folder / WEIGHTS_FILE)))

    in_torch = True

    def to(self, device: str) -> None:
        """Move to a device."""
        import torch

        self.module.to(device, memory_format=torch.channels_last)


def read_weights(folder: Path, description: dict) -> dict:
    """Tensors by name of the saved model in `folder`, after their sha256 was compared with its description's.

    Raises
    ------
    InputError
        When the file is missing, damaged, not the one that the description names, or holds NaN.
    """
    import safetensors.torch

    weights = folder / WEIGHTS_FILE
    if description.get("format") == ONNX:
        raise InputError(
            f"{folder} is an ONNX export, which only predicts; pass the run or model that it was made from"
        )
    check_described(weights, description)
    try:
        tensors = safetensors.torch.load_file(weights)
    except (safetensors.SafetensorError, OSError):
        raise damaged(weights) from None
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise InputError(f"{weights} holds weights that are no numbers; train the model again")
    return tensors


def read_saved(folder: str | Path) -> SavedModel:
    """The saved model in `folder`, on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        When a file is missing or damaged, or the weights are not those that the description names.
    """
    folder = Path(folder)
    description = read_description(folder)
    tensors = read_weights(folder, description)
    n_outputs = count_outputs(description["classes"], description.get("outliers") is not None)
    module = find_backbone(description["architecture"]).build(n_outputs, description["size"])
    try:
        module.load_state_dict(tensors)
    except RuntimeError:
        architecture = description["architecture"]
        raise InputError(f"{folder / WEIGHTS_FILE} does not fit {architecture}; export the model again") from None
    card = folder / CARD_FILE
    return SavedModel(
        module.eval(), **told_in(description), card=card.read_text(encoding="utf-8") if card.is_file() else None
    )
