"""A tool at work in its own environment: how long it took, how much it held, and how good its answers are."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from fastdigits.scores import wilson_interval

from .tools import HERE, Tool

GRACE_S = 300  # so long after its minutes a tool is stopped
WATCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)  # Linux counts in KiB
"""


def environment(tool: Tool, work: Path) -> Path:
    """The Python of a tool's own environment, made where it is not yet."""
    place = work.resolve() / "environments" / tool.name
    python, mark, wanted = place / "bin" / "python", place / "installed", f"{tool.packages} {tool.version}"
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *tool.packages], check=True)
        mark.write_text(wanted, encoding="utf-8")
    return python


def versions(tool: Tool, python: Path) -> str:
    """Which packages stand in a tool's environment, of those that were asked for: "timm 1.0.31, pandas 2.3.3"."""
    names = ["fastdigits" if package == str(HERE) else package.partition("[")[0] for package in tool.packages]
    code = "import sys, importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"
    return subprocess.run([python, "-c", code, *names], check=True, capture_output=True, text=True).stdout.strip()


def measured(tool: Tool, python: Path, table: Path, minutes: float, seed: int, work: Path) -> dict:
    """One run, as a row of results; of one that fails or is stopped, why."""
    place = work.resolve() / "run"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        os.link(table / name, place / name)
    starter = [python] if tool.script.endswith(".py") else ["sh"]
    watched = [sys.executable, "-c", WATCHER, *starter, tool.place, place, f"{minutes:g}", str(seed)]
    variables = os.environ | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    started = time.monotonic()
    with (place / "log").open("w", encoding="utf-8") as log:
        options = {"env": variables, "stdout": subprocess.PIPE, "stderr": log, "text": True}
        process = subprocess.Popen([*map(str, watched)], start_new_session=True, **options)
        try:
            said, _ = process.communicate(timeout=minutes * 60 + GRACE_S)
            code, kibibytes = map(int, said.split())
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the tool and what it started, not only what watches it
            process.wait()
            code, kibibytes = None, 0
    row = {"seconds": round(time.monotonic() - started), "megabytes": round(kibibytes / 1024)}
    row |= {"versions": versions(tool, python)}
    if code != 0:
        why = "stopped, since it took too long" if code is None else f"ended with code {code}"
        print((place / "log").read_text(encoding="utf-8", errors="replace")[-2000:], file=sys.stderr)
        return row | dict.fromkeys(("accuracy", "low", "high", "worst_group", "handed_on"), "") | {"why": why}
    return row | scored(place, table) | {"why": ""}


def scored(place: Path, table: Path) -> dict:
    """How good the answers are, and how many MB are handed on."""
    import pandas as pd

    truth = pd.read_csv(table / "truth.csv", dtype=str, keep_default_na=False)
    answers = (place / "answers.csv").read_text(encoding="utf-8").split()
    if len(answers) != len(truth):
        raise RuntimeError(f"{place / 'answers.csv'} has {len(answers)} lines, {len(truth)} were asked for")
    groups = defaultdict(list)
    for answer, label, group in zip(answers, truth["label"], truth["group"]):
        groups[group].append(answer == label)
    right, worst = sum(map(sum, groups.values())), min(sum(found) / len(found) for found in groups.values())
    low, high = wilson_interval(right, len(truth))
    handed_on = sum(file.stat().st_size for file in (place / "model").rglob("*") if file.is_file()) / 1e6
    return {
        "accuracy": f"{right / len(truth):.6f}",
        "low": f"{low:.6f}",
        "high": f"{high:.6f}",
        "worst_group": f"{worst:.6f}" if len(groups) > 1 else "",
        "handed_on": f"{handed_on:.2f}",
    }
