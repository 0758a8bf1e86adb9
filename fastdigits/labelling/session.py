"""A labelling under way: who looks at what, what was said of it, and what comes next."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ..answers import Inference
from ..scores import Expectation
from ..sources import NO_DIGIT, UNSURE, LabelLog
from ..system import InputError
from .checking import Check
from .lesson import lesson_of
from .planning import MOST_COMPARED, TOGETHER, Choice, Planner, SuspectPlanner
from .pool import Pool
from .trainer import Trainer

HELD_S = 900  # seconds after which pictures that somebody was given, and who is not heard of, may be given to others
LOOK_S = 0.5  # between two looks at a training under way
NEW_PLAN = 20  # labels after which doubtful pictures are chosen anew
CHECKED_ANEW = 10  # labels after which it is told anew what to expect
SINGLE = 24  # pictures that are given at once where they do not come together
log = logging.getLogger("fastdigits.labelling")


class NotReadYet(Exception):
    """Somebody speaks of a picture that has not arrived yet: to be said again in a moment."""


class Session:
    """Labelling by one or more people at once; nobody is given a picture that another has.

    All methods may be called from several threads.

    Parameters
    ----------
    pool : Pool
    labels : LabelLog
    planner : Planner or SuspectPlanner
    trainer : Trainer, optional
        Who trains a model while one labels.

    Attributes
    ----------
    expectation : Expectation or None
        What the newest model is expected to get right of the pictures that have no label.
    problem : str or None
        What stands in the way.
    """

    def __init__(self, pool: Pool, labels: LabelLog, planner: Planner | SuspectPlanner, trainer: Trainer | None = None):
        self.pool, self.labels, self.planner, self.trainer = pool, labels, planner, trainer
        self.expectation: Expectation | None = None
        self.problem: str | None = None
        self._plan: list[Choice] = []
        self._held: dict[int, str] = {}  # by row: who has it
        self._heard_of: dict[str, float] = {}  # by person: when
        self._was_together: set[int] = set()  # rows that were left out of look-alikes, and come no more so
        self._put_off: dict[int, None] = {}  # rows that were passed over alone, in that order
        self._planned_of = (0, 0)  # pictures and labels
        self._is_outdated, self._is_learning, self._is_over = True, False, False
        self._takes_up_kept = True  # whether a model of an earlier labelling is still to be looked at
        self._check: Check | None = None  # of the newest model
        self._checked_by = 0  # labels by which it was told what to expect
        self._lock, self._news = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="labelling", daemon=True)
        pool.arrived = self._news.set

    def begin(self) -> None:
        """Read the pictures and choose among them, beside whatever else is done."""
        if not self.pool.is_read:
            self.pool.begin()
        self._thread.start()

    def end(self) -> None:
        """Stop choosing and training; what was said is on disk already."""
        self._is_over = True
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()
        if self.trainer is not None:
            self.trainer.end()

    def next(self, person: str, is_fresh: bool = False) -> list[Choice]:
        """The next pictures for somebody: look-alikes, or single ones; empty where there are none now.

        Parameters
        ----------
        person : str
        is_fresh : bool
            Whether the person begins anew, so that what was given before is free again.
        """
        with self._lock:
            self._heard_of[person] = time.monotonic()
            if is_fresh:
                self._held = {row: holder for row, holder in self._held.items() if holder != person}
            choices = self._free(self._plan)
            if choices and choices[0].together is not None:
                choices = [one for one in choices if one.together == choices[0].together]
            else:
                choices = [one for one in choices if one.together is None][:SINGLE] or self._others()
            self._held |= {one.row: person for one in choices}
            return choices

    def say(self, person: str, label_of: dict[str, str], passed_over: list[str] = ()) -> list[str]:
        """Write what somebody says of some ids at once; those that somebody else has or has labelled stay as they are.

        Parameters
        ----------
        person : str
        label_of : dict of str to str
            By id a class, NO_DIGIT or UNSURE.
        passed_over : list of str
            Ids of pictures that were shown with them, and are to come later.

        Returns
        -------
        list of str
            The ids that stay as they are.

        Raises
        ------
        InputError
            When a label is none, or there is no such picture.
        NotReadYet
            When a picture has not arrived yet.
        OSError
            When it cannot be written; nothing is then.
        """
        for label in label_of.values():
            if label not in (*self.planner.classes, NO_DIGIT, UNSURE):
                raise InputError(f"the label is {label[:80]!r}; accepted are {', '.join(self.planner.classes)}")
        with self._lock:
            self._heard_of[person] = time.monotonic()
            row_of = {id_: self._row(id_) for id_ in [*label_of, *passed_over]}
            late = [
                id_ for id_ in label_of if id_ in self.labels.label_of or self._held.get(row_of[id_], person) != person
            ]
            said = {id_: label for id_, label in label_of.items() if id_ not in late}
            if said:
                self.labels.add(said, person, {id_: self.pool.labels[row_of[id_]] or "" for id_ in said})
            for row in row_of.values():
                if self._held.get(row) == person:
                    del self._held[row]
                self._put_off.pop(row, None)
            later = [row_of[id_] for id_ in passed_over]
            if later and (label_of or len(later) > 1):
                self._was_together |= set(later)
            else:
                self._put_off |= dict.fromkeys(later)
            self._news.set()
            return late

    def take_back(self, person: str) -> list[Choice]:
        """Take back what somebody said last; the pictures are that person's again. Raises as `say`."""
        with self._lock:
            rows = [self._row(id_) for id_ in self.labels.last_act(person)]
            self.labels.take_back(person)
            self._heard_of[person] = time.monotonic()
            self._held |= dict.fromkeys(rows, person)
            return [Choice(row, "taken back") for row in rows]

    def counts(self) -> dict[str, int]:
        """How many pictures have each label, in the order of the classes."""
        counts = Counter(self.labels.label_of.values())
        return {label: counts[label] for label in (*self.planner.classes, NO_DIGIT, UNSURE)}

    @property
    def is_choosing(self) -> bool:
        """Whether the pictures are still read or compared for the first time."""
        return self._planned_of == (0, 0) and self.problem is None

    @property
    def is_training(self) -> bool:
        """Whether a model is trained, or what it learnt is taken up."""
        return self.trainer is not None and (self.trainer.is_busy or self._is_learning)

    @property
    def trained_labels(self) -> int:
        """From how many labels the newest model has learnt."""
        return self.trainer.trained_labels if self._check is not None else 0

    def _row(self, id_: str) -> int:
        if id_ not in self.pool.row_of:
            if not self.pool.is_read:
                raise NotReadYet
            raise InputError(f"there is no picture {id_[:80]!r} here")
        return self.pool.row_of[id_]

    def _free(self, choices: list[Choice]) -> list[Choice]:
        """Those that have no label, that nobody has, and that were not passed over."""
        now = time.monotonic()
        gone = {person for person, when in self._heard_of.items() if now - when > HELD_S}
        if gone:
            self._held = {row: holder for row, holder in self._held.items() if holder not in gone}
        said, ids = self.labels.label_of, self.pool.ids
        return [
            one
            for one in choices
            if ids[one.row] not in said
            and one.row not in self._held
            and one.row not in self._put_off
            and (one.together is None or one.row not in self._was_together)
        ]

    def _others(self) -> list[Choice]:
        """What comes when everything planned is given away: any others, then those that were passed over."""
        if self.planner.waits:
            return []
        rows = self.pool.open_rows(self.labels.label_of, MOST_COMPARED)
        others = self._free([Choice(int(row), "the next one") for row in rows])
        said, ids = self.labels.label_of, self.pool.ids
        late = [
            Choice(row, "passed over before")
            for row in self._put_off
            if row not in self._held and ids[row] not in said  # another may have labelled it since
        ]
        return (others or late)[:SINGLE]

    def _go_on(self) -> None:
        """Choose anew whenever there is news, and train when it is time."""
        while not self._is_over:
            self._news.wait(LOOK_S)
            self._news.clear()
            problems = [self._problem_of(work) for work in (self._look_at_trainer, self._choose)]
            self.problem = next(filter(None, [self.pool.problem, *problems]), None)

    def _problem_of(self, work: Callable[[], None]) -> str | None:
        """Do something; in a sentence why it failed, if it did, so that the other things go on all the same."""
        try:
            work()
        except InputError as error:
            return str(error)
        except Exception as error:  # which a thread would take with it unseen
            log.exception("what is done beside the labelling failed")
            return f"{type(error).__name__}: {error}"
        return None

    def _choose(self) -> None:
        if not self._should_choose():
            return
        with self._lock:
            said, passed_over = dict(self.labels.label_of), dict(self._put_off)
            self._is_outdated = False
        of = len(self.pool), len(said)
        plan = self.planner.plan(said, passed_over)
        with self._lock:
            self._plan, self._planned_of = plan, of

    def _should_choose(self) -> bool:
        """Whether the plan is that of fewer pictures, of fewer labels or of an older model."""
        pictures, labels = self._planned_of
        if not len(self.pool):
            return False
        if self._is_outdated or (self.pool.is_read and pictures < len(self.pool)):
            return True
        is_alike = bool(self._plan) and self._plan[0].together is not None
        with self._lock:
            is_used_up = not self._free(self._plan)
        new = len(self.labels) - labels
        return new >= (TOGETHER * self.planner.few if is_alike else NEW_PLAN) or (is_used_up and new != 0)

    def _look_at_trainer(self) -> None:
        if self.trainer is None or not self.pool.is_read:
            return
        self._is_learning = self.trainer.is_busy
        finished = self.trainer.finished()
        run = finished or (self.trainer.trained if self._takes_up_kept else None)
        self._takes_up_kept = False
        with self._lock:
            said = dict(self.labels.label_of)
        if run is not None:
            problem = self._problem_of(lambda: self._learn_from(run, said))
            if problem is None:
                self.trainer.keep()
            else:
                self.trainer.give_up(problem, trains_anew=finished is None)
        if self._check is not None and (run is not None or len(said) >= self._checked_by + CHECKED_ANEW):
            self.expectation, self._checked_by = self._check.expectation(self.planner, said), len(said)
        self._is_learning = False
        _, labels = self.planner.learnt(said)
        if self.trainer.is_due(labels):
            self._is_learning = True
            self.trainer.begin(lesson_of(self.pool, self.planner.classes, said))
            self._is_learning = False
        if self.trainer.problem:
            raise InputError(self.trainer.problem)

    def _learn_from(self, run: Path, said: dict[str, str]) -> None:
        """Choose by a new model from now on."""
        earlier = self._check.known(self.planner, said) if self._check is not None else None
        self._check = Check(run, self.planner.classes, earlier)
        self.planner.use(Inference([self._check.model]))
        self._is_outdated = True
