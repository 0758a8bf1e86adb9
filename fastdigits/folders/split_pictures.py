"""The pictures of a split: as arrays of one size, or as a source like any other, a part at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from ..photos import SIDE, Ground, Turning, is_on_light, picture_size, properties_of, read_gray
from ..sources import CHUNK_ROWS, Chunk, PixelSource, picture_files_source, through_gate
from ..system import InputError
from .decoded import decoded_split
from .layout import ImageFolder
from .splitting import evenly_spaced, spread_rows

ASKED_PICTURES, ASKED_PX = 200, 56  # of a split, about its ground or size


def split_source(folder: ImageFolder, split: str, ground: Ground = "auto") -> PixelSource:
    """A split of an image folder as a source that passed the gate, decoded where it is.

    Parameters
    ----------
    folder : ImageFolder
    split : str
    ground : {'auto', 'dark', 'light'}
        Of its pictures; told from each by default.
    """
    if folder.normalise and ground != "auto":
        raise InputError(
            f"the pictures of {folder.path} are cut out as photos, whatever their ground; leave out --ground"
        )
    rows, name, decoded = folder.split(split), f"{folder.path} ({split})", decoded_split(folder, split)
    if decoded is None:
        source = picture_files_source(
            name,
            rows.files,
            rows.ids,
            rows.labels,
            normalise=folder.normalise,
            size=folder.size,
            own_ids=rows.own_ids,
        )
    else:

        def chunks() -> Iterator[Chunk]:
            for start in range(0, len(rows), CHUNK_ROWS):
                part = slice(start, start + CHUNK_ROWS)
                yield Chunk(decoded.images[part], rows.ids[part], rows.labels and rows.labels[part])

        has_labels = rows.labels is not None
        source = PixelSource(name, folder.size, rows.own_ids, has_labels, chunks, lambda: folder.digest, rows=len(rows))
    if not folder.manifest:  # what was noticed of files; of converted folders it was said then
        source.notes.add(*folder.notes)
    return through_gate(source, "dark" if folder.is_gated and ground == "auto" else ground)


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """Decoded pictures of an image folder, uint8 (n, h, w), at another size: uint8 (n, size, size)."""
    if images.shape[1:] == (size, size):
        return images
    import torch

    from .inputs import resize, to_float

    pictures = resize(to_float(torch.tensor(images)[:, None]), size)
    return pictures[:, 0].mul(255).round().clamp(0, 255).to(torch.uint8).numpy()


def measured(images: np.ndarray) -> np.ndarray:
    """What `photos.properties_of` says of pictures of any size, light ink on dark, uint8 (n, h, w), at 28 px."""
    return properties_of(resized(images, SIDE) if len(images) else images)


def split_images(folder: ImageFolder, split: str, size: int, rows: np.ndarray | None = None) -> np.ndarray:
    """Pictures of a split (or its `rows`) as uint8 (n, h, w); those of mixed sizes at `size` pixels."""
    rows = np.arange(len(folder.split(split))) if rows is None else rows
    decoded = decoded_split(folder, split)
    if decoded:
        return np.asarray(decoded.images[rows])
    files = folder.split(split).files
    return np.concatenate([resized(read_gray(files[row], folder.normalise)[None], size) for row in rows])


def on_dark(folder: ImageFolder, images: np.ndarray) -> np.ndarray:
    """Pictures of an image folder, uint8 (n, h, w), as the gate lets them in: light digits on a dark ground."""
    return images if folder.is_gated else Turning().turn(images)


def spread_pictures(folder: ImageFolder, split: str, size: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` rows, spread over a split, int (k,), and their pictures, light on dark, uint8 (k, h, w)."""
    rows = spread_rows(len(folder.split(split)), most)
    return rows, np.asarray(on_dark(folder, split_images(folder, split, size, rows)))


def usual_side(files: list[Path]) -> int:
    """The longer side in pixels of pictures of mixed sizes, as their headers tell it: the median of some of them."""
    rows = spread_rows(len(files), ASKED_PICTURES)
    return int(np.median([max(picture_size(files[row])) for row in rows]))


def ground_of_split(folder: ImageFolder, split: str) -> Literal["dark", "light"]:
    """Which ground the pictures of a split have, by most of some of them that are clear."""
    if folder.is_gated:
        return "dark"
    if split not in folder.grounds:
        folder.grounds[split] = _seen_ground(folder, split)
    return folder.grounds[split]


def _seen_ground(folder: ImageFolder, split: str) -> Literal["dark", "light"]:
    rows = evenly_spaced(len(folder.split(split)), ASKED_PICTURES)
    if folder.images:
        images = folder.images[split][rows]
    else:  # one by one: all are decoded later, by one process
        side, files = min(folder.size or ASKED_PX, ASKED_PX), folder.split(split).files
        images = np.concatenate([resized(read_gray(files[row])[None], side) for row in rows])
    light, dark = is_on_light(images)
    return "light" if light.sum() > dark.sum() else "dark"
