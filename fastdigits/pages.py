"""A self-contained HTML page of texts, figures, tables and galleries: no network, no scripts, light and dark."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .figures.canvas import Drawing

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Text:
    """Sentences, a paragraph each."""

    lines: list[str]
    kind: str = "text"


@dataclass(frozen=True)
class Figure:
    """A picture with a sentence that says what to see.

    Attributes
    ----------
    name : str
        Of its PNG file.
    title, sentence : str
    png : bytes
    is_chart : bool
        Charts are turned light on dark where the reader wants that, photographs are not.
    """

    name: str
    title: str
    sentence: str
    png: bytes
    is_chart: bool = True
    kind: str = "figure"


@dataclass(frozen=True)
class Table:
    """A table with a sentence that says what to see.

    Attributes
    ----------
    name : str
        Of its csv file.
    title, sentence : str
    columns : list of str
    rows : list of list of str
    """

    name: str
    title: str
    sentence: str
    columns: list[str]
    rows: list[list[str]]
    kind: str = "table"


@dataclass(frozen=True)
class Card:
    """A small picture and the lines below it."""

    png: bytes
    lines: list[str]


@dataclass(frozen=True)
class Gallery:
    """Small pictures with a sentence that says what to see."""

    title: str
    sentence: str
    cards: list[Card]
    kind: str = "gallery"


@dataclass(frozen=True)
class Section:
    """A part of the page under its own heading, folded where it is long and few will read it."""

    title: str
    items: list[Text | Figure | Table | Gallery] = field(default_factory=list)
    folded: bool = False

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-")


def drawn(name: str, title: str, sentence: str, drawing: "Drawing", is_chart: bool = True) -> Figure:
    """A drawing as a figure of a page."""
    from .figures.canvas import png_of

    return Figure(name, title, sentence, png_of(drawing), is_chart)


def render_page(title: str, lead: list[str], sections: list[Section]) -> str:
    """The page as HTML.

    Parameters
    ----------
    title : str
    lead : list of str
        What to know first, a paragraph each.
    sections : list of Section
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data_uri"] = _data_uri
    sections = [section for section in sections if section.items]
    return environment.get_template("report.html").render(title=title, lead=lead, sections=sections)


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
