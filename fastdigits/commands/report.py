"""report(): all that there is to see of a run, or of several beside each other, on one page."""

from dataclasses import dataclass
from pathlib import Path

from ..reports import NUMBERS_FILE, comparison_report, write_page
from ..runs import Run
from ..system import InputError, check_output


@dataclass(frozen=True)
class Report:
    """Where the page is, where its figures and tables are, and what it says first."""

    page: Path
    parts: Path
    lead: list[str]

    def __rich__(self) -> str:
        return "\n".join([*self.lead, f"written to {self.page}, its figures and tables to {self.parts}/"])

    __str__ = __rich__


def report(runs: list[Path], *, out: Path | None = None, picture: str | None = None, overwrite: bool = False) -> Report:
    """Draw all that there is to see of a finished run on one HTML page, or compare several runs.

    The page holds its pictures and needs no network. A folder next to it, whose name is that of the
    page with `-parts`, contains each figure as PNG, each table as csv, and the numbers as report.json.

    Parameters
    ----------
    runs
        Finished run directories.
    out
        The page; by default report.html in the run directory, or runs/comparison.html for several.
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
        When a run is missing or unfinished, or the page exists.
    """
    runs = [runs] if isinstance(runs, str | Path) else runs
    opened = [_finished_run(Path(path)) for path in runs]
    if not opened:
        raise InputError("name the run directories to report on")
    if len({run.path.resolve() for run in opened}) < len(opened):
        raise InputError("a run is named twice; name each run once")
    if len(opened) > 1 and picture:
        raise InputError("--picture belongs to the report of one run; leave it out, or name one run")
    page = Path(out) if out else opened[0].report_file if len(opened) == 1 else Path("runs", "comparison.html")
    if page.suffix != ".html":
        raise InputError(f"--out {page} is no page; name a file that ends in .html")
    parts, is_own = page.with_name(f"{page.stem}-parts"), len(opened) == 1 and out is None
    check_output(page, overwrite or is_own)
    check_output(parts, overwrite or is_own, NUMBERS_FILE)
    if len(opened) == 1:
        from ..reports import run_report

        title, lead, sections, numbers = run_report(opened[0], picture)
    else:
        title, lead, sections, numbers = comparison_report(opened)
    write_page(page, parts, title, lead, sections, numbers)
    return Report(page, parts, [str(line) for line in lead])


def _finished_run(path: Path) -> Run:
    run = Run(path)
    if not run.record_file.is_file():
        raise InputError(f"{path} is no run directory; name one that finetune or train has made")
    run.refuse_unfinished()
    return run
