"""Sections of a run's report about its answers: scores, calibration, mistakes, doubtful labels."""

from collections import Counter

import numpy as np

from .figures import (
    draw_class_heat_map,
    draw_class_intervals,
    draw_confusion,
    draw_coverage,
    draw_groups,
    draw_reliability,
)
from .label_errors import Suspect, find_suspects
from .pages import Card, Gallery, Section, Table, Text, drawn
from .png import encode_pictures
from .report_view import View

SHOWN_MISTAKES, SHOWN_SUSPECTS = 60, 24


def scores_section(view: View) -> Section:
    evaluation = view.evaluation
    rows = [
        [part.label, *(f"{getattr(part, name):.4f}" for name in ("precision", "recall", "f1")), f"{part.pictures:,}"]
        for part in evaluation.per_class
    ]
    weakest = min(evaluation.per_class, key=lambda part: part.f1)
    items = [
        Text([f"{line[0].upper()}{line[1:]}." for line in evaluation.sentences()]),
        drawn(
            "confusion",
            "Confusion",
            "Rows are true labels, columns predicted ones. Numbers beside the diagonal are mistakes, the redder "
            "the more.",
            draw_confusion(evaluation.confusion, evaluation.classes),
        ),
        Table(
            "classes",
            "Scores by class",
            f"The weakest class is {weakest.label}: F1 {weakest.f1:.4f}.",
            ["label", "precision", "recall", "F1", "pictures"],
            rows,
        ),
        drawn(
            "class-intervals",
            "How sure these are",
            "Intervals that overlap widely say that classes may well be equally hard.",
            draw_class_intervals(evaluation),
        ),
        drawn(
            "class-heat-map",
            "Precision, recall and F1 as a heat map",
            "A dark cell in the first column is a label that is given too often, in the second one that is missed.",
            draw_class_heat_map(evaluation),
        ),
    ]
    if evaluation.groups:
        items.append(
            drawn(
                "groups",
                "By group",
                "Each point is one group, such as a writer, with its 95 % interval. The one at the top is what to "
                "expect "
                "on a bad day.",
                draw_groups(evaluation),
            )
        )
    return Section("Scores", items)


def calibration_section(view: View) -> Section:
    evaluation, temperature = view.evaluation, view.saved.temperature
    return Section(
        "Calibration",
        [
            Text(
                [
                    f"Logits are divided by a temperature of {temperature:.3f}, fitted on these same pictures, so the "
                    "calibration shown here is a little better than on new ones."
                ]
            ),
            drawn(
                "reliability",
                "Is it as sure as it is right?",
                "On the dotted line confidence and accuracy agree; below it the model is too sure. Points with few "
                "pictures (see the bars) scatter.",
                draw_reliability(evaluation),
            ),
            drawn(
                "coverage",
                "What to leave to a person",
                f"{evaluation.reject_sentence()[0].upper()}{evaluation.reject_sentence()[1:]}.",
                draw_coverage(evaluation),
            ),
        ],
    )


def mistakes_section(view: View) -> Section:
    if not len(view.mistakes):
        return Section("Mistakes")
    pairs = Counter(view.pair(row) for row in view.mistakes)
    (true, predicted), count = pairs.most_common(1)[0]
    items: list = [
        Table(
            "confused-pairs",
            "Most confused pairs",
            f"{true} is taken for {predicted} most often: {count} of {len(view.mistakes)} mistakes.",
            ["true", "predicted", "pictures"],
            [[true, predicted, str(count)] for (true, predicted), count in pairs.most_common(10)],
        )
    ]
    if view.images is not None:
        shown = view.mistakes[:SHOWN_MISTAKES]
        items.append(
            Gallery(
                "Misclassified digits",
                "Those of the most confused pair first, in each pair the surest first: true label → predicted "
                "label, its "
                "confidence, and the picture's id."
                + (f" {len(shown)} of {len(view.mistakes)}." if len(shown) < len(view.mistakes) else ""),
                [_card(view.images[row], [view.title(row), view.ids[row]]) for row in shown],
            )
        )
    return Section("Mistakes", items)


def all_mistakes_section(view: View) -> Section:
    rows = [
        [
            view.ids[row],
            *view.pair(row),
            f"{view.probabilities[row].max():.6f}",
            f"{view.probabilities[row, view.truth[row]]:.6f}",
        ]
        for row in view.mistakes
    ]
    columns = ["id", "true", "predicted", "confidence", "probability of the true label"]
    table = Table("mistakes", "All mistakes", "In the order of the gallery above.", columns, rows)
    return Section("All mistakes", [table] if rows else [], folded=True)


def suspects_section(view: View) -> Section:
    found = find_suspects(view.truth, view.probabilities, view.saved.classes)
    if not found:
        return Section("Doubtful labels", [Text(["Confident learning finds no label that is likely wrong."])])
    sentence = (
        f"Confident learning (Northcutt et al. 2021) suspects {len(found)} of {len(view.ids):,} labels, the likeliest "
        "first: label as it stands → what the model would say. A suspect is a picture to look at, not an error: hard "
        "digits are among them."
    )
    columns = ["id", "label", "likely", "probability of the label", "of the likely one"]
    items: list = []
    if view.images is not None:
        items.append(
            Gallery("Suspected label errors", sentence, [_suspect_card(view, s) for s in found[:SHOWN_SUSPECTS]])
        )
    rows = [
        [view.ids[s.row], s.label, s.likely, f"{s.own_probability:.6f}", f"{s.likely_probability:.6f}"] for s in found
    ]
    items.append(Table("suspects", "All suspects", "" if items else sentence, columns, rows))
    return Section("Doubtful labels", items)


def _suspect_card(view: View, suspect: Suspect) -> Card:
    title = f"{suspect.label} → {suspect.likely}, {suspect.likely_probability:.0%}"
    return _card(view.images[suspect.row], [title, view.ids[suspect.row]])


def _card(image: np.ndarray, lines: list[str]) -> Card:
    return Card(next(encode_pictures(image[None])), lines)
