"""Pixel arrays: npz archives (Keras's mnist.npz, images and labels), idx files (MNIST's own format), or in memory."""

import hashlib
import io
import math
import struct
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..system import InputError
from .location import ZIP_FAULTS, Location, archive_members
from .notes import Notes
from .pixels import CHUNK_ROWS, Chunk, GrayLevels, PixelSource, label_texts, square_side

# (images, labels) under which arrays are saved, most telling first; the second table is the test set.
TRAIN_KEYS = (("x_train", "y_train"), ("train_images", "train_labels"), ("images", "labels"), ("x", "y"))
TEST_KEYS = (("x_test", "y_test"), ("test_images", "test_labels"))
UNNAMED_KEYS = (("arr_0", "arr_1"),)  # np.savez without names

MOST_PIXELS = 100_000_000  # of a picture
READ_BYTES = 256_000_000  # that are read together

IDX_IMAGES, IDX_LABELS = 0x00000803, 0x00000801  # unsigned bytes in three dimensions, in one
IDX_LONG_LABELS = 0x00000C02  # whole numbers of four bytes in two dimensions, as QMNIST's labels
LABEL_PARTNERS = (("x_", "y_"), ("images", "labels"), ("imgs", "labels"), ("image", "label"))  # parts of file names


def npz_source(location: Location) -> PixelSource:
    """The training arrays of an npz archive, its test arrays as `.test`. Nothing is unpickled."""
    try:
        with zipfile.ZipFile(location.path) as archive:
            members = {Path(name).stem.lower(): name for name in archive.namelist() if name.endswith(".npy")}
    except ZIP_FAULTS:
        raise InputError(f"{location.name} is no npz archive, or is cut short; save it again") from None
    used: set[str] = set()
    train = _npz_pair(location.path, members, TRAIN_KEYS + UNNAMED_KEYS, used)
    test = _npz_pair(location.path, members, TEST_KEYS, used)
    if train is None:
        raise InputError(
            f"{location.name} holds the arrays {', '.join(sorted(members)) or 'none'}; "
            "expected x_train and y_train, or images and labels"
        )
    train.test = test
    left_out = sorted(set(members) - used)
    if left_out:
        train.notes.add(f"{location.name}: the arrays {', '.join(left_out[:5])} were left out")
    return train


def array_source(
    name: str, images: np.ndarray, labels: list[str], ids: list[str] | None = None, notes: Notes | None = None
) -> PixelSource:
    """Labelled pictures that are in memory.

    Parameters
    ----------
    name : str
    images : ndarray of uint8, shape (n, side, side)
    labels : list of str, length n
    ids : list of str, length n, optional
        By default the rows' numbers.
    notes : Notes, optional
    """
    own_ids = [str(row) for row in range(len(images))] if ids is None else ids

    def chunks() -> Iterator[Chunk]:
        for start in range(0, len(images), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            yield Chunk(images[rows], own_ids[rows], labels[rows])

    def digest() -> str:
        return hashlib.sha256(images.tobytes() + "\n".join(labels).encode()).hexdigest()

    notes = Notes() if notes is None else notes
    return PixelSource(name, images.shape[1], ids is not None, True, chunks, digest, rows=len(images), notes=notes)


def rows_of_pictures(X):
    """Pictures (n, h, w) as rows (n, h * w); anything else as it is, for scikit-learn to check."""
    shape = np.shape(X) if isinstance(X, np.ndarray | list | tuple) else getattr(X, "shape", ())
    if len(shape) == 3 and shape[1] != shape[2]:
        raise ValueError(f"pictures are square; these are {shape[1]} pixels high and {shape[2]} wide: pad them")
    return np.asarray(X).reshape(shape[0], -1) if len(shape) == 3 else X


def _npz_labels_beside(path: Path) -> Location | None:
    """The array of labels in the partner of an npz file, as y_train.npz beside X_train.npz."""
    files = {file.name.lower(): file for file in path.parent.glob("*.npz")}
    for images, labels in LABEL_PARTNERS:
        partner = files.get(path.name.lower().replace(images, labels, 1))
        if partner is not None and partner != path:
            members = [name for name in archive_members(partner) if name.endswith(".npy")]
            if len(members) == 1:
                return Location(partner, members[0])
    return None


def _npz_pair(
    path: Path, members: dict[str, str], keys: tuple[tuple[str, str], ...], used: set[str]
) -> PixelSource | None:
    """The first of some pairs of arrays that is there; `used` gets its names."""
    for images_key, labels_key in keys:
        if images_key in members:
            images = Location(path, members[images_key])
            labels = Location(path, members[labels_key]) if labels_key in members else None
            used |= {images_key, labels_key}
            if len(members) == 1:  # pictures alone
                labels = _npz_labels_beside(path)
            return _npy_source(images, labels)
    return None


def _npy_source(images: Location, labels: Location | None) -> PixelSource:
    with images.open() as stream:
        shape, dtype, by_column = _npy_header(stream, images.name)
    rows, side = shape[0], _picture_side(shape[1:], images.name)
    notes = Notes()

    def chunks() -> Iterator[Chunk]:
        texts = _npy_labels(labels, rows) if labels else None
        levels = GrayLevels(images.name, lambda k: f"pixel {k}", notes)
        with images.open() as stream:
            _npy_header(stream, images.name)
            values = _by_rows(stream, shape, dtype, images.name) if by_column else stream
            for start, block in _blocks(values, rows, side * side, dtype, images.name):
                pixels = levels.to_uint8(block, start + 1)
                yield _chunk(pixels, side, start, texts)

    return PixelSource(images.name, side, False, labels is not None, chunks, images.digest, rows=rows, notes=notes)


def _npy_header(stream: BinaryIO, name: str) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape and dtype of the array in `stream`, and whether it is stored by columns; leaves it at the first value."""
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        shape, by_column, dtype = read[np.lib.format.read_magic(stream)](stream)
    except (ValueError, KeyError):
        raise InputError(f"{name} is no numpy array, or is cut short; save it again") from None
    if dtype.hasobject:
        raise InputError(f"{name} holds pickled Python objects, which are not read; save plain numbers")
    if not shape:
        raise InputError(f"{name} holds a single value; expected one entry for each picture")
    return shape, dtype, by_column and len(shape) > 1


def _by_rows(stream: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, name: str) -> BinaryIO:
    """The values of an array that is stored by columns, as `DataFrame.to_numpy` gives it, in the order of its rows."""
    data = stream.read()
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise InputError(f"{name} is damaged or cut short: it ends before its {shape[0]} pictures; get it again")
    return io.BytesIO(np.frombuffer(data, dtype).reshape(shape, order="F").tobytes())


def _npy_labels(location: Location, rows: int) -> list[str]:
    with location.open() as stream:
        shape, dtype, _ = _npy_header(stream, location.name)
        if shape not in ((rows,), (rows, 1)):
            raise InputError(f"{location.name} has the shape {shape}; expected {rows} labels, one for each picture")
        values = np.frombuffer(stream.read(), dtype)
    if len(values) != rows:
        raise InputError(f"{location.name} is damaged or cut short ({len(values)} of {rows} labels); save it again")
    return label_texts(values)


def _picture_side(shape: tuple[int, ...], name: str) -> int:
    """Side of pictures stored as (pixels,), (h, w) or (h, w, 1)."""
    if len(shape) == 1:
        return square_side(shape[0], name)
    if len(shape) not in (2, 3) or shape[0] != shape[1] or shape[2:] not in ((), (1,)) or shape[0] == 0:
        raise InputError(f"{name} holds pictures of the shape {shape}; expected square gray ones such as (28, 28)")
    return shape[0]


def _blocks(stream: BinaryIO, rows: int, n_pixels: int, dtype: np.dtype, name: str) -> Iterator[tuple[int, np.ndarray]]:
    """(first row from 0, values (n, n_pixels)) of consecutive pictures in a stream of plain numbers."""
    if rows == 0:
        raise InputError(f"{name} has no rows; pass the array with its pictures")
    if not np.issubdtype(dtype, np.number) or np.issubdtype(dtype, np.complexfloating):
        raise InputError(f"{name} holds {dtype}; gray levels are whole numbers 0..255 or fractions 0..1")
    if n_pixels > MOST_PIXELS:
        raise InputError(f"{name} says that its pictures have {n_pixels:,} pixels; at most {MOST_PIXELS:,} are read")
    at_once = max(1, min(CHUNK_ROWS, READ_BYTES // (n_pixels * dtype.itemsize)))
    for start in range(0, rows, at_once):
        n = min(at_once, rows - start)
        data = stream.read(n * n_pixels * dtype.itemsize)
        if len(data) != n * n_pixels * dtype.itemsize:
            raise InputError(f"{name} is damaged or cut short: it ends before its {rows} pictures; get it again")
        yield start, np.frombuffer(data, dtype).reshape(n, n_pixels)
    if stream.read(1):
        raise InputError(f"{name} is damaged: it goes on after its {rows} pictures; get it again")


def _chunk(pixels: np.ndarray, side: int, start: int, texts: list[str] | None) -> Chunk:
    stop = start + len(pixels)
    ids = [str(row) for row in range(start, stop)]
    return Chunk(pixels.reshape(-1, side, side), ids, None if texts is None else texts[start:stop])


def idx_source(location: Location) -> PixelSource:
    """The pictures of an idx file, with the labels of the idx1 file beside it where there is one."""
    with location.open() as stream:
        rows, side = _idx_images_header(stream, location.name)
    labels, notes = _idx_labels_beside(location), Notes()
    if labels is None:
        notes.add(*_unused_idx(location))

    def chunks() -> Iterator[Chunk]:
        texts = _idx_labels(labels, rows) if labels else None
        with location.open() as stream:
            _idx_images_header(stream, location.name)
            for start, block in _blocks(stream, rows, side * side, np.dtype(np.uint8), location.name):
                yield _chunk(block, side, start, texts)

    return PixelSource(location.name, side, False, labels is not None, chunks, location.digest, rows=rows, notes=notes)


def _unused_idx(location: Location) -> list[str]:
    """A line for files of labels that lie beside and are not those of the pictures."""
    files = sorted(name for name in _files_beside(location) if fnmatch(name.lower(), "*label*idx*"))
    if not files:
        return []
    return [f"{location.name}: no file of labels has its name, so {', '.join(files[:3])} was not used"]


def _files_beside(location: Location) -> dict[str, Location]:
    """The files in the folder of a file, or in its zip archive, by their names."""
    if location.member is None:
        return files_in(location.path.parent)
    return files_in(location.path)


def files_in(place: Path) -> dict[str, Location]:
    """The visible files directly in a folder, or those in a zip archive, by their names."""
    if place.is_dir():
        return {file.name: Location(file) for file in place.iterdir() if file.is_file() and file.name[0] != "."}
    return {Path(name).name: Location(place, name) for name in archive_members(place)}


def idx_set_source(place: Path) -> PixelSource:
    """MNIST's four files in a folder or a zip archive: the train pair, the t10k (or test) pair as `.test`."""
    files = files_in(place)
    images = [name for name in sorted(files) if "images" in name.lower() and "idx3" in name.lower()]
    images = [name for name in images if name.removesuffix(".gz") not in files.keys() - {name}]  # unpacked beside it
    tests = [name for name in images if name.lower().startswith(("t10k", "test"))]
    trains = [name for name in images if name not in tests]
    if max(len(trains), len(tests)) > 1:
        several = trains if len(trains) > 1 else tests
        raise InputError(
            f"{place} holds several sets ({', '.join(several[:3])}); pass the pictures of one, as {place / several[0]}"
        )
    if not trains:
        raise InputError(
            f"{place} is no source: expected one train-images-idx3-ubyte file in it; pass a table or one idx file"
        )
    source = idx_source(files[trains[0]])
    source.test = idx_source(files[tests[0]]) if tests else None
    return source


def _idx_images_header(stream: BinaryIO, name: str) -> tuple[int, int]:
    header = stream.read(16)
    if len(header) < 16 or struct.unpack(">I", header[:4])[0] != IDX_IMAGES:
        raise InputError(f"{name} is no idx file of pictures (magic number 0x{IDX_IMAGES:08x}); pass the images file")
    _, rows, height, width = struct.unpack(">IIII", header)
    return rows, _picture_side((height, width), name)


def _idx_labels_beside(location: Location) -> Location | None:
    own = Path(location.member or location.path.name).name
    beside = own.replace("images", "labels").removesuffix(".gz")
    plain, long = beside.replace("idx3", "idx1"), beside.replace("idx3-ubyte", "idx2-int")
    files = _files_beside(location)
    names = (name for name in (plain, f"{plain}.gz", long, f"{long}.gz") if name in files and name != own)
    return next((files[name] for name in names), None)


def _idx_labels(location: Location, rows: int) -> list[str]:
    with location.open() as stream:
        header, content = stream.read(8), stream.read()
    if len(header) == 8 and struct.unpack(">II", header) == (IDX_LONG_LABELS, rows):
        columns = int.from_bytes(content[:4], "big")  # of which the first one is the class
        if columns and len(content) == 4 + 4 * rows * columns:
            return label_texts(np.frombuffer(content, ">i4", offset=4).reshape(rows, columns)[:, 0])
    values = np.frombuffer(content, np.uint8)
    if len(header) < 8 or struct.unpack(">II", header) != (IDX_LABELS, rows) or len(values) != rows:
        raise InputError(f"{location.name} is no idx file of {rows} labels, as its pictures need")
    return label_texts(values)
