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

from ..photos import Ground, averaged, gray_levels, normalised
from ..sources import PixelSource, open_source
from ..system import InputError
from .limits import Limits, Refusal

FORMATS = ("PNG", "JPEG")
LONGEST_NAME = 80  # characters
SHOWN_SIDE = 100  # pixels
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
    except (HTTPException, LookupError, ValueError) as error:
        raise Refusal(400, f"the form cannot be read: {getattr(error, 'detail', None) or error}") from None
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


async def one_picture(request: Request, limits: Limits) -> tuple[str, bytes]:
    """Name and bytes of the one picture file of a request."""
    sent, *more = await sent_pictures(request, limits)
    if more:
        raise Refusal(400, "several pictures were sent; send one at a time")
    return sent


def shown_picture(gray: np.ndarray) -> np.ndarray:
    """What a model saw, uint8 (h, w); by a whole factor smaller where a side is twice SHOWN_SIDE or more."""
    factor = max(1, max(gray.shape) // SHOWN_SIDE)
    if factor == 1:
        return gray
    return np.rint(averaged(gray, *(min(factor, side) for side in gray.shape))).astype(np.uint8)


def digit_picture(name: str, data: bytes, limits: Limits, normalise: bool, ground: Ground = "auto") -> np.ndarray:
    """A PNG or JPEG file of one digit as a model gets it: uint8 (28, 28) normalised, or (h, w) as it is."""
    gray = decoded_picture(name, data, limits)
    if normalise:
        return normalised(gray, ground)
    if gray.size > limits.raw_pixels:
        raise Refusal(413, f"{name} has more than {limits.raw_pixels / 1e6:g} million pixels; send normalise=true")
    return gray


def decoded_picture(name: str, data: bytes, limits: Limits) -> np.ndarray:
    """The gray levels of a PNG or JPEG file that a client sent, uint8 (h, w)."""
    from PIL import Image, UnidentifiedImageError

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
    except Refusal:
        raise
    except Exception:  # of which Pillow has many kinds for damage
        raise Refusal(400, f"{name} is a damaged picture; save it again") from None


def refuse_bombs() -> None:
    """Make Pillow's warning of pictures that unpack to far more than they weigh an error in this process."""
    from PIL import Image

    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def json_pictures(body: bytes, limits: Limits) -> np.ndarray:
    """The pictures of `{"images": ...}`, gray levels (n, h, w) or (h, w): uint8 (n, h, w)."""
    accepted = 'accepted is {"images": [[[0, ...], ...], ...]}, gray levels 0..255 by picture, row and column'
    try:
        images = json.loads(body)["images"]
        if not isinstance(images[0][0], list):
            images = [images]
        # by hand: numpy would make a table of long texts of whatever it is given
        whole = all(type(level) is int and 0 <= level <= 255 for image in images for row in image for level in row)
        pictures = np.array(images, np.uint8) if whole else None
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        raise Refusal(400, f"the request is no JSON of pictures of one size; {accepted}") from None
    if pictures is None or pictures.ndim != 3 or not pictures.size:
        raise Refusal(400, f"the pictures are no gray levels in three nested lists; {accepted}")
    if len(pictures) > limits.pictures:
        raise Refusal(413, f"{len(pictures)} pictures were sent; send at most {limits.pictures} at a time")
    return pictures


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

    def opened(self, ground: Ground = "auto") -> PixelSource:
        """The table, once its first line was understood; the client may know its `ground`."""
        self.file.write_bytes(self.data)
        return open_source(str(self.file), ground=ground)

    def refusal(self, error: InputError) -> Refusal:
        """What is wrong with the table, by the name that the client knows."""
        here = str(error).replace(str(self.file), self.file.name)
        return Refusal(400, here.replace(self.file.name, self.name))


def slices(images: np.ndarray) -> list[np.ndarray]:
    """The pictures that a client sent, (n, h, w), in parts between which others get their turn."""
    return [images[start : start + SLICE_ROWS] for start in range(0, len(images), SLICE_ROWS)]


def asked_flag(request: Request, name: str, otherwise: bool) -> bool:
    """Whether the client says true to what `name` asks."""
    given = request.query_params.get(name)
    if given is None:
        return otherwise
    if given not in ("true", "false"):
        raise Refusal(400, f"{name}={given[:80]} is unknown; accepted are true and false")
    return given == "true"


def as_clients_say(notes: list[str]) -> list[str]:
    """Lines that name an option of the commands, with the word by which a client gives it."""
    return [note.replace("--ground ", "ground=") for note in notes]


def asked_ground(request: Request) -> str:
    """What the client says that its pictures' ground is."""
    given = request.query_params.get("ground", "auto")
    if given not in Ground.__args__:
        raise Refusal(400, f"ground={given[:80]} is unknown; accepted are {', '.join(Ground.__args__)}")
    return given
