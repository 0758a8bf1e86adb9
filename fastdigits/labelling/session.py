"""A labelling under way: who looks at what, what was said of it, and what comes next."""

import threading
import time
from collections import Counter
from pathlib import Path

from ..answers import Inference
from ..folders import spread_rows
from ..scores import Expectation
from ..sources import NO_DIGIT, UNSURE, LabelLog
from ..system import InputError
from .checking import Check
from .planning import MOST_COMPARED, Choice, Planner, SuspectPlanner
from .pool import Pool
from .teaching import Teacher

HELD_S = 900  # seconds after which pictures that somebody was given may be given to others
LOOK_S = 0.5  # between two looks at a training under way
NEW_PLAN, NEW_CLUSTERS = 20, 200  # labels after which doubtful pictures, and look-alikes, are chosen anew
CHECKED_ANEW = 10  # labels after which it is told anew what to expect
AT_ONCE = 24  # single pictures that are given at once


class Session:
    """Labelling by one or more people at once; nobody is given a picture that another has.

    All methods may be called from several threads.

    Parameters
    ----------
    pool : Pool
    log : LabelLog
    planner : Planner or SuspectPlanner
    teacher : Teacher, optional
        Who trains a model while one labels.

    Attributes
    ----------
    expectation : Expectation or None
        What the newest model is expected to get right of the pictures that have no label.
    """

    def __init__(self, pool: Pool, log: LabelLog, planner: Planner | SuspectPlanner, teacher: Teacher | None = None):
        self.pool, self.log, self.planner, self.teacher = pool, log, planner, teacher
        self.expectation: Expectation | None = None
        self.taught_labels = 0  # that the newest model has learnt
        self.problem: str | None = None
        self._plan: list[Choice] = []
        self._held: dict[int, tuple[str, float]] = {}  # by row: who has it, since when
        self._in_cluster: set[int] = set()  # rows that were shown among look-alikes, and come no more so
        self._put_off: dict[int, None] = {}  # rows that were passed over alone, in that order
        self._planned_of = (0, 0)  # pictures and labels
        self._is_outdated = True
        self._check: Check | None = None  # of the newest model
        self._checked_by = 0  # labels by which that was told what to expect
        self._is_learning = False
        self._lock, self._news, self._is_over = threading.Lock(), threading.Event(), False
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
        if self.teacher is not None:
            self.teacher.end()

    def next(self, person: str, is_fresh: bool = False) -> list[Choice]:
        """The next pictures for somebody: look-alikes, or single ones; empty where there are none now.

        Parameters
        ----------
        person : str
        is_fresh : bool
            Whether the person begins anew, so that what was given before is free again.
        """
        with self._lock:
            if is_fresh:
                self._held = {row: held for row, held in self._held.items() if held[0] != person}
            choices = self._free(self._plan)
            if choices and choices[0].together is not None:
                choices = [one for one in choices if one.together == choices[0].together]
                self._in_cluster |= {one.row for one in choices}
            else:
                choices = [one for one in choices if one.together is None][:AT_ONCE] or self._fallback()
            now = time.monotonic()
            self._held |= {one.row: (person, now) for one in choices}
            return choices

    def say(self, person: str, label_of: dict[int, str], passed_over: list[int]) -> list[int]:
        """Write what somebody says of some rows at once; the rows that another labelled meanwhile stay as they are.

        Raises
        ------
        InputError
            When a label is none, or there is no such picture.
        OSError
            When it cannot be written; nothing is then.
        """
        for row in [*label_of, *passed_over]:
            if not 0 <= row < len(self.pool):
                raise InputError(f"there is no picture {row}")
        for label in label_of.values():
            if label not in (*self.planner.classes, NO_DIGIT, UNSURE):
                raise InputError(f"the label is {label[:80]!r}; accepted are {', '.join(self.planner.classes)}")
        with self._lock:
            late = [
                row
                for row in label_of
                if self.pool.ids[row] in self.log.label_of or self._is_held_by_other(row, person)
            ]
            said = {self.pool.ids[row]: label for row, label in label_of.items() if row not in late}
            before = {self.pool.ids[row]: self.pool.labels[row] or "" for row in label_of}
            if said:
                self.log.add(said, person, before)
            for row in [*label_of, *passed_over]:
                self._held.pop(row, None)
                self._put_off.pop(row, None)
            if len(passed_over) == 1 and not label_of:
                self._put_off |= dict.fromkeys(passed_over)
            self._news.set()
            return late

    def take_back(self, person: str) -> list[Choice]:
        """Take back what somebody said last; the pictures are that person's again."""
        with self._lock:
            rows = [self.pool.row_of[id_] for id_ in self.log.take_back(person) if id_ in self.pool.row_of]
            self._held |= {row: (person, time.monotonic()) for row in rows}
            return [Choice(row, "taken back") for row in rows]

    def counts(self) -> dict[str, int]:
        """How many pictures have each label, in the order of the classes."""
        counts = Counter(self.log.label_of.values())
        return {label: counts[label] for label in (*self.planner.classes, NO_DIGIT, UNSURE)}

    @property
    def is_choosing(self) -> bool:
        """Whether the pictures are still read or compared for the first time."""
        return self._planned_of == (0, 0) and self.problem is None

    @property
    def is_teaching(self) -> bool:
        """Whether a model is trained, or what it learnt is taken up."""
        return self.teacher is not None and (self.teacher.is_busy or self._is_learning)

    def _free(self, choices: list[Choice]) -> list[Choice]:
        """Those that have no label, that nobody has, and that were not passed over."""
        now = time.monotonic()
        self._held = {row: held for row, held in self._held.items() if now - held[1] < HELD_S}
        said, ids, gone = self.log.label_of, self.pool.ids, self._held.keys() | self._put_off.keys()
        return [
            one
            for one in choices
            if not (one.row in gone or ids[one.row] in said)
            and (one.together is None or one.row not in self._in_cluster)
        ]

    def _is_held_by_other(self, row: int, person: str) -> bool:
        held = self._held.get(row)
        return held is not None and held[0] != person

    def _fallback(self) -> list[Choice]:
        """What comes when everything planned is given away: any others, then those that were passed over."""
        if self.planner.waits:
            return []
        rows = self.pool.open_rows(self.log.label_of)
        rows = rows[spread_rows(len(rows), MOST_COMPARED)]
        others = self._free([Choice(int(row), "the next one") for row in rows])
        late = [row for row in self._put_off if row not in self._held]
        return (others or [Choice(row, "passed over before") for row in late])[:AT_ONCE]

    def _go_on(self) -> None:
        """Choose anew whenever there is news, and train when it is time."""
        while not self._is_over:
            self._news.wait(LOOK_S)
            self._news.clear()
            try:
                self._look_at_teacher()
                if self._should_choose():
                    with self._lock:
                        said, self._is_outdated = dict(self.log.label_of), False
                    of = len(self.pool), len(said)
                    plan = self.planner.plan(said)
                    with self._lock:
                        self._plan, self._planned_of = plan, of
            except InputError as error:
                self.problem = str(error)

    def _should_choose(self) -> bool:
        """Whether the plan is that of fewer pictures, of fewer labels or of an older model."""
        self.problem = self.problem or self.pool.problem
        pictures, labels = self._planned_of
        if not len(self.pool):
            return False
        if self._is_outdated or (self.pool.is_read and pictures < len(self.pool)):
            return True
        is_alike = bool(self._plan) and self._plan[0].together is not None
        with self._lock:
            is_used_up = not self._free(self._plan)
        new = len(self.log) - labels
        return new >= (NEW_CLUSTERS if is_alike else NEW_PLAN) or (is_used_up and new != 0)

    def _look_at_teacher(self) -> None:
        if self.teacher is None:
            return
        self._is_learning = self.teacher.is_busy
        run = self.teacher.finished()
        if self._check is None:
            run = self.teacher.taught  # also by a labelling that is gone on with
        if run is not None:
            self._learn_from(run)
        with self._lock:
            said = dict(self.log.label_of)
        if self._check is not None and (run is not None or len(said) >= self._checked_by + CHECKED_ANEW):
            self.expectation, self._checked_by = self._check.expectation(self.planner, said), len(said)
        self._is_learning = False
        rows, labels = self.planner.learnt(said)
        if self.teacher.is_due(labels):
            self.teacher.begin(self.pool.images(rows), [self.pool.ids[row] for row in rows], labels)

    def _learn_from(self, run: Path) -> None:
        """Choose by a new model from now on."""
        self._check = Check(run)
        self.planner.use(Inference([self._check.model]))
        self.taught_labels, self._is_outdated = len(self._check.learnt), True
