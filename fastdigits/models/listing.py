"""All networks by name, with what a list tells of them: torchvision and timm, which load slowly, are asked once.

That is, once for each of their versions and of our own networks' source; see `system.remembered`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from ..system import file_sha256, remembered
from .backbones import Backbone, find_backbone, known_names

LIBRARIES = ("torch", "torchvision", "timm")


@dataclass(frozen=True)
class Listed:
    """What a list tells of a network.

    Attributes
    ----------
    library : 'fastdigits', 'torchvision' or 'timm'
    made_for : int or None
        Pixels of the pictures; None where it takes all alike.
    weights : str or None
        Where pretrained ones come from, in a word.
    """

    library: str
    made_for: int | None
    weights: str | None


def catalogue() -> dict[str, Listed]:
    """Every name that `find_backbone` takes without settings or a tag of timm's."""
    return {name: Listed(**about) for name, about in remembered("networks", _versions(), _asked).items()}


def _asked() -> dict[str, dict]:
    backbones = [Backbone(name, library) for name, library in known_names().items()]
    return {one.name: asdict(Listed(one.library, one.fixed_size, one.weights_source)) for one in backbones}


def parameter_counts(names: Sequence[str]) -> dict[str, int]:
    """How many parameters networks of ten classes have, by name; names may have settings."""
    of = f"{_versions()}; {', '.join(names)}"
    return remembered("parameters", of, lambda: {name: find_backbone(name).parameter_count() for name in names})


def _versions() -> str:
    here = Path(__file__).parent
    sources = [Path(__file__), here / "backbones.py", *sorted((here / "networks").glob("*.py"))]
    versions = [f"{library} {version(library)}" for library in LIBRARIES]
    return ", ".join(versions + [file_sha256(source)[:16] for source in sources])
