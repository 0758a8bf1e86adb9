"""Each epoch's numbers for TensorBoard, an extra."""

import time
from collections.abc import Callable
from pathlib import Path

from .errors import InputError


def open_tensorboard(folder: Path) -> Callable[[dict], None]:
    """What writes a history row as TensorBoard scalars, into a time-stamped folder of its own inside `folder`.

    Raises
    ------
    InputError
        When the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("--tensorboard needs the package tensorboard: pip install 'fastdigits[track]'") from None
    writer = SummaryWriter(folder / time.strftime("%Y%m%d-%H%M%S"))

    def write(row: dict) -> None:
        for name, value in row.items():
            if isinstance(value, int | float) and name != "epoch":
                writer.add_scalar(name, value, row["epoch"])
        writer.flush()

    return write
