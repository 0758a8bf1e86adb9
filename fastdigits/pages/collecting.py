"""The page on which a class draws digits for a data set, one after the other."""

import json

from fastcore.xml import FT, H1, A, Button, Code, Details, Div, Footer, Header, Li, Main, Ol, P, Section, Span, Summary

from .drawing import pad, pad_buttons, seen

DIGITS_FILE, WRITERS_FILE = "digits.csv", "writers.csv"  # as `fastdigits convert` takes them


def collecting_page(classes: list[str], count: int, downloads: tuple[FT, FT] | None, drawing: str) -> tuple[FT, ...]:
    """The page on which one is asked to draw one digit after the other.

    Parameters
    ----------
    classes : list of str
        What is asked for.
    count : int
        How many digits there are already.
    downloads : (FT, FT), optional
        What gives the digits and the writers, for whoever collects.
    drawing : str
        Where the page stands on which digits are recognised.
    """
    return (
        Header(H1("Draw the digit ", Span("", id="wanted")), A("Recognise digits", href=drawing)),
        Main(
            Div(
                pad("Draw the wanted digit here"),
                Section(
                    P("", id="status", role="status"),
                    P(Span("0", id="yours"), " drawn by you, ", Span(f"{count:,}", id="all"), " by all"),
                    seen(),
                    Div(
                        Button("Take back the last one", id="take-back", disabled=True),
                        Button("New writer", id="new-writer"),
                        cls="buttons",
                    ),
                    P("Each writer should draw alone: rows of one writer stay together when the digits are split."),
                    _downloads(*downloads) if downloads else "",
                    data_classes=json.dumps(classes),
                    id="collecting",
                ),
                Div(
                    pad_buttons(
                        Button("Keep and go on", id="keep", cls="strong"),
                        more_help=" Enter keeps the digit, Backspace takes the last one back.",
                    ),
                    cls="below",
                ),
                cls="desk",
            ),
        ),
        Footer(P("Your digits are kept under a number, without your name.")),
    )


def _downloads(digits: FT, writers: FT) -> FT:
    return Details(
        Summary("For whoever collects"),
        Ol(
            Li(digits, ": pixels and labels"),
            Li(writers, ": who wrote which row"),
            Li(Code(f"fastdigits convert {DIGITS_FILE} digits/ --groups {WRITERS_FILE}")),
        ),
    )
