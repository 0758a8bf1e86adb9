"""The benchmarks measure in turn, and the README's table is that of the kept rounds."""

import re

from benchmarks import table
from benchmarks.measuring import Measurement, medians, take_turns


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


def test_the_readme_shows_the_kept_rounds(tmp_path, monkeypatch):
    shown = table.README.read_text(encoding="utf-8")
    monkeypatch.setattr(table, "README", tmp_path / "README.md")
    table.README.write_text(re.sub(f"{table.BEGIN}.*{table.END}", f"{table.BEGIN}{table.END}", shown, flags=re.DOTALL))
    table.write_table()
    assert table.README.read_text(encoding="utf-8") == shown
