"""Commands that share options show each of them, with its words, wherever one looks."""

import inspect
import re
from dataclasses import dataclass, fields

import pytest

from fastdigits import finetune, train
from fastdigits.commands.taking import takes
from fastdigits.training.arguments import FinetuneArguments, TrainArguments


@dataclass(kw_only=True)
class Shared:
    """What several take.

    Parameters
    ----------
    place
        Where to go.
    speed
        How fast,
        in km/h.
    """

    place: str = "home"
    speed: int = 5


@dataclass
class Walk(Shared):
    who: str


@takes(Walk)
def walk(arguments: Walk) -> Walk:
    """Walk somewhere.

    Parameters
    ----------
    who
        The walker.
    speed
        On foot.

    Returns
    -------
    Walk
    """
    return arguments


def test_a_function_takes_the_fields_of_its_arguments():
    assert walk("Ada", place="work") == Walk(who="Ada", place="work", speed=5)
    parameters = [str(parameter) for parameter in inspect.signature(walk).parameters.values()]
    assert parameters == ["who: str", "speed: int = 5", "place: str = 'home'"]
    assert (walk.__name__, walk.__module__) == ("walk", __name__)
    with pytest.raises(TypeError, match="'fly'"):
        walk("Ada", fly=1)
    with pytest.raises(TypeError, match="'who'"):
        walk()


def test_its_own_words_go_before_those_that_are_shared():
    lines = "Parameters\n----------\nwho\n    The walker.\nspeed\n    On foot.\nplace\n    Where to go.\n\nReturns\n"
    assert walk.__doc__ == f"Walk somewhere.\n\n{lines}-------\nWalk"


@pytest.mark.parametrize(("command", "arguments"), [(train, TrainArguments), (finetune, FinetuneArguments)])
def test_every_option_of_training_has_words(command, arguments):
    names = list(inspect.signature(command).parameters)
    assert sorted(names) == sorted(field.name for field in fields(arguments))
    section = command.__doc__.partition("Parameters\n----------\n")[2].partition("\n\nReturns\n")[0]
    described = re.findall(r"^(\w+)\n    \S", section, re.MULTILINE)
    assert described == names
