"""quickstart(): the whole job on scikit-learn's bundled real digits, offline, in about a minute."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..sources import TEST_TABLE, TRAIN_TABLE, write_digit_tables
from ..system import check_output, fresh_folder, write_json
from .convert import convert
from .evaluate import evaluate
from .export import export
from .finetune import finetune
from .predict import predict

MARK = "quickstart.json"  # by which --overwrite knows a folder as ours
ARCHITECTURE, EPOCHS, LEARNING_RATE = "digitnet-mnist", 4, 0.01


@dataclass(frozen=True)
class Quickstart:
    """Where everything lies, and how good the model is."""

    folder: Path
    accuracy: float
    test_accuracy: float

    def __rich__(self) -> str:
        return (
            f"accuracy {self.accuracy:.1%} on valid, {self.test_accuracy:.1%} on the test rows\n"
            f"pixel tables   {self.folder}/train.csv, {self.folder}/test.csv\n"
            f"pictures       {self.folder}/digits/\n"
            f"run            {self.folder}/run/ (history.csv, figures/)\n"
            f"model          {self.folder}/model/\n"
            f"submission     {self.folder}/submission.csv"
        )

    __str__ = __rich__


def quickstart(dir: Path = Path("quickstart"), *, overwrite: bool = False) -> Quickstart:
    """Do the whole job on scikit-learn's bundled handwritten digits, offline, in about a minute.

    Writes the digits as pixel tables, converts them to pictures, trains, evaluates, exports and predicts.

    Parameters
    ----------
    dir
        The folder for everything that is made.
    overwrite
        Replace `dir` if it exists.

    Returns
    -------
    Quickstart

    Raises
    ------
    InputError
        When `dir` exists, or is not a folder that quickstart made.
    """
    dir = Path(dir)
    check_output(dir, overwrite, MARK)
    fresh_folder(dir)
    write_json(dir / MARK, {"made_by": "fastdigits quickstart"})
    truth = write_digit_tables(dir)
    digits, run, model = dir / "digits", dir / "run", dir / "model"
    train_table, test_table = dir / TRAIN_TABLE, dir / TEST_TABLE
    _say(f"convert {train_table} {digits} --test {test_table}")
    print(convert(train_table, digits, test=test_table))
    _say(f"finetune {ARCHITECTURE} {digits} --epochs {EPOCHS} --lr {LEARNING_RATE} --out {run}")
    finetune(ARCHITECTURE, digits, epochs=EPOCHS, lr=LEARNING_RATE, out=run)
    _say(f"evaluate {run} {digits}")
    evaluation = evaluate(str(run), str(digits))
    _print(evaluation)
    _say(f"export {run} {model}")
    print(export(str(run), model))
    _say(f"predict {model} {test_table} --submission kaggle --out {dir}/submission.csv")
    predictions = predict(str(model), str(test_table), submission="kaggle", out=dir / "submission.csv")
    test_accuracy = float(np.mean([label == true for label, true in zip(predictions.labels, truth)]))
    return Quickstart(dir, evaluation.accuracy, test_accuracy)


def _say(command: str) -> None:
    print(f"\n$ fastdigits {command}", flush=True)


def _print(rich_thing) -> None:
    from rich import print as rich_print

    rich_print(rich_thing)
