"""A run's report: which sections, in which order, and what to know first."""

from dataclasses import asdict
from pathlib import Path

from ..runs import Run
from ..system import InputError, prepare_machine
from .page import Section
from .view import View, open_view


def run_report(run: Run, picture: str | None) -> tuple[str, list[str], list[Section], dict]:
    """Title, lead, sections and numbers of a run's page.

    Parameters
    ----------
    picture : str or None
        Id of the valid picture that is shown layer by layer.
    """
    from .expectation import expectation_section
    from .network import network_section, one_digit_section, origin_section, reasons_section, training_section
    from .scores import all_mistakes_section, calibration_section, mistakes_section, scores_section, suspects_section
    from .stress import stress_section

    prepare_machine()
    view = open_view(run)
    if picture is not None and picture not in view.ids:
        raise InputError(f"--picture {picture} is no valid picture of {run.path}; an id from valid_predictions.csv is")
    chosen = view.ids.index(picture) if picture is not None else next(iter(view.surest_mistakes), 0)
    sections = [
        scores_section(view),
        calibration_section(view),
        expectation_section(view),
        mistakes_section(view),
        suspects_section(view),
        stress_section(view),
        reasons_section(view),
        training_section(view),
        one_digit_section(view, chosen),
        network_section(view),
        all_mistakes_section(view),
        origin_section(view),
    ]
    return f"{run.path.resolve().name}: {view.saved.architecture}", _lead(view), sections, asdict(view.evaluation)


def _lead(view: View) -> list[str]:
    evaluation, (low, high) = view.evaluation, view.evaluation.interval
    data, notes = Path(view.run.record()["data"]).name, view.run.record().get("notes", [])
    unseen = "" if notes else " that it was not trained on"
    lines = [
        f"Accuracy {evaluation.accuracy:.2%} (95 % interval {low:.2%} .. {high:.2%}) on {evaluation.pictures:,} "
        f"pictures of {data}{unseen}; {len(view.mistakes):,} mistakes.",
        *(f"{note}." for note in notes),
    ]
    if not len(view.mistakes):
        lines.append(
            "Without any mistake: do copies stand on both sides of the split? `fastdigits explore` looks for them."
        )
    if view.folder is None:
        lines.append("The data are not where they were or have changed, so pictures are left out.")
    return lines
