"""Sphinx: the site from these pages, the notebooks as they were executed, and the docstrings."""

import shutil
from configparser import ConfigParser
from pathlib import Path

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
exclude_patterns = ["examples", "predictions", "reproductions"]
html_theme = "furo"
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


def setup(app) -> None:
    """Links to notebooks are written for those who read the pages in the repository."""

    def to_copies(app, name: str, source: list[str]) -> None:
        source[0] = source[0].replace("](../../nbs/", "](../notebooks/").replace("](../nbs/", "](notebooks/")

    app.connect("source-read", to_copies)
