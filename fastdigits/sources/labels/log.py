"""What people said about pictures: a csv that grows by a line, id, label, when, by, before; nothing is rewritten."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...system import InputError, append_rows, grown_rows

LOG_HEADER = ["id", "label", "when", "by", "before"]
NO_DIGIT, UNSURE = "(no digit)", "(unsure)"  # what a picture can be called that is of no class
TAKEN_BACK = ""  # in place of a label: what was said before holds no more
FILE_KIND = "csv of labels"


class LabelLog:
    """The labels in a csv file, which is gone on with where it exists. Reading it changes nothing.

    What somebody says at once is an act: one picture's label, or that of several which look alike.

    Parameters
    ----------
    file : Path

    Attributes
    ----------
    label_of : dict of str to str
        What holds now by id, in the order in which it was said.
    is_of_labelled : bool
        Whether the pictures had labels before.

    Raises
    ------
    InputError
        When the file is another table.
    """

    def __init__(self, file: Path):
        self.file = file
        self.label_of: dict[str, str] = {}
        self.is_of_labelled = False
        self._acts: dict[str, list[list[str]]] = {}  # of each person the ids of each act that holds
        self._last = datetime.min.replace(tzinfo=UTC)  # when the last act was
        rows = grown_rows(file, LOG_HEADER, FILE_KIND)
        for number, (id_, label, when, by, before) in enumerate(rows):
            follows = number > 0 and rows[number - 1][2:4] == [when, by]
            if label == TAKEN_BACK:
                self._let_go(by, [id_])
            else:
                self.is_of_labelled |= bool(before)
                self._hold(by, {id_: label}, is_same_act=follows)
        if rows:
            self._last = _time(rows[-1][2], file)

    def __len__(self) -> int:
        return len(self.label_of)

    def add(self, label_of: dict[str, str], by: str, before: dict[str, str] | None = None) -> None:
        """Write what somebody says at once.

        Parameters
        ----------
        label_of : dict of str to str
            Of each id the label, NO_DIGIT or UNSURE.
        by : str
            Who says it.
        before : dict of str to str, optional
            The label that each picture had in its source.

        Raises
        ------
        OSError
            When it cannot be written; nothing is then.
        """
        when, before = self._now(), before or {}
        append_rows(self.file, [[i, label, when, by, before.get(i, "")] for i, label in label_of.items()], LOG_HEADER)
        self.is_of_labelled |= any(before.get(id_) for id_ in label_of)
        self._hold(by, label_of, is_same_act=False)

    def last_act(self, by: str) -> list[str]:
        """The ids of what somebody said last, as far as it holds; empty where there is nothing."""
        acts = self._acts.get(by)
        return list(acts[-1]) if acts else []

    def take_back(self, by: str) -> list[str]:
        """Write that the last act of a person is taken back; its ids. OSError as of `add`."""
        ids = self.last_act(by)
        if ids:
            when = self._now()
            append_rows(self.file, [[id_, TAKEN_BACK, when, by, self.label_of[id_]] for id_ in ids], LOG_HEADER)
            self._let_go(by, ids)
        return ids

    def said_by(self, by: str) -> int:
        """How many pictures a person has labelled."""
        return sum(map(len, self._acts.get(by, [])))

    def _hold(self, by: str, label_of: dict[str, str], is_same_act: bool) -> None:
        acts = self._acts.setdefault(by, [])
        if not (is_same_act and acts):
            acts.append([])
        acts[-1] += label_of
        self.label_of |= label_of

    def _let_go(self, by: str, ids: list[str]) -> None:
        """Of an act that a kill cut short while it was taken back, the rest holds."""
        acts = self._acts.get(by, [])
        for id_ in ids:
            self.label_of.pop(id_, None)
            if acts and id_ in acts[-1]:
                acts[-1].remove(id_)
        while acts and not acts[-1]:
            acts.pop()

    def _now(self) -> str:
        """The time, later than that of any act before, since acts are told apart by it."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last.isoformat(timespec="microseconds")


def _time(text: str, file: Path) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{file} is no {FILE_KIND}: {text[:40]!r} is no time; name another folder") from None


def is_label_log(file: Path) -> bool:
    """Whether a file begins as a csv of labels that people gave does; a spreadsheet may have saved it again."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return next(csv.reader(stream), None) == LOG_HEADER
    except (OSError, ValueError, csv.Error):
        return False
