"""Servers from their start to Ctrl-C: of models, and of a labelling."""

from contextlib import ExitStack
from pathlib import Path

from ..system import InputError, claimed
from .limits import Limits, is_loopback
from .listening import address, greet, listening_at, serve_until_interrupted


def run_server(names: list[str], host: str, port: int, collect: Path | None) -> str:
    """Serve the models called `names` at an address until Ctrl-C; in a sentence what became of it.

    Raises
    ------
    InputError
        When a package is missing, a model cannot be opened, the port is taken, or the folder cannot be written.
    """
    _check_packages("serve")
    from .app import make_app
    from .collection import Collection
    from .served import open_served
    from .uploads import refuse_bombs

    limits = Limits()
    with ExitStack() as stack:
        listening = stack.enter_context(listening_at(host, port))
        models = open_served(names, limits)
        if collect is not None:
            stack.enter_context(claimed(collect))
        collection = Collection(collect, models.first.classes) if collect is not None else None
        refuse_bombs()
        url = address(host, listening)
        lines = [f"{url} · {', '.join(models.by_name)} · Ctrl-C ends it"]
        if collection is not None:
            lines.append(f"{url}/collect · digits are collected in {collection.folder}")
        greet(host, lines)
        serve_until_interrupted(make_app(models, limits, collection, is_loopback(host)), listening, limits)
    return "stopped" + (f"; {len(collection):,} digits in {collection.folder}" if collection is not None else "")


def run_labelling(
    session: "Session",  # noqa: F821 (which would load torch)
    folder: Path,
    host: str,
    port: int,
    words: str,
) -> None:
    """Serve the page of a labelling at an address until Ctrl-C.

    Parameters
    ----------
    session : Session
    folder : Path
        Where it is kept who has which token.
    host, port : str, int
    words : str
        What is labelled, for the line that says where the page is.

    Raises
    ------
    InputError
        When a package is missing, the port is taken, or the csv is another table.
    """
    _check_packages("label")
    from .label_app import make_label_app
    from .people import People

    limits = Limits()
    with listening_at(host, port) as listening:
        people = People(folder)
        greet(host, [f"{address(host, listening)} · {words} · Ctrl-C ends it"])
        serve_until_interrupted(make_label_app(session, people, limits, is_loopback(host)), listening, limits)


def _check_packages(command: str) -> None:
    try:
        import fasthtml  # noqa: F401 (whether it is there)
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise InputError(f"{command} needs the package {error.name}: pip install 'fastdigits[serve]'") from None
