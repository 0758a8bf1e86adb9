"""What `label` says to do next, once it is stopped: a command that works."""

import shlex

import pytest

from fastdigits import cli
from fastdigits.commands.label import _next_command
from fastdigits.labelling.pool import Pool
from fastdigits.sources import LabelLog, open_source

OPTIONS = {"sheets": False, "suspects": False, "normalise": False, "ground": "auto"}


@pytest.fixture
def unlabelled(tmp_path, digit_table):
    """Two hundred digits without labels, as a csv; the truth by id."""
    digit_table.drop(columns="label").to_csv(tmp_path / "digits.csv", index=False)
    return tmp_path / "digits.csv", dict(zip(digit_table["id"], digit_table["label"].astype(str)))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (1, "--valid 0"),  # of one class nothing is passed on
        (14, "--look-alikes --valid 0"),  # too few to be parted
        (120, "--look-alikes"),
        (200, ""),  # all
    ],
)
def test_the_next_command_works(unlabelled, tmp_path, labels, expected):
    source, truth = unlabelled
    log = LabelLog(tmp_path / "labels.csv")
    log.add(dict(list(truth.items())[:labels]), "me", {})
    told = _next_command(str(source), tmp_path, log, OPTIONS, Pool(open_source(source)).read())
    assert told == f"fastdigits convert {source} DATA --labels {log.file} {expected}".strip()
    words = [str(tmp_path / "data") if word == "DATA" else word for word in shlex.split(told)[1:]]
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0


def test_pictures_that_have_not_arrived_are_others_too(unlabelled, tmp_path):
    source, truth = unlabelled
    log = LabelLog(tmp_path / "labels.csv")
    log.add(truth, "me", {})
    assert "--look-alikes" in _next_command(str(source), tmp_path, log, OPTIONS, Pool(open_source(source)))
