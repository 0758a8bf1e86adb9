"""label(): a page on which people give pictures their labels, while a model learns from them."""

import json
import os
import shlex
from collections import Counter
from contextlib import suppress
from pathlib import Path

from ..folders import SplitRule, choose_valid, read_groups
from ..labelling import Order
from ..photos import Ground
from ..serving import run_labelling
from ..sources import NO_DIGIT, UNSURE, LabelLog
from ..system import InputError, claimed, writable, write_json

LABELS_FILE, SOURCE_FILE = "labels.csv", "labelled.json"
START_LR = 0.008  # twice that of finetune: with few labels small steps leave it unsteady
START = "digitnet-mnist"  # what models learn from where none is named: it knows strokes, whatever the script


def label(
    source: str,
    out: Path,
    *,
    model: str | None = None,
    suspects: bool = False,
    order: Order = "auto",
    classes: list[str] | None = None,
    sheets: bool = False,
    normalise: bool = False,
    ground: Ground = "auto",
    train: bool = True,
    host: str = "127.0.0.1",
    port: int = 8001,
) -> str:
    """Give pictures their labels on a page, or look at labels that may be wrong.

    The page is there until Ctrl-C. All by keys: the class's own, x for no digit, ? for unsure, Enter for the guess,
    Backspace to take back, the right arrow for later. Without a model look-alikes come together, so that one key labels
    many; then those come first of which the model is in doubt. Every label becomes a line of OUT/labels.csv; a
    labelling that was stopped or killed goes on. Several people may label at the same time. `convert SOURCE DATA
    --labels OUT/labels.csv` takes the labels.

    Parameters
    ----------
    source
        A table of pixels or a folder of pictures without labels, or an image folder's test pictures. With suspects, one
        with labels. It is never changed.
    out
        The folder of labels.csv: id, label, when, by whom, and the label before.
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada,
        digitnet-tiny-mnist. It guesses, and what it doubts comes first; with suspects it must not have learnt from
        these labels.
    suspects
        Show blank pictures, copies with different labels, and then the labels that are likeliest to be wrong, each
        beside the most alike pictures of both classes. Pictures that look unlike all others are marked.
    order
        look-alikes, doubtful, as-they-come, or auto: look-alikes until there are 50 labels for each class, counted
        together, then doubtful; with a model doubtful from the start.
    classes
        By default those of the model, or the digits 0 to 9.
    sheets
        Each picture is a photo of several digits: they are cut apart as by read, and kept in OUT/digits.
    normalise
        Each picture is a photo of one digit, which is brought to the form of MNIST's, as by convert.
    ground
        Of the pictures: dark (light digits on dark, as MNIST's), light (dark digits on light), or auto: told from each
        picture.
    train
        Train a model beside the labelling, from 12 labels on if every class has one, and again each time that there are
        a quarter more: OUT/trained/LABELS/run. It starts from `model` or digitnet-mnist, learns the labels (from 100 on
        a part is kept apart), and passes them on to up to 2,000 pictures that look like labelled ones. What it is
        expected to get right of the pictures that it has not learnt is shown on the page.
    host
        The address to listen to. 127.0.0.1 accepts only this machine; 0.0.0.0 accepts every device that can reach it.
    port
        0 takes a free one.

    Returns
    -------
    str
        Once it has stopped: how many labels there are, and what to do next.

    Raises
    ------
    InputError
        When the source, the model or an option is wrong, the port is taken, or the folder cannot be written.
    """
    from ..labelling import Session, Trainer, open_labelling

    out = Path(out)
    options = {"suspects": suspects, "sheets": sheets, "normalise": normalise, "ground": ground}
    with claimed(out):
        with writable(out):
            out.mkdir(parents=True, exist_ok=True)
            labels = LabelLog(out / LABELS_FILE)
            _bind(out, source, suspects, labels)
        opened = open_labelling(source, out, model, order=order, classes=classes, **options)
        trainer = None
        if train and not suspects:
            start, lr = (str(model), None) if opened.can_be_tuned else (START, START_LR)
            trainer = Trainer(out, start, opened.planner.classes, opened.is_normalised, lr)
        session = Session(opened.pool, labels, opened.planner, trainer)
        try:
            run_labelling(session, out, host, port, f"labels are kept in {labels.file}")
        finally:
            session.end()
    if opened.pool.problem:
        raise InputError(opened.pool.problem)
    opened.pool.notes.say()
    lines = [_told(labels)]
    if trainer is not None and trainer.trained is not None:
        lines.append(f"a model of {trainer.trained_labels:,} labels: {trainer.trained}")
    return "\n".join([*lines, f"next: {_next_command(source, out, labels, options, opened.pool)}"])


def _bind(out: Path, source: str, suspects: bool, labels: LabelLog) -> None:
    """Write down what is labelled here; InputError where it was something else before."""
    from ..labelling import SHEETS

    file = out / SOURCE_FILE
    wanted = {"source": os.path.abspath(source) if os.path.exists(source) else str(source), "suspects": suspects}
    before = wanted
    if labels or (out / SHEETS).exists():
        with suppress(OSError, ValueError):
            before = json.loads(file.read_text(encoding="utf-8"))
    if before != wanted:
        how = " --suspects" if before.get("suspects") else ""
        raise InputError(
            f"{out} holds what was made by `label {before.get('source')}{how}`; name another folder, or correct "
            f"{file} if that was moved"
        )
    write_json(file, wanted)


def _told(labels: LabelLog) -> str:
    counts = Counter(label if label in (NO_DIGIT, UNSURE) else "" for label in labels.label_of.values())
    told = ["1 picture has a label" if counts[""] == 1 else f"{counts['']:,} pictures have a label"]
    told += [f"{counts[NO_DIGIT]:,} are no digit"] * bool(counts[NO_DIGIT])
    told += [f"{counts[UNSURE]:,} are unsure"] * bool(counts[UNSURE])
    return f"stopped; {', '.join(told)}: {labels.file}"


def _next_command(source: str, out: Path, labels: LabelLog, options: dict, pool: "Pool") -> str:  # noqa: F821
    """The command that makes an image folder of the labels."""
    from ..labelling import CUT_DIGITS, SHEETS

    given = {id_: label for id_, label in labels.label_of.items() if label not in (NO_DIGIT, UNSURE)}
    groups = out / SHEETS if options["sheets"] else None
    words = ["fastdigits", "convert", str(out / CUT_DIGITS if options["sheets"] else source), "DATA"]
    words += ["--labels", str(labels.file)]
    if not options["suspects"]:
        has_others = not pool.is_read or len(labels) < len(pool)
        words += ["--look-alikes"] * (has_others and len(set(given.values())) > 1)
        words += ["--valid", "0"] * (not _can_be_split(given, groups))
    words += ["--groups", str(groups)] if groups else []
    words += ["--normalise"] * (options["normalise"] or options["sheets"])  # of sheets they have that form already
    words += ["--ground", options["ground"]] if options["ground"] != "auto" else []
    return shlex.join(words)


def _can_be_split(label_of: dict[str, str], groups: Path | None) -> bool:
    """Whether `convert` can keep some of the labelled pictures apart."""
    try:
        of_group = read_groups(groups, list(label_of)) if groups else None
        in_valid = choose_valid(list(label_of.values()), SplitRule.valid, SplitRule.method, SplitRule.seed, of_group)
    except InputError:
        return False
    return bool(in_valid.any())
