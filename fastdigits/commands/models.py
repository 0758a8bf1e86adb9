"""list_models(): every name that training accepts, as tables."""

from dataclasses import dataclass, fields
from fnmatch import fnmatch

from ..models import Backbone, catalogue, model_folder, parameter_counts, read_description, shipped_names
from ..recipes import RECIPES, Recipe
from ..system import InputError

COUNTED_MODELS = 100  # parameters are counted by building each network, which takes a while for all of timm


@dataclass
class ModelList:
    """Names that `train` and `finetune` accept: recipes, shipped models to start from, and classifiers.

    Attributes
    ----------
    asked_for : str
        The recipe whose defaults are shown, empty for none.
    """

    recipes: dict[str, Recipe]
    backbones: list[Backbone]
    shipped: list[str]
    asked_for: str = ""

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys([*self.shipped, *self.recipes, *(backbone.name for backbone in self.backbones)]))

    def __rich__(self):
        from rich.console import Group

        tables = [self._shipped_table()] if self.shipped else []
        tables += [self._recipe_table()] if self.recipes else []
        if self.asked_for:
            tables.append(_settings_table(self.asked_for, self.recipes[self.asked_for]))
        return Group(*tables, *([self._backbone_table()] if self.backbones else []), f"{len(self.names)} names")

    def _shipped_table(self):
        from rich.table import Table

        table = Table("model", "architecture", "takes", "tells", title="shipped models, for finetune and predict")
        for name in self.shipped:
            about = read_description(model_folder(name))
            table.add_row(name, about["architecture"], f"{about['size']} px", ", ".join(about["classes"]))
        return table

    def _recipe_table(self):
        from rich.table import Table

        table = Table("recipe", "command", "parameters", "made for", "published", title="recipes")
        counts = parameter_counts(sorted({recipe.arch for recipe in RECIPES.values()}))
        for name, recipe in self.recipes.items():
            published, count = recipe.published, counts[recipe.arch]
            reached = f"{published.accuracy:.2%} on valid · {published.table} {published.year}" if published else "ours"
            table.add_row(name, recipe.command, f"{count:,}", f"{recipe.size} px", reached)
        return table

    def _backbone_table(self):
        from rich.table import Table

        counted, known = len(self.backbones) <= COUNTED_MODELS, catalogue()
        columns = ("name", "library", *(["parameters"] if counted else []), "made for", "pretrained weights")
        table = Table(*columns, title="classifiers for finetune")
        for backbone in self.backbones:
            count = [f"{backbone.parameter_count():,}"] if counted else []
            about = known[backbone.name]
            made_for = f"{about.made_for} px" if about.made_for else "any size"
            table.add_row(backbone.name, backbone.library, *count, made_for, about.weights or "none")
        if not counted:
            table.caption = f"parameters (of ten classes) are counted when a filter leaves {COUNTED_MODELS} or fewer"
        return table


def _settings_table(name: str, recipe: Recipe):
    """How a recipe trains unless a flag says otherwise, and what to know of its published number."""
    from rich.table import Table

    split = recipe.split
    held_out = f"{split.valid:.0%}" if split.valid < 1 else f"{split.valid:,} rows"
    table = Table("setting", "by default", title=f"how {name} trains")
    table.add_row("split", f"{split.method} {held_out}, seed {split.seed} (convert --recipe {name})")
    for stage in recipe.stages:
        first, last = stage.lr
        rates = f"{last:g}" if first == last else f"{'a tenth' if first is None else format(first, 'g')} .. {last:g}"
        table.add_row(f"stage {stage.name}", f"{stage.length}, {stage.schedule}, rate {rates}")
    for field in fields(Recipe):
        value = getattr(recipe, field.name)
        if field.name not in ("arch", "published", "split", "stages") and value not in (None, 0.0):  # 0: switched off
            table.add_row(field.name.replace("_", " "), str(value))
    if recipe.published and recipe.published.caveat:
        table.add_row("published number", recipe.published.caveat)
    return table


def list_models(filter: str = "*") -> ModelList:
    """List the names that train and finetune accept, their parameters and where pretrained weights come from.

    Parameters
    ----------
    filter
        Part of a name, or a pattern such as 'resnet*'. If it is the full name of a recipe, or if only one recipe
        matches, all defaults of this recipe are shown.

    Returns
    -------
    ModelList

    Raises
    ------
    InputError
        When no name fits.
    """
    pattern = filter if any(sign in filter for sign in "*?[") else f"*{filter}*"
    recipes = {name: recipe for name, recipe in RECIPES.items() if fnmatch(name, pattern)}
    backbones = [Backbone(name, about.library) for name, about in catalogue().items() if fnmatch(name, pattern)]
    shipped = [name for name in shipped_names() if fnmatch(name, pattern)]
    if not recipes and not backbones and not shipped:
        raise InputError(f"no architecture fits {filter!r}; `fastdigits models` lists all")
    asked_for = filter if filter in recipes else next(iter(recipes)) if len(recipes) == 1 else ""
    return ModelList(recipes, backbones, shipped, asked_for)
