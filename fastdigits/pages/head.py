"""What every page begins with, and the one stylesheet of all of them."""

from pathlib import Path

from fastcore.xml import FT, Link, Meta, Noscript, P, Script, Title

from ..figures import tokens_css

ASSETS = Path(__file__).parent / "assets"
STYLE = "page.css"


def page_head(title: str, script: str) -> tuple[FT, ...]:
    """The head of a page that a server sends; `script` is the name of its module among the assets."""
    return (
        *common_head(title),
        Link(rel="icon", href="/assets/icon.svg", type="image/svg+xml"),
        Link(rel="stylesheet", href="/style.css"),
        Script(type="module", src=f"/assets/{script}"),
        Noscript(P("This page needs JavaScript, all of it from this server.")),
    )


def common_head(title: str) -> tuple[FT, ...]:
    return (
        Title(title),
        Meta(charset="utf-8"),
        Meta(name="viewport", content="width=device-width, initial-scale=1"),
        Meta(name="color-scheme", content="light dark"),
    )


def stylesheet() -> str:
    """The stylesheet of the pages: the tokens, and what is made of them."""
    return tokens_css() + (ASSETS / STYLE).read_text(encoding="utf-8")
