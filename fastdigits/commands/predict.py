"""predict(): pixels or pictures -> labels and probabilities; submissions; ensembles."""

import sys
from pathlib import Path

from ..answers import (
    Inference,
    Predictions,
    check_table_file,
    counted,
    find_model,
    holds_notes,
    joined_shards,
    notes_file_of,
    open_models,
    predict_shard,
    source_to_predict,
    table_to_predict,
    verdict_line,
)
from ..audit import answer_and_expect, check_adapts
from ..folders import ShardDone, last_one, read_shard
from ..models import read_description
from ..photos import PICTURE_ENDINGS, Ground
from ..scores import LEAST_PICTURES, expectation_of, why_untold
from ..system import InputError, check_output


def predict(
    model: str,
    source: str,
    *,
    out: Path | None = None,
    submission: str | None = None,
    probabilities: bool = False,
    ensemble: list[str] | None = None,
    tta: bool = False,
    adapt: bool = False,
    normalise: bool | None = None,
    also: list[str] | None = None,
    label_column: str | None = None,
    ground: Ground = "auto",
    strict: bool = False,
    shard: str | None = None,
    overwrite: bool = False,
) -> Predictions | ShardDone:
    """Predict the labels of a table, a picture or a folder.

    Writes a csv with the columns id, label, confidence, verdict, or a competition's submission. The verdict is sure,
    doubtful (a person should look), blank (no ink), several (more than one digit) or other (no digit). A single picture
    is only shown unless `out` is given. What was noticed on the way is printed, and kept in predictions.notes.json.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada,
        digitnet-tiny-mnist.
    source
        A table as for convert (of a competition's zip its test table), a picture file, a folder of pictures, or an
        image folder (its test pictures). 'parts/digits*.csv', in quotes, stands for all tables that fit.
    out
        The csv, or csv.gz, to write; by default predictions.csv (id, label, confidence, verdict) or submission.csv, and
        nothing of a single picture.
    submission
        kaggle (ImageId,Label with the rows' own ids, or from 1), kannada (id,label with the table's ids), or a sample
        submission whose columns, ids and order are kept (a csv, or the competition's zip).
    probabilities
        Add a column for each class, and the probabilities of several digits and of no digit, if the model has these
        outputs.
    ensemble
        More models; probabilities are averaged.
    tta
        Test-time augmentation: average over seven views of each picture, which takes seven times as long.
    adapt
        Learn from the table itself, which needs no labels: where its rows stand in the order of their writers, each
        part is normalised by its own statistics; where its classes are more evenly mixed than by chance, they are
        brought to the shares of training. It says what it did. The model itself is not changed; answers depend on the
        rows that come with them.
    normalise
        Cut the digit out of each picture file and bring it to the form of MNIST's pictures (white on black, 20 pixels
        in 28, centred); by default if the model (in an ensemble, the first model) was trained on such pictures. Tables
        are not changed.
    also
        More tables of the same kind, whose rows follow.
    label_column
        A column of labels, which are not predicted from, where it has no usual name; see convert.
    ground
        Of the pictures: dark (light digits on dark, as MNIST's), light (dark digits on light), or auto: told from each
        picture. Pictures on a light ground are turned.
    strict
        End with an error, and write nothing, when there is anything to notice: pictures that were turned, scaled, blank
        or left out, columns that were guessed.
    shard
        2/4: predict only the second of four parts of a table, for instance on the second of four machines with one
        file system. The one that ends last writes `out`, with the rows and labels that it has without shards.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Predictions, or of a shard for which others are missing ShardDone

    Raises
    ------
    InputError
        When the model, the source or the sample is wrong; nothing is written.
    """
    if submission and probabilities:
        raise InputError("a submission has no room for probabilities; leave out --probabilities or --submission")
    if adapt and shard:
        raise InputError("--adapt learns from the whole table; leave out --shard")
    part, is_picture = read_shard(shard), Path(source).suffix.lower() in PICTURE_ENDINGS
    if out is None and (submission or not is_picture):
        out = Path("submission.csv" if submission else "predictions.csv")
    if out is not None:
        out = Path(out)
        check_table_file(out, overwrite)
        if not holds_notes(notes_file_of(out)):  # those of predictions that are gone are replaced
            check_output(notes_file_of(out), overwrite)
    is_quick = is_picture and not (probabilities or tta or adapt)
    opened = open_models([model, *(ensemble or [])], few=is_quick)
    inference = Inference(opened, exact=probabilities, normalise=normalise, tta=tta)
    if adapt:
        check_adapts(inference.models)
    if part is None:
        how = {"normalise": inference.normalise, "label_column": label_column, "ground": ground}
        answers = answer_and_expect(inference, source_to_predict(source, also, **how), adapt)
        return _written(answers, inference, out, submission, probabilities, strict)
    descriptions = [read_description(find_model(one)) for one in (model, *(ensemble or []))]
    table = table_to_predict([source, *(also or [])], label_column, ground)
    rows = predict_shard(inference, part, table, out, descriptions, ground, strict)
    with last_one(part, out) as complete:
        if not complete:
            return ShardDone.of(part, rows, out)
        answers = joined_shards(inference, part, out)
        answers.expectation = expectation_of(inference.models, answers)
        return _written(answers, inference, out, submission, probabilities, strict)


def _written(
    predictions: Predictions,
    inference: Inference,
    out: Path | None,
    submission: str | None,
    probabilities: bool,
    strict: bool,
) -> Predictions:
    """The predictions, once they are written where they should be, with what was noticed said."""
    if strict:
        predictions.notes.refuse()
    predictions.notes.say()
    if predictions.expectation is None and len(predictions.ids) >= LEAST_PICTURES:
        predictions.untold = why_untold(inference.models)
    if out is not None:
        predictions.write(out, submission, probabilities)
    if submission:  # which has no room for them
        print(verdict_line(counted(predictions.verdicts)), file=sys.stderr)
    return predictions
