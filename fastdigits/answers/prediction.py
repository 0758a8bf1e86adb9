"""predict(): pixels or pictures -> labels and probabilities; submissions; ensembles."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..folders import MANIFEST, TEST, ShardDone, last_one, read_folder, read_shard
from ..models import (
    DESCRIPTION_FILE,
    ONNX,
    WEIGHTS_FILE,
    OnnxModel,
    SavedModel,
    model_folder,
    read_description,
    read_onnx,
    read_saved,
    shipped_names,
)
from ..photos import PICTURE_ENDINGS, list_pictures, picture_id
from ..runs import Run
from ..sources import (
    PixelSource,
    has_pictures,
    holds_tables,
    is_competition,
    is_picture_folder,
    is_trained_on,
    open_source,
    open_tables,
)
from ..system import InputError, check_output, whole_file
from .inference import Inference
from .probabilities import file_probabilities, split_probabilities, table_probabilities
from .shards import predict_shard, put_together
from .submissions import submission_table

TABLE_ENDINGS = (".csv", ".csv.gz", ".txt")  # of what is written


@dataclass
class Predictions:
    """What one or more models say about n pictures.

    Attributes
    ----------
    ids : list of str, length n
    probabilities : ndarray of float32, shape (n, classes), rows sum to 1
    classes : list of str
    own_ids : bool
        Whether the ids came with the source, rather than being row numbers.
    file : Path or None
        Where they were written.
    """

    ids: list[str]
    probabilities: np.ndarray
    classes: list[str]
    own_ids: bool = True
    file: Path | None = None

    @property
    def labels(self) -> list[str]:
        return [self.classes[k] for k in self.probabilities.argmax(1)]

    @property
    def confidences(self) -> np.ndarray:
        """Probability of the predicted label, shape (n,)."""
        return self.probabilities.max(1)

    def table(self, probabilities: bool = False):
        """A DataFrame `id,label,confidence`, with a column `p_<class>` for each class when asked."""
        import pandas as pd

        table = pd.DataFrame({"id": self.ids, "label": self.labels, "confidence": self.confidences})
        if probabilities:
            table[[f"p_{label}" for label in self.classes]] = self.probabilities
        return table

    def submission(self, form: str):
        """A DataFrame in the form that a competition wants; see `predict` for what `form` may be."""
        return submission_table(self.ids, self.labels, self.own_ids, form)

    def __rich__(self) -> str:
        shown = min(len(self.ids), 10)
        lines = [
            f"{id_}: {label} ({confidence:.1%})"
            for id_, label, confidence in zip(self.ids[:shown], self.labels, self.confidences)
        ]
        if len(self.ids) > shown:
            lines = [f"{len(self.ids):,} predictions, mean confidence {self.confidences.mean():.1%}"]
        return "\n".join(lines + ([f"written to {self.file}"] if self.file else []))

    __str__ = __rich__


def open_model(model: str | Path) -> SavedModel | OnnxModel:
    """The model that `model` names: a saved model's folder, an ONNX export's, a finished run's, or a shipped model.

    Raises
    ------
    InputError
        When there is none, the run is unfinished, or it is some other file, such as a pickle.
    """
    path = find_model(model)
    return read_onnx(path) if read_description(path).get("format") == ONNX else read_saved(path)


def find_model(model: str | Path) -> Path:
    """The folder of the model that `model` names, as `open_model` takes it.

    Raises
    ------
    InputError
        When there is none, the run is unfinished, or it is some other file, such as a pickle.
    """
    path = model_folder(model)
    if path.is_file():
        if path.name not in (WEIGHTS_FILE, DESCRIPTION_FILE):
            raise InputError(f"{path} is no saved model, and pickled ones are not loaded; pass a run or a saved model")
        path = path.parent
    if not path.is_dir():
        shipped = ", ".join(shipped_names())
        raise InputError(f"{path} does not exist; pass a run directory, a saved model, or one of {shipped}")
    run = Run(path)
    if run.record_file.is_file() and not run.finished:
        raise InputError(f"{path} is an unfinished run; finish it with --resume")
    return path


def open_models(models: list[str | Path]) -> list[SavedModel | OnnxModel]:
    """Models of an ensemble; InputError unless they tell the same classes."""
    opened = [open_model(model) for model in models]
    for name, model in zip(models, opened):
        if model.classes != opened[0].classes:
            raise InputError(
                f"{name} tells {', '.join(model.classes)}, {models[0]} tells {', '.join(opened[0].classes)}; "
                "an ensemble needs the same classes"
            )
    return opened


def predict(
    model: str,
    source: str,
    *,
    out: Path | None = None,
    submission: str | None = None,
    probabilities: bool = False,
    ensemble: list[str] | None = None,
    tta: bool = False,
    normalise: bool | None = None,
    also: list[str] | None = None,
    shard: str | None = None,
    overwrite: bool = False,
) -> Predictions | ShardDone:
    """Predict the labels of a table, a picture or a folder.

    Writes a csv with the columns id, label, confidence, or a competition's submission. A single picture is only
    shown unless `out` is given.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada.
    source
        A table as for convert (of a competition's zip its test table), a picture file, a folder of pictures, or an
        image folder (its test pictures). 'parts/digits*.csv', in quotes, stands for all tables that fit.
    out
        The csv, or csv.gz, to write; by default predictions.csv, or submission.csv.
    submission
        kaggle (ImageId,Label from 1), kannada (id,label with the table's ids), or a sample submission whose columns,
        ids and order are kept (a csv, or the competition's zip).
    probabilities
        Add a column for each class.
    ensemble
        More models; probabilities are averaged.
    tta
        Test-time augmentation: average over seven views of each picture, which takes seven times as long.
    normalise
        Cut the digit out of each picture file and bring it to the form of MNIST's pictures (white on black, 20 pixels
        in 28, centred); by default where the model, of an ensemble the first, was trained on such pictures. Tables
        stay as they are.
    also
        More tables of the same kind, whose rows follow.
    shard
        2/4: predict only the second of four parts of a table, for instance on the second of four machines with one
        file system. The one that ends last writes `out`; the file is the same as without shards.
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
    part, is_picture = read_shard(shard), Path(source).suffix.lower() in PICTURE_ENDINGS
    if out is None and (submission or not is_picture):
        out = Path("submission.csv" if submission else "predictions.csv")
    if out is not None:
        out = Path(out)
        if out.suffix and not out.name.lower().endswith(TABLE_ENDINGS):
            raise InputError(f"{out} would not be what its name says; name a .csv or .csv.gz file")
        check_output(out, overwrite)
    inference = Inference(open_models([model, *(ensemble or [])]), exact=probabilities, normalise=normalise, tta=tta)
    if part is None:
        predictions = _predict_source(inference, source, also)
        if out is not None:
            _write_predictions(predictions, out, submission, probabilities)
        return predictions
    descriptions = [read_description(model_folder(one)) for one in (model, *(ensemble or []))]
    rows = predict_shard(inference, part, _table_of([source, *(also or [])]), out, descriptions)
    with last_one(part, out) as complete:
        if not complete:
            return ShardDone(part, rows, part.missing(out))
        ids, answers, own_ids = put_together(part, out)
        predictions = Predictions(ids, answers, inference.classes, own_ids)
        _write_predictions(predictions, out, submission, probabilities)
    return predictions


def _write_predictions(predictions: Predictions, out: Path, submission: str | None, probabilities: bool) -> None:
    table = predictions.submission(submission) if submission else predictions.table(probabilities)
    with whole_file(out) as partial:
        packed = {"method": "gzip", "mtime": 0} if out.suffix == ".gz" else None  # the same rows, the same bytes
        table.to_csv(partial, index=False, compression=packed)
    predictions.file = out


def _table_of(sources: list[str]) -> PixelSource:
    """The table to predict: of a competition's zip or a whole data set the part that is there to be predicted."""
    for source in sources:
        if Path(source).is_dir() and not holds_tables(Path(source)):
            raise InputError(f"{source} is no table; --also and --shard are for tables of pixels")
    return open_tables(sources, to_predict=True)


def _predict_source(inference: Inference, source: str, also: list[str] | None = None) -> Predictions:
    """Predictions for every picture that `source` holds, in its order."""
    path, classes = Path(source), inference.classes
    if path.suffix.lower() in PICTURE_ENDINGS and not also:
        return Predictions([path.name], file_probabilities(inference, [path], inference.normalise), classes)
    if also or not path.exists():  # a pattern, or a name such as sklearn:digits
        table = _table_of([source, *(also or [])])
        ids, _, probabilities = table_probabilities(inference, table)
        return Predictions(ids, probabilities, classes, table.has_ids)
    has_tables = path.is_dir() and is_competition(path)  # which count for more than pictures beside them
    # but not for more than an image folder's own
    if (path / MANIFEST).is_file() or ((path / TEST).is_dir() and (is_trained_on(path) or not has_tables)):
        folder = read_folder(path, inference.normalise)
        split = folder.split(TEST)
        return Predictions(split.ids, split_probabilities(inference, folder, TEST), classes, split.own_ids)
    files = list_pictures(path)
    if files and not has_tables:
        answers = file_probabilities(inference, files, inference.normalise)
        return Predictions([picture_id(file) for file in files], answers, classes)
    if path.is_dir() and not holds_tables(path) and not has_pictures(path):
        raise InputError(f"{path} holds no pictures; pass a folder of {', '.join(PICTURE_ENDINGS)} files or a table")
    table = open_source(source, normalise=inference.normalise and is_picture_folder(path))
    table = table.test or table  # of a competition's zip or a whole data set, the part that is there to be predicted
    ids, _, probabilities = table_probabilities(inference, table)
    return Predictions(ids, probabilities, classes, table.has_ids)
