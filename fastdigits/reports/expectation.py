"""The section of a run's report on its folder's test pictures: what to expect on them, and how they differ."""

import numpy as np

from ..answers import Inference, Predictions
from ..audit import shift_of
from ..figures import draw_expectation
from ..folders import TEST, TRAIN, measured, spread_pictures
from ..scores import expectation_of, why_untold
from .page import Card, Gallery, Section, Text, as_sentence, drawn
from .view import View

ASKED, COMPARED = 2_000, 2_000  # test pictures that the model answers, and of each side that are told apart


def expectation_section(view: View) -> Section:
    """What to expect on test pictures, which have no labels; what says so where there are none."""
    title = "What to expect"
    folder = view.folder and (view.folder.whole or view.folder)  # a fold leaves the test pictures out
    if folder is None or TEST not in folder.splits:
        told = "The folder has no test pictures. `fastdigits predict` tells what to expect on the pictures it is given."
        return Section(title, [Text([told])])
    rows, images = spread_pictures(folder, TEST, view.saved.size, ASKED)
    found = Predictions(
        [folder.split(TEST).ids[row] for row in rows],
        Inference([view.saved], exact=True).probabilities(images),
        view.saved.classes,
        measured=measured(images),
    )
    expectation = expectation_of([view.saved], found)
    if expectation is None:
        told = f"What to expect on the test pictures cannot be told ({why_untold([view.saved])})."
        return Section(title, [Text([told])])
    sentences = [as_sentence(line) for line in str(expectation).splitlines()]
    chart = drawn(
        "expectation",
        "What to expect on the test pictures",
        f"Of {len(rows):,} test pictures, by how sure the model is of its answers; the accuracy on valid beside it.",
        draw_expectation(expectation, view.evaluation.interval),
    )
    return Section(title, [Text(sentences), chart, *_unlike(view, found.ids, images)])


def _unlike(view: View, ids: list[str], images: np.ndarray) -> list[Gallery]:
    """The test pictures that are most unlike the training ones."""
    _, of_training = spread_pictures(view.folder, TRAIN, view.saved.size, COMPARED)
    shift = shift_of(of_training, None, images)
    if shift is None:
        return []
    cards = [Card(images[row], [ids[row]]) for row in shift.unlike]
    return [Gallery("unlike", "Test pictures most unlike training", as_sentence(shift.sentences()[0]), cards)]
