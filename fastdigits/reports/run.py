"""A run's report: which sections, in which order, and what to know first."""

from dataclasses import asdict
from pathlib import Path

from ..runs import Run
from ..system import InputError, prepare_machine
from .page import Fact, Section
from .view import View, open_view

STILL_FALLING = 0.1  # of the valid loss, in the last epoch


def run_report(run: Run, picture: str | None) -> tuple[str, list[str | Fact], list[Section], dict]:
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
    expected = expectation_section(view)
    sections = [
        scores_section(view),
        calibration_section(view),
        expected,
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
    return (
        f"{run.path.resolve().name}: {view.saved.architecture}",
        _lead(view, expected),
        sections,
        asdict(view.evaluation),
    )


def _lead(view: View, expected: Section) -> list[str | Fact]:
    """What a reader came for, in five lines, and what is to be known beside."""
    evaluation, (low, high) = view.evaluation, view.evaluation.interval
    data, notes = Path(view.run.record()["data"]).name, view.run.record().get("notes", [])
    unseen = "" if notes else " that it was not trained on"
    groups = f", of {len(evaluation.groups)} groups such as writers" if evaluation.groups else ""
    mistakes = f"{len(view.mistakes):,} mistakes" if len(view.mistakes) != 1 else "1 mistake"
    interval = f"95 % interval {low:.2%} .. {high:.2%}"
    facts = [
        Fact("How good", f"accuracy ({interval}); {mistakes}.", f"{evaluation.accuracy:.2%}"),
        Fact("On whom", f"{evaluation.pictures:,} valid pictures of {data}{unseen}{groups}."),
        Fact("On new rows", _on_new_rows(view, expected)),
        Fact("What it confuses", _confused(view)),
        Fact("What to do next", _next_step(view)),
    ]
    lines = [f"{note}." for note in notes]
    if view.folder is None:
        lines.append("The data are not where they were or have changed, so pictures are left out.")
    return facts + lines


def _on_new_rows(view: View, expected: Section) -> str:
    """What is expected of the folder's test pictures, where it can be told, or how far hands differ."""
    text, *charts = expected.items
    if charts:
        return text.lines[0]
    asked = "`fastdigits predict` says what to expect on rows without labels."
    if view.evaluation.groups:
        worst = view.evaluation.groups[0]
        return f"Other hands vary: the worst group, {worst.group}, has {worst.accuracy:.2%}. {asked}"
    return f"Rows like these will do as well, other hands, pens and papers worse. {asked}"


def _confused(view: View) -> str:
    if not len(view.mistakes):
        return "Nothing here. Do copies stand on both sides of the split? `fastdigits explore` looks for them."
    most = view.evaluation.confused_pairs.most_common(2)
    told = (f"{true} taken for {predicted} ({count:,})" for (true, predicted), count in most)
    return f"Most often {', '.join(told)}."


def _next_step(view: View) -> str:
    """One thing to do, by what limits the run."""
    run = view.run.path
    suspects = len(view.suspects)
    if suspects and suspects >= len(view.mistakes) / 4:
        labels = "label" if suspects == 1 else f"{suspects} labels"
        return f"Look at the {labels} that may be wrong: `fastdigits label DATA OUT --suspects`."
    losses = [row["valid_loss"] for row in view.run.history() if row["valid_loss"] is not None]
    if len(losses) > 1 and losses[-1] < (1 - STILL_FALLING) * losses[-2]:
        return f"Its loss still fell at the last epoch: train longer, with more than --epochs {len(losses)}."
    return f"Ask it about new pictures: `fastdigits predict {run} PICTURES`, or by hand: `fastdigits serve {run}`."
