"""Pictures of what one sees, for the documentation: `python -m benchmarks.gallery` writes them to docs/pictures/.

figures.png shows the figures of a report, table.png what `explore` draws, page.png the drawing page. A small network is
trained on scikit-learn's real handwritten digits; Chromium and the extras `dev` and `serve` are needed.
"""

import tempfile
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from fastdigits import convert, explore, report, train

from .browser import CHROMIUM, draw_strokes
from .serving import running_server

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
# file of a report's figure without its ending, and what stands over it
FIGURES = {
    "confusion": "Confusion matrix",
    "class-intervals": "Scores by class",
    "reliability": "Calibration",
    "coverage": "Coverage",
    "curves": "Training",
    "stress": "Under stress",
}
COLUMNS, WIDTH_PX, GAP_PX, NAME_PX = 3, 640, 36, 34
TABLE_PX = 1200  # wide
PAGE_PX = 720  # as narrow as pad and answer still stand beside each other, so that words can be read on a phone
SEVEN = ((0.28, 0.22), (0.74, 0.2), (0.44, 0.82)), ((0.36, 0.52), (0.68, 0.5))  # strokes in shares of the pad


def figure_sheet(parts: Path) -> Image.Image:
    """A report's figures below their names, the tallest first, each in the shortest column so far."""
    figures = [named(Image.open(parts / f"{name}.png"), heading) for name, heading in FIGURES.items()]
    placed, tops = [], [0] * COLUMNS
    for figure in sorted(figures, key=lambda figure: -figure.height):
        column = tops.index(min(tops))
        placed.append((figure, (column * (WIDTH_PX + GAP_PX), tops[column])))
        tops[column] += figure.height + GAP_PX
    sheet = Image.new("RGB", (COLUMNS * (WIDTH_PX + GAP_PX), max(tops)), "white")
    for figure, place in placed:
        sheet.paste(figure, place)
    return sheet


def named(figure: Image.Image, name: str) -> Image.Image:
    """A figure, WIDTH_PX wide, below its name."""
    height = round(WIDTH_PX * figure.height / figure.width)
    picture = Image.new("RGB", (WIDTH_PX, NAME_PX + GAP_PX // 2 + height), "white")
    picture.paste(figure.convert("RGB").resize((WIDTH_PX, height)), (0, NAME_PX + GAP_PX // 2))
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans:bold"), NAME_PX * 3 // 4)
    ImageDraw.Draw(picture).text((0, 0), name, fill="black", font=font)
    return picture


def photograph_page(path: Path) -> None:
    """The drawing page with a seven on it."""
    from playwright.sync_api import sync_playwright

    with running_server() as (host, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": PAGE_PX, "height": 700}, device_scale_factor=1.5)
        page.goto(f"http://{host}:{port}")
        draw_strokes(page, SEVEN, steps=12)
        page.get_by_text("This is a 7").wait_for(state="attached")
        page.wait_for_timeout(300)  # until the bars stand
        desk = page.locator(".desk").bounding_box()
        page.screenshot(path=path, clip={"x": 0, "y": 0, "width": PAGE_PX, "height": desk["y"] + desk["height"]})
        browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "digits")
        convert("sklearn:digits", folder, valid=0.4)
        train("digitnet-fast", folder, epochs=12, out=Path(work, "run"))
        report([Path(work, "run")], out=Path(work, "report.html"))
        figure_sheet(Path(work, "report-parts")).save(PICTURES / "figures.png", optimize=True)
        explore("sklearn:digits", out=Path(work, "table"))
        table = Image.open(Path(work, "table", "explore.png")).convert("RGB")
        size = (TABLE_PX, round(TABLE_PX * table.height / table.width))
        table.resize(size).save(PICTURES / "table.png", optimize=True)
    photograph_page(PICTURES / "page.png")


if __name__ == "__main__":
    main()
