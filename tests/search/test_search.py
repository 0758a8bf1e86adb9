"""Searches: every trial a run; killed and started again, joined from elsewhere, failing, wrong."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import optuna
import pytest

from fastdigits import InputError, open_model, tune
from fastdigits.recipes.registry import find_recipe
from fastdigits.runs.directory import Run
from fastdigits.search.definition import Search, training_options
from fastdigits.search.folder import StudyFolder
from fastdigits.search.space import PRESETS, find_space, space_of_record
from fastdigits.search.storage import open_storage
from fastdigits.search.trials import MOST_STARTS, run_trial
from fastdigits.search.winner import _flag, score_in_folds

NAME = "dnn-tuned"
SPACE = """
batch_size = [16, 32]
lr = {low = 1e-3, high = 1e-2, log = true}
augment = "none"
[network]
neurons = {low = 20, high = 60, whole = true}
"""


@pytest.fixture(scope="module")
def space(shared):
    path = shared / "space.toml"
    path.write_text(SPACE)
    return str(path)


@pytest.fixture(scope="module")
def options(space):
    return {"space": space, "epochs": 2, "sampler": "random", "pruner": "none"}


@pytest.fixture(scope="module")
def study(shared, folder28, options):
    """Four trials by two workers, the winner scored again."""
    return tune(NAME, folder28, **options, trials=4, workers=2, folds=2, out=shared / "study")


def record_of(out) -> dict:
    return json.loads((out / "study.json").read_text())


def trials_of(out) -> list:
    record = record_of(out)
    storage = open_storage(record["storage"], StudyFolder(out))
    return optuna.load_study(study_name=record["study"], storage=storage).trials


def kept_accuracy(run) -> float:
    """Of the epoch that was kept, as training measured it; the saved model is scored in other batches and precision."""
    return next(row["accuracy"] for row in run.history() if row["epoch"] == run.result()["kept_epoch"])


def test_every_trial_is_a_run(study):
    assert (study.trials, study.pruned, study.failed) == (4, 0, 0)
    for trial in trials_of(study.path):
        run = Run(study.path / "trials" / f"{trial.number:04}")
        assert kept_accuracy(run) == trial.value
        assert [row["accuracy"] for row in run.history()] == list(trial.intermediate_values.values())
        arguments = run.record()["arguments"]
        assert (arguments["lr"], arguments["batch_size"]) == (trial.params["lr"], trial.params["batch_size"])
        assert arguments["recipe"] == f"dnn-tuned:neurons={trial.params['network.neurons']}"
        assert open_model(run.path).architecture == arguments["recipe"]
    assert not list(study.path.glob("trials/*/checkpoints"))  # they would fill the disk
    assert not list(study.path.glob("trials/0*.lock"))


def test_best_trial_and_what_it_is_worth(study):
    best = max(trials_of(study.path), key=lambda trial: (trial.value, -trial.number))
    assert (study.best_trial, study.best_value) == (best.number, best.value)
    folds = json.loads((study.path / "winner" / "result.json").read_text())
    assert study.winner == folds["accuracy"]
    assert study.untuned == json.loads((study.path / "untuned" / "result.json").read_text())["accuracy"]
    arguments = json.loads((study.path / "untuned" / "folds.json").read_text())["arguments"]
    assert (arguments["recipe"], arguments["lr"], arguments["epochs"], arguments["seed"]) == (NAME, None, 2, 6)


def test_report_of_a_search(study):
    page = (study.path / "report.html").read_text()
    assert "Search for dnn-tuned" in page
    assert study.command in page.replace("&#39;", "'")
    names = {path.name for path in (study.path / "report-parts").iterdir()}
    assert names >= {"history.png", "parallel.png", "trials.csv", "in-folds.csv", "report.json"}


def test_a_finished_search_is_only_told_again(study, folder28, options):
    """The same command once more trains nothing: trials, and both in folds, are as they were."""
    runs = sorted(study.path.rglob("result.json"))
    before = [run.stat().st_mtime_ns for run in runs if run.parent != study.path and "fold" in run.parent.name]
    again = tune(NAME, folder28, **options, trials=4, workers=2, folds=2, out=study.path)
    assert again == study
    assert [run.stat().st_mtime_ns for run in runs if "fold" in run.parent.name] == before


def test_command_of_the_winner_repeats_it(study, tmp_path):
    arguments = subprocess.list2cmdline([study.command]).strip('"').split()
    command = [sys.executable, "-m", *arguments, "--out", str(tmp_path / "again")]
    subprocess.run(command, check=True, capture_output=True)
    assert kept_accuracy(Run(tmp_path / "again")) == study.best_value


def test_finished_search_goes_on_with_more_trials(study, folder28, options, tmp_path, capsys):
    shutil.copytree(study.path, tmp_path / "study")
    more = tune(NAME, folder28, **options, trials=5, folds=0, out=tmp_path / "study")
    assert more.trials == 5
    assert more.winner is None
    assert "5 trials, 4 of them done" in capsys.readouterr().out
    before, after = trials_of(study.path), trials_of(tmp_path / "study")
    assert [trial.params for trial in before] == [trial.params for trial in after[:4]]
    assert after[4].params not in [trial.params for trial in before]


def test_folds_of_other_values_are_never_taken_for_the_winner_s(study, tmp_path):
    shutil.copytree(study.path, tmp_path / "study")
    folder = StudyFolder(tmp_path / "study")
    search = Search.of_record(record_of(study.path)["search"])
    assert (folder.path / "winner" / "folds.json").is_file()
    with pytest.raises(InputError):  # ends, as a kill may, after the note of the new values and before their folds
        score_in_folds(folder, search, {"batch_size": 0}, "winner", 2)
    assert not (folder.path / "winner").exists()


def test_a_journal_cut_short_is_read(study, folder28, options, tmp_path):
    shutil.copytree(study.path, tmp_path / "study")
    journal = tmp_path / "study" / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 5, "worker')
    assert len(trials_of(tmp_path / "study")) == 4
    assert journal.read_bytes() == whole


@pytest.mark.slow
def test_killed_search_goes_on_to_the_same_end(folder28, options, tmp_path):
    """SIGKILL twenty times: no trial is lost or trained twice, and each ends as if undisturbed.

    Each time an epoch is waited for, since a trial that is killed thrice without one is given up; the moment after it
    is random, between two trials too.
    """
    (tmp_path / "space.toml").write_text("batch_size = [16, 32]\nlr = {low = 1e-3, high = 1e-2, log = true}\n")
    options = {**options, "space": tmp_path / "space.toml", "epochs": 60, "trials": 6, "folds": 0}
    never_stops_early = "dnn-he"
    out, rng, kills = tmp_path / "killed", random.Random(4), 0
    command = command_line(folder28, {**options, "out": out}, never_stops_early)
    while kills < 20:
        epochs = epochs_of(out)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(lambda before=epochs, command=process: epochs_of(out) > before or command.poll() is not None)
        time.sleep(rng.uniform(0, 1))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the search ended before its twenty kills: give it more trials"
        kills += 1
        wait_for(lambda: not workers_of(out))  # they end with their parent
    subprocess.run(command, check=True, capture_output=True)
    whole = tune(never_stops_early, folder28, **options, out=tmp_path / "whole")
    killed, undisturbed = trials_of(out), trials_of(whole.path)
    assert sum(trial.user_attrs["starts"][1] > 0 for trial in killed) > 2  # went on inside a trial
    assert [trial.params for trial in killed] == [trial.params for trial in undisturbed]
    assert [trial.intermediate_values for trial in killed] == [trial.intermediate_values for trial in undisturbed]
    assert [trial.value for trial in killed] == [trial.value for trial in undisturbed]


def test_trial_that_never_ends_an_epoch_is_given_up(study, folder28, tmp_path):
    search, folder = Search.of_record(record_of(study.path)["search"]), StudyFolder(tmp_path)
    trials = optuna.create_study()
    (tmp_path / "trials").mkdir()
    for starts in (MOST_STARTS - 1, MOST_STARTS):
        trial = trials.ask()
        trial.set_user_attr("starts", (starts, 0))  # as processes leave it that were killed before an epoch was done
        run_trial(trials, trial, search, folder)
    finished, given_up = trials.trials
    assert finished.value == kept_accuracy(folder.run(0))
    assert given_up.state == optuna.trial.TrialState.FAIL
    assert given_up.user_attrs["reason"] == "begun 3 times, and each time killed before an epoch was done"
    assert not folder.run(1).path.exists()


def epochs_of(out) -> int:
    """Epochs that all trials of a search have finished, as their histories tell."""
    return sum(len(history.read_text().splitlines()) - 1 for history in out.glob("trials/*/history.csv"))


def command_line(data, options: dict, name: str = NAME) -> list[str]:
    flags = [part for flag, value in options.items() for part in (f"--{flag}", str(value))]
    return [sys.executable, "-m", "fastdigits", "tune", name, str(data), *flags]


def wait_for(condition, timeout_s: float = 120) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def workers_of(out) -> list[str]:
    found = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if f"fastdigits.search.trials {out}" in line]


@pytest.mark.slow
def test_search_is_joined_from_elsewhere(folder28, options, tmp_path):
    """Two commands on one storage, each with a folder of its own, as on two machines."""
    storage = f"sqlite:///{tmp_path}/study.db"
    command = command_line(folder28, {**options, "storage": storage, "trials": 4, "folds": 0})
    first = subprocess.Popen([*command, "--out", str(tmp_path / "one")], stdout=subprocess.DEVNULL)
    wait_for(lambda: (tmp_path / "one" / "trials" / "0000").is_dir())
    second = subprocess.run([*command, "--out", str(tmp_path / "two")], capture_output=True, text=True, check=False)
    assert first.wait() == 0, second.stderr
    places = [{path.name for path in (tmp_path / one / "trials").glob("000?")} for one in ("one", "two")]
    assert places[0] | places[1] == {"0000", "0001", "0002", "0003"}
    assert not places[0] & places[1]
    with pytest.raises(InputError, match="the storage has another study called dnn-tuned-digits28; name yours with"):
        tune(NAME, folder28, **{**options, "epochs": 3}, storage=storage, out=tmp_path / "three")


@pytest.mark.slow
def test_grid_tries_every_point_once(folder28, tmp_path):
    (tmp_path / "grid.toml").write_text('batch_size = [16, 32]\noptimizer = ["adam", "sgd"]\n')
    found = tune(
        NAME, folder28, space=str(tmp_path / "grid.toml"), sampler="grid", epochs=1, folds=0, out=tmp_path / "g"
    )
    points = {(trial.params["batch_size"], trial.params["optimizer"]) for trial in trials_of(found.path)}
    assert len(trials_of(found.path)) == len(points) == 4


def test_failed_trials_keep_their_reason(folder28, tmp_path):
    (tmp_path / "space.py").write_text(
        "def mine(trial):\n"
        "    lr = trial.suggest_categorical('lr', [1e-3, 1e12])\n"
        "    return {'lr': lr, 'optimizer': 'sgd' if lr > 1 else 'adam'}\n"
    )
    space = f"{tmp_path}/space.py:mine"
    found = tune(
        *(NAME, folder28), space=space, sampler="random", pruner="none", epochs=1, trials=5, folds=0, out=tmp_path / "s"
    )
    assert 0 < found.failed < 5
    reasons = [trial.user_attrs["reason"] for trial in trials_of(found.path) if trial.params["lr"] > 1]
    assert all("the loss is no number any more" in reason for reason in reasons)
    assert "the loss is no number any more" in (found.path / "report-parts" / "trials.csv").read_text()


def test_functions_that_give_no_options(folder28, tmp_path):
    (tmp_path / "space.py").write_text("def space(trial):\n    trial.suggest_float('lr', 1e-3, 1e-2)\n")
    with pytest.raises(InputError, match=r"space.py gave None; accepted is a dict of options"):
        tune(NAME, folder28, space=f"{tmp_path}/space.py", trials=1, epochs=1, folds=0, out=tmp_path / "s")


@pytest.mark.slow
def test_choices_of_nothing(folder28, tmp_path):
    """None among the values: an option that is left to the recipe."""
    (tmp_path / "space.py").write_text(
        "def space(trial):\n    return {'schedule': trial.suggest_categorical('schedule', [None, 'one-cycle'])}\n"
    )
    found = tune(NAME, folder28, space=f"{tmp_path}/space.py", trials=3, epochs=1, folds=0, out=tmp_path / "s")
    assert found.failed == 0
    assert (found.path / "report-parts" / "parallel.png").is_file()


@pytest.mark.slow
def test_overwritten_study_begins_anew_in_the_storage_too(folder28, tmp_path):
    (tmp_path / "space.toml").write_text("lr = [1e-3, 2e-3]\n")
    how = {"space": tmp_path / "space.toml", "epochs": 1, "folds": 0, "storage": f"sqlite:///{tmp_path}/s.db"}
    tune(NAME, folder28, **how, trials=2, out=tmp_path / "s")
    anew = tune(NAME, folder28, **{**how, "epochs": 2}, trials=1, out=tmp_path / "s", overwrite=True)
    assert anew.trials == 1
    with pytest.raises(InputError, match="--storage nonsense://x cannot be opened: "):
        tune(NAME, folder28, **{**how, "storage": "nonsense://x"}, trials=1, out=tmp_path / "t")
    assert not (tmp_path / "t").exists()
    with pytest.raises(InputError, match="--storage nonsense://x cannot be opened: "):
        tune(NAME, folder28, **{**how, "storage": "nonsense://x"}, trials=1, out=tmp_path / "s", overwrite=True)
    assert (tmp_path / "s" / "trials" / "0000" / "result.json").is_file()  # of the study that was to be replaced
    (tmp_path / "u").mkdir()
    (tmp_path / "u" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="u exists already"):
        tune(NAME, folder28, **how, trials=1, out=tmp_path / "u", study="u")
    assert (tmp_path / "u" / "mine.txt").read_text() == "mine"


def test_search_in_which_everything_fails(folder28, tmp_path):
    (tmp_path / "bad.toml").write_text('optimizer = ["nothing", "none"]\n')
    with pytest.raises(InputError, match=r"no trial was complete: --optimizer 'no.*' is unknown; .*see the logs"):
        tune(NAME, folder28, space=str(tmp_path / "bad.toml"), trials=2, folds=0, out=tmp_path / "bad")


@pytest.mark.slow
def test_hopeless_trials_are_pruned(folder28, tmp_path):
    """Twelve trials of which half cannot learn: some of those are ended early, and of the others not all."""
    (tmp_path / "space.toml").write_text("lr = [1e-9, 3e-3]\nbatch_size = [8, 12, 16, 20, 24, 32]\n")
    options = {"space": str(tmp_path / "space.toml"), "sampler": "grid", "folds": 0}
    found = tune(NAME, folder28, **options, pruner="hyperband", epochs=9, out=tmp_path / "pruned")
    ended = {lr: [t.state.name for t in trials_of(found.path) if t.params["lr"] == lr] for lr in (1e-9, 3e-3)}
    assert ended[1e-9].count("PRUNED") >= 2
    assert "COMPLETE" in ended[3e-3]
    assert found.pruned == sum(states.count("PRUNED") for states in ended.values())
    assert found.best_values["lr"] == 3e-3


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"sampler": "magic"}, "--sampler 'magic' is unknown; accepted are tpe, random, grid"),
        ({"pruner": "magic"}, "--pruner 'magic' is unknown; accepted are hyperband, median, none"),
        ({"objective": "f1"}, "--objective 'f1' is unknown; accepted are valid_loss, valid_accuracy"),
        ({"trials": 0}, "--trials 0 makes no sense; accepted are 1 or more"),
        ({"workers": 0}, "--workers 0 makes no sense; accepted are 1 or more"),
        ({"timeout": 0}, "--timeout 0 makes no sense; accepted is a number of seconds above 0"),
        ({"epochs": 0}, "--epochs 0 makes no sense; accepted are 1 or more"),
        ({"folds": 400}, "pictures of the class .*, too few for --folds 400; pass fewer"),
        ({"folds": 1}, "--folds 1 makes no sense; accepted are 0 .none. and 2 or more"),
        ({"space": "magic"}, "--space 'magic' is unknown; accepted are default, conv5x5, dnn-tuned, a .toml file, or"),
        ({"space": "no.toml"}, "--space no.toml cannot be read: No such file"),
        ({"space": "no.py:f"}, "--space no.py does not exist"),
        ({"space": "default", "sampler": "grid"}, "--sampler grid needs lists of values, and lr has a range"),
        ({"space": "conv5x5"}, "--space conv5x5 has 'network.filters'; of dnn-tuned can be searched epochs, lr, "),
    ],
)
def test_wrong_options_of_a_search(folder28, tmp_path, monkeypatch, options, error):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=error):
        tune(NAME, folder28, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("lr = [", "is no TOML"),
        ('augment = "none"', "searches nothing"),
        ("lr = {low = 1, high = 1}", "lr in space.toml makes no sense; write low and a larger high"),
        ("lr = {low = 0, high = 1, log = true}", "lr in space.toml makes no sense"),
        ("lr = []", r"lr in space.toml has \[\]; accepted is a list of texts or numbers"),
        ("speed = [1, 2]", "--space space.toml has 'speed'; of dnn-tuned can be searched"),
    ],
)
def test_wrong_spaces(folder28, in_tmp, content, error):
    (in_tmp / "space.toml").write_text(content)
    with pytest.raises(InputError, match=error):
        tune(NAME, folder28, space="space.toml")
    (in_tmp / "space.py").write_text("space = 1\n")
    with pytest.raises(InputError, match=r"--space space.py has no function space; write FILE.py:FUNCTION"):
        tune(NAME, folder28, space="space.py")


def test_another_study_is_not_overwritten(study, folder28, options):
    with pytest.raises(InputError, match="is a study with other options; repeat its command to go on"):
        tune(NAME, folder28, **{**options, "epochs": 3}, out=study.path)


def test_published_spaces():
    """The Hyperband space: 12 filters x 6 dense x 4 x 3 dropouts; the grid: 4 options."""
    space = PRESETS["conv5x5"]
    assert [len(tried.values) for tried in space.searched.values()] == [12, 6, 4, 3]
    assert find_space(None, "conv5x5-tuned", "train", find_recipe("conv5x5-tuned"), False) is space
    assert len(PRESETS["dnn-tuned"].grid(1)) == 3 * 4 * 3 * 3
    assert space_of_record(json.loads(json.dumps(space.record()))) == space


def test_settings_of_specs():
    recipe = find_recipe("conv5x5")
    values = {"network.filters": "32-64", "network.dropout": 0.5, "optimizer.weight_decay": 0.1, "lr": 0.1}
    name, options = training_options(values, "conv5x5", recipe)
    assert name == "conv5x5:filters=32-64,dropout=0.5"
    assert options == {"lr": 0.1, "optimizer": "adam:weight_decay=0.1"}
    assert training_options({"network.dense": "64"}, name, recipe)[0] == f"{name},dense=64"
    values = {"optimizer.weight_decay": 0.1, "schedule.div": 5}
    wished = {"optimizer": "fastai-adam:weight_decay=0.1", "schedule": "one-cycle:div=5"}
    assert training_options(values, "resnet18", None) == ("resnet18", wished)


@pytest.mark.slow
def test_finetune_can_be_searched(folder, tmp_path):
    (tmp_path / "space.toml").write_text("lr = [0.004, 0.01]\nsize = 16\n")
    found = tune(
        *("test_resnet", folder),
        **{"space": str(tmp_path / "space.toml"), "weights": "none", "epochs": 1, "trials": 1, "folds": 0},
        out=tmp_path / "study",
    )
    assert found.command.startswith("fastdigits finetune test_resnet")
    assert Run(found.path / "trials" / "0000").record()["size"] == 16


def test_search_is_recorded_whole():
    search = Search("dnn-tuned", "d", "x", PRESETS["dnn-tuned"], "valid_loss", None, None, "tpe", "none", 1)
    assert search.command == "train"
    assert Search.of_record(json.loads(json.dumps(search.record()))) == search


def test_options_of_a_function_are_typed_as_the_command_takes_them():
    assert _flag("balance", True) == ["--balance"]
    assert _flag("balance", False) == ["--no-balance"]
    assert _flag("clip-norm", None) == []
    assert _flag("teachers", ["a", "b"]) == ["--teachers", "a", "b"]
    assert _flag("lr", 0.01) == ["--lr", "0.01"]


def test_numbers_of_numpy_and_a_trial_that_was_killed_before_it_was_locked(folder28, options, tmp_path):
    numbers = {"epochs": np.int64(1), "trials": np.int64(1), "seed": np.int64(5)}
    made = tune(NAME, folder28, **options | numbers, folds=0, out=tmp_path / "study")
    assert made.trials == 1
    record = record_of(tmp_path / "study")
    storage = open_storage(record["storage"], StudyFolder(tmp_path / "study"))
    optuna.load_study(study_name=record["study"], storage=storage).ask()
    again = tune(NAME, folder28, **options | numbers | {"trials": 2}, folds=0, out=tmp_path / "study")
    assert again.trials == 2
