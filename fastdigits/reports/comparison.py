"""Several runs beside each other on one page: leaderboard, differences, curves."""

from dataclasses import asdict, dataclass

import numpy as np

from ..runs import Run
from ..scores import Comparison, Evaluation, ValidAnswers, class_numbers, compare, read_answers
from .page import Section, Table, Text, drawn


@dataclass(frozen=True)
class _Entry:
    """One of several runs."""

    name: str
    run: Run
    answers: ValidAnswers
    evaluation: Evaluation

    @property
    def right(self) -> np.ndarray:
        return self.answers.probabilities.argmax(1) == class_numbers(self.answers.labels, self.answers.classes)

    @property
    def asked(self) -> tuple:
        """What makes two runs comparable: the valid pictures and their labels."""
        return tuple(self.answers.ids), tuple(self.answers.labels)


def comparison_report(runs: list[Run]) -> tuple[str, list[str], list[Section], dict]:
    """Title, lead, sections and numbers of a page about several runs, the best first."""
    from ..figures import draw_several_curves

    answers = [read_answers(run) for run in runs]
    names = _names(runs)
    entries = [_Entry(n, run, a, a.evaluation(n)) for n, run, a in zip(names, runs, answers)]
    entries.sort(key=lambda entry: -entry.evaluation.accuracy)
    sets: dict[tuple, list[_Entry]] = {}
    for entry in entries:
        sets.setdefault(entry.asked, []).append(entry)
    lead, tests = [], []
    for alike in sets.values():
        compared = [compare(alike[0].name, entry.name, alike[0].right, entry.right) for entry in alike[1:]]
        tests += compared
        lead += [f"The best of {len(alike)} runs is {alike[0].name}."] if compared else []
        lead += [f"{comparison.verdict}." for comparison in compared]
    if len(sets) > 1:
        lead.append(
            f"The runs were validated on {len(sets)} different sets of pictures; accuracies on different pictures "
            "stand "
            "side by side, but their difference cannot be tested."
        )
    if max(map(len, sets.values())) > 2:
        lead.append("The best of several runs on the pictures that chose it is a little flattered.")
    curves = drawn(
        "curves",
        "Curves",
        "How each run came to its score; a line that still rises would go on rising with more epochs.",
        draw_several_curves({entry.name: entry.run.history() for entry in entries}),
    )
    notes = [f"{entry.name}: {note}." for entry in entries for note in entry.run.record().get("notes", [])]
    sections = [
        Section("Leaderboard", [_leaderboard(entries)]),
        Section("Differences", [_differences(tests)] if tests else []),
        Section("Training", [curves]),
        Section("Notes", [Text(notes)] if notes else []),
    ]
    numbers = {
        "runs": {entry.name: asdict(entry.evaluation) for entry in entries},
        "comparisons": [asdict(comparison) for comparison in tests],
    }
    return f"{len(runs)} runs compared", lead, sections, numbers


def _names(runs: list[Run]) -> list[str]:
    """What to call the runs: their folders' names, or where two are alike their paths."""
    short = [run.path.resolve().name for run in runs]
    return short if len(set(short)) == len(short) else [str(run.path) for run in runs]


def _leaderboard(entries: list[_Entry]) -> Table:
    columns = ["run", "accuracy", "95 % interval", "macro F1", "calibration error", "log loss"]
    columns += ["network", "parameters", "px", "epochs", "minutes", "precision"]
    return Table(
        "leaderboard",
        "Runs, the best first",
        "Runs by their accuracy on valid; where the 95 % intervals overlap, the tests below decide.",
        columns,
        [_leaderboard_row(entry) for entry in entries],
    )


def _leaderboard_row(entry: _Entry) -> list[str]:
    from ..models import find_backbone

    record, result, scores = entry.run.record(), entry.run.result(), entry.evaluation
    low, high = scores.interval
    return [
        entry.name,
        f"{scores.accuracy:.2%}",
        f"{low:.2%} .. {high:.2%}",
        f"{scores.macro_f1:.4f}",
        f"{scores.calibration_error:.2%}",
        f"{scores.log_loss:.4f}",
        record["architecture"],
        f"{find_backbone(record['architecture']).parameter_count(len(record['classes']), record['size']):,}",
        str(record["size"]),
        str(result["epochs"]),
        f"{result['seconds'] / 60:.1f}",
        record["precision"],
    ]


def _differences(tests: list[Comparison]) -> Table:
    rows = []
    for found in tests:
        low, high = (100 * bound for bound in found.interval)
        numbers = [f"{100 * found.difference:+.2f}", f"{low:+.2f} .. {high:+.2f}"]
        counts = [str(found.only_first_right), str(found.only_second_right)]
        rows.append([f"{found.first} – {found.second}", *numbers, *counts, f"{found.p_value:.3g}"])
    return Table(
        "differences",
        "Pairs of runs",
        "McNemar's exact test on the pictures that only one of the two has right: below p = 0.05 chance hardly "
        "makes such "
        "a difference, but of twenty tests one is below by chance.",
        ["runs", "difference, points", "95 % interval", "only the first right", "only the second right", "p"],
        rows,
    )
