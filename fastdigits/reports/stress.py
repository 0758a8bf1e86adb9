"""The section of a run's report on stress: how far accuracy falls when digits are thinner, shifted, on bad paper."""

import numpy as np

from ..answers import Inference
from ..figures import draw_stress, draw_stressed
from ..folders import VALID
from ..scores import mean_under_stress, stress_scores, stressed_pictures, stressed_rows
from .page import Section, Table, Text, drawn
from .view import View

SHOWN_PICTURES = 300  # under stress; a large network takes a while for each


def stress_section(view: View) -> Section:
    """Accuracy against strength; a sentence where the pictures are not at hand."""
    if view.folder is None:
        return Section("Under stress", [Text(["The pictures are not at hand."])])
    rows = stressed_rows(len(view.truth), SHOWN_PICTURES)
    images, truth = stressed_pictures(view.folder, VALID, rows), view.truth[rows]
    scores = stress_scores(Inference([view.saved]), images, truth)
    accuracy = float((view.predicted[rows] == truth).mean())
    worst = min(scores, key=lambda score: score.accuracies[-1])
    told = Text(
        [
            f"Mean accuracy under stress {mean_under_stress(scores):.2%}, as they are {accuracy:.2%} "
            f"({len(rows):,} valid pictures). It suffers most from {worst.name}: {worst.accuracies[-1]:.2%} at the "
            "strongest. New writers come with other pens and paper, so this foretells more about them than the score."
        ]
    )
    chart = drawn(
        "stress",
        "Accuracy against strength",
        "A pixel is one of a picture 28 pixels wide. The dotted line is the accuracy on the pictures as they are.",
        draw_stress(scores, accuracy),
    )
    pictures = drawn(
        "stressed-digit",
        "One digit under stress",
        "From mild (left) to strong (right).",
        draw_stressed(_one_digit(images[len(images) // 2])),
        is_chart=False,
    )
    table = Table(
        "stress-scores",
        "Accuracy against strength, in numbers",
        "In brackets the strength.",
        ["stress", "unit", "mild", "medium", "strong"],
        [
            [score.name, score.unit, *(f"{a:.2%} ({s:g})" for s, a in zip(score.strengths, score.accuracies))]
            for score in scores
        ],
    )
    return Section("Under stress", [told, chart, pictures, table])


def _one_digit(image: np.ndarray) -> list[tuple[str, list[np.ndarray]]]:
    from ..batches import stressed

    shown: dict[str, list[np.ndarray]] = {}
    for name, _, pictures in stressed(image[None]):
        shown.setdefault(name, []).append(pictures[0])
    return list(shown.items())
