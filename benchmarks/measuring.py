"""How things are measured: contenders in processes of their own take turns, every round is kept."""

import csv
import multiprocessing
import platform
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results.csv"

# One round of work: returns how many things were done in how many seconds.
Round = Callable[[], tuple[int, float]]


@dataclass(frozen=True)
class Measurement:
    """One row of results.csv.

    Attributes
    ----------
    section, case, contender : str
    round : int
    value : float
    unit : str
        `pictures/s`, `files/s`, `MB`, `s`.
    """

    section: str
    case: str
    contender: str
    round: int
    value: float
    unit: str


def take_turns(
    section: str, case: str, contenders: dict[str, tuple], rounds: int, unit: str = "pictures/s", unmeasured: int = 0
) -> list[Measurement]:
    """Rates of contenders that work in turn, so that a slow minute of the machine meets all of them.

    Parameters
    ----------
    contenders : dict of str to (function, arguments...)
        Each function makes a `Round` in a process of its own, which keeps its settings apart from the others'.
    unmeasured : int
        Rounds before those that count, in which libraries are loaded.
    """
    found = []
    with ExitStack() as stack:
        children = {name: stack.enter_context(Child(*task)) for name, task in contenders.items()}
        for child in children.values():
            child.wait()  # for all of them; starting would disturb those that work
        for number in range(-unmeasured, rounds):
            for name, child in children.items():
                amount, seconds = child.round()
                if number < 0:
                    continue
                found.append(Measurement(section, case, name, number, amount / seconds, unit))
                print(f"{section} · {case} · {name} · {amount / seconds:,.1f} {unit}", flush=True)
    return found


class Child:
    """A process that makes a `Round` once and runs it whenever asked."""

    def __init__(self, make: Callable[..., Round], *arguments):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, arguments))

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.pipe.send(False)
        self.process.join(timeout=60)

    def wait(self) -> None:
        """Until the child is ready."""
        self.pipe.recv()

    def round(self) -> tuple[int, float]:
        self.pipe.send(True)
        return self.pipe.recv()


def _serve(pipe, make: Callable[..., Round], arguments: tuple) -> None:
    import warnings

    warnings.filterwarnings("ignore")
    one_round = make(*arguments)
    pipe.send("ready")
    while pipe.recv():
        pipe.send(one_round())


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """What `work` returns, and the seconds it took."""
    started = time.perf_counter()
    amount = work()
    return amount, time.perf_counter() - started


def medians(measurements: list[Measurement], section: str) -> dict[str, dict[str, float]]:
    """Median over the rounds, by case and contender."""
    values: dict[str, dict[str, list[float]]] = {}
    for row in measurements:
        if row.section == section:
            values.setdefault(row.case, {}).setdefault(row.contender, []).append(row.value)
    return {case: {name: median(found) for name, found in by_name.items()} for case, by_name in values.items()}


def machine(cores: int | None = None) -> dict[str, str]:
    """Date, commit and device of a run; `cores` is how many it takes, by default all that it may use."""
    import torch
    from joblib import cpu_count

    commit = _git("describe", "--always")
    if _git("status", "--porcelain", "fastdigits", "benchmarks/*.py"):  # what is measured and what measures
        commit += "-changed"
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    capability = torch.backends.cpu.get_cpu_capability()
    cores = cores or cpu_count(only_physical_cores=True)
    device = f"{cores} core{'s' if cores > 1 else ''} {name}, {capability}"
    return {"date": time.strftime("%Y-%m-%d"), "commit": commit, "device": device}


def _git(*arguments: str) -> str:
    root = Path(__file__).parent.parent
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True).stdout.strip()


def replace_rows(found: list[Measurement]) -> None:
    """Write the new rows into results.csv in place of older ones of the same cases."""
    cases, where = {(row.section, row.case) for row in found}, machine()
    kept = [row for row in read_rows() if (row["section"], row["case"]) not in cases]
    rows = kept + [where | asdict(row) | {"value": f"{row.value:.6g}"} for row in found]
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def read_rows() -> list[dict[str, str]]:
    """All rows of results.csv as texts."""
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
