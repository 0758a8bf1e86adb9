"""The models that come with fastdigits, by name: saved models in the folder `weights/`."""

from pathlib import Path

from ..system import InputError
from .description import DESCRIPTION_FILE, read_description

WEIGHTS = Path(__file__).parent / "weights"


def shipped_names() -> list[str]:
    """Names of the shipped models."""
    return sorted(path.parent.name for path in WEIGHTS.glob(f"*/{DESCRIPTION_FILE}"))


def model_folder(model: str | Path) -> Path:
    """Where a model lies: the path itself, or for a shipped model's name that model's folder.

    A path that exists comes first.
    """
    path = Path(model)
    shipped = WEIGHTS / path
    is_name = len(path.parts) == 1 and (shipped / DESCRIPTION_FILE).is_file()
    return shipped if is_name and not path.exists() else path


def model_name(model: str | Path) -> str:
    """What a model is called where it is served or handed on: its folder's name, or a shipped model's."""
    return Path(model).resolve().name if Path(model).exists() else str(model)


def check_outlives(out: Path, flag: str, model: str | Path) -> None:
    """InputError when `model`, given with `flag`, lies at `out` or in it, where writing would remove it."""
    place, out = model_folder(model).resolve(), Path(out).resolve()
    if out == place or out in place.parents:
        raise InputError(f"{out} is where {flag} {model} lies; name another --out")


def shipped_architecture(name: str) -> str:
    """The architecture of the shipped model called `name`; any other name as it is."""
    return read_description(WEIGHTS / name)["architecture"] if name in shipped_names() else name
