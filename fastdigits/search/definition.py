"""What a search is: a recipe or network, data, a space, an objective; and what a trial's values mean for training."""

from dataclasses import dataclass
from pathlib import Path

from ..folders import VALID, check_trainable, fold_folders, read_folder
from ..models import NONE, PRETRAINED, starting_weights_of
from ..recipes import RECIPES, Recipe, find_recipe
from ..system import InputError, with_settings
from ..training import DEFAULTS, Result, command_of, find_preset, fit, method_of
from .space import SPECS, Space, Value, find_space, space_of_record

OBJECTIVES = {"valid_loss": "minimize", "valid_accuracy": "maximize"}
FOLDS_SEED = 1  # what is added to the search's seed for the folds that score its winner
SAMPLERS, PRUNERS = ("tpe", "random", "grid"), ("hyperband", "median", "none")


@dataclass(frozen=True)
class Search:
    """What makes a study: with another of these it is another study.

    Attributes
    ----------
    name : str
        The recipe or architecture.
    data : str
        The image folder.
    data_digest : str
    space : Space
    objective : 'valid_loss' or 'valid_accuracy'
    epochs : int or None
        Of each trial; None: as the recipe has them.
    weights : str or None
        To start from; None: as the command has them.
    sampler, pruner : str
    seed : int
    """

    name: str
    data: str
    data_digest: str
    space: Space
    objective: str
    epochs: int | None
    weights: str | None
    sampler: str
    pruner: str
    seed: int

    @property
    def recipe(self) -> Recipe | None:
        """The recipe that is searched around, with the network's settings that stand in its name."""
        return find_recipe(self.name) if self.name.partition(":")[0] in RECIPES else None

    @property
    def command(self) -> str:
        return command_of(self.name)

    def record(self) -> dict:
        return {**vars(self), "space": self.space.record()}

    @classmethod
    def of_record(cls, record: dict) -> "Search":
        return cls(**{**record, "space": space_of_record(record["space"])})

    def train(self, values: dict[str, Value], **how) -> Result:
        """Train with the values of a trial; without any the untuned recipe, or the usual fine-tuning."""
        name, options = self.options(values)
        return fit(method_of(name, Path(self.data), seed=self.seed, **options, **how))

    def options(self, values: dict[str, Value]) -> tuple[str, dict[str, Value]]:
        """The name that is trained, and the options of training beside the seed."""
        always = {"epochs": self.epochs, "weights": self.weights}
        name, options = training_options(values, self.name, self.recipe)
        return name, {option: value for option, value in always.items() if value is not None} | options


def training_options(values: dict[str, Value], name: str, recipe: Recipe | None) -> tuple[str, dict[str, Value]]:
    """What values mean for training: the name with its network's settings, and the other options.

    `optimizer.momentum` is added to the optimiser that is named beside it, or else to the recipe's; without a recipe to
    fastai-adam, and of a schedule to a one-cycle with train's settings in every stage.
    """
    options = {option: value for option, value in values.items() if "." not in option}
    usual = {"optimizer": recipe.optimizer, "schedule": recipe.stages[0].schedule} if recipe else DEFAULTS
    for spec in SPECS:
        prefix = f"{spec}."
        settings = ",".join(f"{k.removeprefix(prefix)}={v}" for k, v in values.items() if k.startswith(prefix))
        if not settings:
            continue
        if spec == "network":
            name = with_settings(name, settings)
        else:
            options[spec] = with_settings(options.get(spec, usual[spec]), settings)
    return name, options


def score_of(row: dict, objective: str) -> float:
    """The objective in a history row."""
    return float(row["valid_loss"] if objective == "valid_loss" else row["accuracy"])


def define_search(
    name: str,
    data: Path,
    space: str | Path | None,
    objective: str,
    epochs: int | None,
    weights: str | None,
    sampler: str,
    pruner: str,
    seed: int,
    folds: int,
) -> Search:
    """What is searched; InputError when the name, the data, the space or the winner's folds are wrong."""
    folder = read_folder(data)
    check_trainable(folder)
    if VALID not in folder.splits:
        raise InputError(f"{data} has no valid pictures, by which trials are compared; convert without --valid 0")
    if folds:
        fold_folders(folder, folds, seed + FOLDS_SEED)  # now rather than after all trials
    if epochs is not None and epochs < 1:
        raise InputError(f"--epochs {epochs} makes no sense; accepted are 1 or more")
    command = command_of(name)
    if command == "train":
        recipe, transfers = find_recipe(name, "train"), False
    else:
        _, recipe = find_preset(name)
        weights = starting_weights_of(name, weights or PRETRAINED)
        transfers = weights != NONE
    found = find_space(space and str(space), name, command, recipe, transfers)
    return Search(name, str(data.absolute()), folder.digest, found, objective, epochs, weights, sampler, pruner, seed)
