"""A model of what was labelled so far, trained anew beside the labelling each time that enough was added."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from ..folders import TRAIN, Conversion, KnownSplit, SplitRule
from ..runs import Run
from ..sources import Notes, PixelSource, array_source
from ..system import InputError
from .lesson import Lesson

FIRST, LEAST_OF_CLASS = 12, 1  # labels, and labels of each class, before anything is trained
GROWTH = 1.25  # labels over those of the last training, from which on it is trained again
TRAINED, DATA, RUN, PROBLEM_FILE = "trained", "data", "run", "problem.txt"


class Trainer:
    """Trains in a process of its own, by `finetune`, so that labelling stays quick and can be left at any moment.

    Parameters
    ----------
    place : Path
        Under which `trained/<labels>/data` and `trained/<labels>/run` are made; the last finished one is kept.
    start : str
        What `finetune` starts from.
    classes : list of str
        Those that must have labels before the first training.
    is_normalised : bool
        Whether pictures have the form of MNIST's, as photos are brought to.
    lr : float, optional
        Peak learning rate; by default that of `finetune`.

    Attributes
    ----------
    trained : Path or None
        The newest finished run.
    problem : str or None
        Why the last training failed.
    """

    def __init__(self, place: Path, start: str, classes: list[str], is_normalised: bool, lr: float | None = None):
        self.lr = lr
        self.place, self.start, self.classes, self.is_normalised = place / TRAINED, start, classes, is_normalised
        self._needed = Path(start).resolve()  # which may be what an earlier labelling trained here
        self.trained: Path | None = None
        self._before: Path | None = None  # the run before it, until it is kept or given up
        self.problem: str | None = None
        self.labels = 0  # of the last training that was begun
        self._process: subprocess.Popen | None = None
        if self.place.is_dir():
            self._take_up(sorted(path for path in self.place.iterdir() if path.name.isdecimal()))

    def _take_up(self, places: list[Path]) -> None:
        """Go on from what is finished; what a kill left is removed."""
        for place in places:
            if Run(place / RUN).finished:
                self.trained, self.labels = place / RUN, int(place.name)
        for place in places:
            if self.trained is None or place != self.trained.parent:
                self._remove(place)

    @property
    def trained_labels(self) -> int:
        """How many labels the newest finished run has learnt from."""
        return int(self.trained.parent.name) if self.trained else 0

    @property
    def is_busy(self) -> bool:
        return self._process is not None

    def is_due(self, labels: list[str]) -> bool:
        """Whether these labels are so many more that training is worth while."""
        return not self.is_busy and not self.missing(labels) and len(labels) >= max(FIRST, GROWTH * self.labels)

    def missing(self, labels: list[str]) -> list[str]:
        """The classes of which there is none yet."""
        counts = Counter(labels)
        return [name for name in self.classes if counts[name] < LEAST_OF_CLASS]

    def begin(self, lesson: Lesson) -> None:
        """Write down what is to be learnt, and begin to train on it."""
        self.labels, self.problem = lesson.given, None
        place = self.place / f"{self.labels:06}"
        if self._is_needed(place):
            self.problem = f"{place} holds the model that all starts from; another is trained from more labels"
            return
        self._remove(place)
        how = {"method": SplitRule.method, "valid": len(lesson.held_back), "seed": SplitRule.seed, "groups": None}
        split = KnownSplit(lesson.held_back, None, how)
        try:
            Conversion({TRAIN: _source(lesson)}, SplitRule(), None, self.is_normalised, {}, known=split).write(
                place / DATA
            )
        except InputError as error:
            self.problem = str(error)
            return
        command = ["finetune", self.start, str(place / DATA), "--out", str(place / RUN)]
        command += [] if self.lr is None else ["--lr", str(self.lr)]
        with (place / PROBLEM_FILE).open("wb") as problem:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fastdigits.labelling.beside", *command],
                stdin=subprocess.PIPE,  # by which it ends with this process
                stdout=subprocess.DEVNULL,
                stderr=problem,
            )

    def finished(self) -> Path | None:
        """The run that has become finished since this was asked last."""
        if self._process is None or self._process.poll() is None:
            return None
        code, place = self._process.returncode, self.place / f"{self.labels:06}"
        self._let_go()
        if code:
            said = (place / PROBLEM_FILE).read_text(encoding="utf-8", errors="replace").strip()
            self.problem = said.splitlines()[-1] if said else f"training ended with {code}"
            return None
        self._before, self.trained = self.trained, place / RUN
        return self.trained

    def keep(self) -> None:
        """The newest model is at work: the one before it is removed."""
        if self._before is not None and self._before != self.trained:
            self._remove(self._before.parent)
        self._before = None

    def give_up(self, why: str, trains_anew: bool) -> None:
        """Do without the newest model, which cannot be used, and with the one before it.

        Parameters
        ----------
        why : str
        trains_anew : bool
            Whether the labels that there are may be trained on once more; else more of them must come first, and the
            model is removed, so that the next start does not take it up in place of the one before.
        """
        if trains_anew:
            self.labels = 0
        else:
            self._remove(self.trained.parent)
        self.trained, self._before, self.problem = self._before, None, why

    def end(self) -> None:
        """Stop a training under way."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._let_go()

    def _is_needed(self, place: Path) -> bool:
        return place.resolve() in (self._needed, *self._needed.parents)

    def _remove(self, place: Path) -> None:
        if not self._is_needed(place):
            shutil.rmtree(place, ignore_errors=True)

    def _let_go(self) -> None:
        self._process.stdin.close()
        self._process = None


def _source(lesson: Lesson) -> PixelSource:
    """The pictures of a lesson as a source."""
    notes, rows = Notes(), len(lesson.ids)
    if rows > lesson.given:
        notes.add(
            f"{rows - lesson.given:,} of {rows:,} pictures have labels that were passed on to them by look-alikes"
        )
    return array_source("labelled pictures", lesson.images, lesson.labels, lesson.ids, notes)
