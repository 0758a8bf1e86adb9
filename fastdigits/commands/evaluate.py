"""evaluate(): how good a model is on labelled pictures, with intervals."""

from dataclasses import asdict
from pathlib import Path
from typing import Literal

from ..answers import Inference, Predictions, counted, open_models
from ..photos import Ground
from ..scores import (
    WISHED_ACCURACY,
    Evaluation,
    Expectation,
    class_numbers,
    compare,
    evaluated_pictures,
    expectation_of,
    score,
    why_untold,
)
from ..sources import Notes
from ..system import InputError, check_output, write_json

LABELLED = "name a table's column of labels with --label-column, of an image folder pass --split valid"


def evaluate(
    model: str,
    data: str,
    *,
    split: Literal["train", "valid", "test"] | None = None,
    ensemble: list[str] | None = None,
    against: str | None = None,
    wished_accuracy: float = WISHED_ACCURACY,
    stress: bool = False,
    tta: bool = False,
    normalise: bool | None = None,
    label_column: str | None = None,
    ground: Ground = "auto",
    strict: bool = False,
    out: Path | None = None,
    overwrite: bool = False,
) -> Evaluation | Expectation:
    """Score a model on labelled pictures, with 95 % intervals: accuracy, F1, calibration, by class and by group.

    Of pictures without labels it says what accuracy to expect, by how sure the model is of its answers.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada,
        digitnet-tiny-mnist.
    data
        An image folder, a folder of pictures, or one table as for convert.
    split
        Which pictures: by default valid of an image folder, all rows of a table. test also names the test part of a
        zip, npz or data set that has one.
    ensemble
        More models; probabilities are averaged.
    against
        Another model, to compare with on the same pictures by McNemar's test.
    wished_accuracy
        The accuracy, 0..1, that you want for the pictures that are left when doubtful ones are rejected.
    stress
        Show the same pictures, 2,000 at most, thinner, thicker, smaller, larger, shifted, slanted, turned, blurred,
        with noise and with lines, in three strengths each: accuracy against strength.
    tta
        Test-time augmentation, as for predict; the result says so.
    normalise
        As for predict, for a folder that you made yourself.
    label_column
        The column of the labels of a table, where it has no usual name; see convert.
    ground
        As for predict.
    strict
        As for predict.
    out
        A JSON file to write the scores to.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Evaluation, or of pictures without labels Expectation

    Raises
    ------
    InputError
        When the model or the data are wrong, have labels that the model does not know, or none where they are needed.
    """
    if out is not None:
        check_output(Path(out), overwrite)
    if not 0 < wished_accuracy <= 1:
        raise InputError(
            f"--wished-accuracy {wished_accuracy:g} makes no sense; accepted are 0.999 and the like, up to 1"
        )
    inference = Inference(open_models([model, *(ensemble or [])]), exact=True, normalise=normalise, tta=tta)
    pictures = evaluated_pictures(data, split, inference.normalise, ground, label_column)
    if not pictures.source.has_labels:
        _check_needs_no_labels(pictures.source.name, {"--against": against, "--stress": stress})
    answers = pictures.answers(inference)
    if not pictures.source.has_labels:
        return _expected(inference, answers, pictures.source.name, strict, out)
    name = pictures.source.name + (", with test-time augmentation" if tta else "")
    evaluation = score(answers.truth, answers.probabilities, inference.classes, name, pictures.groups, wished_accuracy)
    evaluation.verdicts, evaluation.notes = counted(answers.verdicts), answers.notes
    if against is not None:
        other = Inference(open_models([model, against])[1:], exact=True, normalise=normalise, tta=tta)
        seen = pictures
        if other.normalise != inference.normalise:  # each sees photos as it was trained on them
            seen = evaluated_pictures(data, split, other.normalise, ground, label_column)
        of_other = seen.answers(other)
        if of_other.ids != answers.ids:
            raise InputError(
                f"{model} and {against} were trained on pictures that are normalised in different ways, and {data} has "
                "not the same pictures for both; pass --normalise or --no-normalise"
            )
        truth = class_numbers(answers.truth, inference.classes)
        right = [found.probabilities.argmax(1) == truth for found in (answers, of_other)]
        evaluation.comparison = compare(" + ".join([str(model), *(ensemble or [])]), str(against), *right)
    if stress:
        evaluation.stress = pictures.stress_scores(inference, answers.truth)
    return _written(evaluation, answers.notes, strict, out)


def _check_needs_no_labels(name: str, asked: dict) -> None:
    """InputError when an option is asked for that needs labels."""
    for option, value in asked.items():
        if value:
            raise InputError(f"{name} has no labels, so {option} has nothing to score; {LABELLED}")


def _expected(inference: Inference, answers: Predictions, name: str, strict: bool, out: Path | None) -> Expectation:
    """What to expect on pictures without labels, written where it should be."""
    found = expectation_of(inference.models, answers)
    if found is None:
        raise InputError(
            f"{name} has no labels, and what to expect cannot be told ({why_untold(inference.models)}); {LABELLED}, or "
            "use `fastdigits predict`"
        )
    return _written(found, answers.notes, strict, out)


def _written(found: Evaluation | Expectation, notes: Notes, strict: bool, out: Path | None) -> Evaluation | Expectation:
    """What was found, once what was noticed is said, and it is written where it should be."""
    if strict:
        notes.refuse()
    notes.say()
    if out is not None:
        write_json(Path(out), asdict(found))
    return found
