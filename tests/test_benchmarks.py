"""The benchmarks measure in turn, and the pages of results show the kept rounds."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from matplotlib.colors import to_hex
from PIL import Image, ImageColor

from benchmarks import few_shot, gpu, growth, made_tables, peers, reproductions, table, transfer, tuning
from benchmarks.measuring import Measurement, medians, take_turns
from fastdigits import convert
from fastdigits.figures.canvas import in_our_style
from fastdigits.recipes.published import PUBLISHED_RECIPES


def counting(pictures: int):
    """A contender that says how often it was asked."""
    asked = []

    def one_round() -> tuple[int, float]:
        asked.append(1)
        return pictures * len(asked), 2.0

    return one_round


def test_contenders_take_turns_and_early_rounds_do_not_count():
    found = take_turns("s", "c", {"a": (counting, 10), "b": (counting, 100)}, rounds=2, unmeasured=1)
    assert [(row.contender, row.round, row.value) for row in found] == [
        ("a", 0, 10.0),
        ("b", 0, 100.0),
        ("a", 1, 15.0),
        ("b", 1, 150.0),
    ]


def test_medians():
    rows = [Measurement("s", "c", "a", k, value, "s") for k, value in enumerate((1.0, 9.0, 2.0))]
    assert medians([*rows, Measurement("t", "c", "a", 0, 5.0, "s")], "s") == {"c": {"a": 2.0}}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("benchmarks", table.write_table),
        ("reproductions", reproductions.write_table),
        ("few-shot", few_shot.write_table),
        ("transfer", transfer.write_table),
    ],
)
def test_the_pages_show_what_is_kept(tmp_path, monkeypatch, name, write):
    shown = (table.RESULTS / table.PAGES[name]).read_text(encoding="utf-8")
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    marks = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    assert all(mark in shown for mark in marks)
    page = tmp_path / table.PAGES[name]
    page.write_text(re.sub(f"{marks[0]}.*{marks[1]}", "".join(marks), shown, flags=re.DOTALL))
    write()
    assert page.read_text(encoding="utf-8") == shown


def rows_of(*accuracies: float) -> list[dict[str, str]]:
    return [{"accuracy": str(accuracy), "valid_pictures": "10000"} for accuracy in accuracies]


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [((), ""), ((0.99, 0.991), "yes"), ((0.989,), "yes, within ± 0.65"), ((0.98, 0.982), "no, beyond ± 0.67")],
)
def test_what_counts_as_reproduced(accuracies, said):
    assert reproductions.verdict(0.99, 1000, rows_of(*accuracies)) == said


def test_a_training_that_fails_ends_the_reproductions(tmp_path, monkeypatch):
    """Those that wait are not begun, and what is finished is kept."""
    begun = []

    def run_task(task, work, threads):
        begun.append(task.seed)
        if task.seed == 2:
            raise ZeroDivisionError
        return task, None, "", {}

    kept = []
    monkeypatch.setattr(reproductions, "make_folder", lambda *_: None)
    monkeypatch.setattr(reproductions, "run_task", run_task)
    monkeypatch.setattr(reproductions, "keep", lambda task, *_: kept.append(task.seed))
    monkeypatch.setattr(reproductions, "write_table", lambda: None)
    monkeypatch.setattr("sys.argv", ["reproductions", "conv-elu", "--data", str(tmp_path), "--work", str(tmp_path)])
    with pytest.raises(ZeroDivisionError):
        reproductions.main()
    assert (begun, kept) == ([1, 2], [1])


def test_every_recipe_is_reproduced_and_kannada_by_writer_too():
    tasks = [task for name in PUBLISHED_RECIPES for task in reproductions.tasks_of(name)]
    assert len({task.key for task in tasks}) == len(tasks)
    kannada = {task.name for task in tasks if task.variant == reproductions.WRITERS}
    assert kannada == {name for name, recipe in PUBLISHED_RECIPES.items() if recipe.published.table == "Kannada-MNIST"}


def test_the_page_tells_what_the_search_found():
    found = json.loads(tuning.RESULT.read_text(encoding="utf-8"))
    page = table.RESULTS.parent / "howto" / "tune.md"
    shown = " ".join(page.read_text(encoding="utf-8").split())
    winner, untuned = (f"{100 * found['on_other_rows'][name]['mean']:.2f} %" for name in ("winner", "untuned"))
    assert f"the winner has {winner} and the untuned recipe {untuned}" in shown
    assert f"the winner had {100 * found['valid_accuracy_that_chose']:.2f} %" in shown
    assert f"{found['trials']} Hyperband trials of `{found['recipe']}`" in shown
    assert f"{found['pruned']} trials were pruned" in shown


def a_table(folder, digit_table):
    """Of 8x8 digits: all but 97 rows to train on, those of two groups to be asked about."""
    pixels = [name for name in digit_table if name.startswith("pixel")]
    digit_table[["label", *pixels]][:-97].to_csv(folder / "train.csv", index=False)
    digit_table[pixels][-97:].to_csv(folder / "test.csv", index=False)
    truth = digit_table[["label"]][-97:].assign(group=["a"] * 50 + ["b"] * 47)
    truth.to_csv(folder / "truth.csv", index=False)


def test_a_tool_is_run_scored_and_shown(tmp_path, digit_table, monkeypatch):
    a_table(tmp_path, digit_table)
    tool = peers.TOOLS["neighbours"]
    found = peers.measured(tool, Path(sys.executable), tmp_path, 1, seed=1, work=tmp_path / "work")
    assert found["why"] == ""
    assert 0.9 < float(found["worst_group"]) <= float(found["accuracy"]) <= float(found["high"]) <= 1
    assert found["megabytes"] > 50
    assert float(found["handed_on"]) > 0
    row = {"tool": "neighbours", "table": "mnist", "rows": "all", "minutes": "2", "seed": "1", "device": "a machine"}
    monkeypatch.setattr("benchmarks.peers.page.PAGE", tmp_path / "peers.md")
    peers.write_page([{name: str(value) for name, value in (row | found).items()}])
    page = (tmp_path / "peers.md").read_text()
    assert f"| neighbours | {float(found['accuracy']):.2%} ({float(found['low']):.2%} .. " in page
    installed = f"scikit-learn {sklearn.__version__}, pandas {pd.__version__}"
    assert f"| neighbours | k nearest neighbours on pixels | {installed} | 12 | yes |" in page


@pytest.mark.parametrize(
    ("accuracy", "low", "high", "said"),
    [
        (
            0.99,
            0.985,
            0.993,
            "fastdigits is ahead of the 2 others that were run beyond chance. keras, the best other, makes 3.0",
        ),
        (
            0.98,
            0.969,
            0.985,
            "fastdigits and keras differ by no more than chance may. keras, the best other, makes 1.5",
        ),
        (0.90, 0.880, 0.930, "keras is ahead of fastdigits beyond chance. keras, the best other, makes 0.3"),
    ],
)
def test_the_page_of_tools_says_who_is_ahead(tmp_path, monkeypatch, accuracy, low, high, said):
    monkeypatch.setattr("benchmarks.peers.page.PAGE", tmp_path / "peers.md")
    fields = ("tool", "accuracy", "low", "high", "seconds")
    other = dict.fromkeys(("worst_group", "megabytes", "handed_on", "why", "versions"), "")
    rows = [
        dict(zip(fields, map(str, values)))
        | {"table": "mnist", "rows": "all", "minutes": "2", "seed": "1", "device": "a"}
        | other
        for values in (
            ("fastdigits", accuracy, low, high, 120),
            ("keras", 0.97, 0.96, 0.98, 150),
            ("boosting", 0.9, 0.8, 0.95, 120),
        )
    ]
    peers.write_page(rows)
    page = (tmp_path / "peers.md").read_text()
    assert f"- 2 minutes: {said} times the mistakes." in page
    assert "| keras | 97.00% (96.00% .. 98.00%), 150 s |" in page


def test_a_tool_that_fails_says_why(tmp_path, digit_table, capsys):
    a_table(tmp_path, digit_table)
    pd.read_csv(tmp_path / "train.csv").drop(columns="label").to_csv(tmp_path / "train.csv", index=False)
    found = peers.measured(peers.TOOLS["neighbours"], Path(sys.executable), tmp_path, 1, seed=1, work=tmp_path / "work")
    assert found["accuracy"] == ""
    assert found["why"] == "ended with code 1"
    assert "KeyError: \"['label'] not found in axis\"" in capsys.readouterr().err


def test_every_tool_has_its_script():
    assert {tool.script for tool in peers.TOOLS.values()} == {file.name for file in peers.SCRIPTS.iterdir()}


@pytest.mark.slow
def test_the_checks_of_a_gpu_run_without_one(tmp_path, digit_table):
    """All but that of ResNet-50, which is the same code as the benchmark of training."""
    digit_table.to_csv(tmp_path / "train.csv", index=False)
    place = gpu.Place(
        convert(tmp_path / "train.csv", tmp_path / "digits", valid=60).path, tmp_path / "train.csv", tmp_path, gpu.TINY
    )
    told, found = gpu.run_checks(place, [name for name in gpu.CHECKS if "ResNet" not in name])
    assert [name for name, what in told if what.startswith("FAILED")] == []
    told = dict(told)
    assert "killed after the first of three epochs, and resumed: the same losses" in told["killed and resumed"]
    assert "fp32" in told["precisions"]
    assert "on cpu; the network on cpu" in told["decoded pictures on the device"]
    assert {row.case for row in found} >= {"predict digitnet", "serve digitnet-mnist"}


def test_a_check_that_fails_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    def falls(_):
        raise ValueError("out\n of luck")

    monkeypatch.setattr(gpu, "CHECKS", {"a": falls, "memory": gpu.memory})
    (_, fallen), (name, _) = gpu.run_checks(gpu.Place(tmp_path, tmp_path, tmp_path, gpu.TINY))[0]
    assert fallen.startswith("FAILED: ValueError (")
    assert name == "memory"


def test_lines_of_growth_are_fitted_to_relative_errors():
    amounts = np.array([1_000.0, 10_000, 100_000, 1_000_000])
    assert growth.fitted(amounts, 3 + 0.002 * amounts) == pytest.approx((3, 0.002))
    start, each = growth.fitted(amounts, np.array([3.0, 2.9, 3.1, 3.0]))  # no start below zero, no cost either
    assert (start, each * 1e6) == pytest.approx((3, 0), abs=0.1)


def test_made_tables_have_their_rows_pixels_and_classes(tmp_path, digit_table):
    digit_table.to_csv(tmp_path / "digits.csv", index=False)
    made_tables.write_table(tmp_path / "digits.csv", tmp_path / "made.csv", rows=250, side=12, n_classes=120)
    table = pd.read_csv(tmp_path / "made.csv")
    assert table.label.value_counts().tolist() == [3] * 10 + [2] * 110
    pixels = table.drop(columns="label").to_numpy()
    assert pixels.shape == (250, 144)
    assert pixels.max(1).min() > 50  # each shows something
    ones, thousands = (pixels[table.label == label].reshape(-1, 12, 12) for label in (0, 111))
    assert (ones[:, :, 3:9] > 60).sum() > 0
    assert not np.array_equal(ones[0], ones[1])  # another view of another digit
    assert len(thousands) == 2


@pytest.mark.slow
def test_growth_is_measured_kept_and_shown(tmp_path, digit_table, monkeypatch):
    (tmp_path / "mnist").mkdir()
    digit_table.to_csv(tmp_path / "mnist" / "train.csv.gz", index=False)
    monkeypatch.setenv("FASTDIGITS_DATA", str(tmp_path))
    monkeypatch.setattr(growth, "AXES", (growth.Axis("pixels", (16, 28), rows=300),))
    for name, place in (("ROWS", "growth.csv"), ("PAGE", "growth.md"), ("PICTURE", ".")):
        monkeypatch.setattr(growth, name, tmp_path / place)
    growth.main()
    kept = pd.read_csv(tmp_path / "growth.csv")
    assert kept["command"].tolist() == [*growth.COMMANDS] * 2
    assert (kept["megabytes"] > 50).all()
    page = (tmp_path / "growth.md").read_text()
    assert "| seconds by pixels | 16x16 | 28x28 | start |" in page
    assert f"| train | {kept.seconds[1]:,.1f} | {kept.seconds[5]:,.1f} |" in page
    with Image.open(tmp_path / "growth.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=1 << 24)}
    with in_our_style():
        lines = [to_hex(f"C{number}") for number in range(len(growth.COMMANDS))]
    assert {ImageColor.getrgb(line) for line in lines} <= colours  # a line for each command
    growth.main()  # nothing is measured twice
    assert len(pd.read_csv(tmp_path / "growth.csv")) == 8
