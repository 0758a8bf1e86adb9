"""explore(): what a table or an image folder holds, and what its split hides."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..audit import Exploration, audit_rows, explored, find_copies, read_pictures, shift_of, write_copies
from ..folders import TEST
from ..photos import Ground
from ..scores import class_numbers
from ..system import check_output, whole_folder, write_json

MARK, PICTURE, COPIES = "explore.json", "explore.png", "copies.csv"  # by the mark a folder is known as ours
UNLIKE = "unlike.png"


def explore(
    source: str,
    *,
    groups: Path | None = None,
    test: str | None = None,
    label_column: str | None = None,
    normalise: bool = False,
    ground: Ground = "auto",
    strict: bool = False,
    out: Path | None = None,
    overwrite: bool = False,
) -> Exploration:
    """Look at a table or an image folder: classes, gray levels, copies, and what its split hides.

    Writes explore.json, explore.png and copies.csv. The audit gives two scores of a quick classifier: one with rows
    held back at random, and one with whole writers held back. The writers come from --groups; without it, blocks of
    rows stand for writers if the table is in the order of its writers. If there are 50 test rows or more, it says
    in what they differ from the labelled ones and what accuracy to expect of the quick classifier on them, and
    writes unlike.png, the rows that differ most. If that accuracy means three times as many mistakes as on held-out
    labelled rows, expect about three times as many of a trained model, too.

    Parameters
    ----------
    source
        One table as for convert, a folder of pictures, or an image folder.
    groups
        A csv with an id column and one group column, such as the writer.
    test
        A second source: the rows that the model is meant for, which need no labels. Copies are looked for among them
        too.
    label_column
        The column of the labels, where it is called neither label nor one of the usual names (labels, class, target,
        digit, character, y).
    normalise
        Cut the digit out of each picture of a folder and bring it to the form of MNIST's, as for convert.
    ground
        Of the pictures: dark (light digits on dark, as MNIST's), light (dark digits on light), or auto: told
        from each picture. Pictures on a light ground are turned.
    strict
        End with an error, and write nothing, when there is anything to notice while the source is read.
    out
        The folder for what is written; by default runs/explore-<name>.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    Exploration

    Raises
    ------
    InputError
        When the source or the groups are wrong, or have missing values.
    """
    out = Path(out) if out else Path("runs", f"explore-{_short_name(str(source))}")
    check_output(out, overwrite, MARK)
    pictures = read_pictures(source, test, groups, label_column, ground, normalise)
    pictures.name = str(source)  # as it was given, so that the next command finds it
    if strict:
        pictures.notes.refuse()
    copies, notes = find_copies(pictures.images)
    pictures.notes.add(*notes)
    labelled = pictures.labelled
    audit, truth, known, others = None, None, None, np.flatnonzero(pictures.splits == TEST)
    if len(labelled):
        truth = class_numbers([pictures.labels[row] for row in labelled], pictures.classes)
        known = pictures.groups[labelled] if pictures.groups is not None else None
        audit = audit_rows(pictures.images[labelled], truth, known, pictures.in_order)
    by_hand = audit.by_hand if audit else None
    shift = shift_of(pictures.images[labelled], truth, pictures.images[others], known, by_hand)
    found = explored(pictures, copies, audit, shift, out)
    found.normalised = normalise
    with whole_folder(out) as partial:
        from ..figures import draw_pictures, draw_table

        draw_table(pictures, audit, partial / PICTURE)
        if shift:
            unlike = others[shift.unlike]
            draw_pictures(pictures.images[unlike], [pictures.ids[row] for row in unlike], partial / UNLIKE, 6)
        write_copies(pictures, copies, partial / COPIES)
        write_json(partial / MARK, {name: value for name, value in asdict(found).items() if name != "out"})
    return found


def _short_name(source: str) -> str:
    name = source.rstrip("/").rsplit("/", 1)[-1].replace(":", "-")
    return name.partition(".")[0] or "data"
