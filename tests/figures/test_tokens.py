"""Colours of pages and figures: text can be read on whatever stands behind it, by day and night."""

import re

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex, to_rgb

from fastdigits.figures.canvas import STYLE, sequential, text_on
from fastdigits.figures.tokens import DARK, LIGHT, luminance, tokens_css

TEXT = 4.5  # WCAG 2.2, success criterion 1.4.3
SHAPES = 3.0  # of bars and the like, 1.4.11


def contrast(one: str, other: str) -> float:
    """Contrast of two colours such as '#1b5cb0', 1 to 21; text needs 4.5 (WCAG 2.2, success criterion 1.4.3)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    return luminance(to_rgb(colour))


def test_contrast_as_the_standard_has_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#ffffff", "#767676") == contrast("#767676", "#ffffff")


def test_numbers_can_be_read_on_each_colour_of_a_map():
    # nothing has more between these two where both have the same
    assert all(contrast(text_on(colour), to_hex(colour)) >= 4.1 for colour in map(sequential(), range(256)))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(colours):
    for text in ("text", "quiet", "accent", "doubt", "good"):
        for ground in ("paper", "field"):
            assert contrast(colours[text], colours[ground]) >= TEXT, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= TEXT
    assert contrast(colours["accent"], colours["paper"]) >= SHAPES
    assert contrast(colours["edge"], colours["paper"]) >= SHAPES  # of what can be drawn on or written into


def test_dark_has_what_light_has_and_paper_is_light():
    assert set(DARK) == set(LIGHT)
    css = tokens_css()
    root, dark, printed = re.split(r"@media [^{]+", css)
    assert all(f"--{name}: {value};" in root and f"--{name}: {value};" in printed for name, value in LIGHT.items())
    assert all(f"--{name}: {value};" in dark for name, value in DARK.items())


def test_figures_have_the_same_colours_and_their_lines_can_be_named_in_them():
    style = mpl.rc_params_from_file(STYLE, use_default_template=False)
    named = {"text.color": "text", "axes.edgecolor": "line", "axes.labelcolor": "quiet"}
    assert {name: f"#{style[name].lstrip('#')}" for name in named} == {n: LIGHT[token] for n, token in named.items()}
    colours = [f"#{colour.lstrip('#')}" for colour in style["axes.prop_cycle"].by_key()["color"]]
    assert colours[:3] == [LIGHT[name] for name in ("accent", "doubt", "good")]
    assert min(contrast(colour, LIGHT["paper"]) for colour in colours) >= TEXT
