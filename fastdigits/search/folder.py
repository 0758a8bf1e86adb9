"""The folder of a study: its file names, and whether it may be written to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..runs import Run
from ..system import InputError, check_output, fresh_folder, replaced_folder, write_json


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study: its file names."""

    path: Path

    @property
    def record_file(self) -> Path:
        return self.path / "study.json"

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.log"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def run(self, number: int) -> Run:
        return Run(self.path / "trials" / f"{number:04}")

    def log(self, number: int) -> Path:
        return self.path / "trials" / f"{number:04}.log"

    def lock(self, number: int):
        """Held by the process that trains the trial; the system lets go of it when that process ends."""
        from filelock import FileLock

        return FileLock(self.path / "trials" / f"{number:04}.lock", timeout=0)


@contextmanager
def begun_or_joined(folder: StudyFolder, record: dict, overwrite: bool) -> Iterator[None]:
    """Make the study's folder, or see whether the study that is there is the same. If the block fails all is as before.

    Raises
    ------
    InputError
        When there is another study, or something else.
    """
    if folder.record_file.is_file() and not overwrite:
        try:
            found = json.loads(folder.record_file.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(f"{folder.record_file} is damaged; start the study again with --overwrite") from None
        if found != json.loads(json.dumps(record)):
            raise InputError(
                f"{folder.path} is a study with other options; repeat its command to go on, pass --overwrite to "
                "replace it, or name another --out"
            )
        yield
        folder.result_file.unlink(missing_ok=True)
        return
    check_output(folder.path, overwrite, folder.record_file.name)
    with replaced_folder(folder.path):
        fresh_folder(folder.path / "trials")
        yield
        write_json(folder.record_file, record)
