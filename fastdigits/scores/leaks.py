"""Whether weights or teachers know the rows that a training is to be scored on."""

from pathlib import Path

from ..folders import TRAIN, VALID, ImageFolder, on_dark, spread_rows
from ..runs import Run
from ..system import InputError

LEAK_ACCURACY = 0.98  # on rows that a model should not know; good models of the same digits come near it too
LEAK_PICTURES = 2000


def known_share(model: str, folder: ImageFolder, split: str) -> float | None:
    """The share of a split's pictures that a model tells right before it is trained on them.

    Parameters
    ----------
    model : str
        What `--weights` or `--teachers` names.
    folder : ImageFolder
    split : str

    Returns
    -------
    float or None
        None where nothing can be said: no saved model, other classes, no such split, or pictures of mixed sizes.
    """
    from ..answers import Inference, open_model
    from ..folders import decoded_split
    from .scoring import class_numbers

    if split not in folder.splits:
        return None
    try:
        saved = open_model(model)
    except InputError:  # "none", a library's download, a file of weights
        return None
    pictures, labels = decoded_split(folder, split), folder.split(split).labels
    if saved.classes != folder.classes or pictures is None:
        return None
    rows = spread_rows(len(labels), LEAK_PICTURES)
    answers = Inference([saved]).probabilities(on_dark(folder, pictures.images[rows])).argmax(1)
    return float((answers == class_numbers([labels[row] for row in rows], folder.classes)).mean())


def leak_notes(models: list[str], folder: ImageFolder) -> list[str]:
    """What to know before trusting the accuracy on valid, if there is any, of what starts or learns from `models`."""
    notes = []
    if VALID not in folder.splits:
        return notes
    for model in models:
        run = Run(Path(model))
        if run.record_file.is_file():
            record = run.record()
            notes += record.get("notes", [])  # of what it started from or learnt from itself
            if record.get("data_digest") != folder.digest:
                notes.append(
                    f"{model} was trained on another folder or split: where its training rows are valid rows now, "
                    "accuracy on valid is too high"
                )
        elif (share := known_share(model, folder, VALID) or 0) >= LEAK_ACCURACY:
            notes.append(
                f"{model} knows {share:.1%} of the valid rows beforehand: if it was trained on them, accuracy on valid "
                "is too high"
            )
    return notes


def leak_warnings(folder: ImageFolder, weights: str) -> list[str]:
    """What to know of weights that were trained on a public table: its rows may be the competition's test rows."""
    share = known_share(weights, folder, TRAIN)
    if share is None or share < LEAK_ACCURACY:
        return []
    return [
        f"{weights} knows {share:.1%} of these rows beforehand, so it was probably trained on them, perhaps on the "
        "test rows: its score would be a leak; use --weights none"
    ]
