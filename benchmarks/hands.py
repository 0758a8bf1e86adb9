"""`python -m benchmarks.hands`: the shipped models on drawn digits by style and by stress, on what is no digit by kind.

Writes `docs/results/hands.md` and the two sheets of samples beside it. What is drawn here has a seed of its own; no
training saw these pictures, though it saw others of the same styles and kinds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image

from fastdigits import open_model
from fastdigits.answers import SURE, Inference
from fastdigits.models import WEIGHTS, shipped_names
from fastdigits.photos import contents_of, normalised
from fastdigits.scores import StressScore, mean_under_stress, stress_scores, stressed_rows
from fastdigits.styles import DIGITS, KINDS, digit_photo, no_digit_photo, styles_of

PAGE, PICTURES = Path("docs", "results", "hands.md"), Path("docs", "pictures")
SEED, EACH, COARSE_EACH, SHOWN = 2026, 200, 40, 16  # pictures of each style
NO_DIGIT = ("several", "other", "blank")
HEADING, NEXT = "## Anyone's hand", "## Limits"  # of a card
TEXT = """# Anyone's hand

Written by `python -m benchmarks.hands`. Nobody's real pictures are in these tables: digits in {n_styles} styles and
{n_kinds} kinds of pictures that show no single digit are drawn as strokes, on paper, and photographed, by rule
(`fastdigits.styles`), {each} of each with a seed of their own. The shipped models were trained with other pictures of
the same styles and kinds, but for made-up signs and for ways of writing that came later; how much is left for kinds
that no training saw, the [table of outliers](outliers.md) says.

![Digits by style](../pictures/styles.png)

## Digits

Right answers, and in brackets how many are taken for several digits or none; in percent.

{styles}

### Coarse digits

In all styles, 8 to 14 pixels high, as small scans have them; some of them nobody could read.

{coarse}

## Under stress

The same digits thinner, thicker, smaller, shifted, on bad paper and so on: right answers in percent, at each of three
strengths.

{stress}

## No digit

How many are called several, other or blank, and in brackets how many are answered as a digit and sure; in percent.

![What is no digit, by kind](../pictures/no_digit.png)

{kinds}
"""


@dataclass
class Score:
    """How one model does on pictures of one style or kind: shares 0..1.

    Attributes
    ----------
    right : float
        Answered with the label that was drawn; of no digit, not answered as one.
    other : float
        Of digits, taken for several or none; of no digit, answered as a digit and sure.
    """

    what: str
    right: float
    other: float

    def __str__(self) -> str:
        return f"{self.right:.1%} ({self.other:.1%})"


def main() -> None:
    rng = np.random.default_rng(SEED)
    models = {name: Inference([open_model(name)], exact=True) for name in shipped_names()}
    models = {name: inference for name, inference in models.items() if inference.judge.above is not None}
    styles: dict[str, list[Score]] = {name: [] for name in models if not name.endswith("kannada")}
    kinds: dict[str, list[Score]] = {name: [] for name in models}
    coarse_scores: dict[str, list[Score]] = {name: [] for name in styles}
    every_digit: list[tuple[np.ndarray, str]] = []
    samples: dict[str, list[np.ndarray]] = {"styles": [], "no_digit": []}
    for digit in DIGITS:
        for style in styles_of(digit):
            images = drawn(digit_photo(digit, style, rng, coarse=0) for _ in range(EACH))
            samples["styles"].append(images[:SHOWN])
            every_digit.append((images, digit))
            for name, scores in styles.items():
                scores.append(_digit_score(models[name], images, digit, style))
        coarse = drawn(
            digit_photo(digit, style, rng, coarse=1) for style in styles_of(digit) for _ in range(COARSE_EACH)
        )
        for name, scores in coarse_scores.items():
            scores.append(_digit_score(models[name], coarse, digit, "coarse"))
    for kind in KINDS:
        images = drawn(no_digit_photo(kind, rng, coarse=0) for _ in range(EACH))
        samples["no_digit"].append(images[:SHOWN])
        for name, scores in kinds.items():
            scores.append(_kind_score(models[name], images, kind))
    for name, rows in samples.items():
        _draw_sheet(rows, PICTURES / f"{name}.png")
    stress = {name: _stress_scores(models[name], every_digit) for name in styles}
    for name in models:
        _tell_in_card(name, styles.get(name), kinds[name], stress.get(name))
    tables = {"styles": _table("digit and style", styles), "kinds": _table("kind", kinds)}
    tables["coarse"] = _table("digit", coarse_scores)
    tables["stress"] = _stress_table(stress)
    counts = {"n_styles": len(samples["styles"]), "n_kinds": len(KINDS), "each": EACH}
    PAGE.write_text(TEXT.format(**counts, **tables), encoding="utf-8")
    print(*tables.values(), sep="\n\n")


def drawn(photos: Iterable[np.ndarray]) -> np.ndarray:
    """In MNIST's form: uint8 (n, 28, 28)."""
    return np.stack([normalised(photo) for photo in photos])


def _digit_score(inference: Inference, images: np.ndarray, digit: str, style: str) -> Score:
    shares = inference.shares(images)
    answers = inference.judge.probabilities(shares).argmax(1)
    verdicts = inference.judge.verdicts(shares, contents_of(images))
    right = np.mean([inference.classes[k] == digit for k in answers])
    return Score(f"{digit} {style}", float(right), float(np.mean([verdict in NO_DIGIT for verdict in verdicts])))


def _kind_score(inference: Inference, images: np.ndarray, kind: str) -> Score:
    verdicts = inference.judge.verdicts(inference.shares(images), contents_of(images))
    told, sure = (float(np.mean([verdict in wanted for verdict in verdicts])) for wanted in (NO_DIGIT, (SURE,)))
    return Score(kind, told, sure)


def _stress_scores(inference: Inference, every_digit: list[tuple[np.ndarray, str]]) -> list[StressScore]:
    """Of digits in all styles, of which as many are taken as `evaluate` takes."""
    images = np.concatenate([images for images, _ in every_digit])
    truth = np.repeat([inference.classes.index(digit) for _, digit in every_digit], [len(i) for i, _ in every_digit])
    chosen = stressed_rows(len(images))
    return stress_scores(inference, images[chosen], truth[chosen])


def _tell_in_card(name: str, styles: list[Score] | None, kinds: list[Score], stress: list[StressScore] | None) -> None:
    """The means, and what is worst, as a section of a shipped model's card."""
    lines = [HEADING, ""]
    if styles and stress:
        worst = min(styles, key=lambda score: score.right)
        lines.append(
            f"- Of drawn digits in {len(styles)} styles {_mean(styles):.1%} are right, in the worst style "
            f"({worst.what}) {worst.right:.1%}; {fmean(score.other for score in styles):.1%} are taken for none. Under "
            f"stress {mean_under_stress(stress):.1%} are right."
        )
    worst = min(kinds, key=lambda score: score.right)
    lines.append(
        f"- Of {len(kinds)} kinds of drawn pictures without a single digit {_mean(kinds):.1%} are told, of the worst "
        f"kind ({worst.what}) {worst.right:.1%}; {fmean(score.other for score in kinds):.1%} are answered as a digit, "
        "and sure."
    )
    card = WEIGHTS / name / "README.md"
    before, after = re.sub(rf"{HEADING}.*?(?=\n## )", "", card.read_text(encoding="utf-8"), flags=re.DOTALL).split(NEXT)
    card.write_text(before.rstrip() + "\n\n" + "\n".join(lines) + "\n\n" + NEXT + after, encoding="utf-8")


def _mean(scores: list[Score]) -> float:
    return fmean(score.right for score in scores)


def _table(head: str, scores: dict[str, list[Score]]) -> str:
    """A line for each style or kind, a column for each model; the last line has the means."""
    rows = [[found[0].what, *map(str, found)] for found in zip(*scores.values())]
    rows.append(["all", *(f"{_mean(found):.1%} ({fmean(s.other for s in found):.1%})" for found in scores.values())])
    return _lines([head, *scores], rows)


def _lines(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _stress_table(scores: dict[str, list[StressScore]]) -> str:
    """A line for each stress, a column for each model; the last line has the means."""
    rows = [
        [f"{one[0].name} ({', '.join(f'{strength:g}' for strength in one[0].strengths)} {one[0].unit})"]
        + [", ".join(f"{accuracy:.1%}" for accuracy in score.accuracies) for score in one]
        for one in zip(*scores.values())
    ]
    rows.append(["all", *(f"{mean_under_stress(found):.1%}" for found in scores.values())])
    return _lines(["stress", *scores], rows)


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
