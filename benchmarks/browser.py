"""Chromium, and a hand that draws on the page in it; the tests use both."""

import shutil
from collections.abc import Iterable, Sequence

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def draw_strokes(page, strokes: Iterable[Sequence[tuple[float, float]]], steps: int = 1) -> None:
    """Draw on the pad of a page with the mouse: strokes of points, in shares of the pad's width and height.

    Parameters
    ----------
    page : playwright.sync_api.Page
    strokes : iterable of sequence of (float, float)
    steps : int
        In how many moves the mouse goes from a point to the next.
    """
    box = page.locator("#pad").bounding_box()
    for stroke in strokes:
        first, *others = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*first)
        page.mouse.down()
        for place in others:
            page.mouse.move(*place, steps=steps)
        page.mouse.up()
