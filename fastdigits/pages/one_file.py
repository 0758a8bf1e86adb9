"""A page that answers by itself: one HTML file with its scripts, its model and what computes it inside."""

import base64
import gzip
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fastcore.xml import FT, Button, Footer, Link, Meta, P, Safe, Script, Style, Template, to_xml

from ..system import whole_file
from .collecting import DIGITS_FILE, WRITERS_FILE, collecting_page
from .drawing import drawing_page
from .head import ASSETS, common_head, stylesheet
from .runtime import RUNTIME_VERSION, Runtime

ENGINE, ENGINE_HERE = "engine", "engine_here"  # the module that answers, on a server and in one file
SERVER_ONLY = {ENGINE, "label"}
IMPORT = re.compile(r'((?:from|import)\s*\(?\s*)"\./(\w+)\.js"')  # of a module beside
# what the page may load: nothing that is not inside it
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' data: blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
SIGNATURE = "fastdigits/"  # before a module's name, so that it is none of a library


@dataclass(frozen=True)
class Embedded:
    """The model that a page holds.

    Attributes
    ----------
    name : str
    graph : bytes
        ONNX, from `images` to `probabilities` and, where the model tells them, `outliers`.
    classes : list of str
    least_sure : float
        Confidences below it are doubtful.
    above : float or None
        The share of outliers above which a picture shows several digits or none; None of models that do not tell.
    normalise : bool
        Whether photos are brought to MNIST's form.
    pictures : ndarray of uint8, shape (n, side, side)
        Pictures by which a browser is checked when it opens the page.
    shares : ndarray of float, shape (n, outputs)
        What the graph says of them here.
    tolerance : float
        By how much a browser may say otherwise.
    """

    name: str
    graph: bytes
    classes: list[str]
    least_sure: float
    above: float | None
    normalise: bool
    pictures: np.ndarray
    shares: np.ndarray
    tolerance: float

    def about(self) -> dict:
        """What the page's scripts know of it."""
        check = {
            "pictures": base64.b64encode(self.pictures.tobytes()).decode(),
            "side": self.pictures.shape[1],
            "shares": self.shares.astype(float).round(6).tolist(),
            "tolerance": self.tolerance,
        }
        about = {"classes": self.classes, "leastSure": self.least_sure, "above": self.above}
        return {"model": self.name, **about, "normalise": self.normalise, "check": check}


def write_web(out: Path, model: Embedded, runtime: Runtime, collects: bool = False) -> None:
    """Write the page.

    Parameters
    ----------
    out : Path
        The HTML file.
    model : Embedded
    runtime : Runtime
    collects : bool
        Whether there is also a page on which one draws digits for a data set, which stay in the browser until they
        are saved as tables.
    """
    with whole_file(out) as partial:
        partial.write_text(_document(model, runtime, collects), encoding="utf-8")


def _document(model: Embedded, runtime: Runtime, collects: bool) -> str:
    modules = _modules()
    head = (
        *common_head(f"fastdigits: {model.name}"),
        Meta(http_equiv="content-security-policy", content=POLICY),
        Link(rel="icon", href=_data_url((ASSETS / "icon.svg").read_bytes(), "image/svg+xml")),
        Style(Safe(stylesheet())),
        Script(Safe(json.dumps({"imports": modules})), type="importmap"),
    )
    parts = {"runtime": runtime.script, "runtime-wasm": runtime.wasm, "graph": model.graph}
    held = (Script(Safe(_packed(content)), type="application/gzip", id=name) for name, content in parts.items())
    body = (
        P("This page needs a browser with JavaScript, of 2023 or later.", id="no-page"),
        Template(*_drawing_page(model, collects), id="drawing-page"),
        Template(*_collecting_page(model), id="collecting-page") if collects else "",
        Script(Safe(_inside_script(json.dumps(model.about()))), type="application/json", id="about"),
        *held,
        Script(Safe(f'import "{SIGNATURE}here";'), type="module"),
    )
    head, body = ("".join(map(_xml, part)) for part in (head, body))
    comment = html.escape(f"onnxruntime-web {RUNTIME_VERSION} by Microsoft (MIT licence) is inside.")
    top = f'<!doctype html>\n<html lang="en">\n<head>\n<!-- {comment} -->'
    return f"{top}\n{head}</head>\n<body>\n{body}</body>\n</html>\n"


def _xml(part: FT | str) -> str:
    return to_xml(part, do_escape=True)


def _drawing_page(model: Embedded, collects: bool) -> tuple[FT, ...]:
    return drawing_page(
        {model.name: model.classes},
        "image/*",
        "Pictures that this browser reads: PNG, JPEG, WebP and others. Tables are for fastdigits predict.",
        f"The model {model.name} is inside this page. What you draw or drop stays in this browser.",
        "#collect" if collects else None,
    )


def _collecting_page(model: Embedded) -> tuple[FT, ...]:
    saves = Button(DIGITS_FILE, id="save-digits"), Button(WRITERS_FILE, id="save-writers")
    *page, _ = collecting_page(model.classes, 0, saves, drawing="#")
    kept = "The digits stay in this browser, also when it is closed, until you clear them: about 4,000 find room."
    return (*page, Footer(P(kept), Button("Clear the digits", id="clear-kept")))


def _modules() -> dict[str, str]:
    """Each module's name and what it holds as an address, so that modules find each other without files."""
    files = {file.stem: file for file in sorted(ASSETS.glob("*.js"))}
    files = {name: file for name, file in files.items() if name not in SERVER_ONLY}
    return {f"{SIGNATURE}{name}": _data_url(_module(file), "text/javascript") for name, file in files.items()}


def _module(file: Path) -> bytes:
    """A module, which imports others by their names, and who answers is the page itself."""

    def named(found: re.Match) -> str:
        name = ENGINE_HERE if found[2] == ENGINE else found[2]
        return f'{found[1]}"{SIGNATURE}{name}"'

    return IMPORT.sub(named, file.read_text(encoding="utf-8")).encode()


def _data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _inside_script(text: str) -> str:
    """JSON that ends no script element."""
    return text.replace("<", "\\u003c")
