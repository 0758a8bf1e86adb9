"""What can be measured of digits, such as stroke width, slant and paper, and in what one set differs from another."""

from dataclasses import dataclass

import numpy as np

SIDE = 28  # pixels: lengths are those of pictures so wide
INKED = 0.5  # of a picture's darkest ink: more is ink, and less than a fifth of that is paper
AT_ONCE = 1024  # pictures
LEAST_INK = 4  # points; pictures with less are not measured
MOVED, SPREAD = 0.3, 1.4  # deviations that a mean moves, times that a deviation grows: what is worth telling
SURE_ERRORS = 3.0  # standard errors of a mean beyond which a difference is no luck
FAR = 3.0  # deviations: further than that from what a model learnt its confidence means little

Summary = dict[str, list[float]]  # mean and deviation of each property


@dataclass(frozen=True)
class Property:
    """One thing that is measured.

    Attributes
    ----------
    less, more, varied : str
        Words for pictures that have less of it, or more, or that vary more in it.
    unit : str
    least : float
        A difference under it, in that unit, is not worth telling.
    """

    less: str
    more: str
    varied: str
    unit: str
    least: float

    @property
    def digits(self) -> int:
        """Behind the point, with which it is told."""
        return 2 if self.least < 0.3 else 1 if self.least < 1 else 0


PROPERTIES = {
    "stroke width": Property("thinner", "thicker", "of more varied stroke width", "px", 0.08),
    "slant": Property("leaning more to the left", "leaning more to the right", "of more varied slant", "degrees", 2.0),
    "height": Property("lower", "higher", "of more varied height", "px", 0.5),
    "width": Property("narrower", "wider", "of more varied width", "px", 0.5),
    "place across": Property("further left", "further right", "less centred across", "px", 0.5),
    "place down": Property("further up", "further down", "less centred up and down", "px", 0.5),
    "darkness": Property("fainter", "darker", "of more varied darkness", "gray levels", 8.0),
    "edges": Property("sharper", "softer", "of more varied sharpness", "of the ink", 0.1),
    "paper": Property("on cleaner paper", "on noisier paper", "on paper of more kinds", "gray levels", 3.0),
}


@dataclass
class Difference:
    """How far a property of some pictures lies from that of others.

    Attributes
    ----------
    name : str
        Of PROPERTIES.
    before, after : [float, float]
        Mean and deviation.
    in_spread : bool
        Whether the deviation differs most, rather than the mean.
    """

    name: str
    before: list[float]
    after: list[float]
    in_spread: bool

    @property
    def size(self) -> float:
        """How many of the deviations before a mean moved, or a deviation grew."""
        (mean, deviation), (new_mean, new_deviation) = self.before, self.after
        usual = max(deviation, PROPERTIES[self.name].least)
        return abs(new_deviation - deviation) / usual if self.in_spread else abs(new_mean - mean) / usual

    def __str__(self) -> str:
        about = PROPERTIES[self.name]
        before, after = (
            f"{numbers[self.in_spread]:.{about.digits}f}".replace("-0.0", "0.0")
            for numbers in (self.before, self.after)
        )
        if self.in_spread:
            return f"{about.varied} (deviation {after} against {before} {about.unit})"
        word = about.more if self.after[0] > self.before[0] else about.less
        return f"{word} ({after} against {before} {about.unit})"


def differences(before: Summary, after: Summary, pictures: int) -> list[Difference]:
    """In what pictures differ from those before, the largest difference first.

    Nothing that is not worth telling, and nothing that may be luck: of few pictures only large differences.

    Parameters
    ----------
    before, after : Summary
    pictures : int
        How many were measured after.
    """
    luck = SURE_ERRORS / max(pictures, 1) ** 0.5
    found = []
    for name, about in PROPERTIES.items():
        if name not in before or name not in after:
            continue
        (mean, deviation), (new_mean, new_deviation) = before[name], after[name]
        if abs(new_mean - mean) > max(MOVED * deviation, about.least) + luck * max(deviation, new_deviation):
            found.append(Difference(name, before[name], after[name], in_spread=False))
        elif new_deviation - deviation > max((SPREAD - 1) * deviation, about.least) + luck * deviation:
            found.append(Difference(name, before[name], after[name], in_spread=True))
    return sorted(found, key=lambda one: -one.size)


def summary_of(values: np.ndarray) -> Summary:
    """Mean and deviation of each property, of values (n, 9) as `properties_of` gives them; nothing of no pictures."""
    if not len(values):
        return {}
    pairs = zip(values.mean(0).tolist(), values.std(0).tolist())
    return {name: [round(number, 4) for number in pair] for name, pair in zip(PROPERTIES, pairs)}


def properties_of(images: np.ndarray) -> np.ndarray:
    """Every property of PROPERTIES of pictures.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, h, w)
        Light ink on dark.

    Returns
    -------
    ndarray of float32, shape (m, 9)
        Of those in which there is ink, m of n.
    """
    parts = [_properties(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros((0, len(PROPERTIES)), np.float32)


def _properties(images: np.ndarray) -> np.ndarray:
    gray = images.astype(np.float32)
    height, width = images.shape[1:]
    darkest = np.percentile(gray.reshape(len(gray), -1), 99, axis=1)
    ink = gray > (INKED * darkest)[:, None, None]
    points = ink.sum((1, 2))
    gray, ink, darkest, points = (
        values[(points >= LEAST_INK) & (darkest > 0)] for values in (gray, ink, darkest, points)
    )
    if not len(gray):
        return np.zeros((0, len(PROPERTIES)), np.float32)
    scale = SIDE / width
    rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    down, across = ink.sum(2), ink.sum(1)  # (n, h), (n, w)
    y, x = down @ rows / points, across @ columns / points
    dy, dx = rows - y[:, None], columns - x[:, None]
    yy = (down * dy**2).sum(1) / points
    xy = np.einsum("nhw,nh,nw->n", ink, dy, dx, optimize=True) / points
    weak = (gray > 0.2 * darkest[:, None, None]) & (gray < 0.8 * darkest[:, None, None])
    paper = ~_grown(ink | weak)
    return np.stack(
        [
            scale * 2 * points / _rim(ink),
            np.degrees(np.arctan2(-xy, np.maximum(yy, 1e-6))),
            scale * _extent(down),
            scale * _extent(across),
            scale * (x - (width - 1) / 2),
            scale * (y - (height - 1) / 2),
            darkest,
            (weak & _grown(ink)).sum((1, 2)) / points,
            np.sqrt((gray**2 * paper).sum((1, 2)) / np.maximum(paper.sum((1, 2)), 1)),
        ],
        axis=1,
    ).astype(np.float32)


def _extent(along: np.ndarray) -> np.ndarray:
    """From the first line with ink to the last one, (n,), of counts (n, lines)."""
    has_ink = along > 0
    return along.shape[1] - has_ink.argmax(1) - has_ink[:, ::-1].argmax(1)


def _rim(ink: np.ndarray) -> np.ndarray:
    """How often ink and paper meet between neighbours beside or above each other, (n,)."""
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    return (padded[:, 1:] != padded[:, :-1]).sum((1, 2)) + (padded[:, :, 1:] != padded[:, :, :-1]).sum((1, 2))


def _grown(ink: np.ndarray) -> np.ndarray:
    """The ink and the points beside it."""
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    return (
        padded[:, 1:-1, 1:-1] | padded[:, 2:, 1:-1] | padded[:, :-2, 1:-1] | padded[:, 1:-1, 2:] | padded[:, 1:-1, :-2]
    )
