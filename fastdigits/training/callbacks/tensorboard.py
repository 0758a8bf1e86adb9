"""Each epoch's numbers for TensorBoard, an extra."""

import time
from collections.abc import Callable
from pathlib import Path

from ...system import InputError


def check_tensorboard() -> None:
    """InputError when the package tensorboard is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise InputError("--tensorboard needs the package tensorboard: pip install 'fastdigits[track]'") from None


def open_tensorboard(folder: Path, epochs_done: int = 0) -> Callable[[dict], None]:
    """What writes a history row as TensorBoard scalars, into a time-stamped folder inside `folder`.

    A run that goes on after `epochs_done` epochs goes on in the folder that it began; what was written there of a later
    epoch no longer counts.
    """
    from torch.utils.tensorboard import SummaryWriter

    begun = sorted(folder.iterdir()) if epochs_done and folder.is_dir() else []
    place = begun[-1] if begun else folder / time.strftime("%Y%m%d-%H%M%S")
    writer = SummaryWriter(place, purge_step=epochs_done + 1 if begun else None)

    def write(row: dict) -> None:
        for name, value in row.items():
            if isinstance(value, int | float) and name != "epoch":
                writer.add_scalar(name, value, row["epoch"])
        writer.flush()

    return write
