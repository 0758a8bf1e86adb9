"""`python -m benchmarks.labelling`: what the order of labelling saves, with a simulated person at the real page.

Needs Chromium and playwright. In five draws of Kannada-MNIST, some writers' pictures wait for labels and other writers'
are asked about: how many labels until a model has 97 % of the latter, in random order and in that of `label`; how many
keys the first 500 labels take with look-alikes together; and how soon labels that were changed at random are found
among MNIST's. Writes `docs/results/labelling.md`.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fastdigits import open_model
from fastdigits.answers import Inference

PAGE = Path("docs", "results", "labelling.md")
DRAWS, HELD_WRITERS, POOL, ASKED = 5, 8, 8_000, 4_000
WANTED, MOST_LABELS = 0.97, 300
GOES_ON = 80  # labels that the order of `label` is followed to in any case
KEYS_OF = 500  # labels
SECONDS_A_KEY = 0.7  # in which the page may think, as while a person looks
CHANGED, ROWS = 0.03, 10_000
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TEXT = """# What the order of labelling saves

Written by `python -m benchmarks.labelling`: a simulated person, who knows the truth, presses the keys of the page that
`fastdigits label` shows in Chromium.

**Labels until a model has 97 % of writers of whom it has seen nothing**, Kannada-MNIST, {pool:,} pictures of
{others} writers without labels, {held} other writers asked about; models are those that `label` trains by itself:

| draw | in the order of `label --order doubtful` | at random | accuracy after {goes_on} labels in the former |
|---:|---:|---:|---:|
{draws}

A first model is trained as soon as there are 12 labels and one of each class; in random order that takes longer.
{expected}

**Keys for the first {keys_of} labels**, look-alikes together, MNIST from nothing: {presses} (one key each: {keys_of}).

**Changed labels found**, {changed:.0%} of {rows:,} MNIST rows:
{found}.
"""


@dataclass
class Person:
    """Somebody who knows the truth, at the page.

    Attributes
    ----------
    page : playwright's Page
    truth : dict of str to str
        The label of each id.
    presses : int
        Of keys, and clicks.
    """

    page: object
    truth: dict[str, str]
    presses: int = 0
    seen: list[str] = field(default_factory=list)

    def state(self) -> dict:
        return self.page.evaluate(
            "async () => await (await fetch('/label/state?token=' + sessionStorage.getItem('token'))).json()"
        )

    def patient_state(self) -> dict:
        """The state once everything is written down and no model is being trained."""
        state = self.state()
        while state["labelled"] < len(self.seen):
            time.sleep(0.05)
            state = self.state()
        time.sleep(0.7)  # in which a training begins if it is time
        state = self.state()
        while state["is_training"]:
            time.sleep(0.3)
            state = self.state()
        return state

    def shown(self) -> list[str]:
        """The ids of the pictures that are shown."""
        return [
            text.removeprefix("picture ")
            for text in self.page.eval_on_selector_all("#pictures img", "all => all.map(one => one.alt)")
        ]

    def say(self) -> None:
        """Label what is shown: most pictures by one key, others are left out by a click each."""
        ids = self.shown()
        labels = [self.truth[id_] for id_ in ids]
        (most, _), *_ = Counter(labels).most_common(1)
        for place, label in enumerate(labels):
            if label != most:
                self.page.locator(".picture").nth(place).click()
                self.presses += 1
        self.page.keyboard.press(most)
        self.presses += 1
        self.seen += ids

    def wait_for_pictures(self) -> None:
        self.page.wait_for_selector("#pictures img", timeout=120_000)


@contextmanager
def at_the_page(truth: dict[str, str], *arguments: str) -> Iterator[Person]:
    """A person at the page of `fastdigits label ARGUMENTS`."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "fastdigits", "label", *arguments, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(command)} ended")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(re.search(r"http://\S+", line).group())
            page.wait_for_selector("#pictures img", timeout=120_000)
            yield Person(page, truth)
            browser.close()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def planned(person: Person) -> None:
    """Wait until all pictures are read and compared, then begin anew."""
    while person.state()["is_choosing"] or not person.state()["is_read"]:
        time.sleep(0.2)
    time.sleep(4)  # the plan of all pictures follows that of the first ones
    person.page.reload()
    person.wait_for_pictures()


def labels_needed(
    table: pd.DataFrame, writers: pd.Series, order: str, draw: int, place: Path, told: list, least: int = 0
) -> tuple[int | None, float]:
    """Labels until a model of the loop has 97 % of unseen writers, None where it has not within the most; its accuracy.

    The accuracy is that of the last model of at most `least` labels. `told` gets of each model before the last its
    labels, its accuracy, and the one that the page told last.
    """
    random = np.random.default_rng(draw)
    names = random.permutation(sorted(set(writers)))
    held = writers.isin(names[:HELD_WRITERS]).to_numpy()
    asked = random.permutation(np.flatnonzero(held))[:ASKED]
    pool = table.iloc[random.permutation(np.flatnonzero(~held))[:POOL]]
    source, out = place / "pool.csv", place / "out"
    pool.drop(columns="label").to_csv(source, index=False)
    truth = dict(zip(pool["id"].astype(str), pool["label"].astype(str)))
    side = round((table.shape[1] - 2) ** 0.5)
    images = table.iloc[asked].drop(columns=["id", "label"]).to_numpy(np.uint8).reshape(-1, side, side)
    answers = table["label"].astype(str).to_numpy()[asked]
    with at_the_page(truth, str(source), str(out), "--order", order) as person:
        planned(person)
        learnt, accuracy, accuracy_then, expected, enough = 0, 0.0, 0.0, None, None
        while len(person.seen) < (MOST_LABELS if enough is None else least):
            person.say()
            person.wait_for_pictures()
            state = person.patient_state()
            if state["trained"] != learnt:
                if expected is not None:
                    told.append((learnt, accuracy, expected))
                learnt, expected = state["trained"], None
                model = open_model(out / "trained" / f"{learnt:06}" / "run")
                said = np.array(model.classes)[Inference([model]).probabilities(images).argmax(1)]
                accuracy = float((said == answers).mean())
                print(f"draw {draw}, {order}: {learnt} labels, {accuracy:.2%}", flush=True)
                if learnt <= least:
                    accuracy_then = accuracy
                if accuracy >= WANTED and enough is None:
                    enough = learnt
            if state["expectation"]:
                expected = state["expectation"]["accuracy"]
    return enough, accuracy_then


def what_was_expected(told: list[tuple[int, float, float]]) -> str:
    """How far the accuracies that the page told to expect were from those on the other writers."""
    if not told:
        return "The page told no accuracy to expect before the last model of each draw: hardly a mistake had been seen."
    error = np.mean([abs(expected - accuracy) for _, accuracy, expected in told])
    return (
        f"The accuracy that the page told to expect of pictures that the model had not learnt was off by {error:.1%}\n"
        f"on average from that on the other writers ({len(told)} models)."
    )


def keys_pressed(table: pd.DataFrame, place: Path) -> int:
    """Keys and clicks for the first 500 labels of MNIST, look-alikes together."""
    source = place / "mnist.csv"
    table.drop(columns="label").to_csv(source, index=False)
    with at_the_page(
        dict(zip(table["id"].astype(str), table["label"].astype(str))), str(source), str(place / "keys"), "--no-train"
    ) as person:
        planned(person)
        while person.state()["labelled"] < KEYS_OF:
            person.say()
            time.sleep(SECONDS_A_KEY)
            person.wait_for_pictures()
        return person.presses


def errors_found(table: pd.DataFrame, place: Path) -> dict[float, float]:
    """The share of changed labels that are found within shares of the rows looked at."""
    random = np.random.default_rng(0)
    rows = table.iloc[random.permutation(len(table))[:ROWS]].copy()
    changed = random.permutation(ROWS)[: round(CHANGED * ROWS)]
    labels = rows["label"].to_numpy().copy()
    labels[changed] = (labels[changed] + random.integers(1, 10, len(changed))) % 10
    truth = dict(zip(rows["id"].astype(str), rows["label"].astype(str)))
    wrong = set(rows["id"].astype(str).iloc[changed])
    rows["label"] = labels
    source = place / "changed.csv"
    rows.to_csv(source, index=False)
    with at_the_page(truth, str(source), str(place / "suspects"), "--suspects") as person:
        while len(person.seen) < 0.06 * ROWS:
            person.say()
            time.sleep(0.01)
            person.wait_for_pictures()
    return {share: len(wrong & set(person.seen[: round(share * ROWS)])) / len(wrong) for share in (0.03, 0.04, 0.06)}


def read_table(file: Path) -> pd.DataFrame:
    """A table as id, label and pixels."""
    table = pd.read_csv(file)
    return table if "id" in table else pd.concat([pd.Series(range(len(table)), name="id"), table], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--draws", type=int, default=DRAWS)
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    mnist = read_table(Path(chosen.data) / "mnist" / "train.csv.gz")
    kannada = read_table(Path(chosen.data) / "kannada" / "train.csv.gz")
    writers = pd.read_csv(Path(chosen.data) / "kannada" / "writers.csv.gz").iloc[:, 1].astype(str)
    with tempfile.TemporaryDirectory() as place:
        found = errors_found(mnist, Path(place))
        print(found, flush=True)
        presses = keys_pressed(mnist, Path(place))
        print(presses, "keys", flush=True)
    told = []

    def both_orders(draw: int) -> tuple:
        with tempfile.TemporaryDirectory() as inside:
            ours, accuracy = labels_needed(kannada, writers, "doubtful", draw, Path(inside), told, GOES_ON)
        with tempfile.TemporaryDirectory() as inside:
            random, _ = labels_needed(kannada, writers, "as-they-come", draw, Path(inside), told)
        return draw + 1, *(one or f"more than {MOST_LABELS}" for one in (ours, random)), f"{accuracy:.1%}"

    with ThreadPoolExecutor(os.cpu_count()) as at_once:
        draws = list(at_once.map(both_orders, range(chosen.draws)))
    lines = "\n".join(f"| {' | '.join(map(str, draw))} |" for draw in draws)
    found = ", ".join(f"{part:.1%} within the first {share:.0%} looked at" for share, part in found.items())
    text = TEXT.format(
        pool=POOL,
        others=writers.nunique() - HELD_WRITERS,
        held=HELD_WRITERS,
        draws=lines,
        goes_on=GOES_ON,
        keys_of=KEYS_OF,
        presses=presses,
        changed=CHANGED,
        rows=ROWS,
        found=found,
        expected=what_was_expected(told),
    )
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
