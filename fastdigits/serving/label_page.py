"""The page on which one gives pictures their labels."""

import json
import string

from fastcore.xml import H1, H2, Button, Dd, Div, Dl, Dt, Footer, Header, Kbd, Main, P, Section, Span

from ..pages import page_head
from ..sources import NO_DIGIT, UNSURE

UNSURE_KEY, NO_DIGIT_KEYS = "?", ("x", "Delete")


def keys_of(classes: list[str]) -> dict[str, str]:
    """The key of each class: its own letter or digit, else the first one that no class has."""
    own = {name: name.lower() for name in classes if name.isprintable() and len(name.lower()) == 1 and name not in "? "}
    keys = {name: key for name, key in own.items() if list(own.values()).count(key) == 1}
    free = iter(key for key in string.digits + string.ascii_lowercase if key not in keys.values() and key != "x")
    return {name: keys.get(name) or next(free, "") for name in classes}


def label_page(classes: list[str], checks_labels: bool) -> tuple:
    """The page for pictures without labels, or for labels that may be wrong.

    Parameters
    ----------
    classes : list of str
    checks_labels : bool
    """
    keys = keys_of(classes)
    no_digit_key = NO_DIGIT_KEYS["x" in keys.values()]
    question = "Is the label right?" if checks_labels else "Which digit is this?"
    accept = "Keep the label" if checks_labels else "Take the guess"
    buttons = [_button(name, keys[name], name) for name in classes]
    others = [
        _button("remove: no digit" if checks_labels else "no digit", no_digit_key, NO_DIGIT),
        _button("unsure", UNSURE_KEY, UNSURE),
    ]
    return (
        *page_head("fastdigits: label digits", "label.js"),
        Header(
            H1(question),
            P(Span("0", id="labelled"), Span("", id="all"), " labelled, ", Span("0", id="yours"), " by you"),
        ),
        Main(
            Section(
                P("", id="why"),
                Div(id="pictures", role="group", aria_label="the pictures to label"),
                Div(id="beside"),
                cls="stage",
            ),
            Section(
                P("", id="status", role="status"),
                Div(*buttons, cls="classes", role="group", aria_label="the label"),
                Div(*others, cls="buttons"),
                Div(
                    Button(accept, " ", Kbd("Enter"), id="accept", cls="strong"),
                    Button("Undo", " ", Kbd("Backspace"), id="take-back"),
                    Button("Later", " ", Kbd("→"), id="later"),
                    cls="buttons",
                ),
                P(
                    "Of several pictures the chosen ones get the label: click one to leave it out, or go there by Tab "
                    "and press Space. What is left out comes later by itself.",
                    id="help",
                ),
                cls="saying",
            ),
            Section(
                H2("How far it is"),
                P("", id="expected"),
                P("", id="work"),
                Dl(*(Div(Dt(name), Dd("0", data_count=name)) for name in classes), cls="counts"),
                cls="progress",
            ),
            id="labelling",
            data_keys=json.dumps(
                {**{key: name for name, key in keys.items() if key}, no_digit_key: NO_DIGIT, UNSURE_KEY: UNSURE}
            ),
            data_checks=json.dumps(checks_labels),
        ),
        Footer(P("Each label is written down on the server within a moment; what is not yet, this page tells.")),
    )


def _button(words: str, key: str, label: str) -> Button:
    shown = () if words == key or not key else (" ", Kbd(key))
    return Button(words, *shown, data_label=label)
