"""serve(): a drawing page and a JSON endpoint over models, for a person or a class in front of one machine."""

from pathlib import Path

from ..serving import run_server


def serve(
    model: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    also: list[str] | None = None,
    collect: Path | None = None,
) -> str:
    """Serve a page on which one draws digits, and a JSON endpoint, until Ctrl-C.

    The page recognises what is drawn, photos of one digit, sheets of several and csv tables. Nothing leaves the
    machine. The endpoints (POST /predict, /read, /table; GET /model, /health) are described on the page.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada,
        digitnet-tiny-mnist.
    host
        The address to listen to. 127.0.0.1 accepts only this machine; 0.0.0.0 accepts every device that can reach it,
        such as the phones of a class.
    port
        0 takes a free one.
    also
        More models to pick from on the page.
    collect
        A folder in which digits are collected: on the page /collect people are asked to draw them, and digits.csv and
        writers.csv come out, for convert digits.csv --groups writers.csv.

    Returns
    -------
    str
        Once it has stopped: what became of it.

    Raises
    ------
    InputError
        When a model cannot be opened, the port is taken, or the folder cannot be written.
    """
    return run_server([str(model), *map(str, also or [])], host, port, Path(collect) if collect is not None else None)
