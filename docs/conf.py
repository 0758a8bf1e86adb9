"""Sphinx: the site from these pages, the notebooks as they were executed, the docstrings, and pages to try."""

import re
import shutil
from configparser import ConfigParser
from pathlib import Path

from fastdigits import InputError, export
from fastdigits.figures.tokens import DARK, LIGHT

docs = Path(__file__).parent
root = docs.parent

settings = ConfigParser()
settings.read(root / "settings.ini", encoding="utf-8")

project = "fastdigits"
version = release = settings["DEFAULT"]["version"]
author = copyright = settings["DEFAULT"]["author"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "cyclopts.ext.sphinx",
]
exclude_patterns = ["examples", "predictions", "reproductions", "opened"]
html_extra_path = ["opened"]  # pages that are opened as they are
html_theme = "furo"
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {"color-brand-primary": LIGHT["accent"], "color-brand-content": LIGHT["accent"]},
    "dark_css_variables": {"color-brand-primary": DARK["accent"], "color-brand-content": DARK["accent"]},
}
html_static_path = ["style"]
html_css_files = ["site.css"]
pygments_dark_style = "github-dark"
html_title = f"fastdigits {version}"
html_show_copyright = False
myst_heading_anchors = 3
default_role = "literal"  # docstrings write `name` as Markdown does
nb_execution_mode = "off"  # they are committed as they were executed
autodoc_typehints = "none"  # the docstrings say shapes and units too
napoleon_google_docstring = False
napoleon_use_rtype = False

# Sphinx reads below this folder alone
shutil.rmtree(docs / "notebooks", ignore_errors=True)
shutil.copytree(root / "nbs", docs / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
opened = docs / "opened"
shutil.rmtree(opened, ignore_errors=True)
shutil.copytree(docs / "examples", opened / "examples", ignore=shutil.ignore_patterns("*.md"))
try:
    export("digitnet-mnist", opened / "draw", to="web")
except InputError as error:
    print(f"The site has no page to draw on: {error}")
    DRAW = ""
else:
    DRAW = '<a href="draw/index.html">Draw one here</a>: the model runs in your browser, and nothing is sent anywhere.'


def setup(app) -> None:
    """Links to notebooks and examples are written for those who read the pages in the repository."""

    def for_the_site(app, name: str, source: list[str]) -> None:
        text = source[0].replace("](../../nbs/", "](../notebooks/").replace("](../nbs/", "](notebooks/")
        text = re.sub(r"\[([^]]+)\]\(((?:\.\./)*examples/[^)]+)\)", r'<a href="\2">\1</a>', text)
        source[0] = text.replace("<!-- the site draws here -->", DRAW)

    app.connect("source-read", for_the_site)
