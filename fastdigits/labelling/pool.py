"""The pictures that wait for labels: read in the background, so that one can begin while the rest still arrives."""

import logging
import threading
from collections.abc import Callable, Container

import numpy as np

from ..audit import stroke_features
from ..folders import resized
from ..photos import SIDE
from ..sources import Notes, PixelSource
from ..system import InputError

log = logging.getLogger("fastdigits.labelling")


class Pool:
    """Pictures of a source, by row in the order of arrival.

    Parameters
    ----------
    source : PixelSource
        That passed the gate.

    Attributes
    ----------
    arrived : callable () -> None
        Called after every chunk, and at the end of reading in the background; does nothing until it is set.
    ids : list of str
    labels : list of (str or None)
        As the source has them.
    pictures : list of ndarray of uint8, shape (h, w)
        Light on dark.
    is_read : bool
        Whether all have arrived.
    problem : str or None
        Why reading ended before.
    """

    def __init__(self, source: PixelSource):
        self.source = source
        self.arrived: Callable[[], None] = lambda: None
        self.ids: list[str] = []
        self.labels: list[str | None] = []
        self.pictures: list[np.ndarray] = []
        self.row_of: dict[str, int] = {}
        self.is_read, self.problem = False, None
        self._features: dict[int, np.ndarray] = {}
        self._random, self._priorities = np.random.default_rng(0), []
        self._thread = threading.Thread(target=self._read_on, name="pool", daemon=True)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def notes(self) -> Notes:
        return self.source.notes

    def begin(self) -> None:
        """Read beside whatever else is done."""
        self._thread.start()

    def read(self) -> "Pool":
        """Read all; InputError where the source is wrong."""
        for chunk in self.source.chunks():
            self._add(chunk)
        self.is_read = True
        return self

    def _read_on(self) -> None:
        try:
            self.read()
        except InputError as error:
            self.problem = str(error)
        except Exception as error:  # whatever it is, who labels must know that no more comes
            log.exception("the pictures cannot be read")
            self.problem = f"the pictures cannot be read: {error}"
        self.arrived()

    def _add(self, chunk) -> None:
        first = len(self)
        for place, id_ in enumerate(chunk.ids):
            if self.row_of.setdefault(id_, first + place) != first + place:
                raise InputError(f"{self.source.name} has the id {id_!r} twice, so that its label would be both's")
        self._priorities.append(self._random.random(len(chunk.ids)))
        self.labels += chunk.labels or [None] * len(chunk.ids)
        self.ids += chunk.ids
        self.pictures += list(chunk.images)  # last: by it others tell how many there are
        self.arrived()

    def open_rows(self, said: Container[str], most: int | None = None) -> np.ndarray:
        """Rows of the pictures of which nothing was said by id, int (k,), ascending.

        With `most`, at most so many of them at random; as more is said, those that were among them stay so.
        """
        rows = np.array([row for row in range(len(self)) if self.ids[row] not in said], int)
        if most is None or len(rows) <= most:
            return rows
        return np.sort(rows[np.argsort(np.concatenate(self._priorities)[rows], kind="stable")[:most]])

    def labelled(self, label_of: dict[str, str], classes: Container[str]) -> tuple[list[int], list[str]]:
        """Rows and labels of the pictures that have one of the classes."""
        arrived = len(self)  # an id is there a moment before its picture is
        known = [(self.row_of.get(id_, arrived), label) for id_, label in label_of.items() if label in classes]
        known = [(row, label) for row, label in known if row < arrived]
        return [row for row, _ in known], [label for _, label in known]

    def images(self, rows: np.ndarray) -> np.ndarray:
        """Pictures of some rows at 28 px, uint8 (n, 28, 28)."""
        pictures = [self.pictures[row] for row in rows]
        if len({picture.shape for picture in pictures}) == 1:
            return resized(np.stack(pictures), SIDE)
        return np.concatenate([resized(picture[None], SIDE) for picture in pictures])

    def features(self, rows: np.ndarray) -> np.ndarray:
        """Directions of strokes, of unit length: float32 (n, d). Each picture's are computed once."""
        new = [row for row in rows if row not in self._features]
        if new:
            self._features.update(zip(new, stroke_features(self.images(new))))
        return np.stack([self._features[row] for row in rows])
