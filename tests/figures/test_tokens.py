"""Colours of pages and figures: text can be read on whatever stands behind it, by day and night."""

import re

import pytest

from fastdigits.figures.tokens import DARK, LIGHT, contrast, tokens_css

TEXT = 4.5  # WCAG 2.2, success criterion 1.4.3
SHAPES = 3.0  # of bars and the like, 1.4.11


def test_contrast_as_the_standard_has_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#ffffff", "#767676") == contrast("#767676", "#ffffff")


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(colours):
    for text in ("text", "quiet", "accent", "doubt", "good"):
        for ground in ("paper", "field"):
            assert contrast(colours[text], colours[ground]) >= TEXT, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= TEXT
    assert contrast(colours["accent"], colours["paper"]) >= SHAPES


def test_dark_has_what_light_has_and_paper_is_light():
    assert set(DARK) == set(LIGHT)
    css = tokens_css()
    root, dark, printed = re.split(r"@media [^{]+", css)
    assert all(f"--{name}: {value};" in root and f"--{name}: {value};" in printed for name, value in LIGHT.items())
    assert all(f"--{name}: {value};" in dark for name, value in DARK.items())
