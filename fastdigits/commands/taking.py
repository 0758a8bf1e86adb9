"""A command that takes a dataclass of arguments: its signature and its words are put together from both."""

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, fields

PARAMETERS = re.compile(r"(?ms)^ *Parameters\n *-+\n(.*?)(?=^ *\w+\n *-+\n|\Z)")  # of a numpy docstring


def takes(arguments_class: type) -> Callable[[Callable], Callable]:
    """Give a function of one argument, a dataclass, the dataclass's fields as its own parameters.

    Help pages and notebooks show them all: those that the function's docstring describes with its words, in its order,
    then those that only the docstring of the dataclass's base describes, with that one's.
    """

    def decorate(function: Callable) -> Callable:
        own = _described(inspect.getdoc(function))
        shared = _described(inspect.getdoc(arguments_class.__base__))
        words = own | {name: text for name, text in shared.items() if name not in own}
        by_name = {field.name: field for field in fields(arguments_class)}
        parameters = [_parameter(by_name[name]) for name in words]
        parameters.sort(key=lambda parameter: parameter.kind)  # without defaults first; the others stay in their order
        signature = inspect.Signature(parameters, return_annotation=inspect.signature(function).return_annotation)

        def command(*positional, **named):
            return function(arguments_class(**signature.bind(*positional, **named).arguments))

        for name in ("__module__", "__name__", "__qualname__"):
            setattr(command, name, getattr(function, name))
        command.__signature__ = signature
        command.__annotations__ = {name: field.type for name, field in by_name.items() if name in words}
        lines = "".join(f"{parameter.name}\n{words[parameter.name]}" for parameter in parameters)
        command.__doc__ = PARAMETERS.sub(
            lambda _: f"Parameters\n----------\n{lines}\n", inspect.getdoc(function), count=1
        )
        return command

    return decorate


def _parameter(field) -> inspect.Parameter:
    is_option = field.default is not MISSING
    kind = inspect.Parameter.KEYWORD_ONLY if is_option else inspect.Parameter.POSITIONAL_OR_KEYWORD
    default = field.default if is_option else inspect.Parameter.empty
    return inspect.Parameter(field.name, kind, default=default, annotation=field.type)


def _described(docstring: str) -> dict[str, str]:
    """The parameters of a numpy docstring and the indented lines that describe each."""
    section = PARAMETERS.search(docstring).group(1)
    parts = re.split(r"(?m)^(\w+)\n", section.strip("\n") + "\n")
    return {name: text.rstrip() + "\n" for name, text in zip(parts[1::2], parts[2::2])}
