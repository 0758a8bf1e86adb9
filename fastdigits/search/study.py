"""What a search is, and the folder and the storage that it lives in."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from ..recipes import RECIPES, Recipe, find_recipe
from ..runs import Run
from ..system import InputError, with_settings
from ..training import DEFAULTS, Result
from .space import SPECS, Space, Value, space_of_record

JOIN_S = 30  # that making a study takes at most
OBJECTIVES = {"valid_loss": "minimize", "valid_accuracy": "maximize"}
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
        if self.command == "train":
            from ..commands.train import train as command
        else:
            from ..commands.finetune import finetune as command
        return command(name, Path(self.data), seed=self.seed, **options, **how)

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


def command_of(name: str) -> str:
    """The command that trains `name`: train for a scratch recipe, else finetune."""
    recipe = RECIPES.get(name.partition(":")[0])
    return recipe.command if recipe else "finetune"


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study: its file names."""

    path: Path

    @property
    def record_file(self) -> Path:
        return self.path / "study.json"

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.log"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def run(self, number: int) -> Run:
        return Run(self.path / "trials" / f"{number:04}")

    def log(self, number: int) -> Path:
        return self.path / "trials" / f"{number:04}.log"

    def lock(self, number: int):
        """Held by the process that trains the trial; the system lets go of it when that process ends."""
        from filelock import FileLock

        return FileLock(self.path / "trials" / f"{number:04}.lock", timeout=0)


@dataclass(frozen=True)
class Study:
    """What a search found.

    Attributes
    ----------
    path : Path
    trials : int
        That have ended.
    pruned, failed : int
        Of them.
    best_trial : int
    best_value : float
        Of the objective, on the valid rows that chose it.
    best_values : dict
        Of the options that were searched.
    winner, untuned : float or None
        Mean accuracy (0..1) of both in fresh folds; None where they were not scored.
    command : str
        That trains the winner once more.
    """

    path: Path
    trials: int
    pruned: int
    failed: int
    best_trial: int
    best_value: float
    best_values: dict
    winner: float | None
    untuned: float | None
    command: str

    @property
    def numbers(self) -> dict:
        """What was found, for result.json and the page's numbers."""
        return {name: value for name, value in vars(self).items() if name != "path"}

    def __rich__(self) -> str:
        lines = [
            f"{self.trials} trials, {self.pruned} of them pruned, {self.failed} failed",
            f"the best is trial {self.best_trial} with {self.best_value:.4f} on the valid rows that chose it: "
            + " ".join(f"{name}={value}" for name, value in self.best_values.items()),
        ]
        if self.winner is not None:
            lines.append(f"in fresh folds it has {self.winner:.2%}, untuned {self.untuned:.2%}")
        return "\n".join([*lines, f"report {StudyFolder(self.path).report}", f"again: {self.command}"])

    __str__ = __rich__


def open_storage(storage: str, folder: StudyFolder):
    """Optuna's storage: a URL, or without one the journal file in the study's folder."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if not storage:
        from filelock import FileLock
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        # the kernel frees this lock when its holder is killed; optuna's own would be waited for half a minute
        lock = FileLock(f"{folder.journal}.lock")
        with lock:
            _drop_half_line(folder.journal)
        return JournalStorage(JournalFileBackend(str(folder.journal), lock_obj=lock))
    try:
        return optuna.storages.get_storage(storage)
    except Exception as error:  # of SQLAlchemy, a driver or a server, each with its own
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"--storage {storage} cannot be opened: {reason}") from None


def _drop_half_line(journal: Path) -> None:
    """Cut off a last line that was not written to its end, as on a full disk; optuna reads none after it."""
    written = journal.read_bytes() if journal.is_file() else b""
    if written and not written.endswith(b"\n"):
        os.truncate(journal, written.rfind(b"\n") + 1)


def score_of(row: dict, objective: str) -> float:
    """The objective in a history row."""
    return float(row["valid_loss"] if objective == "valid_loss" else row["accuracy"])


def open_study(folder: StudyFolder, record: dict, grid: list[dict], overwrite: bool):
    """The study in the storage, made with all points of the grid where it is new.

    Raises
    ------
    InputError
        When there is another study of that name.
    """
    import optuna

    storage = open_storage(record["storage"], folder)
    same = {key: value for key, value in record["search"].items() if key != "data"}  # machines differ in their paths
    same = json.dumps(same, sort_keys=True)
    name = record["study"]
    if overwrite and name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)
    direction = OBJECTIVES[record["search"]["objective"]]
    try:
        study = optuna.create_study(study_name=name, storage=storage, direction=direction)
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=name, storage=storage)
        if _made_of(study) != same:
            raise InputError(
                f"the storage has another study called {name}; name yours with --study, or repeat the options of that "
                "one"
            ) from None
        return study
    for point in grid:
        study.enqueue_trial(point)
    study.set_user_attr("search", same)  # last: others may join now
    return study


def _made_of(study) -> str | None:
    """What a study searches; one that another machine is just making is waited for."""
    end = time.monotonic() + JOIN_S
    while (found := study.user_attrs.get("search")) is None and time.monotonic() < end:
        time.sleep(0.5)
    return found
