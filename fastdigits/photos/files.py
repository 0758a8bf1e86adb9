"""Picture files: which there are in a folder, and their gray levels."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..system import InputError
from .digit import normalised
from .ground import Ground
from .scale import BYTES, GrayScale, scale_of

PHONE_ENDINGS = (".heic", ".heif")  # which a plug-in of Pillow reads
PICTURE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".avif", ".pgm", ".ppm"),
    *PHONE_ENDINGS,
)
OTHER_ENDINGS = (  # of pictures that are not read
    *(".svg", ".pdf", ".psd", ".xcf", ".jxl", ".jp2", ".j2k", ".exr", ".hdr", ".ico", ".eps", ".tga"),
    *(".dng", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".mov", ".mp4"),
)
FIRST_BYTES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
STEREO_FORMAT = "MPO"  # two views of one scene, of which the first one counts
WHITE = 255
DEEP_MODES = ("I", "F")  # Pillow's for pictures of more than 256 levels


def list_pictures(path: Path) -> list[Path]:
    """Picture files directly in the folder `path`, numbers in their order, then names."""
    if not path.is_dir():
        return []
    return sorted(filter(is_picture, path.iterdir()), key=lambda file: natural_order(file.stem))


def is_picture(file: Path) -> bool:
    """Whether a file is a picture by its name; those of a leading dot are what macOS puts beside pictures."""
    return file.suffix.lower() in PICTURE_ENDINGS and not file.name.startswith(".")


def left_out(folder: Path) -> list[str]:
    """A line for the pictures directly in a folder that are of kinds that are not read; none where there are none."""
    kinds = Counter(file.suffix.lower() for file in folder.iterdir() if file.suffix.lower() in OTHER_ENDINGS)
    unnamed = sum(_is_unnamed_picture(file) for file in folder.iterdir())
    if unnamed:
        kinds["without an ending"] = unnamed
    if not kinds:
        return []
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    return [f"{folder}: files that are not read were left out ({listed}); save them as PNG or JPEG"]


def _is_unnamed_picture(file: Path) -> bool:
    """Whether a file whose name has no ending begins as a PNG, JPEG, GIF or BMP file does."""
    if file.suffix or file.name.startswith(".") or not file.is_file():
        return False
    try:
        with file.open("rb") as stream:
            return stream.read(8).startswith(FIRST_BYTES)
    except OSError:  # not ours to read
        return False


def picture_ids(files: list[Path]) -> list[str]:
    """An id for each of some files: its name without ending, or with it where two would have the same."""
    stems = Counter(file.stem.lower() for file in files)
    return [_text(file.stem if stems[file.stem.lower()] == 1 else file.name) for file in files]


def picture_id(file: Path) -> str:
    """The file's name without its ending; bytes that are not UTF-8 are spelled out, so that text files take it."""
    return _text(file.stem)


def _text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def natural_order(label: str) -> tuple:
    """Sort key: whole numbers by value, then texts."""
    return (0, int(label), label) if label.isdecimal() else (1, 0, label)


def _unreadable(file: Path, error: Exception) -> InputError:
    """What to say of a file that Pillow cannot read."""
    if type(error).__name__ == "DecompressionBombError":
        return InputError(f"{file} has too many pixels to be read safely; save it smaller")
    return InputError(f"{file} is no readable picture; replace or remove it")


@contextmanager
def _opened(file: Path) -> Iterator["PIL.Image.Image"]:  # noqa: F821 (Pillow is loaded only where it is used)
    """The picture for a block; InputError when there is none, or where opening or reading it finds damage."""
    from PIL import Image

    if file.suffix.lower() in PHONE_ENDINGS:
        _load_phone_plugin(file)
    try:
        with Image.open(file) as picture:
            yield picture
    except FileNotFoundError:
        raise InputError(f"{file} does not exist; pass a picture, a folder or a table") from None
    except PermissionError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}; change its permissions") from None
    except MemoryError:
        raise InputError(f"{file} needs more memory than there is; save it smaller") from None
    except Exception as error:  # of which Pillow has many kinds for damage
        raise _unreadable(file, error) from None


def picture_size(file: Path) -> tuple[int, int]:
    """Width and height in pixels as the file's header tells them, which costs little.

    Raises
    ------
    InputError
        When there is none, or it is damaged.
    """
    with _opened(file) as picture:
        return picture.size


def read_gray(file: Path, normalise: bool = False, ground: Ground = "auto") -> np.ndarray:
    """The picture as gray levels, uint8 (h, w), upright, and `normalised` (see `photos`) if wished, from its `ground`.

    Raises
    ------
    InputError
        When there is none, or it is damaged.
    """
    with _opened(file) as picture:
        pages = 1 if picture.format == STEREO_FORMAT else getattr(picture, "n_frames", 1)
        gray = gray_levels(picture)
    if pages > 1:
        raise InputError(f"{file} has {pages} pages; save each of them as a picture of its own")
    return normalised(gray, ground) if normalise else gray


def _load_phone_plugin(file: Path) -> None:
    """Let Pillow read the pictures of phones; InputError without a plug-in that does."""
    try:
        try:
            from pi_heif import register_heif_opener
        except ImportError:
            from pillow_heif import register_heif_opener
    except ImportError:
        raise InputError(
            f"{file} is a phone's HEIC picture: pip install pi-heif (LGPL) reads it, or save it as JPEG"
        ) from None
    register_heif_opener()


def gray_levels(picture: "PIL.Image.Image") -> np.ndarray:  # noqa: F821 (Pillow is loaded only where it is used)
    """A PIL picture as gray levels, uint8 (h, w): turned as its camera was held, what is transparent being paper."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode in DEEP_MODES or picture.mode.startswith("I;16"):  # which Pillow would cut off at 255
        levels = np.asarray(picture, np.float64).clip(0)
        most = levels.max(initial=0)
        # whole numbers up to 255 are the usual levels in a wide file, not a scan of fewer bits
        is_bytes = 1 < most <= WHITE or (picture.mode != "F" and most <= WHITE)
        return (BYTES if is_bytes else scale_of(0, most) or GrayScale(0, most)).to_uint8(levels)
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    gray, alpha = picture.convert("LA").split()
    visible = np.asarray(gray)[np.asarray(alpha) > 127]
    paper = WHITE if visible.size and visible.mean() <= WHITE / 2 else 0  # dark ink lies on white paper
    return np.asarray(Image.composite(gray, Image.new("L", gray.size, paper), alpha))
