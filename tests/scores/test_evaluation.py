"""Scores agree with hand-worked numbers and with scikit-learn."""

import io
import json
import shutil

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import f1_score, log_loss

from fastdigits import InputError, evaluate, open_model, read_folder
from fastdigits.answers.answering import answer
from fastdigits.answers.inference import Inference
from fastdigits.figures.scores import draw_confusion, draw_coverage, draw_groups
from fastdigits.folders import split_source
from fastdigits.runs.directory import Run
from fastdigits.scores.calibration import fit_temperature, with_temperature
from fastdigits.scores.intervals import wilson_interval
from fastdigits.scores.scoring import score
from fastdigits.training.card import model_card
from fastdigits.training.result import doubtful_below


def test_wilson_interval():
    """The worked example of Newcombe 1998 (Statistics in Medicine 17:857): 81 of 263."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    low, high = wilson_interval(10, 10)
    assert high == pytest.approx(1)
    assert low == pytest.approx(0.7225, abs=1e-4)


def test_scores():
    labels = ["a", "a", "a", "b", "b", "c"]
    probabilities = np.array(
        [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.1, 0.9, 0.0], [0.4, 0.5, 0.1], [0.6, 0.2, 0.2]]
    )
    result = score(labels, probabilities, ["a", "b", "c"], "six")
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.confusion == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert (result.per_class[0].precision, result.per_class[0].recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert result.per_class[2].f1 == 0
    predicted = [["a", "b", "c"][k] for k in probabilities.argmax(1)]
    assert result.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert result.log_loss == pytest.approx(log_loss(labels, probabilities))


def test_table():
    result = score(["a", "b"], np.array([[0.9, 0.1], [0.8, 0.2]]), ["a", "b"], "two")
    console = Console(width=100, file=(page := io.StringIO()))
    console.print(result)
    text = page.getvalue()
    assert "two: accuracy 50.00% (95 % interval 9.45% .. 90.55%) of 2 pictures" in text
    assert "confusion" in text


def test_of_many_classes_the_most_confused_pairs_are_shown():
    """A matrix of 300 columns could not be read, and takes seconds to be laid out."""
    classes, truth = [f"c{k}" for k in range(300)], np.arange(300).repeat(3)
    answers = truth.copy()
    answers[[0, 1, 30]] = 7, 7, 299
    result = score([classes[k] for k in truth], np.eye(300, dtype=np.float32)[answers], classes, "many")
    assert result.confused_pairs == {("c0", "c7"): 2, ("c10", "c299"): 1}
    console = Console(width=100, file=(page := io.StringIO()))
    console.print(result)
    text = page.getvalue()
    assert "most confused pairs" in text
    assert [line.split()[1::2][:3] for line in text.splitlines() if "│ c0   " in line][-1] == ["c0", "c7", "2"]
    assert "predicted" in text
    assert "true \\ predicted" not in text


def test_a_confusion_matrix_of_any_size_is_drawn():
    """Mistakes with their numbers, the diagonal empty; of many classes some have their names."""
    drawing = draw_confusion([[50, 2], [0, 40]], ["a", "b"])
    (axes,) = drawing.axes
    assert [text.get_text() for text in axes.texts] == ["2"]
    shown = axes.images[0].get_array()
    assert shown.mask.tolist() == [[True, False], [False, True]]
    assert draw_confusion([[9]], ["alone"]).axes[0].texts[:] == []
    (axes,) = draw_confusion(np.eye(200, dtype=int).tolist(), [str(k) for k in range(200)]).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(k) for k in range(0, 200, 4)]


@pytest.fixture(scope="module")
def thousand():
    """A thousand pictures of five writers, of whom the last has most mistakes."""
    rng = np.random.default_rng(0)
    truth, writers = rng.integers(0, 3, 1000), np.repeat(["w0", "w1", "w2", "w3", "w4"], 200)
    wrong = rng.random(1000) < np.where(writers == "w4", 0.3, 0.05)
    predicted = np.where(wrong, (truth + 1) % 3, truth)
    probabilities = np.full((1000, 3), 0.1)
    probabilities[np.arange(1000), predicted] = 0.8
    return [str(k) for k in truth], probabilities.astype(np.float32), writers.tolist()


def test_groups(thousand):
    labels, probabilities, writers = thousand
    result = score(labels, probabilities, ["0", "1", "2"], "thousand", writers)
    assert [part.pictures for part in result.groups] == [200] * 5
    worst = result.groups[0]
    assert worst.group == "w4"
    assert worst.accuracy == pytest.approx(np.mean(probabilities.argmax(1)[800:] == np.array(labels[800:], int)))
    # five writers tell less than a thousand pictures of one
    low, high = result.groups_interval
    assert low < result.interval[0] < result.accuracy < result.interval[1] < high
    assert "5 groups, the worst is w4: " in result.sentences()[-1]
    few = score(labels[:400], probabilities[:400], ["0", "1", "2"], "few", writers[:400])
    assert few.groups_interval is None
    assert few.sentences()[-1].startswith("2 groups, the worst is")
    axes = draw_groups(result).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "w4"


def test_top2():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]])
    result = score(["a", "b", "c", "b"], probabilities, ["a", "b", "c"], "four")
    assert result.top2 == 0.75
    assert result.top2_interval == wilson_interval(3, 4)


def test_intervals_of_f1_hold_what_they_promise():
    """Of tables drawn from one known distribution about 95 % of the intervals contain its F1."""
    rng = np.random.default_rng(3)
    shares = np.array([[0.45, 0.05], [0.1, 0.4]])
    true_f1 = 2 * 0.45 / (0.5 + 0.55)
    inside = []
    for _ in range(60):
        counts = rng.multinomial(400, shares.ravel()).reshape(2, 2)
        truth = np.repeat([0, 0, 1, 1], counts.ravel())
        predicted = np.repeat([0, 1, 0, 1], counts.ravel())
        result = score([str(k) for k in truth], np.eye(2)[predicted], ["0", "1"], "drawn")
        low, high = result.per_class[0].f1_interval
        inside.append(low <= true_f1 <= high)
        assert high - low < 0.12
    assert np.mean(inside) >= 0.88


def test_precision_and_recall_have_wilsons_intervals(thousand):
    labels, probabilities, _ = thousand
    result = score(labels, probabilities, ["0", "1", "2"], "thousand")
    for k, part in enumerate(result.per_class):
        confusion = np.array(result.confusion)
        assert part.recall_interval == wilson_interval(confusion[k, k], confusion[k].sum())
        assert part.precision_interval == wilson_interval(confusion[k, k], confusion[:, k].sum())
        assert part.precision_interval[0] < part.precision < part.precision_interval[1]


def test_what_to_reject(thousand):
    labels, probabilities, _ = thousand
    sharp = probabilities.copy()
    right = sharp.argmax(1) == np.array(labels, int)
    sharp[right] = sharp[right] * 0.5 + np.eye(3)[sharp[right].argmax(1)] * 0.5
    result = score(labels, sharp, ["0", "1", "2"], "thousand", wished_accuracy=0.99)
    assert result.reject.coverage == pytest.approx(right.mean())
    assert result.reject.accuracy == 1
    assert result.reject_sentence() == (
        f"for an accuracy of 99.00%, reject what has a confidence below {sharp[right].max():.4f}: "
        f"{1 - right.mean():.2%} of these pictures"
    )
    assert (
        "no confidence is high enough"
        in score(["1"], sharp[:1] * 0 + [0.9, 0.1, 0], ["0", "1", "2"], "x").sentences()[1]
    )
    curve = draw_coverage(result).axes[0].lines[0].get_xydata()
    assert curve[-1].tolist() == pytest.approx([100, 100 * right.mean()])


def test_against_another_model(run, folder, tmp_path):
    shutil.copytree(run, tmp_path / "other")
    found = evaluate(str(run), str(folder), against=str(tmp_path / "other"), out=tmp_path / "scores.json")
    assert found.comparison.only_first_right == found.comparison.only_second_right == 0
    assert found.comparison.p_value == 1
    assert "differ no more than chance would make them" in found.sentences()[-1]
    assert json.loads((tmp_path / "scores.json").read_text())["comparison"]["pictures"] == 40


@pytest.mark.parametrize("wished", [0, 1.5, float("nan")])
def test_a_wished_accuracy_that_is_none(run, folder, wished):
    with pytest.raises(InputError) as caught:
        evaluate(str(run), str(folder), wished_accuracy=wished)
    assert str(caught.value) == (
        f"--wished-accuracy {wished:g} makes no sense; accepted are 0.999 and the like, up to 1"
    )


def test_a_run_keeps_its_temperature_and_its_card(run, folder):
    saved = open_model(run)
    assert saved.temperature != 1
    found = evaluate(str(run), str(folder))
    assert saved.reject["below"] == pytest.approx(doubtful_below(found), abs=1e-5)
    saved.temperature = 1.0
    digits = read_folder(folder)
    plain = answer(Inference([saved], exact=True), split_source(digits, "valid")).probabilities
    truth = np.array(digits.split("valid").labels, int)
    assert fit_temperature(plain, truth) == open_model(run).temperature
    scaled = with_temperature(plain, open_model(run).temperature)
    assert -np.log(scaled[np.arange(40), truth]).mean() < -np.log(plain[np.arange(40), truth]).mean()
    assert f"accuracy {found.accuracy:.2%}, 95 % interval" in saved.card
    assert "The scores may be of the same writers" in saved.card


def test_card_with_the_scores_of_a_second_model(run, folder):
    done, evaluation = Run(run), evaluate(str(run), str(folder))
    about = (open_model(run), read_folder(folder), done.record(), done.result(), evaluation)
    own, other = model_card(*about), model_card(*about, of_second=True)
    assert "model-index" in own  # which hubs read as this model's
    assert "that it was not trained on" in own
    assert "model-index" not in other
    assert "These are the scores of a second model" in other
    assert "that the second model was not trained on" in other
