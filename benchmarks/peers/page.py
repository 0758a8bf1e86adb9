"""The page of other tools: a table for each set of rows, a line for each tool."""

from pathlib import Path
from statistics import fmean

from .tools import TOOLS

PAGE = Path("docs", "results", "peers.md")
OWN = "fastdigits"
ENOUGH = 0.99
LATE = 1.1  # times the minutes that a tool was given
TEXT = """# Other tools, side by side

Written by `python -m benchmarks.peers`, which makes an environment for each tool and runs the script that its user
would write (`benchmarks/peers/scripts`); every run is a line of `docs/peers.csv`, with the seconds that it took in all.

All get the same rows and the same minutes on {device}.
Each script trains for 80 to 90 % of them, so that starting, reading, predicting and writing find room. Nobody starts
from pretrained weights. All are used as they come: fastdigits trains in bf16 where the processor has it, the others
in fp32. Accuracy is that of rows kept apart, of Kannada-MNIST those of writers whom no training saw; in brackets the
95 % interval of one run; where there are several seeds, their mean. Who took more than a tenth too long has the seconds
behind it; nearest neighbours take as long as they take, whatever the minutes. Memory is that of the largest process.

{tables}

| tool | settings | versions | lines that its user writes | what is handed on is unpickled |
|---|---|---|---|---|
{tools}
"""


def write_page(rows: list[dict[str, str]]) -> None:
    """Write the page of all runs that are kept and were made on the machine of the last one."""
    rows = [row for row in rows if row["device"] == rows[-1]["device"]]
    sets = list(dict.fromkeys((row["table"], row["rows"]) for row in rows))
    tables = "\n\n".join(_table(table, n, rows) for table, n in sets)
    versions = {row["tool"]: row["versions"] for row in rows}
    tools = "\n".join(
        f"| {tool.name} | {tool.settings} | {versions[tool.name]} | {tool.lines} | {'yes' if tool.pickle else 'no'} |"
        for tool in TOOLS.values()
        if tool.name in versions
    )
    PAGE.write_text(TEXT.format(device=rows[-1]["device"], tables=tables, tools=tools), encoding="utf-8")


def _table(table: str, n: str, rows: list[dict[str, str]]) -> str:
    own = [row for row in rows if (row["table"], row["rows"]) == (table, n)]
    minutes = sorted({float(row["minutes"]) for row in own})
    heads = [f"{value:g} minutes" for value in minutes] + [
        "worst writer",
        "minutes to 99 %",
        "MB of memory",
        "MB handed on",
    ]
    lines = [
        f"## {table}, {n} training rows",
        "",
        f"| tool | {' | '.join(heads)} |",
        f"|---|{'---|' * len(heads)}",
    ]
    for name in dict.fromkeys(row["tool"] for row in own):
        mine = {
            value: [row for row in own if row["tool"] == name and float(row["minutes"]) == value] for value in minutes
        }
        longest = next((mine[value] for value in reversed(minutes) if mine[value]), [])
        enough = next(
            (f"{value:g}" for value in minutes if (_mean(mine[value], "accuracy") or 0) >= ENOUGH), "not reached"
        )
        worst, memory, size = (_mean(longest, field) for field in ("worst_group", "megabytes", "handed_on"))
        cells = [
            *(_accuracy(mine[value]) for value in minutes),
            f"{worst:.1%}" if worst else "",
            enough,
            f"{memory:,.0f}" if memory else "",
            f"{size:.1f}" if size else "",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(_verdict(own, value) for value in minutes)])


def _verdict(rows: list[dict[str, str]], minutes: float) -> str:
    """Whether our own tool is ahead of the best other one, by the 95 % interval of the difference of first seeds."""
    found = [row for row in rows if float(row["minutes"]) == minutes and row["accuracy"]]
    found = [row for row in found if row["seed"] == min(one["seed"] for one in found)]
    own = next((row for row in found if row["tool"] == OWN), None)
    best = max((row for row in found if row["tool"] != OWN), key=lambda row: float(row["accuracy"]), default=None)
    if own is None or best is None:
        return f"- {minutes:g} minutes: not compared."
    if _least_lead(own, best) > 0:
        of_all = {row["tool"] for row in found} >= set(TOOLS)
        others = "every other tool" if of_all else f"the {len({row['tool'] for row in found}) - 1} others that were run"
        said = f"{OWN} is ahead of {others} beyond chance"
    elif _least_lead(best, own) > 0:
        said = f"{best['tool']} is ahead of {OWN} beyond chance"
    else:
        said = f"{OWN} and {best['tool']} differ by no more than chance may"
    mistakes = (1 - float(best["accuracy"])) / max(1 - float(own["accuracy"]), 1e-9)
    return f"- {minutes:g} minutes: {said}. {best['tool']}, the best other, makes {mistakes:.1f} times the mistakes."


def _least_lead(first: dict[str, str], second: dict[str, str]) -> float:
    """The lower end of the 95 % interval of the difference of two accuracies, of their Wilson intervals.

    Newcombe 1998, Statistics in Medicine 17:873, method 10, as if both were asked about other rows; about the same ones
    they differ by less.
    """
    one, low = float(first["accuracy"]), float(first["low"])
    other, high = float(second["accuracy"]), float(second["high"])
    return one - other - ((one - low) ** 2 + (high - other) ** 2) ** 0.5


def _accuracy(rows: list[dict[str, str]]) -> str:
    """Mean accuracy with the first run's interval, or why there is none."""
    right = [row for row in rows if row["accuracy"]]
    if not right:
        return rows[0]["why"] if rows else "not run"
    low, high = float(right[0]["low"]), float(right[0]["high"])
    seconds = _mean(right, "seconds")
    late = f", {seconds:.0f} s" if seconds > LATE * 60 * float(right[0]["minutes"]) else ""
    return f"{_mean(right, 'accuracy'):.2%} ({low:.2%} .. {high:.2%}){late}"


def _mean(rows: list[dict[str, str]], field: str) -> float | None:
    values = [float(row[field]) for row in rows if row[field]]
    return fmean(values) if values else None
