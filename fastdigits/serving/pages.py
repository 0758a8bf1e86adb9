"""The pages: one on which digits are recognised, and one on which a class draws digits for a data set."""

import json

from fasthtml.components import (
    H1,
    H2,
    A,
    Button,
    Canvas,
    Code,
    Details,
    Div,
    Fieldset,
    Footer,
    Header,
    Input,
    Label,
    Legend,
    Li,
    Link,
    Main,
    Meta,
    Noscript,
    Ol,
    Option,
    P,
    Pre,
    Script,
    Section,
    Select,
    Span,
    Summary,
    Table,
    Tbody,
    Title,
    Ul,
)

from ..photos import SIDE
from .collection import DIGITS_FILE, WRITERS_FILE, Collection
from .limits import Limits
from .served import Served

PAD_SIDE = 280  # pixels
SEEN_CAPTION = f"what the model sees: {SIDE}×{SIDE} pixels, the digit cut out and centred"
ENDPOINTS = [
    (
        "POST /predict",
        "One or many pictures of one digit each: a PNG or JPEG file as the body, several files as a form, or JSON "
        '{"images": [[[0, …], …], …]}, gray levels 0..255 by picture, row and column, white on black. The answer has '
        "a label, its confidence, all probabilities, and whether a person should look. model=NAME picks a model, "
        "normalise=true or false says whether the digit is cut out and centred first, seen=true returns what the "
        "model saw.",
    ),
    ("POST /read", "A photo of several digits: the numbers of each line, every digit with its box in pixels."),
    ("POST /table", "A csv of pixel rows as the body: a csv of id, label, confidence."),
    ("GET /model", "The models, their classes and the sha256 of their weights."),
    ("GET /health", "Whether the server answers, and how many pictures wait."),
]


def drawing_page(models: list[Served], limits: Limits, is_collecting: bool) -> tuple:
    """The page that recognises what is drawn, photographed or tabled."""
    return (
        *page_head("fastdigits", "draw.js"),
        Header(H1("Draw a digit"), _model_choice(models), _collect_link(is_collecting)),
        Main(
            Section(_pad("Draw a digit here"), cls="drawing"),
            _answer(),
            _uploads(limits),
            _endpoints(),
        ),
        Footer(P("Nothing that you draw or drop is kept, and nothing leaves this server.")),
    )


def collect_page(collection: Collection, is_host: bool) -> tuple:
    """The page on which one is asked to draw one digit after the other.

    Parameters
    ----------
    collection : Collection
    is_host : bool
        Whether it is looked at on the machine that serves, which may download what was collected.
    """
    return (
        *page_head("fastdigits: draw digits", "collect.js"),
        Header(H1("Draw the digit ", Span("", id="wanted"))),
        Main(
            Section(
                _pad("Draw the wanted digit here", " Enter keeps the digit, Backspace takes the last one back."),
                Div(
                    Button("Keep and go on", id="keep", cls="strong"),
                    Button("Take back the last one", id="take-back", disabled=True),
                    cls="buttons",
                ),
                cls="drawing",
            ),
            Section(
                P("", id="status", role="status"),
                P(Span("0", id="yours"), " drawn by you, ", Span(f"{len(collection):,}", id="all"), " by all"),
                Div(_seen(), cls="seen"),
                Button("I am somebody else", id="new-writer"),
                P("Each writer should draw alone: rows of one writer stay together when the digits are split."),
                _downloads() if is_host else "",
                data_classes=json.dumps(collection.classes),
                id="collecting",
            ),
        ),
        Footer(P("Your digits are kept under a number, without your name.")),
    )


def page_head(title: str, script: str) -> tuple:
    return (
        Title(title),
        Meta(charset="utf-8"),
        Meta(name="viewport", content="width=device-width, initial-scale=1"),
        Meta(name="color-scheme", content="light dark"),
        Link(rel="icon", href="/assets/icon.svg", type="image/svg+xml"),
        Link(rel="stylesheet", href="/assets/page.css"),
        Script(type="module", src=f"/assets/{script}"),
        Noscript(P("This page needs JavaScript, all of it from this server.")),
    )


def _model_choice(models: list[Served]):
    options = [Option(served.name, value=served.name, data_classes=json.dumps(served.classes)) for served in models]
    return Div(Label("Model ", Select(*options, id="model")), cls="choice")


def _collect_link(is_collecting: bool):
    return A("Draw digits for a data set", href="/collect") if is_collecting else ""


def _pad(label: str, more_help: str = "") -> Div:
    """The field to draw in, and its buttons; `pad.js` brings it to life."""
    return Div(
        Canvas(
            id="pad",
            width=PAD_SIDE,
            height=PAD_SIDE,
            tabindex="0",
            role="application",
            aria_label=label,
            aria_describedby="pad-help",
        ),
        Div(Button("Undo", id="undo"), Button("Clear", id="clear"), cls="buttons"),
        P(
            "With mouse, pen or finger. With keys: arrows move, space lowers and lifts the pen, Ctrl+Z undoes, "
            "Escape clears." + more_help,
            id="pad-help",
        ),
        P("", id="pen", role="status"),
        cls="pad",
    )


def _seen():
    caption = "seen-caption"
    canvas = Canvas(id="seen", width=SIDE, height=SIDE, role="img", aria_labelledby=caption)
    return canvas, P(SEEN_CAPTION, id=caption)


def _answer() -> Section:
    return Section(
        P("", id="status", role="status"),
        Div(
            Div(
                Span("", id="label"),
                Span("", id="confidence"),
                Span("doubtful: look yourself", id="doubtful", hidden=True),
            ),
            Div(*_seen(), cls="seen"),
            cls="answer",
        ),
        Table(
            Tbody(id="bars"),
            aria_label="probability of each class",
        ),
        cls="answers",
        aria_label="The answer",
    )


def _uploads(limits: Limits) -> Section:
    return Section(
        H2("Photos, sheets and tables"),
        Div(
            Fieldset(
                Legend("A picture shows"),
                Label(Input(type="radio", name="shows", value="digit", checked=True), " one digit"),
                Label(Input(type="radio", name="shows", value="sheet"), " a sheet of several digits"),
            ),
            Label(
                "Drop a PNG, JPEG or csv file here, or choose one: ",
                Input(type="file", id="file", accept=".png,.jpg,.jpeg,.csv"),
            ),
            id="drop",
        ),
        P(
            f"Pictures up to {limits.picture_bytes / 1e6:g} MB; csv tables of pixel rows up to "
            f"{limits.table_bytes / 1e6:g} MB, as fastdigits predict takes them.",
        ),
        P("", id="upload-status", role="status"),
        Div(id="upload-result"),
        cls="uploads",
    )


def _endpoints() -> Details:
    rows = [Li(Code(name), P(about)) for name, about in ENDPOINTS]
    example = "curl --data-binary @seven.png -H 'content-type: image/png' ADDRESS/predict"
    return Details(
        Summary("For programs"),
        Ul(*rows, cls="endpoints"),
        Pre(Code(example, id="example")),
        P(
            'Errors are {"error": "one line"}: 400 wrong content, 403 not from here, 404 no such model, 408 too slow, '
            "413 too large, 415 no PNG or JPEG, 503 come again, 504 no answer in time."
        ),
    )


def _downloads() -> Details:
    return Details(
        Summary("For whoever collects"),
        Ol(
            Li(A(DIGITS_FILE, href=f"/collect/{DIGITS_FILE}"), ": pixels and labels"),
            Li(A(WRITERS_FILE, href=f"/collect/{WRITERS_FILE}"), ": who wrote which row"),
            Li(Code(f"fastdigits convert {DIGITS_FILE} digits/ --groups {WRITERS_FILE}")),
        ),
    )
