"""Sections of a run's report about its answers: scores, calibration, mistakes, doubtful labels."""

import numpy as np

from ..figures import (
    draw_class_heat_map,
    draw_class_intervals,
    draw_confusion,
    draw_coverage,
    draw_groups,
    draw_reliability,
)
from ..scores import Evaluation, Interval, Suspect
from .page import Card, Gallery, Section, Table, Text, as_sentence, drawn
from .view import View

SHOWN_MISTAKES, SHOWN_SUSPECTS, MOST_PAIRS = 60, 24, 10


def scores_section(view: View) -> Section:
    """All of evaluate but the calibration."""
    evaluation = view.evaluation
    confusion = drawn(
        "confusion",
        "Confusion matrix",
        "Rows are true labels, columns predicted ones; the numbers are mistakes, the stronger the colour the more. "
        "What is right, the diagonal, is left empty.",
        draw_confusion(evaluation.confusion, evaluation.classes),
    )
    intervals = drawn(
        "class-intervals",
        "How sure these are",
        "Where intervals overlap widely, classes may well be equally hard.",
        draw_class_intervals(evaluation),
    )
    heat_map = drawn(
        "class-heat-map",
        "Precision, recall and F1 as a heat map",
        "A strong colour in the first column is a label that is given too often, in the second one that is missed.",
        draw_class_heat_map(evaluation),
    )
    sentences = Text([as_sentence(line) for line in evaluation.sentences()], is_beside=True)
    items = [sentences, confusion, _class_table(evaluation), intervals, heat_map]
    if evaluation.groups:
        items += [_group_table(evaluation), _group_figure(evaluation)]
    return Section("Scores", items)


def _between(interval: Interval) -> str:
    low, high = interval
    return f"{low:.4f} .. {high:.4f}"


def _class_table(evaluation: Evaluation) -> Table:
    weakest = min(evaluation.per_class, key=lambda part: part.f1)
    rows = [
        [
            *(part.label, f"{part.precision:.4f}", f"{part.recall:.4f}", f"{part.f1:.4f}", f"{part.pictures:,}"),
            *(_between(part.precision_interval), _between(part.recall_interval), _between(part.f1_interval)),
        ]
        for part in evaluation.per_class
    ]
    columns = ["label", "precision", "recall", "F1", "pictures", "precision, 95 %", "recall, 95 %", "F1, 95 %"]
    return Table(
        "classes", "Scores by class", f"The weakest class is {weakest.label}: F1 {weakest.f1:.4f}.", columns, rows
    )


def _group_table(evaluation: Evaluation) -> Table:
    rows = [
        [
            part.group,
            f"{part.accuracy:.2%}",
            " .. ".join(f"{bound:.2%}" for bound in part.interval),
            f"{part.pictures:,}",
        ]
        for part in evaluation.groups
    ]
    sentence = "Groups, such as writers, the worst first: its score is what to expect on a bad day."
    return Table("groups", "Scores by group", sentence, ["group", "accuracy", "95 % interval", "pictures"], rows)


def _group_figure(evaluation: Evaluation):
    return drawn(
        "group-intervals",
        "By group",
        "Each point is one group with its 95 % interval, the dotted line the mean of all pictures. Points far "
        "apart say "
        "that the hand matters more than the number of pictures.",
        draw_groups(evaluation),
    )


def calibration_section(view: View) -> Section:
    """Whether its confidence can be trusted."""
    evaluation, temperature = view.evaluation, view.saved.temperature
    told = "Its confidence is as the network gives it, since it made no mistake to learn from."
    if temperature != 1:
        told = (
            f"Logits are divided by a temperature of {temperature:.3f}, fitted on these same pictures, so the "
            "calibration "
            "shown here is a little better than on new ones."
        )
    reliability = drawn(
        "reliability",
        "Is it as sure as it is right?",
        "On the dotted line confidence and accuracy agree; below it the model is too sure. Points with few pictures "
        "(see the bars) scatter.",
        draw_reliability(evaluation),
    )
    coverage = drawn(
        "coverage", "What to leave to a person", as_sentence(evaluation.reject_sentence()), draw_coverage(evaluation)
    )
    return Section("Calibration", [Text([told]), reliability, coverage])


def mistakes_section(view: View) -> Section:
    """The most confused pairs, and the misclassified digits."""
    if not len(view.mistakes):
        return Section("Mistakes")
    most = view.evaluation.confused_pairs.most_common(MOST_PAIRS)
    (true, predicted), count = most[0]
    table = Table(
        "confused-pairs",
        "Most confused pairs",
        f"{true} is taken for {predicted} most often: {count} of {len(view.mistakes)} mistakes.",
        ["true", "predicted", "pictures"],
        [[true, predicted, str(count)] for (true, predicted), count in most],
    )
    return Section("Mistakes", [table, _mistake_gallery(view)] if view.images is not None else [table])


def _mistake_gallery(view: View) -> Gallery:
    shown = view.mistakes[:SHOWN_MISTAKES]
    how_many = f" The first {len(shown)} of {len(view.mistakes)}." if len(shown) < len(view.mistakes) else ""
    return Gallery(
        "misclassified",
        "Misclassified digits",
        "Those of the most confused pair first, in each pair the surest first: true label → predicted label, its "
        f"confidence, and the picture's id.{how_many}",
        [Card(view.images[row], [view.title(row), view.ids[row]]) for row in shown],
    )


def all_mistakes_section(view: View) -> Section:
    """Every mistake as a row."""
    confidences, of_truth = view.probabilities.max(1), view.probabilities[np.arange(len(view.truth)), view.truth]
    rows = [
        [view.ids[row], *view.pair(row), f"{confidences[row]:.6f}", f"{of_truth[row]:.6f}"] for row in view.mistakes
    ]
    columns = ["id", "true", "predicted", "confidence", "probability of the true label"]
    sentence = "Those of the most confused pair first, in each pair the surest first."
    return Section("All mistakes", [Table("mistakes", "Rows", sentence, columns, rows)] if rows else [], folded=True)


def suspects_section(view: View) -> Section:
    """Labels that are likely wrong."""
    found = view.suspects
    if not found:
        return Section("Doubtful labels", [Text(["Confident learning finds no label that is likely wrong."])])
    sentence = (
        f"Confident learning (Northcutt et al. 2021) suspects {len(found)} of {len(view.ids):,} labels, the likeliest "
        "first: label as it stands → what the model would say. A suspect is a picture to look at, not an error: hard "
        "digits are among them."
    )
    rows = [
        [view.ids[s.row], s.label, s.likely, f"{s.own_probability:.6f}", f"{s.likely_probability:.6f}"] for s in found
    ]
    columns = ["id", "label", "likely", "probability of the label", "of the likely one"]
    if view.images is None:
        return Section("Doubtful labels", [Table("suspects", "All suspects", sentence, columns, rows)])
    cards = [_suspect_card(view, suspect) for suspect in found[:SHOWN_SUSPECTS]]
    gallery = Gallery("suspected", "Suspected label errors", sentence, cards)
    return Section("Doubtful labels", [gallery, Table("suspects", "As rows", "In the same order.", columns, rows)])


def _suspect_card(view: View, suspect: Suspect) -> Card:
    title = f"{suspect.label} → {suspect.likely}, {suspect.likely_probability:.0%}"
    return Card(view.images[suspect.row], [title, view.ids[suspect.row]])
