"""A command that takes a dataclass of arguments: its signature and its words are put together from both."""

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, fields

PARAMETERS = re.compile(r"(?ms)^ *Parameters\n *-+\n(.*?)(?=^ *\w+\n *-+\n|\Z)")  # of a numpy docstring


def takes(arguments_class: type) -> Callable[[Callable], Callable]:
    """Give a function of one argument, a dataclass, the dataclass's fields as its own parameters.

    Help pages and notebooks show them all: those that the function's docstring describes with its words, in its order,
    then those that only the docstring of the dataclass's base describes, with that one's. Tools that read the source
    alone see one argument; whatever asks at run time sees all.
    """

    def decorate(function: Callable) -> Callable:
        by_name = {field.name: field for field in fields(arguments_class)}
        own, shared = _described(function.__doc__), _described(arguments_class.__base__.__doc__)
        order = dict.fromkeys([*own, *shared, *by_name])  # without docstrings (python -OO) that of the fields
        parameters = [_parameter(by_name[name]) for name in order if name in by_name]
        parameters.sort(key=lambda parameter: parameter.kind)  # without defaults first; the others stay in their order
        signature = inspect.Signature(parameters, return_annotation=inspect.signature(function).return_annotation)

        def command(*positional, **named):
            try:
                bound = signature.bind(*positional, **named)
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            return function(arguments_class(**bound.arguments))

        for name in ("__module__", "__name__", "__qualname__"):
            setattr(command, name, getattr(function, name))
        command.__signature__ = signature
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        if function.__doc__:
            words = shared | own
            lines = "".join(f"{parameter.name}\n{words.get(parameter.name, '')}" for parameter in parameters)
            section = f"Parameters\n----------\n{lines}\n"
            command.__doc__ = PARAMETERS.sub(lambda _: section, inspect.cleandoc(function.__doc__), count=1)
        return command

    return decorate


def _parameter(field) -> inspect.Parameter:
    is_option = field.default is not MISSING
    kind = inspect.Parameter.KEYWORD_ONLY if is_option else inspect.Parameter.POSITIONAL_OR_KEYWORD
    default = field.default if is_option else inspect.Parameter.empty
    return inspect.Parameter(field.name, kind, default=default, annotation=field.type)


def _described(docstring: str | None) -> dict[str, str]:
    """The parameters of a numpy docstring and the indented lines that describe each."""
    section = PARAMETERS.search(inspect.cleandoc(docstring or ""))
    parts = re.split(r"(?m)^(\w+)\n", section.group(1).strip("\n") + "\n") if section else []
    return {name: text.rstrip() + "\n" for name, text in zip(parts[1::2], parts[2::2])}
