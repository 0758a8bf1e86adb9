"""The storage of a study: Optuna's journal in the study's folder, or a database that several machines reach."""

import json
import os
import time
from pathlib import Path

from ..system import InputError
from .definition import OBJECTIVES
from .folder import StudyFolder

JOIN_S = 30  # that making a study takes at most


def open_storage(storage: str, folder: StudyFolder):
    """Optuna's storage: a URL, or without one the journal file in the study's folder."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if not storage:
        from filelock import FileLock
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        # the kernel frees this lock when its holder is killed; optuna's own would be waited for half a minute
        lock = FileLock(f"{folder.journal}.lock")
        with lock:
            _drop_half_line(folder.journal)
        return JournalStorage(JournalFileBackend(str(folder.journal), lock_obj=lock))
    try:
        return optuna.storages.get_storage(storage)
    except Exception as error:  # of SQLAlchemy, a driver or a server, each with its own
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"--storage {storage} cannot be opened: {reason}") from None


def _drop_half_line(journal: Path) -> None:
    """Cut off a last line that was not written to its end, as on a full disk; optuna reads none after it."""
    written = journal.read_bytes() if journal.is_file() else b""
    if written and not written.endswith(b"\n"):
        os.truncate(journal, written.rfind(b"\n") + 1)


def open_study(folder: StudyFolder, record: dict, grid: list[dict], overwrite: bool):
    """The study in the storage, made with all points of the grid where it is new.

    Raises
    ------
    InputError
        When there is another study of that name.
    """
    import optuna

    storage = open_storage(record["storage"], folder)
    same = {key: value for key, value in record["search"].items() if key != "data"}  # machines differ in their paths
    same = json.dumps(same, sort_keys=True)
    name = record["study"]
    if overwrite and name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)
    direction = OBJECTIVES[record["search"]["objective"]]
    try:
        study = optuna.create_study(study_name=name, storage=storage, direction=direction)
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=name, storage=storage)
        if _made_of(study) != same:
            raise InputError(
                f"the storage has another study called {name}; name yours with --study, or repeat the options of that "
                "one"
            ) from None
        return study
    for point in grid:
        study.enqueue_trial(point)
    study.set_user_attr("search", same)  # last: others may join now
    return study


def _made_of(study) -> str | None:
    """What a study searches; one that another machine is just making is waited for."""
    end = time.monotonic() + JOIN_S
    while (found := study.user_attrs.get("search")) is None and time.monotonic() < end:
        time.sleep(0.5)
    return found
