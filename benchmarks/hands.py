"""`python -m benchmarks.hands`: the shipped models on drawn digits by style, on what is no digit by kind, under stress.

Writes `docs/results/hands.md` and the two sheets of samples beside it. What is drawn here has a seed of its own; no
training saw these pictures, though it saw others of the same styles and kinds.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from fastdigits import open_model
from fastdigits.answers import SURE, Inference
from fastdigits.models import shipped_names
from fastdigits.photos import contents_of, normalised
from fastdigits.styles import DIGITS, KINDS, digit_photo, no_digit_photo, styles_of

PAGE, PICTURES = Path("docs", "results", "hands.md"), Path("docs", "pictures")
SEED, EACH, SHOWN = 2026, 200, 16
NO_DIGIT = ("several", "other", "blank")
TEXT = """# Anyone's hand

Written by `python -m benchmarks.hands`. Nobody's real pictures are in these tables: digits in {n_styles} styles and
{n_kinds} kinds of pictures that show no single digit are drawn as strokes, on paper, and photographed, by rule
(`fastdigits.styles`), {each} of each with a seed of their own. The shipped models were trained with other pictures of
the same styles and kinds; how much is left for kinds that no training saw, the
[table of outliers](outliers.md) says.

![Digits by style](../pictures/styles.png)

## Digits

Right answers, and in brackets how many are taken for several digits or none; in percent.

{styles}

## No digit

How many are called several, other or blank, and in brackets how many are answered as a digit and sure; in percent.

![What is no digit, by kind](../pictures/no_digit.png)

{kinds}
"""


def main() -> None:
    rng = np.random.default_rng(SEED)
    names = [name for name in shipped_names() if open_model(name).above is not None]
    models = {name: Inference([open_model(name)], exact=True) for name in names}
    latin = {name: inference for name, inference in models.items() if not name.endswith("kannada")}
    styles, kinds, samples = [], [], {"styles": [], "no_digit": []}
    for digit in DIGITS:
        for style in styles_of(digit):
            images = drawn(digit_photo(digit, style, rng) for _ in range(EACH))
            samples["styles"].append(images[:SHOWN])
            styles.append([f"{digit} {style}", *(_digits_cell(one, images, digit) for one in latin.values())])
    for kind in KINDS:
        images = drawn(no_digit_photo(kind, rng) for _ in range(EACH))
        samples["no_digit"].append(images[:SHOWN])
        kinds.append([kind, *(_kind_cell(one, images) for one in models.values())])
    for name, rows in samples.items():
        _draw_sheet(rows, PICTURES / f"{name}.png")
    tables = {"styles": _table(["digit and style", *latin], styles), "kinds": _table(["kind", *models], kinds)}
    PAGE.write_text(TEXT.format(n_styles=len(styles), n_kinds=len(kinds), each=EACH, **tables), encoding="utf-8")
    print(tables["styles"], tables["kinds"], sep="\n\n")


def drawn(photos: Iterator[np.ndarray]) -> np.ndarray:
    """In MNIST's form: uint8 (n, 28, 28)."""
    return np.stack([normalised(photo) for photo in photos])


def _digits_cell(inference: Inference, images: np.ndarray, digit: str) -> str:
    shares = inference.shares(images)
    answers = inference.judge.probabilities(shares).argmax(1)
    verdicts = inference.judge.verdicts(shares, contents_of(images))
    right = np.mean([inference.classes[k] == digit for k in answers])
    return f"{right:.1%} ({np.mean([verdict in NO_DIGIT for verdict in verdicts]):.1%})"


def _kind_cell(inference: Inference, images: np.ndarray) -> str:
    verdicts = inference.judge.verdicts(inference.shares(images), contents_of(images))
    called, sure = (np.mean([verdict in wanted for verdict in verdicts]) for wanted in (NO_DIGIT, (SURE,)))
    return f"{called:.1%} ({sure:.1%})"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _draw_sheet(rows: list[np.ndarray], path: Path) -> None:
    """A row of pictures for each style or kind."""
    side = rows[0].shape[-1] + 2
    sheet = np.full((len(rows) * side, SHOWN * side), 60, np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            sheet[row * side + 1 : (row + 1) * side - 1, column * side + 1 : (column + 1) * side - 1] = image
    Image.fromarray(sheet).resize(np.array(sheet.shape[::-1]) * 3 // 2).save(path, optimize=True)


if __name__ == "__main__":
    main()
