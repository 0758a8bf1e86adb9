"""The table of commands: each is a public function, parsed from its signature and docstring by Cyclopts."""

import signal
import sys

from cyclopts import App, CycloptsError

from .errors import InputError

COMMANDS = {
    "quickstart": "fastdigits.quickstarting:quickstart",
    "convert": "fastdigits.conversion:convert",
    "models": "fastdigits.models.backbones:list_models",
    "lr-find": "fastdigits.training:lr_find",
    "finetune": "fastdigits.training:finetune",
    "evaluate": "fastdigits.evaluation:evaluate",
    "export": "fastdigits.exporting:export",
    "predict": "fastdigits.prediction:predict",
}

DONE, USER_MISTAKE, INTERRUPTED = 0, 2, 130


def _version() -> str:
    from importlib.metadata import version

    return version("fastdigits")


def _show(result) -> int:
    """Print what a command returned, as text or as rich tables."""
    from rich import print as rich_print

    if result is not None:
        rich_print(result)
    return DONE


app = App(
    name="fastdigits",
    help="From tables of pixels to a digit recogniser: convert, finetune, evaluate, export, predict.",
    version=_version,
    result_action=_show,
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)
for name, function in COMMANDS.items():
    app.command(function, name=name)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 2 the user's mistake (one line on stderr), 130 interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.exit(app(arguments))
    except InputError as error:
        sys.exit(_fail(str(error)))
    except CycloptsError as error:
        sys.exit(_fail(" ".join(str(error).split())))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _fail(line: str) -> int:
    print(f"fastdigits: {line}", file=sys.stderr)
    return USER_MISTAKE


def _interrupt(number, frame) -> None:
    """SIGTERM ends a command as Ctrl-C does: what was finished is kept."""
    raise KeyboardInterrupt
