"""Figures show the numbers that they are given."""

import numpy as np
import pytest

from fastdigits.audit.pictures import Pictures, read_pictures
from fastdigits.figures.canvas import untitled
from fastdigits.figures.pictures import draw_pictures
from fastdigits.figures.scores import draw_class_intervals, draw_confusion, draw_reliability
from fastdigits.figures.table import draw_table
from fastdigits.scores.scoring import score


def test_figures_show_the_numbers():
    truth = np.arange(30) % 3
    predicted = np.where(np.arange(30) < 9, (truth + 1) % 3, truth)
    probabilities = np.full((30, 3), 0.1, np.float32)
    probabilities[np.arange(30), predicted] = 0.8
    result = score([str(k) for k in truth], probabilities, ["0", "1", "2"], "thirty")
    assert result.accuracy == 0.7
    (point,) = draw_reliability(result).axes[0].lines[1].get_xydata()
    assert point.tolist() == pytest.approx([0.8, result.accuracy])
    (recalls, precisions) = (
        container.lines[0].get_xdata() for container in draw_class_intervals(result).axes[0].containers
    )
    assert recalls.tolist() == [part.recall for part in result.per_class]
    assert precisions.tolist() == [part.precision for part in result.per_class]


def test_a_page_takes_away_the_title_that_it_has_as_a_heading():
    drawing = untitled(draw_confusion([[5, 1], [0, 6]], ["0", "1"]))
    assert [drawing.axes[0].get_title(loc=side) for side in ("left", "center", "right")] == ["", "", ""]
    result = score(["0", "1"], np.eye(2, dtype=np.float32), ["0", "1"], "two")
    legend = untitled(draw_class_intervals(result)).axes[0]
    assert (legend.get_title(loc="left"), legend.get_title(loc="right")) == ("recall", "precision")
    panels = draw_reliability(result)
    assert untitled(panels).axes[0].get_title(loc="left") == "calibration error 0.00%"


def test_the_picture_shows_each_class(table_file):
    drawing = draw_table(read_pictures(str(table_file)))
    texts = [text.get_text() for axes in drawing.axes for text in axes.texts]
    # each class stands in the map where it lies, and before its row of pictures
    assert sorted(text for text in texts if text.isdecimal()) == sorted("0123456789" * 2)
    balance = drawing.axes[0]
    assert sum(bar.get_height() for bar in balance.patches) == 200
    assert drawing._repr_png_().startswith(b"\x89PNG")


def test_of_many_classes_some_are_drawn(digit_images):
    images = digit_images[0][:140]
    names = [f"class{k}" for k in range(70)] * 2
    pictures = Pictures("many", images, list(map(str, range(140))), np.array(["train"] * 140), names)
    drawing = draw_table(pictures)
    assert drawing.axes[0].get_title(loc="left") == "the first 60 of 70 classes"
    assert len(drawing.axes) < 60 * 13


def test_names_are_no_formulas(tmp_path):
    draw_pictures([np.zeros((8, 8), np.uint8)] * 2, ["a$10%_$", "$x$"], tmp_path / "p.png")
    names = ["$x_$", "1$"]
    drawing = draw_confusion([[5, 1], [0, 6]], names)
    drawing.draw_without_rendering()
    assert drawing.axes[0].get_xticklabels()[0].get_text() == r"\$x_\$"  # which shows $x_$
