"""The gate: what every picture passes on its way in, whatever it comes from.

Here it is decided whether pictures are turned to light ink on a dark ground, by the rule of `photos`, and they are
looked at for blank ones and for those that lie the wrong way. What is noticed goes into the source's notes, what each
picture shows into its chunk.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..photos import BLANK, OTHER, Ground, Turning, contents_of
from .orientation import Asked
from .pixels import Chunk, PixelSource

LEAST_CLEAR = 0.5  # of the pictures; with fewer that are clear, the ground of all is in doubt
NAMED_IDS = 3


def through_gate(source: PixelSource, ground: Ground = "auto") -> PixelSource:
    """The source, and its test part, with pictures that were looked at and are light ink on a dark ground.

    Parameters
    ----------
    source : PixelSource
    ground : {'auto', 'dark', 'light'}
        Of its pictures, where the user knows it.
    """

    def chunks() -> Iterator[Chunk]:
        turning, asked, ids_of = Turning(ground), Asked(), {BLANK: [], OTHER: []}
        for chunk in source.chunks():
            images = turning.turn(chunk.images)
            if chunk.labels:
                asked.add(images, chunk.labels)
            contents = contents_of(images)
            for kind, ids in ids_of.items():
                ids += [chunk.ids[row] for row in np.flatnonzero(contents == kind)]
            yield Chunk(images, chunk.ids, chunk.labels, contents)
        source.notes.add(
            *_ground_notes(source.name, turning, len(ids_of[BLANK])),
            *asked.note(source.name),
            *_content_notes(source.name, ids_of),
        )

    return replace(source, chunks=chunks, test=source.test and through_gate(source.test, ground))


def turned_notes(name: str, turning: Turning, option: str = "--ground dark") -> list[str]:
    """A line where pictures were turned, and by which `option` they are not; none where there are none."""
    if not turning.turned:
        return []
    which = "all" if turning.turned == turning.seen else f"{turning.turned:,} of {turning.seen:,}"
    if turning.ground == "light":
        return [f"{name}: {which} pictures were turned to light digits on a dark ground, as --ground light says"]
    return [
        f"{name}: {which} pictures are dark digits on a light ground and were turned to light on dark; where that is "
        f"wrong, pass {option}"
    ]


def _ground_notes(name: str, turning: Turning, blank: int) -> list[str]:
    """What was turned, or would have been if it were clear."""
    if turning.turned:
        return turned_notes(name, turning)
    unclear = turning.unclear - blank
    if unclear > LEAST_CLEAR * turning.seen:
        return [
            f"{name}: it is not clear of {unclear:,} of {turning.seen:,} pictures whether digits are light or dark; "
            "they were read as light on dark; pass --ground dark or --ground light"
        ]
    return []


def _content_notes(name: str, ids_of: dict[int, list[str]]) -> list[str]:
    what = {BLANK: "blank: no ink", OTHER: "no light digit on dark: noise, or a surface"}
    lines = []
    for kind, ids in ids_of.items():
        if ids:
            more = ", ..." if len(ids) > NAMED_IDS else ""
            plural = "picture is" if len(ids) == 1 else "pictures are"
            lines.append(f"{name}: {len(ids):,} {plural} {what[kind]} (id {', '.join(ids[:NAMED_IDS])}{more})")
    return lines
