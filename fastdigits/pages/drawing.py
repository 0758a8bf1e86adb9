"""The page on which digits are recognised: a pad, the answer beside it, and files."""

import json

from fastcore.xml import (
    FT,
    H1,
    H2,
    A,
    Button,
    Canvas,
    Details,
    Div,
    Fieldset,
    Figcaption,
    Figure,
    Footer,
    Header,
    Input,
    Label,
    Legend,
    Main,
    Option,
    P,
    Section,
    Select,
    Span,
    Summary,
    Table,
    Tbody,
)

from ..photos import SIDE

SEEN_CAPTION = f"what the model sees: {SIDE}×{SIDE} pixels"


def drawing_page(
    models: dict[str, list[str]],
    accepted: str,
    limits: str,
    kept: str,
    collect: str | None = None,
    for_programs: FT | str = "",
) -> tuple[FT, ...]:
    """The page that recognises what is drawn, photographed or tabled.

    Parameters
    ----------
    models : dict of str to list of str
        The classes of each model that one may pick.
    accepted : str
        Endings of files that may be dropped, such as `.png,.jpg`.
    limits : str
        A sentence on these files.
    kept : str
        A sentence on what becomes of what is drawn.
    collect : str, optional
        Where the page stands on which one draws digits for a data set.
    for_programs : FT, optional
        What stands below for those who write programs.
    """
    return (
        Header(
            H1("Draw a digit"),
            _model_choice(models),
            A("Collect digits", href=collect) if collect else "",
        ),
        Main(
            Div(
                pad("Draw a digit here"),
                _answer(),
                Div(pad_buttons(), P("", id="status", role="status"), cls="below"),
                cls="desk",
            ),
            Section(
                H2("Last digits"),
                P("What you clear stands here; a click brings it back.", cls="hint"),
                Div(id="last", role="group", aria_label="digits that were drawn"),
                id="strip",
                hidden=True,
            ),
            _files(accepted, limits),
            for_programs,
        ),
        Footer(P(kept)),
    )


def pad(label: str) -> FT:
    """The field to draw in; `pad.js` brings it to life."""
    return Div(
        Canvas(
            id="pad",
            tabindex="0",
            role="application",
            aria_label=label,
            aria_describedby="pad-help",
        ),
        cls="pad",
    )


def pad_buttons(*more: FT, more_help: str = "") -> FT:
    """The buttons under a pad, and how one draws with keys."""
    return Div(
        Div(*more, Button("Undo", id="undo"), Button("Clear", id="clear"), cls="buttons"),
        Details(
            Summary("Draw with keys"),
            P(
                "Arrows move, space lowers and lifts the pen, Ctrl+Z undoes, Escape clears." + more_help,
                id="pad-help",
            ),
        ),
        P("", id="pen", role="status", cls="heard"),
    )


def seen() -> FT:
    """The picture as the model gets it."""
    caption = "seen-caption"
    return Figure(
        Canvas(id="seen", width=SIDE, height=SIDE, role="img", aria_labelledby=caption),
        Figcaption(SEEN_CAPTION, id=caption),
        cls="seen",
    )


def _model_choice(models: dict[str, list[str]]) -> FT:
    options = [Option(name, value=name, data_classes=json.dumps(classes)) for name, classes in models.items()]
    return Div(Label("Model ", Select(*options, id="model")), cls="choice", hidden=len(models) == 1)


def _answer() -> FT:
    return Section(
        Div(
            Span("", id="label"),
            Div(
                P("The answer follows your pen.", id="waiting", role="status"),
                P("doubtful: look yourself", id="doubtful", hidden=True),
                P("", id="confidence"),
                P("", id="runner-up"),
                cls="said",
            ),
            seen(),
            cls="answer",
        ),
        Div(Table(Tbody(id="bars"), aria_label="probability of each class"), cls="bars"),
        cls="answers",
        aria_label="The answer",
    )


def _files(accepted: str, limits: str) -> FT:
    return Section(
        H2("Photos, sheets and tables" if ".csv" in accepted else "Photos and sheets"),
        Div(
            Label("Drop a file anywhere on this page, paste a picture, or choose one: ", _for="file"),
            Input(type="file", id="file", accept=accepted, multiple=True),
            Fieldset(
                Legend("A picture shows"),
                Label(Input(type="radio", name="shows", value="digit", checked=True), " one digit"),
                Label(Input(type="radio", name="shows", value="sheet"), " a sheet of several digits"),
            ),
            id="drop",
        ),
        P(limits, cls="hint"),
        P("", id="upload-status", role="status"),
        Div(id="upload-result"),
        cls="uploads",
    )
