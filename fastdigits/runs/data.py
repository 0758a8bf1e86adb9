"""The pictures that a run was trained on."""

from ..folders import ImageFolder, fold_folders, read_folder
from ..system import InputError
from .directory import Run


def unchanged_folder(run: Run) -> ImageFolder | None:
    """The run's image folder; None when it was moved, removed or changed since."""
    record = run.record()
    try:
        folder = read_folder(record["data"], record.get("normalise", False))
        arguments = record["arguments"]
        if arguments.get("fold"):
            folder = fold_folders(folder, arguments["folds"], arguments["seed"])[arguments["fold"] - 1]
    except InputError:
        return None
    return folder if folder.digest == record["data_digest"] else None
