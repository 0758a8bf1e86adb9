"""A source with the labels that people gave its pictures, which are kept in a csv beside it."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...system import InputError, file_sha256
from ..pixels import Chunk, PixelSource
from .log import NO_DIGIT, UNSURE, LabelLog

WITHOUT = "without a label"


def with_given_labels(source: PixelSource, file: Path, rest_is_test: bool = False) -> PixelSource:
    """The source with the labels of a csv of `label`; its own labels where that says nothing, or unsure.

    Pictures that show no digit are left out, and those that have no label at all, which a note tells; with
    `rest_is_test` it says that the latter are test pictures.

    Raises
    ------
    InputError
        When the csv holds no label of a class; from its chunks, when it names an id that the source has not.
    """
    label_of = LabelLog(file).label_of
    if not set(label_of.values()) - {NO_DIGIT, UNSURE}:
        raise InputError(f"{file} gives no picture a label; go on with `fastdigits label`")

    def label(own: str | None, id_: str) -> str:
        said = label_of.get(id_, UNSURE)
        return (own or WITHOUT) if said == UNSURE else said

    def chunks() -> Iterator[Chunk]:
        unseen, counts = set(label_of), Counter()
        for chunk in source.chunks():
            own = chunk.labels or [None] * len(chunk.ids)
            labels = [label(*one) for one in zip(own, chunk.ids)]
            unseen -= set(chunk.ids)
            counts.update(said if said in (NO_DIGIT, WITHOUT) else said != one for said, one in zip(labels, own))
            kept = np.flatnonzero([said not in (NO_DIGIT, WITHOUT) for said in labels])
            if len(kept):
                yield replace(chunk, labels=labels).some(kept)
        refuse_unknown_ids(file, unseen, source.name)
        source.notes.add(_note(file, counts, rest_is_test))

    def digest() -> str:
        return hashlib.sha256(f"{source.digest()} {file_sha256(file)}".encode()).hexdigest()

    return replace(source, has_labels=True, chunks=chunks, digest=digest, rows=None)


def refuse_unknown_ids(file: Path, unknown: set[str], source: str) -> None:
    """InputError when a csv of `label` names ids that a source, so called, has not."""
    if unknown:
        raise InputError(
            f"{file} names {len(unknown)} pictures that {source} has not, e.g. {min(unknown)!r}; pass the source that "
            "was labelled"
        )


def without_given_labels(source: PixelSource, file: Path) -> PixelSource:
    """The pictures of a source without labels to which a csv of `label` gives none either, or says unsure."""
    label_of = LabelLog(file).label_of

    def chunks() -> Iterator[Chunk]:
        for chunk in source.chunks():
            kept = np.flatnonzero([label_of.get(id_, UNSURE) == UNSURE for id_ in chunk.ids])
            if len(kept):
                yield replace(chunk, labels=None).some(kept)

    def digest() -> str:
        return hashlib.sha256(f"{source.digest()} without {file_sha256(file)}".encode()).hexdigest()

    return replace(source, has_labels=False, chunks=chunks, digest=digest, rows=None)


def _note(file: Path, counts: Counter, rest_is_test: bool) -> str:
    rest = [f"{counts[WITHOUT]:,} without a label"] * bool(counts[WITHOUT])
    left_out = [f"{counts[NO_DIGIT]:,} that are no digit"] * bool(counts[NO_DIGIT])
    left_out += [] if rest_is_test else rest
    told = f"{file.name}: {counts[True]:,} pictures have the label that was given there"
    told += f"; left out were {' and '.join(left_out)}" if left_out else ""
    return told + (f"; {rest[0]} became test pictures" if rest and rest_is_test else "")
