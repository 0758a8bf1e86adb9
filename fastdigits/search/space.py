"""The space of a search: which options of training it tries, and which values of each."""

import importlib.util
import itertools
import random
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..recipes import Recipe
from ..system import InputError, file_sha256

Value = str | int | float
LEAF_KEYS = ("low", "high", "log", "whole", "choices")
SPECS = ("network", "optimizer", "schedule")  # written NAME:key=value; `optimizer.momentum` is one of its settings
_OF_BOTH = (
    *("epochs", "lr", "schedule", "optimizer", "size", "batch_size", "clip_value", "clip_norm", "augment", "scaling"),
    *("early_stopping", "min_delta", "keep", "label_smoothing", "ema"),
)
SEARCHED_OPTIONS = {"train": _OF_BOTH, "finetune": (*_OF_BOTH, "head_epochs", "last_epochs", "lr_mult")}


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.values))


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included, whole if wished, evenly on a log scale if wished."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.low:g} .. {self.high:g}" + (" (log)" if self.log else "") + (" (whole)" if self.whole else "")


@dataclass(frozen=True)
class Space:
    """What a search tries.

    Attributes
    ----------
    name : str
        As the user wrote it.
    searched : dict of option to Choices or Range
        `network.filters` is a setting of the recipe's network, `optimizer.momentum` one of the optimiser.
    fixed : dict of option to value
        The same in every trial.
    function : str or None
        `FILE.py:NAME` of a function from an Optuna trial to a dict of options, in place of both.
    function_sha256 : str or None
        Of that file.
    """

    name: str
    searched: dict[str, Choices | Range] = field(default_factory=dict)
    fixed: dict[str, Value] = field(default_factory=dict)
    function: str | None = None
    function_sha256: str | None = None

    def suggest(self, trial) -> dict[str, Value]:
        """The values of one Optuna trial."""
        if self.function:
            values = load_function(self.function)(trial)
            if not isinstance(values, dict):
                raise InputError(f"{self.function} gave {values!r}; accepted is a dict of options")
            return values
        return {**self.fixed, **{name: _suggest(trial, name, tried) for name, tried in self.searched.items()}}

    def grid(self, seed: int) -> list[dict[str, Value]]:
        """Every combination once, in a random order, so that a part of it is a fair sample.

        Raises
        ------
        InputError
            When an option has no list of values.
        """
        if self.function:
            raise InputError(f"--sampler grid needs lists of values, and {self.function} is a function; write a .toml")
        ranges = [name for name, tried in self.searched.items() if isinstance(tried, Range)]
        if ranges:
            raise InputError(f"--sampler grid needs lists of values, and {ranges[0]} has a range; list its values")
        points = list(itertools.product(*(tried.values for tried in self.searched.values())))
        random.Random(seed).shuffle(points)
        return [dict(zip(self.searched, point)) for point in points]

    def lines(self) -> list[str]:
        """A summary, a line for each option."""
        if self.function:
            return [f"search space: what {self.function} suggests"]
        rows = [(name, str(tried)) for name, tried in self.searched.items()]
        rows += [(name, f"{value} (fixed)") for name, value in self.fixed.items()]
        wide = max(len(name) for name, _ in rows)
        return [f"search space {self.name}", *(f"  {name:<{wide}}  {tried}" for name, tried in rows)]

    def record(self) -> dict:
        """What study.json says of it."""
        searched = {
            name: {"choices": list(tried.values)} if isinstance(tried, Choices) else asdict(tried)
            for name, tried in self.searched.items()
        }
        return {**asdict(self), "searched": searched}


def space_of_record(record: dict) -> Space:
    """The space that `Space.record` wrote."""
    searched = {name: _tried(name, tried, "study.json") for name, tried in record["searched"].items()}
    return Space(**{**record, "searched": searched})


_BLOCKS = ["32-64", "16-32", "64-128", "128-256", "16-32-48", "16-32-64", "32-64-128", "64-128-256"]
_FOUR_BLOCKS = ["16-16-32-32", "32-32-64-64", "64-64-128-128", "128-128-256-256"]

# the spaces of the published searches; of the grid only the options are published, so that its values are ours
PRESETS = {
    "conv5x5": Space(
        "conv5x5",
        {
            "network.filters": Choices((*_BLOCKS, *_FOUR_BLOCKS)),
            "network.dense": Choices(("128", "256", "128-64", "256-128", "512-256-128", "256-128-64")),
            "network.dropout": Choices((0.125, 0.25, 0.375, 0.5)),
            "network.dense_dropout": Choices((0.125, 0.25, 0.5)),
        },
        {"augment": "conv5x5"},
    ),
    "dnn-tuned": Space(
        "dnn-tuned",
        {
            "lr": Choices((1e-2, 1e-3, 1e-4)),
            "optimizer": Choices(("sgd", "adam", "nadam", "rmsprop")),
            "network.neurons": Choices((50, 100, 150)),
            "network.momentum": Choices((0.8, 0.9, 0.99)),
        },
    ),
}
DEFAULT = "default"
PRESET_OF = {"conv5x5-tuned": "conv5x5"}  # recipes of the same network


def find_space(text: str | None, name: str, command: str, recipe: Recipe | None, transfers: bool) -> Space:
    """The space that `--space` means for the recipe or architecture `name`; without it the published or a usual one.

    Parameters
    ----------
    command : 'train' or 'finetune'
    transfers : bool
        Whether there is something to transfer.

    Raises
    ------
    InputError
        When the file is missing or wrong, or names what cannot be searched.
    """
    network = name.partition(":")[0]
    text = text or PRESET_OF.get(network, network if network in PRESETS else DEFAULT)
    if text == DEFAULT:
        space = _default_space(command, recipe, transfers)
    elif text in PRESETS:
        space = PRESETS[text]
    elif text.partition(":")[0].endswith(".py"):
        space = _function_space(text)
    elif text.endswith(".toml"):
        space = _read_toml(Path(text))
    else:
        known = ", ".join((DEFAULT, *PRESETS))
        raise InputError(f"--space {text!r} is unknown; accepted are {known}, a .toml file, or FILE.py:FUNCTION")
    _check_names(space, name, command)
    return space


def _default_space(command: str, recipe: Recipe | None, transfers: bool) -> Space:
    augment, smoothing = Choices(("none", "light", "medium", "strong")), Choices((0.0, 0.05, 0.1))
    if command == "train":
        lr = recipe.stages[0].lr[1]
        rate, batch = Range(lr / 10, lr * 10, log=True), Choices((32, 64, 128, 256))
        return Space(DEFAULT, {"lr": rate, "batch_size": batch, "augment": augment, "label_smoothing": smoothing})
    searched = {"lr": Range(5e-4, 2e-2, log=True), "batch_size": Choices((32, 64, 128))}
    searched |= {"augment": augment, "label_smoothing": smoothing}
    if transfers:
        searched["head_epochs"] = Choices((0, 1))
        if not recipe:  # which has its own rates
            searched["lr_mult"] = Choices((1, 10, 100))
    return Space(DEFAULT, searched)


def _read_toml(path: Path) -> Space:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--space {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--space {path} is no TOML: {error}") from None
    searched, fixed = {}, {}
    for name, value in _leaves(content):
        if isinstance(value, dict | list):
            searched[name] = _tried(name, value, path.name)
        else:
            fixed[name] = value
    if not searched:
        raise InputError(f"--space {path} searches nothing; give an option a list of values, or low and high")
    return Space(path.name, searched, fixed)


def _leaves(content: dict, above: str = ""):
    """Options and what is said of them, `[network] dropout = ...` as `network.dropout`."""
    for name, value in content.items():
        if isinstance(value, dict) and not set(value) <= set(LEAF_KEYS):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def _tried(name: str, value: dict | list, where: str) -> Choices | Range:
    values = value if isinstance(value, list) else value.get("choices")
    if values is not None:
        if not values or not all(isinstance(one, str | int | float) for one in values):
            raise InputError(f"{name} in {where} has {values}; accepted is a list of texts or numbers")
        return Choices(tuple(values))
    try:
        found = Range(**value)
        fits = found.low < found.high and (found.low > 0 or not found.log)
    except TypeError:
        fits = False
    if not fits:
        raise InputError(f"{name} in {where} makes no sense; write low and a larger high (above 0 with log = true)")
    return found


def _function_space(text: str) -> Space:
    load_function(text)
    return Space(text, function=text, function_sha256=file_sha256(Path(text.partition(":")[0])))


def load_function(text: str) -> Callable:
    """The function that `FILE.py:NAME` names; the user's own code runs."""
    file, _, name = text.partition(":")
    if not Path(file).is_file():
        raise InputError(f"--space {file} does not exist")
    specification = importlib.util.spec_from_file_location("space", file)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    function = getattr(module, name or "space", None)
    if not callable(function):
        raise InputError(f"--space {file} has no function {name or 'space'}; write FILE.py:FUNCTION")
    return function


def _check_names(space: Space, name: str, command: str) -> None:
    """InputError for an option that cannot be searched."""
    from ..models import is_network, network_settings  # they load torch

    settings = network_settings(name) if is_network(name) else {}
    known = [*SEARCHED_OPTIONS[command], *(f"network.{setting}" for setting in settings)]
    for option in (*space.searched, *space.fixed):
        spec = option.partition(".")[0]
        if option not in known and not (spec in known and spec in SPECS):
            raise InputError(f"--space {space.name} has {option!r}; of {name} can be searched {', '.join(known)}")


def _suggest(trial, name: str, tried: Choices | Range) -> Value:
    if isinstance(tried, Choices):
        return trial.suggest_categorical(name, tried.values)
    if tried.whole:
        return trial.suggest_int(name, int(tried.low), int(tried.high), log=tried.log)
    return trial.suggest_float(name, tried.low, tried.high, log=tried.log)
