"""Beginning a run, and going on with one that was interrupted."""

from pathlib import Path

from ..system import RUN_MARK, InputError, check_output, fresh_folder
from .directory import Run, damaged


def start_run(path: Path, record: dict, overwrite: bool) -> Run:
    """A new run directory whose run.json holds `record`; an existing one is removed when `overwrite`."""
    check_output(path, overwrite, RUN_MARK)
    run = Run(path)
    fresh_folder(path)
    run.write_record(record)
    return run


def reopen_run(path: Path, arguments: dict, data_digest: str) -> Run:
    """The interrupted run at `path`, to go on with the same arguments over the same data.

    Raises
    ------
    InputError
        When there is no run, it is finished, or arguments or data differ from those it was started with.
    """
    run = Run(path)
    if not run.record_file.is_file():
        raise InputError(f"{path} is no run, so there is nothing to resume; leave out --resume to start one")
    if run.finished:
        raise InputError(
            f"{path} is finished, so there is nothing to resume; to train its model further, pass --weights {path} "
            "--out NEW instead of --resume"
        )
    record = run.record()
    if not {"arguments", "data_digest"} <= record.keys():
        raise damaged(run.record_file)
    check_same(path, record, arguments, data_digest)
    return run


def check_same(path: Path, record: dict, arguments: dict, data_digest: str) -> None:
    """InputError unless what lies at `path` was started, as its record says, with these options on these data.

    An option that did not exist then was not given.
    """
    recorded = record["arguments"]
    for name, value in arguments.items():
        if recorded.get(name) != value and (name in recorded or value):
            raise InputError(
                f"{path} was started with {name} = {recorded.get(name)!r}, not {value!r}; "
                "resume with the options that it was started with"
            )
    if record["data_digest"] != data_digest:
        raise InputError(f"the data of {path} have changed since it was started; start anew, at another --out")
