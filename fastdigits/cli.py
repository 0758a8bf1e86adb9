"""The table of commands: each is a public function, parsed from its signature and docstring by Cyclopts."""

import contextlib
import errno
import os
import signal
import sys
import time

from cyclopts import App, CycloptsError, Parameter

from .system import InputError, is_alone, is_first_here, is_first_process

COMMANDS = {  # name: (function, its docstring's first line; a test keeps both alike, since help must load no module)
    "quickstart": (
        "fastdigits.commands.quickstart:quickstart",
        "Do the whole job on scikit-learn's bundled handwritten digits, offline, in about a minute.",
    ),
    "convert": ("fastdigits.commands.convert:convert", "Make an image folder from a table of pixels."),
    "explore": (
        "fastdigits.commands.explore:explore",
        "Look at a table or an image folder: classes, gray levels, copies, and what its split hides.",
    ),
    "models": (
        "fastdigits.commands.models:list_models",
        "List the names that train and finetune accept, their parameters and where pretrained weights come from.",
    ),
    "lr-find": (
        "fastdigits.commands.lr_find:lr_find",
        "Search for a learning rate: draw the curve, and suggest a rate, or say why a default is taken.",
    ),
    "finetune": (
        "fastdigits.commands.finetune:finetune",
        "Fine-tune a network on an image folder: all of it if it knows digits, first its head if it knows photographs.",
    ),
    "train": (
        "fastdigits.commands.train:train",
        "Train a recipe on an image folder: digitnet, or a published one.",
    ),
    "evaluate": (
        "fastdigits.commands.evaluate:evaluate",
        "Score a model on labelled pictures, with 95 % intervals: accuracy, F1, calibration, by class and by group.",
    ),
    "report": (
        "fastdigits.commands.report:report",
        "Draw all that there is to see of a finished run on one HTML page, or compare several runs.",
    ),
    "export": (
        "fastdigits.commands.export:export",
        "Write a model that predicts without its run, and check that it predicts the same.",
    ),
    "tune": (
        "fastdigits.commands.tune:tune",
        "Search for better options of training with Optuna; each trial is an ordinary run.",
    ),
    "compete": (
        "fastdigits.commands.compete:compete",
        "Make a submission from a competition's files: scores in folds, models of all rows, submission.csv.",
    ),
    "serve": (
        "fastdigits.commands.serve:serve",
        "Serve a page on which one draws digits, and a JSON endpoint, until Ctrl-C.",
    ),
    "read": ("fastdigits.commands.read:read", "Read the numbers on a photo of several handwritten digits."),
    "label": (
        "fastdigits.commands.label:label",
        "Give pictures their labels on a page, or look at labels that may be wrong.",
    ),
    "predict": ("fastdigits.commands.predict:predict", "Predict the labels of a table, a picture or a folder."),
}

TOGETHER = ("train", "finetune")  # commands that several processes do together
PIPE_COLUMNS = 160
FIRST_SPEAKS_S = 30  # what a process that failed leaves the first one to start and fail too
DONE, USER_MISTAKE, INTERRUPTED, PIPE_CLOSED = 0, 2, 130, 141  # as shells count signals
OF_PATHS = {  # what to do about errors of a path that the user named
    errno.EACCES: "change its permissions, or name another",
    errno.EPERM: "change its permissions, or name another",
    errno.ENAMETOOLONG: "name a shorter one",
}


NEEDED = ("torch", "torchvision", "fastai", "timm", "numpy", "pandas", "pillow", "scikit-learn", "safetensors")
OPTIONAL = ("onnxruntime", "optuna", "accelerate", "tensorboard", "python-fasthtml")


def _version() -> str:
    """What a bug report needs: versions of fastdigits, of Python and the system, and of the packages underneath."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    def versions(packages: tuple[str, ...]) -> str:
        found = []
        for package in packages:
            with contextlib.suppress(PackageNotFoundError):
                found.append(f"{package} {version(package)}")
        return ", ".join(found)

    lines = [f"fastdigits {version('fastdigits')}", f"Python {platform.python_version()} on {platform.platform()}"]
    return "\n".join([*lines, versions(NEEDED), versions(OPTIONAL)]).rstrip()


# what to do next, by the class of what a command returns: by name, since no room is loaded for it
NEXT = {
    "ImageFolder": lambda made: (
        f"fastdigits finetune digitnet-mnist {made.path}, or from nothing: fastdigits train digitnet {made.path}"
        if "train" in made.splits
        else f"fastdigits predict MODEL {made.path}"
    ),
    "Exploration": lambda made: (
        f"fastdigits convert {made.source} digits/{' --normalise' if made.normalised else ''}, or, of an image folder, "
        "train on it"
    ),
    "LearningRate": lambda made: f"pass --lr {made.lr:.2g} to train or finetune",
    "Result": lambda made: f"fastdigits report {made.run.path}, fastdigits predict {made.run.path} TABLE",
    "FoldResult": lambda made: (
        f"without --folds for one model, or all of them: fastdigits predict {made.runs[0]} TABLE "
        f"--ensemble {' '.join(map(str, made.runs[1:]))}"
    ),
    "Evaluation": lambda made: "fastdigits report RUN shows the mistakes; fastdigits export RUN OUT hands the model on",
    "Report": lambda made: f"open {made.page} in a browser",
    "Export": lambda made: (
        f"open {made.path} in a browser, or send it"
        if made.megabytes
        else f'load_learner("{made.path}") in fastai'
        if made.path.suffix == ".pkl"
        else f"fastdigits predict {made.path} TABLE"
    ),
    "Predictions": lambda made: (
        "a person looks at the doubtful ones: fastdigits label TABLE OUT --model MODEL"
        if any(verdict != "sure" for verdict in made.verdicts)
        else None
    ),
    "Reading": lambda made: (
        "look at the doubtful digits yourself" if any(d.verdict != "sure" for d in made.digits) else None
    ),
    "Competition": lambda made: "hand in submission.csv; report.html shows what the models confuse",
    "Quickstart": lambda made: f"fastdigits serve {made.folder}/model, fastdigits report {made.folder}/run",
    "ModelList": lambda made: (
        "fastdigits models NAME shows a recipe's settings; fastdigits train NAME DIGITS trains it"
    ),
}


def _show(result) -> int:
    """Print what a command returned, as text or as rich tables, and on a terminal what to do next."""
    _print(result)
    if sys.stdout.isatty():  # what reads a pipe wants the result alone
        step = NEXT.get(type(result).__name__, lambda made: None)(result)
        if step:
            print(f"next: {step}")
    return DONE


def _print(result) -> None:
    content = result.__rich__() if hasattr(result, "__rich__") else result
    if isinstance(content, str):
        print(content)  # rich would wrap lines in a pipe
    elif content is not None:
        from rich.console import Console

        # in a pipe rich takes 80 columns, which would cut tables that are meant for grep
        # names of files and groups may hold what rich takes for its own marks
        console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, markup=False, emoji=False)
        with console.capture() as captured:
            console.print(content)
        print(captured.get(), end="")  # rich itself would end with 1 when nobody reads on


app = App(
    name="fastdigits",
    help="From tables of pixels to a digit recogniser: convert, train, finetune, evaluate, export, predict.",
    version=_version,
    help_format="plaintext",
    default_parameter=Parameter(consume_multiple=True),  # --ensemble A B
    result_action=_show,
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)
for name, (function, help_line) in COMMANDS.items():
    app.command(function, name=name, help=help_line)
app.register_install_completion_command(help="Let the shell complete fastdigits: bash, zsh, fish or PowerShell.")


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 2 the user's mistake (one line on stderr), 130 interrupted."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    arguments = sys.argv[1:] if arguments is None else arguments
    if not is_first_process():  # of several that train together, the first one speaks
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (open until the process ends)
    try:
        if not is_alone() and arguments[:1] and arguments[0] not in TOGETHER:
            raise InputError(
                f"{arguments[0]} is done by one process; {' and '.join(TOGETHER)} can be started as several"
            )
        sys.exit(app(arguments))
    except InputError as error:
        sys.exit(_fail(str(error)))
    except CycloptsError as error:
        sys.exit(_fail(" ".join(str(error).split())))
    except BrokenPipeError:  # whoever read has stopped, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the flush at exit fails too
        sys.exit(PIPE_CLOSED)
    except OSError as error:
        if error.errno not in OF_PATHS or not error.filename:
            raise
        sys.exit(_fail(f"{error.filename}: {error.strerror}; {OF_PATHS[error.errno]}"))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)


def _fail(line: str) -> int:
    if not is_first_here():
        _let_the_first_speak()
    print(f"fastdigits: {line}", file=sys.stderr)
    return USER_MISTAKE


def _let_the_first_speak() -> None:
    """Wait for the launcher to end this process, which it does when the first one on this machine has failed too.

    To leave at once would have the first one ended before it said why; who is still there has a reason of its own.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    time.sleep(FIRST_SPEAKS_S)


def _interrupt(number, frame) -> None:
    """SIGTERM ends a command as Ctrl-C does: what was finished is kept."""
    raise KeyboardInterrupt
