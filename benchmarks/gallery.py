"""Pictures of what one sees, for the documentation: `python -m benchmarks.gallery` writes them to docs/pictures/.

figures.png shows the figures of a report, page.png the drawing page. A small network is trained on scikit-learn's real
handwritten digits; Chromium and the extras `dev` and `serve` are needed.
"""

import tempfile
from pathlib import Path

from PIL import Image

from fastdigits import convert, report, train

from .browser import CHROMIUM, draw_strokes
from .serving import running_server

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
FIGURES = ("confusion", "class-intervals", "reliability", "coverage", "curves", "stress")
COLUMNS, WIDTH_PX, GAP_PX = 3, 640, 24
PAGE_PX = 720  # as narrow as pad and answer still stand beside each other, so that words can be read on a phone
SEVEN = ((0.28, 0.22), (0.74, 0.2), (0.44, 0.82)), ((0.36, 0.52), (0.68, 0.5))  # strokes in shares of the pad


def figure_sheet(parts: Path) -> Image.Image:
    """The figures of a report beside and below each other, each as wide as the others."""
    pictures = []
    for name in FIGURES:
        figure = Image.open(parts / f"{name}.png").convert("RGB")
        pictures.append(figure.resize((WIDTH_PX, round(WIDTH_PX * figure.height / figure.width))))
    rows = [pictures[start : start + COLUMNS] for start in range(0, len(pictures), COLUMNS)]
    heights = [max(picture.height for picture in row) + GAP_PX for row in rows]
    sheet = Image.new("RGB", (COLUMNS * (WIDTH_PX + GAP_PX), sum(heights)), "white")
    for line, row in enumerate(rows):
        for column, picture in enumerate(row):
            sheet.paste(picture, (column * (WIDTH_PX + GAP_PX), sum(heights[:line])))
    return sheet


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
        figure_sheet(Path(work, "report-parts")).quantize(256).save(PICTURES / "figures.png", optimize=True)
    photograph_page(PICTURES / "page.png")


if __name__ == "__main__":
    main()
