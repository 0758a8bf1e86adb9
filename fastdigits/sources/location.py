"""Where a source's bytes lie: a file, a gzip file, or a member of a zip archive."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..system import InputError, file_sha256

BLOCK_BYTES = 1 << 20
BLANKS, BLANKS_AT_ENDS = re.compile(rb"[ \t]+"), re.compile(rb"(?m)^ | (?=\r?$)")
# RuntimeError: it wants a password, or a way of packing that Python does not know; ValueError: places that cannot be
ZIP_FAULTS = (zipfile.BadZipFile, RuntimeError, ValueError, OverflowError)


@dataclass(frozen=True)
class Location:
    """A file, or the `member` of the zip archive at `path`; `.gz` is unpacked on reading."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        return self.path.name if self.member is None else f"{self.path.name}/{self.member}"

    @property
    def file_name(self) -> str:
        """Lower-case name of the content, without `.gz`."""
        return Path(self.member or self.path.name).name.lower().removesuffix(".gz")

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """A binary stream of the unpacked content; damage found while it is read becomes one line."""
        with ExitStack() as stack:
            try:
                if self.member is None:
                    stream = stack.enter_context(self.path.open("rb"))
                else:
                    archive = stack.enter_context(zipfile.ZipFile(self.path))
                    stream = stack.enter_context(archive.open(self.member))
            except OSError as error:
                raise InputError(f"{self.path} cannot be read: {error.strerror}") from None
            except ZIP_FAULTS as error:
                raise InputError(
                    f"{self.name} cannot be unpacked ({error}); pack it again without a password"
                ) from None
            if (self.member or self.path.name).lower().endswith(".gz"):
                stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
            try:
                yield stream
            except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError) as error:
                raise InputError(f"{self.name} is damaged or cut short ({error}); download it again") from None

    def digest(self) -> str:
        """sha256 of the file as it lies on disk."""
        return file_sha256(self.path)


class SingleBlanks(io.RawIOBase):
    """A stream of lines in which fields stand apart by one blank, made of one in which they do by several.

    Parameters
    ----------
    stream : binary stream
    """

    def __init__(self, stream: BinaryIO):
        self.stream, self.waiting = stream, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self.waiting:
            lines = self.stream.read(BLOCK_BYTES)
            lines += self.stream.readline()  # to the end of a line
            self.waiting = BLANKS_AT_ENDS.sub(b"", BLANKS.sub(b" ", lines))
            if lines and not self.waiting:
                return self.readinto(buffer)
        part, self.waiting = self.waiting[: len(buffer)], self.waiting[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@dataclass(frozen=True)
class BlankSeparated(Location):
    """A text table whose fields are parted by any number of blanks, read as one whose fields are parted by one."""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """As `Location.open`."""
        with super().open() as stream:
            yield io.BufferedReader(SingleBlanks(stream))


def archive_members(path: Path) -> list[str]:
    """Names of the files in a zip archive, without folders and macOS side files."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except ZIP_FAULTS:
        raise InputError(f"{path} is not a whole zip archive; download or pack it again") from None
    return [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX")]
