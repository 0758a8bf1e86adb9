"""What people labelled in `label`, as sources of an image folder: with their labels, and what is left without one."""

from dataclasses import dataclass
from pathlib import Path

from ..photos import Ground
from ..sources import LabelLog, PixelSource, with_given_labels, without_given_labels
from .labelled import labelled_source
from .layout import ImageFolder
from .split_pictures import split_source
from .splits import TEST
from .writing.conversion import KnownSplit


@dataclass(frozen=True)
class Relabelled:
    """Pictures with the labels that people gave them.

    Attributes
    ----------
    table : PixelSource
        The labelled pictures; as its test table what becomes test/.
    before : PixelSource
        All pictures that people could label, as they were.
    split : KnownSplit or None
        That of an image folder's labelled pictures, which stays.
    """

    table: PixelSource
    before: PixelSource
    split: KnownSplit | None = None


def relabelled_table(table: PixelSource, labels: Path, rest_is_test: bool) -> Relabelled:
    """A table, or a competition's two, with the labels that people gave.

    Of a competition's tables the test table has no labels, so that it is the one that was labelled; then nothing is
    taken of its train table, which a note tells.

    Parameters
    ----------
    table : PixelSource
    labels : Path
        The csv of what people said.
    rest_is_test : bool
        Whether pictures without a label become test pictures.
    """
    if table.test is None or not table.has_labels or LabelLog(labels).is_of_labelled:
        return Relabelled(_with_rest(table, labels, rest_is_test), table)
    table.test.notes.add(f"{table.name} was left out, because {labels.name} has labels for {table.test.name} only")
    return Relabelled(_with_rest(table.test, labels, rest_is_test), table.test)


def relabelled_folder(folder: ImageFolder, labels: Path, ground: Ground, rest_is_test: bool) -> Relabelled:
    """An image folder with the labels that people gave: its labelled pictures, or of a folder's test pictures those.

    Parameters as of `relabelled_table`; `ground` is that of the pictures.
    """
    if not LabelLog(labels).is_of_labelled:
        test = split_source(folder, TEST, ground)
        if others := " and ".join(name for name in folder.splits if name != TEST):
            test.notes.add(
                f"{folder.path}: {others} pictures were left out, because {labels.name} has labels for test only"
            )
        return Relabelled(_with_rest(test, labels, rest_is_test), test)
    before = labelled_source(folder, ground)
    table = with_given_labels(before, labels)
    if TEST in folder.splits:
        table.test = split_source(folder, TEST, ground)
    return Relabelled(table, before, KnownSplit.of(folder))


def _with_rest(source: PixelSource, labels: Path, rest_is_test: bool) -> PixelSource:
    table = with_given_labels(source, labels, rest_is_test)
    if rest_is_test:
        if source.test:
            source.notes.add(f"{source.test.name} was left out: pictures without a label are the test pictures")
        table.test = without_given_labels(source, labels)
    return table
