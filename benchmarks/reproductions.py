"""`python -m benchmarks.reproductions [NAME ...]`: train the published recipes as published, and tabulate the results.

Restartable: a finished run is not repeated, an interrupted one goes on. Each run's history is kept in
docs/reproductions/, its numbers in docs/reproductions/results.csv; docs/results/reproductions.md tabulates them.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from threading import Lock

from fastdigits.recipes import KANNADA, MNIST, PUBLISHED_RECIPES, Recipe
from fastdigits.runs import Run
from fastdigits.system import usable_cores, write_json

from .kept import kept_rows
from .measuring import machine
from .table import replace_between

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "docs" / "reproductions"
RESULTS = KEPT / "results.csv"
TABLES = {MNIST: "mnist", KANNADA: "kannada"}  # folders of FASTDIGITS_DATA
SEEDS = (1, 2, 3)
ONE_SEED = ("conv8-leaky", "resnet50-kannada")  # the two longest
FROM_NOTHING = "resnet50-kannada"  # its weights have to be downloaded
KEEPING = Lock()  # one training's result after the other
Z = 1.96  # deviations of a 95 % interval

# variants of a recipe: what each is
VARIANTS = PUBLISHED, WRITERS, AUGMENTED, GOING_ON = "published", "writers", "augmented", "going-on"


@dataclass(frozen=True)
class Task:
    """One training: a recipe, on which split or with which change, from which seed."""

    name: str
    variant: str
    seed: int

    @property
    def recipe(self) -> Recipe:
        return PUBLISHED_RECIPES[self.name]

    @property
    def key(self) -> str:
        return f"{self.name}-{self.variant}-seed{self.seed}"

    @property
    def folder_name(self) -> str:
        return self.name if self.variant != WRITERS else f"{TABLES[self.recipe.published.table]}-{WRITERS}"

    def flags(self, runs: Path) -> list[str]:
        """What the command says beside names and places."""
        flags = ["--seed", str(self.seed)]
        if self.name == FROM_NOTHING:
            flags += ["--weights", "none"]
        if self.variant == AUGMENTED:
            flags += ["--augment", self.name]
        if self.variant == GOING_ON:
            flags += ["--weights", str(runs / Task(self.name, PUBLISHED, self.seed).key)]
        return flags


def tasks_of(name: str) -> list[Task]:
    """All trainings of a recipe; those that need another's result come after it."""
    variants = [PUBLISHED]
    variants += [WRITERS] if PUBLISHED_RECIPES[name].published.table == KANNADA else []
    variants += [AUGMENTED] if PUBLISHED_RECIPES[name].published.augmented else []
    variants += [GOING_ON] if PUBLISHED_RECIPES[name].published.gone_on else []
    seeds = SEEDS[:1] if name in ONE_SEED else SEEDS
    return [Task(name, variant, seed) for variant in variants for seed in seeds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PUBLISHED_RECIPES), help="recipes; all by default")
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "reproductions", help="folders and runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="with 1, all recipes have a row first")
    parser.add_argument("--variants", nargs="+", default=VARIANTS, choices=VARIANTS, help="going-on needs published")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, each on its share of the cores")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    tasks = [task for name in chosen.names for task in tasks_of(name)]
    tasks = [task for task in tasks if task.seed in chosen.seeds and task.variant in chosen.variants]
    if not tasks:
        sys.exit("no recipe that was named has such a form")
    for task in tasks:
        make_folder(task, chosen.data, chosen.work)
    threads = max(1, usable_cores() // chosen.jobs)
    for late in (False, True):
        with ThreadPoolExecutor(chosen.jobs) as pool:
            waiting = [pool.submit(run_and_keep, t, chosen.work, threads, pool) for t in tasks if is_late(t) == late]
            for done in as_completed(waiting):
                done.result()


def is_late(task: Task) -> bool:
    """Whether a training goes on from another one's weights."""
    return task.variant == GOING_ON


def run_and_keep(task: Task, work: Path, threads: int, pool: ThreadPoolExecutor) -> None:
    """Train, unless that is done, and put the result into the table; after a failure or Ctrl-C no other is begun."""
    try:
        finished = run_task(task, work, threads)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    with KEEPING:
        keep(*finished)
        write_table()


def make_folder(task: Task, data: Path, work: Path) -> None:
    """The recipe's split, or a split between writers, of its table."""
    folder, table = work / task.folder_name, data / TABLES[task.recipe.published.table]
    if folder.exists():
        return
    from fastdigits import convert

    if task.variant == WRITERS:
        convert(table / "train.csv.gz", folder, groups=table / "writers.csv.gz")
    else:
        convert(table / "train.csv.gz", folder, recipe=task.name)


def run_task(task: Task, work: Path, threads: int) -> tuple[Task, Run, str, dict[str, str]]:
    """The finished run of a task, the command that makes it, and where and from which code it was begun."""
    run, begun = Run(work / task.key), work / f"{task.key}.json"
    command = ["fastdigits", task.recipe.command, task.name, str(work / task.folder_name), *task.flags(work)]
    command += ["--out", str(run.path)]
    if not run.record_file.exists():
        write_json(begun, machine(threads))
    if not begun.exists():
        raise FileNotFoundError(f"{run.path} was not begun by this script; remove it to train it here")
    if not run.finished:
        how = ["--resume"] if run.record_file.exists() else []
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        with (work / f"{task.key}.log").open("a") as log:
            subprocess.run([sys.executable, "-m", *command, *how], check=True, env=environment, stdout=log)
    return task, run, " ".join(command).replace(f"{work}/", ""), json.loads(begun.read_text())


def keep(task: Task, run: Run, command: str, begun: dict[str, str]) -> None:
    """The run's history and numbers, in docs/reproductions/."""
    KEPT.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run.history_file, KEPT / f"{task.key}.csv")
    history, result, record = run.history(), run.result(), run.record()
    row = {
        "recipe": task.name,
        "variant": task.variant,
        "seed": task.seed,
        "accuracy": f"{result['accuracy']:.6f}",
        "best": f"{max(row['accuracy'] for row in history):.6f}",
        "valid_pictures": result["valid_pictures"],
        "epochs": result["epochs"],
        "kept_epoch": result["kept_epoch"],
        "seconds_an_epoch": f"{median(row['seconds'] for row in history):.1f}",
        "precision": record["precision"],
        "command": command,
        **begun,
    }
    rows = {(old["recipe"], old["variant"], old["seed"]): old for old in kept_rows(RESULTS)}
    rows[task.name, task.variant, str(task.seed)] = row
    order = {task.key: number for number, task in enumerate(t for name in PUBLISHED_RECIPES for t in tasks_of(name))}
    in_order = sorted(rows.values(), key=lambda r: order[f"{r['recipe']}-{r['variant']}-seed{r['seed']}"])
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row.keys())
        writer.writeheader()
        writer.writerows(in_order)
    print(f"{task.key} · {result['accuracy']:.2%} after {result['epochs']} epochs", flush=True)


def write_table() -> None:
    """The table of reproductions, from the recipes and the kept results."""
    lines = [
        "| command | split | parameters | published | ours | reproduced | unseen writers | epochs | s/epoch | cores |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    caveats, results = [], kept_rows(RESULTS)
    for name, recipe in PUBLISHED_RECIPES.items():
        mark = ""
        caveat = recipe.published.caveat
        if name == FROM_NOTHING:
            caveat += (
                "; it began with ImageNet's weights, ours, where there is no network, with none and no frozen "
                "stage: not comparable"
            )
        if caveat:
            caveats.append(caveat)
            mark = f" [{len(caveats)}]"
        for variant in (PUBLISHED, AUGMENTED, GOING_ON):
            if variant in {task.variant for task in tasks_of(name)}:
                lines.append(table_line(name, variant, mark, results))
    notes = [f"[{number}] {caveat}." for number, caveat in enumerate(caveats, start=1)]
    devices = sorted({f"{row['device']} ({row['precision']})" for row in results})
    how = (
        "Splits are made by `fastdigits convert TABLE DATA --recipe NAME`; commands go on with "
        "`DATA --seed 1 --out RUN`. Where it says MNIST, the notebooks had the 42,000 rows of Kaggle's table (but for "
        "mlp-300-100) and ours the 60,000 of MNIST, split alike, so that ours learnt from 43 % more rows. Seconds are "
        "those of a machine that others use too."
    )
    where = [f"Measured on {'; '.join(devices)}."] if devices else []
    replace_between("reproductions", "\n\n".join(["\n".join(lines), " ".join(notes), how, *where]))


def table_line(name: str, variant: str, mark: str, results: list[dict[str, str]]) -> str:
    """One row of the table: published beside ours."""
    from fastdigits.models import find_backbone

    titles = {PUBLISHED: name, AUGMENTED: f"{name} --augment {name}", GOING_ON: f"{name} --weights RUN"}
    if name == FROM_NOTHING:
        titles[PUBLISHED] += " --weights none"
    recipe = PUBLISHED_RECIPES[name]
    published = published_accuracy(recipe, variant)
    split, rows = recipe.split, [row for row in results if (row["recipe"], row["variant"]) == (name, variant)]
    share = f"{split.valid:.0%}" if split.valid < 1 else f"{split.valid:,}"
    cells = [
        f"`{recipe.command} {titles[variant]}`{mark}",
        f"{recipe.published.table}, {split.method} {share}",
        f"{find_backbone(recipe.arch).parameter_count():,}",
        f"{published:.2%}",
        spread(rows),
        "" if name == FROM_NOTHING else verdict(published, recipe.published.valid_rows, rows),
        spread([row for row in results if (row["recipe"], row["variant"]) == (name, WRITERS)])
        if variant == PUBLISHED and recipe.published.table == KANNADA
        else "",
        "/".join(dict.fromkeys(row["epochs"] for row in rows)),
        f"{median(float(row['seconds_an_epoch']) for row in rows):.0f}" if rows else "",
        "/".join(dict.fromkeys(row["device"].split()[0] for row in rows)),
    ]
    return f"| {' | '.join(cells)} |"


def published_accuracy(recipe: Recipe, variant: str) -> float:
    """What a variant is compared with."""
    if variant == AUGMENTED:
        return recipe.published.augmented
    return recipe.published.gone_on if variant == GOING_ON else recipe.published.accuracy


def spread(rows: list[dict[str, str]]) -> str:
    """Mean and deviation over the seeds."""
    accuracies = [float(row["accuracy"]) for row in rows]
    if not accuracies:
        return "not run yet"
    return f"{mean(accuracies):.2%}" + (f" ± {stdev(accuracies) * 100:.2f} ({len(rows)})" if len(rows) > 1 else " (1)")


def verdict(published: float, published_rows: int, rows: list[dict[str, str]]) -> str:
    """Whether ours is above the published accuracy, or within the 95 % interval of the difference of two shares."""
    if not rows:
        return ""
    ours, n = mean(float(row["accuracy"]) for row in rows), int(rows[0]["valid_pictures"])
    if ours >= published:
        return "yes"
    margin = Z * (published * (1 - published) / published_rows + ours * (1 - ours) / n) ** 0.5
    return f"yes, within ± {margin * 100:.2f}" if published - ours <= margin else f"no, beyond ± {margin * 100:.2f}"


if __name__ == "__main__":
    main()
