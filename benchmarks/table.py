"""The pages of results: where each table stands, and that of the benchmarks from results.csv."""

import re
from pathlib import Path

from .measuring import Measurement, medians, read_rows

UNITS = ("s", "s", "MB")  # of the script's import, rows and memory
RESULTS = Path(__file__).parent.parent / "docs" / "results"
ANSWERS = ("models", "predict digitnet-mnist photo.jpg")  # commands that are measured from start to answer
PAGES = {  # of each table, between two marks of its name
    "benchmarks": "speed.md",
    "reproductions": "reproductions.md",
    "few-shot": "few_examples.md",
    "transfer": "unfreezing.md",
}


def replace_between(name: str, text: str) -> None:
    """Put `text` between the two marks of that name, on the table's page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = RESULTS / PAGES[name]
    pattern = re.compile(f"{begin}.*{end}", re.DOTALL)
    content = page.read_text(encoding="utf-8")
    page.write_text(pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", content), encoding="utf-8")


def write_table() -> None:
    """The table of benchmarks, from the kept rounds."""
    rows = read_rows()
    found = [
        Measurement(
            *(row[name] for name in ("section", "case", "contender", "round")), float(row["value"]), row["unit"]
        )
        for row in rows
    ]
    runs: dict[tuple, dict] = {}  # with the sections of each, in their order
    for row in rows:
        runs.setdefault((row["date"], row["commit"], row["device"]), {})[row["section"]] = True
    said = [
        f"Measured {date} at commit {commit} on {device}: {', '.join(sections)}."
        for (date, commit, device), sections in runs.items()
    ]
    parts = [training_table(found), prediction_table(found), conversion_table(found), other_lines(found), *said]
    replace_between("benchmarks", "\n\n".join(part for part in parts if part))


def training_table(found: list[Measurement]) -> str:
    """Training rates, and fastdigits' share of the limit and multiple of plain fastai."""
    lines = [
        "| training, pictures/s | fastdigits | limit | share | plain fastai | times | torch loop | timm loader |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, rate in medians(found, "training").items():
        ours, limit, plain = rate["fastdigits"], rate["limit"], rate["plain fastai"]
        values = [f"{ours:,.0f}", f"{limit:,.0f}", f"{ours / limit:.2f}", f"{plain:,.0f}", f"{ours / plain:.1f}"]
        values += [f"{rate[name]:,.0f}" for name in ("torch loop", "timm loader")]
        lines.append(f"| {case} | {' | '.join(values)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def prediction_table(found: list[Measurement]) -> str:
    """Prediction rates."""
    return _rates(found, "prediction", "csv to submission, pictures/s")


def conversion_table(found: list[Measurement]) -> str:
    """Conversion rates."""
    return _rates(found, "conversion", "csv to image folder, files/s")


def _rates(found: list[Measurement], section: str, title: str) -> str:
    parts = []
    for case, rate in medians(found, section).items():
        ours = rate["fastdigits"]
        lines = [f"| {title} ({case}) | rate | fastdigits is |", "|---|---|---|"]
        lines += [f"| {name} | {value:,.0f} | {ours / value:.2f} times |" for name, value in rate.items()]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def other_lines(found: list[Measurement]) -> str:
    """Memory, start-up, time to the goal and both paths' accuracy, a line each."""
    lines = []
    for case, peak in medians(found, "memory").items():
        small, large = peak["1x rows"], peak["10x rows"]
        lines.append(f"- peak memory of `{case}`: {small:,.0f} MB, with ten times the rows {large / small:.2f} times")
    lines += _serving_lines(found)
    startup = {case: value["fastdigits"] for case, value in medians(found, "start-up").items()}
    if startup:
        slowest = max((case for case in startup if case.endswith(" --help")), key=startup.get)
        lines.append(
            f"- `fastdigits --help` {startup['--help']:.2f} s; the slowest, `{slowest}`, {startup[slowest]:.2f} s"
        )
        lines += [f"- `fastdigits {case}` {seconds:.2f} s" for case, seconds in startup.items() if case in ANSWERS]
    lines += _goal_lines(found)
    fast = {case: value["fastdigits"] for case, value in medians(found, "fast").items()}
    for case in (case.removesuffix(", seconds") for case in fast if case.endswith(", seconds")):
        lines.append(
            f"- {case}, start-up, reading and scoring included: {fast[f'{case}, seconds']:.0f} s and "
            f"{fast[f'{case}, accuracy']:.2%} of the rows held out (medians of three seeds)"
        )
    for _, accuracy in medians(found, "paths").items():
        pairs = ", ".join(f"{name} {value:.2%}" for name, value in accuracy.items())
        lines.append(f"- accuracy by path, median of three seeds: {pairs}")
    return "\n".join(lines)


def _serving_lines(found: list[Measurement]) -> list[str]:
    lines, serving, script = [], medians(found, "serving"), medians(found, "script")
    if serving:
        said = [
            f"{name} {rate:,.0f} requests/s, half of them within {serving['latency 50 %'][name]:,.0f} ms, "
            f"95 % within {serving['latency 95 %'][name]:,.0f} ms"
            for name, rate in serving["rate"].items()
        ]
        lines.append(f"- 2,000 requests from 32 connections: {'; '.join(said)}")
    if script:
        said = [
            f"{name} "
            + ", ".join(f"{case} {value[name]:,.1f} {unit}" for (case, value), unit in zip(script.items(), UNITS))
            for name in ("script", "fastdigits")
        ]
        lines.append(f"- `predict.py` of an ONNX export beside `fastdigits predict`: {'; '.join(said)}")
    return lines


def _goal_lines(found: list[Measurement]) -> list[str]:
    from .accuracy import GOAL

    goal, lines = medians(found, "goal"), []
    for case in goal:
        if case.endswith(", accuracy"):
            name = case.removesuffix(", accuracy")
            accuracies, seconds = goal[case], goal[f"{name}, seconds"]
            reached = next((epoch for epoch, value in accuracies.items() if value >= GOAL), None)
            said = f"{seconds[reached] / 60:.1f} min" if reached else "not reached"
            last = list(accuracies)[-1]
            lines.append(
                f"- {name}, {GOAL:.1%} of held-out MNIST rows from nothing: {said} "
                f"({accuracies[last]:.2%} after {last.removeprefix('epoch ')} epochs, {seconds[last] / 60:.1f} min)"
            )
    return lines
