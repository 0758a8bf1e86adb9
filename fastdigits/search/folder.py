"""The folder of a study: its file names, and whether it may be written to."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..runs import Run
from ..system import InputError, check_output, fresh_folder


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


def begin_or_join(folder: StudyFolder, record: dict, overwrite: bool) -> bool:
    """Make the study's folder, or see whether the study that is there is the same; whether it is new."""
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
        folder.result_file.unlink(missing_ok=True)
        return False
    check_output(folder.path, overwrite, folder.record_file.name)
    fresh_folder(folder.path)
    fresh_folder(folder.path / "trials")
    return True
