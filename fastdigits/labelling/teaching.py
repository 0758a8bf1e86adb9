"""A model of what was labelled so far, trained anew beside the labelling each time that enough was added."""

import hashlib
import math
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from ..folders import TRAIN, Conversion, SplitRule
from ..sources import Chunk, PixelSource
from ..system import InputError

FIRST, LEAST_OF_CLASS = 50, 3  # labels, and labels of each class, before anything is trained
GROWTH = 1.25  # labels over those of the last training, from which on it is trained again
LESSONS, DATA, RUN, PROBLEM_FILE = "lessons", "data", "run", "problem.txt"


class Teacher:
    """Trains in a process of its own, by `finetune`, so that labelling stays quick and can be left at any moment.

    Parameters
    ----------
    place : Path
        Under which `lessons/<labels>/data` and `lessons/<labels>/run` are made; the last finished one is kept.
    start : str
        What `finetune` starts from.
    classes : list of str
        Those that must have labels before the first training.
    is_normalised : bool
        Whether pictures have the form of MNIST's, as photos are brought to.

    Attributes
    ----------
    taught : Path or None
        The newest finished run.
    problem : str or None
        Why the last training failed.
    """

    def __init__(self, place: Path, start: str, classes: list[str], is_normalised: bool):
        self.place, self.start, self.classes, self.is_normalised = place / LESSONS, start, classes, is_normalised
        self.taught: Path | None = None
        self.problem: str | None = None
        self.labels = 0  # of the last training that was begun
        self._process: subprocess.Popen | None = None
        if self.place.is_dir():
            self._take_up(sorted(path for path in self.place.iterdir() if path.name.isdecimal()))

    def _take_up(self, lessons: list[Path]) -> None:
        """Go on from what is finished; what a kill left is removed."""
        for lesson in lessons:
            if (lesson / RUN / "result.json").is_file():
                self.taught, self.labels = lesson / RUN, int(lesson.name)
        for lesson in lessons:
            if self.taught is None or lesson != self.taught.parent:
                shutil.rmtree(lesson, ignore_errors=True)

    @property
    def is_busy(self) -> bool:
        return self._process is not None

    def is_due(self, labels: list[str]) -> bool:
        """Whether these labels are so many more that training is worth while."""
        counts = Counter(labels)
        enough = all(counts[name] >= LEAST_OF_CLASS for name in self.classes)
        return not self.is_busy and enough and len(labels) >= max(FIRST, GROWTH * self.labels)

    def begin(self, images: np.ndarray, ids: list[str], labels: list[str]) -> None:
        """Train on pictures uint8 (n, h, h) with ids and labels."""
        self.labels, self.problem = len(labels), None
        lesson = self.place / f"{len(labels):06}"
        shutil.rmtree(lesson, ignore_errors=True)
        source = _source(images, ids, labels)
        try:
            valid = max(math.ceil(SplitRule.valid * len(labels)), len(set(labels)))  # of each class at least one
            Conversion({TRAIN: source}, SplitRule(valid=valid), None, self.is_normalised, {}).write(lesson / DATA)
        except InputError as error:
            self.problem = str(error)
            return
        command = ["finetune", self.start, str(lesson / DATA), "--out", str(lesson / RUN)]
        with (lesson / PROBLEM_FILE).open("wb") as problem:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fastdigits", *command], stdout=subprocess.DEVNULL, stderr=problem
            )

    def finished(self) -> Path | None:
        """The run that has become finished since this was asked last."""
        if self._process is None or self._process.poll() is None:
            return None
        code, lesson = self._process.returncode, self.place / f"{self.labels:06}"
        self._process = None
        if code:
            said = (lesson / PROBLEM_FILE).read_text(encoding="utf-8", errors="replace").strip()
            self.problem = said.splitlines()[-1] if said else f"training ended with {code}"
            return None
        before, self.taught = self.taught, lesson / RUN
        if before is not None and before != self.taught:
            shutil.rmtree(before.parent, ignore_errors=True)
        return self.taught

    def end(self) -> None:
        """Stop a training under way."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def _source(images: np.ndarray, ids: list[str], labels: list[str]) -> PixelSource:
    """Pictures in memory as a source."""

    def digest() -> str:
        return hashlib.sha256(images.tobytes() + "\n".join(labels).encode()).hexdigest()

    def chunks():
        yield Chunk(images, ids, labels)

    return PixelSource("labelled pictures", images.shape[1], True, True, chunks, digest, rows=len(ids))
