"""What clients send: pictures and tables, refused with a reason where they are none."""

import io
import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ..errors import InputError
from ..picture_files import gray_levels
from ..prediction import Predictions
from ..sources import PixelSource, open_source
from .limits import Limits, Refusal

FORMATS = ("PNG", "JPEG")
LONGEST_NAME = 80  # characters
SLICE_ROWS = 64  # of a table that are asked at once, so that others get their turn between


async def sent_pictures(request: Request, limits: Limits) -> list[tuple[str, bytes]]:
    """Name and bytes of the picture files of a request: its body, or the parts of its form."""
    if not _content_type(request).startswith("multipart/"):
        body = await request.body()
        if not body:
            raise Refusal(400, "the request is empty; send a PNG or JPEG picture as its body")
        return [("picture", body)]
    try:
        async with request.form(max_files=limits.pictures, max_fields=limits.pictures) as form:
            files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
            sent = [(shown_name(file.filename), await file.read()) for file in files]
    except HTTPException as error:
        raise Refusal(400, f"the form cannot be read: {error.detail}") from None
    if not sent:
        raise Refusal(400, "the form holds no files; send PNG or JPEG pictures as its parts")
    return sent


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(request: Request) -> bool:
    return _content_type(request) == "application/json"


def shown_name(name: str | None) -> str:
    """The last part of a file's name as the client has it, for answers; it names no file here."""
    last = (name or "picture").replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or "picture"


def decoded_picture(name: str, data: bytes, limits: Limits) -> np.ndarray:
    """The gray levels of a PNG or JPEG file, uint8 (h, w)."""
    from PIL import Image, UnidentifiedImageError

    unreadable = Refusal(400, f"{name} is a damaged picture; save it again")
    too_large = Refusal(413, f"{name} has more than {limits.pixels / 1e6:g} million pixels; send a smaller picture")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > limits.pixels:
                raise too_large
            return gray_levels(picture)
    except UnidentifiedImageError:
        raise Refusal(415, f"{name} is no PNG or JPEG picture; save it as one of these") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except (OSError, SyntaxError, ValueError):  # Pillow's words for damage
        raise unreadable from None


def refuse_bombs() -> None:
    """Make Pillow's warning of pictures that unpack to far more than they weigh an error in this process."""
    from PIL import Image

    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def json_pictures(body: bytes, limits: Limits) -> np.ndarray:
    """The pictures of `{"images": ...}`, gray levels (n, h, w) or (h, w): uint8 (n, h, w)."""
    accepted = 'accepted is {"images": [[[0, ...], ...], ...]}, gray levels 0..255 by picture, row and column'
    try:
        values = np.array(json.loads(body)["images"])
    except (ValueError, TypeError, KeyError, RecursionError, UnicodeDecodeError, OverflowError):
        raise Refusal(400, f"the request is no JSON of pictures of one size; {accepted}") from None
    images = values[None] if values.ndim == 2 else values
    if images.ndim != 3 or not images.size or images.dtype.kind not in "iu":
        raise Refusal(400, f"the pictures are no whole numbers of three nested lists; {accepted}")
    if images.min() < 0 or images.max() > 255:
        raise Refusal(400, f"the pictures hold {images.min()} .. {images.max()}; {accepted}")
    if len(images) > limits.pictures:
        raise Refusal(413, f"{len(images)} pictures were sent; send at most {limits.pictures} at a time")
    return images.astype(np.uint8)


class SentTable:
    """A csv table of pixels that a client sent, in a folder of its own until the block ends.

    Parameters
    ----------
    name : str
        For messages.
    data : bytes
    """

    def __init__(self, name: str, data: bytes):
        self.name, self.data = name, data

    def __enter__(self) -> "SentTable":
        self.folder = TemporaryDirectory(prefix="fastdigits-")
        return self

    def __exit__(self, *_) -> None:
        self.folder.cleanup()

    @property
    def file(self) -> Path:
        return Path(self.folder.name) / "table.csv"

    def opened(self) -> PixelSource:
        """The table, once its first line was understood."""
        self.file.write_bytes(self.data)
        return open_source(str(self.file))

    def refusal(self, error: InputError) -> Refusal:
        """What is wrong with the table, by the name that the client knows."""
        here = str(error).replace(str(self.file), self.file.name)
        return Refusal(400, here.replace(self.file.name, self.name))


def slices(images: np.ndarray) -> list[np.ndarray]:
    """The pictures (n, h, w) in parts that are not many."""
    return [images[start : start + SLICE_ROWS] for start in range(0, len(images), SLICE_ROWS)]


def predictions_csv(ids: list[str], rows: list[np.ndarray], classes: list[str]) -> str:
    """id,label,confidence of each row, as `predict` writes it."""
    return Predictions(ids, np.concatenate(rows), classes).table().to_csv(index=False)
