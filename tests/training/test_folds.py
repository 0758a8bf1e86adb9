"""Training in folds: a run for each, gone on with where it stopped, and nothing lost by a mistake."""

import json

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, convert, train
from fastdigits.cli import NEXT
from fastdigits.runs.directory import Run
from fastdigits.system.claims import claimed

QUICK = "mlp-300-100"


def test_train_in_folds(folder_of_writers, tmp_path, capsys):
    out = tmp_path / "folds"
    result = train(QUICK, folder_of_writers.path, folds=2, repeats=2, epochs=1, early_stopping=0, out=out)
    runs = [Run(out / f"seed{seed}-fold{fold}") for seed in (5, 6) for fold in (1, 2)]
    accuracies = [run.result()["accuracy"] for run in runs]
    assert [fold.accuracy for fold in result.folds] == pytest.approx(accuracies)
    assert result.accuracy == pytest.approx(np.mean(accuracies))
    by_seed = np.reshape(accuracies, (2, 2))
    assert result.deviation == pytest.approx(by_seed.std(1, ddof=1).mean())
    assert result.seed_deviation == pytest.approx(by_seed.mean(1).std(ddof=1))
    assert result.groups == 10
    groups = pd.concat([pd.read_csv(run.predictions_file, dtype=str) for run in runs])
    by_writer = (groups.true == groups.label).groupby(groups.group).mean()
    assert result.worst_group.accuracy == pytest.approx(by_writer.min())
    assert by_writer[result.worst_group.group] == pytest.approx(by_writer.min())
    assert result.worst_group.pictures == 40
    stored = json.loads((out / "result.json").read_text())
    assert stored["accuracy"] == result.accuracy
    assert f"{result.worst_group.group}: " in result.sentences()[1]
    assert "seed 6 · fold 2 of 2" in capsys.readouterr().out
    first, *others = (run.path for run in runs)
    assert NEXT["FoldResult"](result).endswith(
        f"fastdigits predict {first} TABLE --ensemble {' '.join(map(str, others))}"
    )


def test_folds_go_on_where_they_were_interrupted(folder_of_writers, tmp_path, capsys):
    out, options = tmp_path / "folds", {"folds": 2, "epochs": 1, "early_stopping": 0}
    whole = train(QUICK, folder_of_writers.path, **options, out=out)
    (out / "result.json").unlink()
    run = Run(out / "seed5-fold2")
    run.result_file.unlink()
    first = Run(out / "seed5-fold1").result_file.stat().st_mtime_ns
    with pytest.raises(InputError) as caught:
        train(QUICK, folder_of_writers.path, **options, out=out)
    assert str(caught.value) == (
        f"{out} exists already; pass --resume to go on, --overwrite to replace it, or another --out"
    )
    with pytest.raises(InputError) as caught:
        train(QUICK, folder_of_writers.path, **options | {"epochs": 2}, out=out, resume=True)
    assert str(caught.value) == (
        f"{out} was started with epochs = 1, not 2; resume with the options that it was started with"
    )
    again = train(QUICK, folder_of_writers.path, **options, out=out, resume=True)
    assert [fold.accuracy for fold in again.folds] == [fold.accuracy for fold in whole.folds]
    assert Run(out / "seed5-fold1").result_file.stat().st_mtime_ns == first
    assert run.finished
    assert train(QUICK, folder_of_writers.path, **options, out=out, overwrite=True).accuracy == whole.accuracy


def test_epochs_of_the_first_fold_outlive_a_mistake(folder_of_writers, tmp_path):
    """A disk that is full after an epoch, for one, is such a mistake: there is something to go on with."""

    def fail(row: dict) -> None:
        raise InputError("no room")

    out, options = tmp_path / "folds", {"folds": 2, "epochs": 2, "early_stopping": 0}
    with pytest.raises(InputError, match="no room"):
        train(QUICK, folder_of_writers.path, **options, out=out, on_epoch=fail)
    assert Run(out / "seed5-fold1").last_checkpoint.exists()
    assert train(QUICK, folder_of_writers.path, **options, out=out, resume=True).folds


def test_two_commands_on_the_same_folds(folder_of_writers, tmp_path):
    with (
        claimed(tmp_path / "folds"),
        pytest.raises(InputError, match=r"folds is being written by process \d+ on "),
    ):
        train(QUICK, folder_of_writers.path, folds=2, epochs=1, out=tmp_path / "folds")
    assert not (tmp_path / "folds").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "--folds 1 makes no sense; accepted are 2 or more"),
        ({"folds": 11}, "{folder} has 10 groups, too few for --folds 11; pass 10 or fewer"),
        ({"folds": 2, "repeats": 0}, "--repeats 0 makes no sense; accepted are 1 or more"),
        (
            {"folds": 2, "minutes": 1.0},
            "--minutes are those of one training; with --folds leave them out and pass --epochs",
        ),
        ({"repeats": 2}, "--repeats needs --folds; without them train again with another --seed"),
    ],
)
def test_folds_that_make_no_sense(folder_of_writers, tmp_path, options, message):
    with pytest.raises(InputError) as caught:
        train(QUICK, folder_of_writers.path, **options, out=tmp_path / "folds")
    assert str(caught.value) == message.format(folder=folder_of_writers.path)
    assert not (tmp_path / "folds").exists()


def test_nothing_is_removed_before_all_is_checked(folder_of_writers, tmp_path):
    options = {"folds": 2, "epochs": 1, "early_stopping": 0}
    out = tmp_path / "folds"
    train(QUICK, folder_of_writers.path, **options, out=out)
    for given, message in (
        ({"teachers": ["gone"]}, "gone does not exist; pass a run directory"),
        ({"teachers": [str(out / "seed5-fold1")]}, f"{out} is where --teachers {out}/seed5-fold1 lies; name another"),
        ({"weights": str(out / "seed5-fold1")}, f"{out} is where --weights {out}/seed5-fold1 lies; name another --out"),
    ):
        with pytest.raises(InputError) as caught:
            train(QUICK, folder_of_writers.path, **options, **given, out=out, overwrite=True)
        assert str(caught.value).startswith(message)
        assert (out / "result.json").is_file()
    with pytest.raises(InputError):
        train(QUICK, folder_of_writers.path, **options, weights="gone", out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_folds_of_other_data_are_not_gone_on_with(folder_of_writers, ten_writers, tmp_path):
    options = {"folds": 2, "epochs": 1, "early_stopping": 0}
    folder = convert(ten_writers / "digits.npz", tmp_path / "data", groups=ten_writers / "writers.csv", valid=0.2)
    out = tmp_path / "folds"
    train(QUICK, folder.path, **options, out=out)
    (out / "result.json").unlink()
    convert(
        ten_writers / "digits.npz", tmp_path / "data", groups=ten_writers / "writers.csv", valid=0.3, overwrite=True
    )
    with pytest.raises(InputError) as caught:
        train(QUICK, folder.path, **options, out=out, resume=True)
    assert str(caught.value) == f"the data of {out} have changed since it was started; start anew, at another --out"
    (out / "folds.json").write_text("{")
    with pytest.raises(InputError) as caught:
        train(QUICK, folder.path, **options, out=out, resume=True)
    assert str(caught.value) == f"{out}/folds.json is damaged; train again with --overwrite"


def test_folds_that_never_began_are_not_gone_on_with(folder_of_writers, tmp_path):
    with pytest.raises(InputError) as caught:
        train(QUICK, folder_of_writers.path, folds=2, epochs=1, out=tmp_path / "folds", resume=True)
    assert str(caught.value) == (
        f"{tmp_path}/folds holds no folds, so there is nothing to resume; leave out --resume to start them"
    )
    assert not (tmp_path / "folds").exists()


def test_who_chose_the_epoch_is_told(folder_of_writers, tmp_path):
    options = {"folds": 2, "epochs": 1, "early_stopping": 0}
    told = (
        "each fold chose the epoch that it scores, so the accuracy is somewhat too high; --keep last "
        "--early-stopping 0 chooses none"
    )
    last = train(QUICK, folder_of_writers.path, **options, keep="last", out=tmp_path / "last")
    assert told not in last.sentences()
    best = train(QUICK, folder_of_writers.path, **options, keep="best", out=tmp_path / "best")
    assert told in best.sentences()
