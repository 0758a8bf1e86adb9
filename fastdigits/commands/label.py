"""label(): a page on which people give pictures their labels, while a model learns from them."""

from pathlib import Path

from ..answers import open_model
from ..labelling import DIGITS, SHEETS, Order, Pool, Session, Teacher, classes_to_label, planner_of, source_to_label
from ..photos import Ground
from ..serving import run_labelling
from ..sources import LabelLog
from ..system import InputError, claimed, writable

LABELS_FILE, TOKENS_FILE = "labels.csv", ".tokens.csv"
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
    teach: bool = True,
    host: str = "127.0.0.1",
    port: int = 8001,
) -> str:
    """Give pictures their labels on a page, or look at labels that may be wrong, until Ctrl-C.

    All by keys: the class's own, x for no digit, ? for unsure, Enter for the guess, Backspace to take back, the right
    arrow for later. Without a model look-alikes come together, so that one key labels many; then those come first of
    which the model is in doubt. Every label is a line of OUT/labels.csv at once; a labelling that was stopped or killed
    goes on. Several people may label at the same time. `convert SOURCE DATA --labels OUT/labels.csv` takes the labels.

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
        Show the labels that are likeliest to be wrong, copies with different labels, blank and strange pictures first,
        each beside the most alike pictures of both classes.
    order
        look-alikes, doubtful, as-they-come, or auto: look-alikes until there are 20 labels a class, then doubtful; with
        a model doubtful from the start.
    classes
        By default those of the model, or the digits 0 to 9.
    sheets
        Each picture is a photo of several digits: they are cut apart as by read, and kept in OUT/digits.
    normalise
        Each picture is a photo of one digit, which is brought to the form of MNIST's, as by convert.
    ground
        Of the pictures: dark (light digits on dark, as MNIST's), light (dark digits on light), or auto: told from each
        picture.
    teach
        Train a model beside the labelling, from 50 labels on, and again each time that there are a quarter more:
        OUT/lessons/LABELS/run. What it is expected to get right of the rest is shown on the page.
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
    out = Path(out)
    with claimed(out), writable(out):
        out.mkdir(parents=True, exist_ok=True)
        log = LabelLog(out / LABELS_FILE)
        pool = Pool(source_to_label(source, out, suspects, sheets, normalise, ground))
        if suspects:
            pool.read()
        names = classes_to_label(pool, classes, model, suspects)
        planner = planner_of(pool, names, order, model, suspects)
        teacher = None
        if teach and not suspects:
            start = str(model) if model and open_model(model).in_torch else START
            teacher = Teacher(out, start, names, normalise or sheets)
        session = Session(pool, log, planner, teacher)
        run_labelling(session, out / TOKENS_FILE, host, port, f"labels are kept in {log.file}")
    if session.problem:
        raise InputError(session.problem)
    return _what_next(source, out, log, sheets, normalise, teacher)


def _what_next(source: str, out: Path, log: LabelLog, sheets: bool, normalise: bool, teacher: Teacher | None) -> str:
    pictures, more = (out / DIGITS, f" --groups {out / SHEETS}") if sheets else (source, " --normalise" * normalise)
    lines = [f"stopped; {len(log):,} pictures have a label in {log.file}"]
    if teacher is not None and teacher.taught is not None:
        lines.append(f"a model of {teacher.labels:,} labels: {teacher.taught}")
    lines.append(f"next: fastdigits convert {pictures} DATA --labels {log.file}{more}")
    return "\n".join(lines)
