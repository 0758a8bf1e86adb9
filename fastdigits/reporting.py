"""report(): all that there is to see of a run, or of several beside each other, on one page."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .comparison import compare
from .errors import InputError
from .outputs import check_output, whole_file
from .pages import Figure, Section, Table, Text, drawn, render_page
from .runs import Run


@dataclass(frozen=True)
class Report:
    """Where the page is, and what it says first."""

    page: Path
    figures: Path
    lead: list[str]

    def __rich__(self) -> str:
        return "\n".join([*self.lead, f"written to {self.page}, its figures and tables to {self.figures}"])

    __str__ = __rich__


def report(runs: list[Path], *, out: Path | None = None, picture: str | None = None, overwrite: bool = False) -> Report:
    """Draw all that there is to see of a finished run on one HTML page, or compare several runs.

    The page holds its pictures, needs no network and runs no scripts. Each figure is also written as PNG, each table as
    csv, the scores as JSON.

    Parameters
    ----------
    runs
        Finished run directories.
    out
        The page; by default report.html in the run directory, or runs/comparison.html for several. Its figures and
        tables go into a folder of the same name beside it.
    picture
        Id of the valid picture that is shown layer by layer; by default the surest mistake.
    overwrite
        Replace `out` if it exists; a run's own report is always made anew.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        When a run is missing or unfinished, or `out` exists.
    """
    opened = [_finished_run(Path(path)) for path in runs]
    if not opened:
        raise InputError("name the run directories to report on")
    if len({run.path.resolve() for run in opened}) < len(opened):
        raise InputError("a run is named twice; name each run once")
    if len(opened) > 1 and picture:
        raise InputError("--picture belongs to the report of one run; leave it out, or name one run")
    page = Path(out) if out else opened[0].report_file if len(opened) == 1 else Path("runs", "comparison.html")
    if out:
        check_output(page, overwrite)
    if page.suffix != ".html":
        raise InputError(f"--out {page} is no page; name a file that ends in .html")
    if len(opened) == 1:
        from .run_report import run_sections

        title, lead, sections = run_sections(opened[0], picture)
    else:
        title, lead, sections = _comparison(opened)
    folder = page.with_suffix("")
    write_parts(sections, folder)
    with whole_file(page) as partial:
        partial.write_text(render_page(title, lead, sections), encoding="utf-8")
    return Report(page, folder, lead)


def _finished_run(path: Path) -> Run:
    run = Run(path)
    if not run.record_file.is_file():
        raise InputError(f"{path} is no run directory; name one that finetune or train has made")
    if not run.finished:
        raise InputError(f"{path} is an unfinished run; finish it with --resume")
    return run


def write_parts(sections: list[Section], folder: Path) -> None:
    """Every figure as PNG and every table as csv, into `folder`."""
    import pandas as pd

    for item in (item for section in sections for item in section.items):
        if isinstance(item, Figure):
            with whole_file(folder / f"{item.name}.png") as partial:
                partial.write_bytes(item.png)
        elif isinstance(item, Table):
            with whole_file(folder / f"{item.name}.csv") as partial:
                pd.DataFrame(item.rows, columns=item.columns).to_csv(partial, index=False)


def _comparison(runs: list[Run]) -> tuple[str, list[str], list[Section]]:
    """Title, lead and sections of a page about several runs, the best first."""
    from .figures import draw_several_curves

    without = [run for run in runs if not run.predictions_file.is_file()]
    if without:
        raise InputError(f"{without[0].path} has no scores, since all its rows were trained on; leave it out")
    runs = sorted(runs, key=lambda run: -run.result()["accuracy"])
    names = _names(runs)
    answers = [_answers(run) for run in runs]
    same = [i for i in range(1, len(runs)) if answers[i][0] == answers[0][0] and answers[i][1] == answers[0][1]]
    comparisons = [compare(names[0], names[i], _right(answers[0]), _right(answers[i])) for i in same]
    lead = [f"The best of {len(runs)} runs is {names[0]}.", *(f"{c.verdict}." for c in comparisons)]
    if len(same) < len(runs) - 1:
        others = ", ".join(names[i] for i in range(1, len(runs)) if i not in same)
        lead.append(
            f"{others}: validated on other pictures than {names[0]}, so the accuracies stand side by side but the "
            "difference cannot be tested."
        )
    if len(runs) > 2:
        lead.append("The best of several runs on the pictures that chose it is a little flattered.")
    leaderboard = Table(
        "leaderboard",
        "Leaderboard",
        "Runs by their accuracy on valid; intervals are 95 % ones, and where they overlap the tests below decide.",
        [
            "run",
            "accuracy",
            "95 % interval",
            "calibration error",
            "log loss",
            "network",
            "parameters",
            "px",
            "epochs",
            "minutes",
            "precision",
        ],
        [_leaderboard_row(name, run) for name, run in zip(names, runs)],
    )
    sections = [Section("Leaderboard", [leaderboard])]
    if comparisons:
        tested = Table(
            "differences",
            f"Differences to {names[0]}",
            "McNemar's exact test on the pictures that only one of the two has right: below p = 0.05 it is hardly "
            "chance. Several tests at once make chance finds likelier.",
            ["run", "difference, points", "95 % interval", "only the first right", "only this right", "p"],
            [
                [
                    c.second,
                    f"{100 * c.difference:+.2f}",
                    "{:+.2f} .. {:+.2f}".format(*(100 * v for v in c.interval)),
                    str(c.only_first_right),
                    str(c.only_second_right),
                    f"{c.p_value:.3g}",
                ]
                for c in comparisons
            ],
        )
        sections.append(Section("Differences", [tested]))
    histories = {name: run.history() for name, run in zip(names, runs)}
    curves = drawn(
        "curves",
        "Curves",
        "How each run came to its score; a line that still rises would go on rising with more epochs.",
        draw_several_curves(histories),
    )
    sections.append(Section("Training", [curves]))
    notes = [f"{name}: {note}." for name, run in zip(names, runs) for note in run.record().get("notes", [])]
    sections.append(Section("Notes", [Text(notes)] if notes else []))
    return f"{len(runs)} runs compared", lead, sections


def _names(runs: list[Run]) -> list[str]:
    """What to call the runs: their folders' names, or where two are alike their paths."""
    short = [run.path.name for run in runs]
    return short if len(set(short)) == len(short) else [str(run.path) for run in runs]


def _answers(run: Run) -> tuple[list[str], list[str], list[str]]:
    """Ids, true and predicted labels of the valid pictures."""
    import pandas as pd

    table = pd.read_csv(run.predictions_file, usecols=["id", "true", "label"], dtype=str)
    return tuple(table[column].tolist() for column in ("id", "true", "label"))


def _right(answers: tuple[list[str], list[str], list[str]]) -> np.ndarray:
    return np.array(answers[1]) == np.array(answers[2])


def _leaderboard_row(name: str, run: Run) -> list[str]:
    from .models import find_backbone

    record, result, evaluation = run.record(), run.result(), run.evaluation()
    low, high = result["interval"]
    return [
        name,
        f"{result['accuracy']:.2%}",
        f"{low:.2%} .. {high:.2%}",
        f"{evaluation['calibration_error']:.2%}",
        f"{evaluation['log_loss']:.4f}",
        record["architecture"],
        f"{find_backbone(record['architecture']).parameter_count(len(record['classes'])):,}",
        str(record["size"]),
        str(result["epochs"]),
        f"{result['seconds'] / 60:.1f}",
        record["precision"],
    ]
