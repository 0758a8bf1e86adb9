"""The labelled pictures of an image folder as one source, whatever their split."""

from collections.abc import Iterator

from ..photos import Ground
from ..sources import Chunk, PixelSource
from .layout import ImageFolder
from .split_pictures import split_source
from .splits import TRAIN, VALID


def labelled_source(folder: ImageFolder, ground: Ground = "auto") -> PixelSource:
    """The train and valid pictures of an image folder, one split after the other.

    Their ids are the folder's own, or where two pictures would have the same, with split and label before.

    Raises
    ------
    InputError
        When there are none.
    """
    names = [name for name in (TRAIN, VALID) if name in folder.splits] or [TRAIN]
    ids_of = labelled_ids(folder)
    parts = {name: split_source(folder, name, ground) for name in names}

    def chunks() -> Iterator[Chunk]:
        for name, part in parts.items():
            done = 0
            for chunk in part.chunks():
                ids = ids_of[name][done : done + len(chunk.ids)]
                done += len(ids)
                yield Chunk(chunk.images, ids, chunk.labels, chunk.contents)
            source.notes.add(*part.notes)

    rows = sum(len(folder.split(name)) for name in names)
    source = PixelSource(str(folder.path), folder.size, True, True, chunks, lambda: folder.digest, rows)
    return source


def labelled_ids(folder: ImageFolder) -> dict[str, list[str]]:
    """By split the ids of the train and valid pictures, no two the same."""
    splits = {name: folder.splits[name] for name in (TRAIN, VALID) if name in folder.splits}
    lowered = [id_.lower() for split in splits.values() for id_ in split.ids]
    if len(set(lowered)) == len(lowered):
        return {name: list(split.ids) for name, split in splits.items()}
    return {
        name: [f"{name}-{label}-{id_}" for label, id_ in zip(split.labels, split.ids)] for name, split in splits.items()
    }
