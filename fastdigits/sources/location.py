"""Where a source's bytes lie: a file, a gzip file, or a member of a zip archive."""

import gzip
import hashlib
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError


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

    def open(self) -> BinaryIO:
        """A binary stream of the unpacked content."""
        try:
            stream = self.path.open("rb") if self.member is None else zipfile.ZipFile(self.path).open(self.member)
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}") from None
        except zipfile.BadZipFile:
            raise InputError(f"{self.path} is not a whole zip archive; download or pack it again") from None
        packed = (self.member or self.path.name).lower().endswith(".gz")
        return gzip.GzipFile(fileobj=stream) if packed else stream

    def digest(self) -> str:
        """sha256 of the file as it lies on disk."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def unpacking(location: Location):
    """Turn what goes wrong while unpacking `location` into one line."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise InputError(
            f"{location.name} is damaged or cut short ({error}); download it again"
        ) from None


def archive_members(path: Path) -> list[str]:
    """Names of the files in a zip archive, without folders and macOS side files."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise InputError(f"{path} is not a whole zip archive; download or pack it again") from None
    return [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX")]
