"""What people said about pictures: a csv that grows by a line, id, label, when, by, before; nothing is rewritten."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...system import append_rows, grown_rows

LOG_HEADER = ["id", "label", "when", "by", "before"]
NO_DIGIT, UNSURE = "(no digit)", "(unsure)"  # what a picture can be called that is of no class
TAKEN_BACK = ""  # in place of a label: what was said before holds no more


@dataclass(frozen=True)
class Act:
    """What somebody said at once: one picture's label, or that of several which look alike.

    Attributes
    ----------
    by, when : str
        Who said it; UTC, ISO 8601.
    label_of : dict of str to str
        Of each id the label, NO_DIGIT or UNSURE.
    """

    by: str
    when: str
    label_of: dict[str, str]


class LabelLog:
    """The labels in a csv file, which is gone on with where it exists.

    Attributes
    ----------
    file : Path
    label_of : dict of str to str
        What holds now, in the order in which it was said.

    Raises
    ------
    InputError
        When the file is another table.
    """

    def __init__(self, file: Path):
        self.file = file
        self.label_of: dict[str, str] = {}
        self._acts: dict[str, list[Act]] = {}  # of each person, those that hold
        self._last = datetime.min.replace(tzinfo=UTC)  # when the last act was
        for by, when, rows in _acts(grown_rows(file, LOG_HEADER, "csv of labels")):
            label_of = {id_: label for id_, label, _, _, _ in rows}
            self._hold(by, when, label_of) if any(label_of.values()) else self._let_go(by, label_of)

    def __len__(self) -> int:
        return len(self.label_of)

    def add(self, label_of: dict[str, str], by: str, before: dict[str, str]) -> None:
        """Write what somebody says at once, with the labels that the pictures had before, if any.

        Raises
        ------
        OSError
            When it cannot be written; nothing is then.
        """
        when = self._now()
        append_rows(
            self.file, [[id_, label, when, by, before.get(id_, "")] for id_, label in label_of.items()], LOG_HEADER
        )
        self._hold(by, when, dict(label_of))

    def take_back(self, by: str) -> list[str]:
        """Write that the last act of a person that holds is taken back; its ids, none where there is no act."""
        if not self._acts.get(by):
            return []
        label_of = self._acts[by][-1].label_of
        when = self._now()
        rows = [[id_, TAKEN_BACK, when, by, label] for id_, label in label_of.items()]
        append_rows(self.file, rows, LOG_HEADER)
        self._let_go(by, label_of)
        return list(label_of)

    def said_by(self, by: str) -> int:
        """How many pictures a person has labelled."""
        return sum(len(act.label_of) for act in self._acts.get(by, []))

    def _hold(self, by: str, when: str, label_of: dict[str, str]) -> None:
        self._acts.setdefault(by, []).append(Act(by, when, label_of))
        self.label_of |= label_of

    def _let_go(self, by: str, label_of: dict[str, str]) -> None:
        acts = self._acts.get(by, [])
        if acts:
            acts.pop()
        for id_ in label_of:
            self.label_of.pop(id_, None)

    def _now(self) -> str:
        """The time, later than that of any act before, since acts are told apart by it."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last.isoformat(timespec="microseconds")


def is_label_log(file: Path) -> bool:
    """Whether a file begins as a csv of labels that people gave does."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.readline().strip() == ",".join(LOG_HEADER)
    except (OSError, ValueError):
        return False


def _acts(rows: list[list[str]]) -> list[tuple[str, str, list[list[str]]]]:
    """Rows that were written at once: who, when, and the rows."""
    acts: list[tuple[str, str, list[list[str]]]] = []
    for row in rows:
        _, _, when, by, _ = row
        if not acts or acts[-1][:2] != (by, when):
            acts.append((by, when, []))
        acts[-1][2].append(row)
    return acts
