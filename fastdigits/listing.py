"""list_models(): every name that training accepts, as a table."""

from dataclasses import dataclass
from fnmatch import fnmatch

from .errors import InputError
from .models import Backbone, find_backbone
from .models.backbones import known_names
from .stages import PRESETS, Preset

COUNTED_MODELS = 100  # parameters are counted by building each network, which takes a while for all of timm


@dataclass
class ModelList:
    """Names that `finetune` accepts, presets first, with parameters and where weights come from."""

    presets: dict[str, Preset]
    backbones: list[Backbone]

    @property
    def names(self) -> list[str]:
        return [*self.presets, *(backbone.name for backbone in self.backbones)]

    def __rich__(self):
        from rich.table import Table

        counted = len(self.backbones) <= COUNTED_MODELS
        table = Table("name", "library", *(["parameters"] if counted else []), "takes", "pretrained weights")
        for name, preset in self.presets.items():
            count = [f"{find_backbone(preset.arch).parameter_count():,}"] if counted else []
            table.add_row(name, "preset", *count, f"{preset.size} px", f"those of {preset.arch}")
        for backbone in self.backbones:
            count = [f"{backbone.parameter_count():,}"] if counted else []
            takes = f"{backbone.fixed_size} px" if backbone.fixed_size else "any size"
            table.add_row(backbone.name, backbone.library, *count, takes, backbone.weights_source or "none")
        table.caption = f"{len(self.names)} names"
        if not counted:
            table.caption += f"; parameters (of ten classes) are counted when a filter leaves {COUNTED_MODELS} or fewer"
        return table


def list_models(filter: str = "*") -> ModelList:
    """List the names that finetune accepts, their parameters and where pretrained weights come from.

    Parameters
    ----------
    filter
        Part of a name, or a pattern such as 'resnet*'.

    Returns
    -------
    ModelList

    Raises
    ------
    InputError
        When no name fits.
    """
    pattern = filter if any(sign in filter for sign in "*?[") else f"*{filter}*"
    presets = {name: preset for name, preset in PRESETS.items() if fnmatch(name, pattern)}
    backbones = [Backbone(name, library) for name, library in known_names().items() if fnmatch(name, pattern)]
    if not presets and not backbones:
        raise InputError(f"no architecture fits {filter!r}; `fastdigits models` lists all")
    return ModelList(presets, backbones)
