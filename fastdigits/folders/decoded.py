"""The decoded pictures of an image folder: one uint8 array a split on disk, tied to the files that it came from."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..photos import read_gray
from ..system import InputError, progress_bar
from .layout import ImageFolder
from .splits import TEST

LARGEST_PX = 128  # of larger pictures decoding is a small part of a step, and the array would be large
CHUNK_PICTURES = 2048
FINGERPRINT_DIGITS = 16
PARALLEL_PICTURES = 8192  # below this, starting worker processes costs more than it saves


@dataclass
class DecodedSplit:
    """The pictures of one split as an array.

    Attributes
    ----------
    files : list of Path, length n
    images : ndarray of uint8, shape (n, h, w)
        Gray levels; memory-mapped, so opening it costs nothing.
    """

    files: list[Path]
    images: np.ndarray

    @cached_property
    def row_of(self) -> dict[Path, int]:
        return {file: row for row, file in enumerate(self.files)}


def decoded_split(folder: ImageFolder, split: str) -> DecodedSplit | None:
    """The decoded pictures of a split; None where they are large or of mixed sizes, and better read one by one.

    The array lies in the folder as `decoded/<split>-<fingerprint>.npy`. It is made on first use and made anew when
    a file's size or time of change is another. Where the folder cannot be written it is kept in memory.

    Raises
    ------
    InputError
        When a picture is damaged, or has another size than the folder's.
    """
    if folder.images:
        return DecodedSplit(folder.split(split).files, folder.images[split])
    if not is_small(folder):
        return None
    if folder.whole:
        return _part_of(folder.whole, folder.split(split).files)
    files = folder.split(split).files
    shape = (len(files), folder.size, folder.size)
    path = folder.path / "decoded" / f"{split}-{_fingerprint(folder.digest, files)}.npy"
    images = _open_array(path, shape)
    if images is None:
        images = _write_array(path, files, shape, split, folder.normalise)
    return DecodedSplit(files, images)


def is_small(folder: ImageFolder) -> bool:
    """Whether the pictures of a folder are equal and so small that they are decoded once."""
    return folder.size is not None and folder.size <= LARGEST_PX


def _part_of(whole: ImageFolder, files: list[Path]) -> DecodedSplit:
    """Some of the decoded pictures of a folder, from any of its splits, copied into memory."""
    splits = [decoded_split(whole, name) for name in whole.splits if name != TEST]
    images = np.empty((len(files), whole.size, whole.size), np.uint8)
    for split in splits:
        places = [place for place, file in enumerate(files) if file in split.row_of]
        images[places] = split.images[[split.row_of[files[place]] for place in places]]
    return DecodedSplit(files, images)


def _open_array(path: Path, shape: tuple[int, int, int]) -> np.ndarray | None:
    """The array at `path`, memory-mapped; None when it is not there, or not whole."""
    try:
        images = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return images if images.shape == shape and images.dtype == np.uint8 else None


def _write_array(path: Path, files: list[Path], shape: tuple[int, int, int], split: str, normalise: bool) -> np.ndarray:
    """Decode into a file that takes its name once it is whole, or into memory where no file can be written."""
    # two runs may start on one new folder, so each writes a file of its own
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(exist_ok=True)
        with open(partial, "wb") as file:  # not a memory map, on which a full disk is a bus error
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in _decoded_parts(files, shape[1], split, normalise):
                file.write(part.tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:  # read-only data, such as a competition's input folder, or a full disk
        print(f"{path.parent} cannot be written ({error.strerror}), so the pictures are decoded anew each time")
        images, done = np.empty(shape, np.uint8), 0
        for part in _decoded_parts(files, shape[1], split, normalise):
            images[done : done + len(part)] = part
            done += len(part)
        return images
    finally:
        with suppress(OSError):
            partial.unlink()
    _remove_older(path, split)
    return np.load(path, mmap_mode="r")


def _remove_older(path: Path, split: str) -> None:
    for old in path.parent.glob(f"{split}-{'[0-9a-f]' * FINGERPRINT_DIGITS}.npy"):
        if old != path:
            with suppress(OSError):  # on Windows, while another run has it open
                old.unlink()


def _fingerprint(digest: str, files: list[Path]) -> str:
    """Hexadecimal digits that change when a file does."""
    stamps = [(stat.st_size, stat.st_mtime_ns) for stat in map(os.stat, files)]
    return hashlib.sha256(digest.encode() + np.array(stamps, np.int64).tobytes()).hexdigest()[:FINGERPRINT_DIGITS]


def _decoded_parts(files: list[Path], size: int, split: str, normalise: bool) -> Iterator[np.ndarray]:
    """The files' pictures one part after the other, uint8 (n, size, size), by worker processes once there are many."""
    chunks = [files[start : start + CHUNK_PICTURES] for start in range(0, len(files), CHUNK_PICTURES)]
    with progress_bar(f"decoding {split}", len(files)) as advance:
        for part in _decoded_chunks(chunks, size, normalise, parallel=len(files) > PARALLEL_PICTURES):
            yield part
            advance(len(part))


def _decoded_chunks(chunks: list[list[Path]], size: int, normalise: bool, parallel: bool) -> Iterator[np.ndarray]:
    if not parallel:
        return (read_grays(chunk, size, normalise) for chunk in chunks)
    from joblib import Parallel, delayed  # loky: safe beside threads, and scripts need no main guard

    jobs = (delayed(read_grays)(chunk, size, normalise) for chunk in chunks)
    return Parallel(n_jobs=-1, return_as="generator", batch_size=1)(jobs)


def read_grays(files: list[Path], size: int, normalise: bool = False) -> np.ndarray:
    """Picture files as gray levels, uint8 (n, size, size); InputError for one that is damaged or of another size."""
    grays = [read_gray(file, normalise) for file in files]
    for file, gray in zip(files, grays):
        if gray.shape != (size, size):
            height, width = gray.shape
            raise InputError(f"{file} is {width}x{height} px, the others are {size}x{size}; convert again")
    return np.stack(grays)
