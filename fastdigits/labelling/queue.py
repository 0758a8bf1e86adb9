"""label_queue(): which pictures to label first, and why, without a page."""

from pathlib import Path

from ..photos import Ground
from ..sources import LabelLog, refuse_unknown_ids
from ..system import InputError
from .opening import open_labelling
from .order import Order


def label_queue(
    model: str | None,
    source: str | Path,
    *,
    labels: Path | None = None,
    suspects: bool = False,
    order: Order = "auto",
    classes: list[str] | None = None,
    normalise: bool = False,
    ground: Ground = "auto",
) -> "pd.DataFrame":  # noqa: F821 (pandas is loaded only where it is used)
    """Which pictures of a source to label next, and why: what the page of `label` would show.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model that is in doubt of some pictures; None: the
        `labels` tell what their look-alikes are, and look-alikes come first where there are few.
    source
        A table of pixels or a folder of pictures without labels, or an image folder's test pictures. With suspects, one
        with labels.
    labels
        The labels.csv of what was labelled so far, as `label` and LabelLog write it.
    suspects
        Choose among labels that may be wrong.
    order
        look-alikes, doubtful, as-they-come, or auto: as in `label`.
    classes
        By default those of the model, or the digits 0 to 9.
    normalise, ground
        As in `convert`.

    Returns
    -------
    DataFrame
        A row for each picture that is to be looked at, the first one first: id, reason, guess, confidence (0..1), and
        together, a number that look-alikes share. Of doubtful ones 50, since what is learnt of them counts for those
        after them; of look-alikes the 24 most typical of each cluster of 10,000 pictures; of suspects all.

    Raises
    ------
    InputError
        When the model, the source, the labels or an option are wrong.
    """
    import pandas as pd

    if labels is not None and not Path(labels).is_file():
        raise InputError(f"{labels} does not exist; pass the labels.csv of `label`, or leave it out")
    options = {"suspects": suspects, "order": order, "classes": classes, "normalise": normalise, "ground": ground}
    opened = open_labelling(source, Path(), model, **options)
    pool = opened.pool if opened.pool.is_read else opened.pool.read()
    label_of = LabelLog(Path(labels)).label_of if labels else {}
    refuse_unknown_ids(labels, set(label_of) - set(pool.ids), pool.source.name)
    choices = opened.planner.plan(label_of)
    columns = ["id", "reason", "guess", "confidence", "together"]
    rows = [(pool.ids[one.row], one.reason, one.guess, one.confidence, one.together) for one in choices]
    return pd.DataFrame(rows, columns=columns)
