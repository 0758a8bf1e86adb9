"""A self-contained HTML page of texts, figures, tables and galleries: no network, light and dark, ready to print."""

import base64
import itertools
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..system import encode_pictures, whole_file, whole_folder, write_json

if TYPE_CHECKING:
    from ..figures import Drawing

NUMBERS_FILE = "report.json"
TEMPLATES = Path(__file__).parent
PIXELS_A_PX = 150 / 96  # of a figure's file for each px of the page
WIDE_PX = 470  # figures wider than that are not shrunk to a phone's width, but moved sideways
MOST_NARROW = 4  # columns
CODE = re.compile("`([^`]+)`")
SHOWN_WIDE = 0.75  # of their own width at least


@dataclass(frozen=True)
class Text:
    """Sentences, a paragraph each; beside a figure, or above all of them."""

    lines: list[str]
    is_beside: bool = False
    kind: str = "text"

    @property
    def is_narrow(self) -> bool:
        """Whether it takes half of a row; all other items have this, too."""
        return self.is_beside


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
        Charts are turned light on dark where the reader wants that, photographs and heat maps are not.
    """

    name: str
    title: str
    sentence: str
    png: bytes
    is_chart: bool = True
    kind: str = "figure"

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height on a page that is wide enough."""
        return tuple(round(side / PIXELS_A_PX) for side in struct.unpack(">II", self.png[16:24]))  # of the PNG's header

    @property
    def least_width_px(self) -> int | None:
        """Below which it could not be read; None where it may shrink with the page."""
        width, _ = self.size_px
        return round(width * SHOWN_WIDE) if width > WIDE_PX else None

    @property
    def is_narrow(self) -> bool:
        return self.least_width_px is None


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

    @property
    def is_narrow(self) -> bool:
        return len(self.columns) <= MOST_NARROW


@dataclass(frozen=True)
class Card:
    """A digit, uint8 (h, w), and the lines below it."""

    image: np.ndarray
    lines: list[str]

    @property
    def png(self) -> bytes:
        return next(encode_pictures(self.image[None]))


@dataclass(frozen=True)
class Gallery:
    """Digits with a sentence that says what to see; `name` is that of its PNG file."""

    name: str
    title: str
    sentence: str
    cards: list[Card]
    kind: str = "gallery"
    is_narrow: bool = False


@dataclass(frozen=True)
class Fact:
    """What a reader wants to know first: a question in a word or two, and its answer; a number of it stands out."""

    name: str
    text: str
    number: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {f'{self.number}, ' if self.number else ''}{self.text}"


@dataclass(frozen=True)
class Section:
    """A part of the page under its own heading, folded where it is long and few will read it."""

    title: str
    items: list[Text | Figure | Table | Gallery] = field(default_factory=list)
    folded: bool = False

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-")

    @property
    def placed(self) -> list[tuple[Text | Figure | Table | Gallery, str]]:
        """Each item with its place in a row: half of it, all of it (wide), or all for want of a neighbour (alone)."""
        places = []
        for is_narrow, run in itertools.groupby(self.items, lambda item: item.is_narrow):
            items = list(run)
            places += ["half" if is_narrow else "wide"] * len(items)
            if is_narrow and len(items) % 2:
                places[-1] = "alone" if not isinstance(items[-1], Text) else "wide"
        return list(zip(self.items, places))


def as_sentence(line: str) -> str:
    """A line of a command's output as a sentence of a page."""
    return f"{line[0].upper()}{line[1:]}."


def drawn(
    name: str, title: str, sentence: str, drawing: "Drawing", is_chart: bool = True, has_captions: bool = False
) -> Figure:
    """A drawing as a figure of a page, whose heading takes the place of its title, unless its panels have captions."""
    from ..figures import png_of, untitled

    return Figure(name, title, sentence, png_of(drawing if has_captions else untitled(drawing)), is_chart)


def render_page(title: str, lead: list[str | Fact], sections: list[Section]) -> str:
    """The page as HTML.

    Parameters
    ----------
    title : str
    lead : list of str or Fact
        What to know first, in about five lines.
    sections : list of Section
        Those without items are left out.
    """
    import jinja2

    from ..figures import tokens_css

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data_uri"] = _data_uri
    environment.filters["code"] = _with_code
    filled = [section for section in sections if section.items]
    known = [fact for fact in lead if isinstance(fact, Fact)]
    told = {"facts": known, "lead": [line for line in lead if line not in known], "sections": filled}
    return environment.get_template("report.html").render(title=title, tokens=tokens_css(), **told)


def write_page(
    page: Path, parts: Path, title: str, lead: list[str | Fact], sections: list[Section], numbers: dict
) -> None:
    """The page, and in the folder `parts` its figures, its tables and its numbers."""
    with whole_folder(parts) as partial:
        write_parts(sections, partial)
        write_json(partial / NUMBERS_FILE, numbers)
    with whole_file(page) as partial:
        partial.write_text(render_page(title, lead, sections), encoding="utf-8")


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _with_code(text: str) -> "markupsafe.Markup":  # noqa: F821 (jinja2 brings it)
    """A text as HTML, what stands between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def write_parts(sections: list[Section], folder: Path) -> None:
    """Every figure and gallery as PNG and every table as csv, into `folder`."""
    import pandas as pd

    from ..figures import draw_pictures

    for item in (item for section in sections for item in section.items):
        if isinstance(item, Figure):
            (folder / f"{item.name}.png").write_bytes(item.png)
        elif isinstance(item, Gallery):
            titles = ["\n".join(card.lines) for card in item.cards]
            draw_pictures([card.image for card in item.cards], titles, folder / f"{item.name}.png")
        elif isinstance(item, Table):
            pd.DataFrame(item.rows, columns=item.columns).to_csv(folder / f"{item.name}.csv", index=False)
