"""What was found in a table or an image folder: its classes, gray levels, copies, and what its split hides."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from ..folders import TEST, TRAIN, VALID
from ..sources import Notes
from ..system import whole_file
from .duplicates import NEAR, CopyPair
from .pictures import Pictures
from .row_order import LEAST_ROWS
from .shift import Shift
from .writers import Audit

SPLITS = (TRAIN, VALID, TEST)
NAMED_PAIRS = 5


@dataclass
class Exploration:
    """What was found.

    Attributes
    ----------
    source : str
    size : (int, int)
        Height and width in pixels.
    rows : dict of split to int
    classes : dict of split to (dict of label to int)
    gray_levels : dict
        least, most, black (share of pixels that are 0), mean, std (of the training pictures, 0..1).
    blank : list of str
        Ids of pictures of one gray level.
    copies : dict of str to {"exact": int, "near": int}
        By where the two stand, such as `train-valid`.
    other_labels : int
        Pairs of copies with different labels.
    named_copies : list of str
        The first pairs of each kind.
    audit : Audit or None
    both_sides : str or None
        Whether the same hands stand in train and in valid, in a sentence.
    shift : Shift or None
        How the test rows differ from those with labels.
    notes : Notes
    out : Path or None
        Where the files are.
    normalised : bool
        Whether digits were cut out of photos.
    """

    source: str
    size: tuple[int, int]
    rows: dict[str, int]
    classes: dict[str, dict[str, int]]
    gray_levels: dict
    blank: list[str]
    copies: dict[str, dict[str, int]]
    other_labels: int
    named_copies: list[str]
    audit: Audit | None
    both_sides: str | None
    shift: Shift | None
    notes: Notes
    out: Path | None = None
    normalised: bool = False

    def __rich__(self) -> str:
        height, width = self.size
        counts = ", ".join(f"{n:,} {split}" for split, n in self.rows.items())
        levels = self.gray_levels
        lines = [
            f"{self.source}: {counts}; {height}x{width} px",
            f"missing values: none; gray levels {levels['least']}..{levels['most']}, {levels['black']:.1%} of the "
            f"pixels black, mean {levels['mean']:.4f}, deviation {levels['std']:.4f}",
        ]
        lines += [self._balance(split, counts) for split, counts in self.classes.items()]
        lines += self._copies()
        if self.audit:
            lines += self.audit.sentences()
        elif self.classes:
            lines.append(f"fewer than {LEAST_ROWS} labelled rows: too few to tell what a split hides")
        lines += [self.both_sides] if self.both_sides else []
        lines += self._of_test()
        lines += self.notes.said()
        return "\n".join([*lines, f"written to {self.out}"] if self.out else lines)

    __str__ = __rich__

    def _of_test(self) -> list[str]:
        """How test rows differ, where there are any."""
        if self.shift:
            return self.shift.sentences()
        return ["too few test rows, or labelled ones, to tell how they differ"] if TEST in self.rows else []

    def _balance(self, split: str, counts: dict[str, int]) -> str:
        fewest, most = min(counts, key=counts.get), max(counts, key=counts.get)
        if counts[fewest] == counts[most]:
            return f"{split}: {len(counts)} classes of {counts[most]:,} pictures each"
        return (
            f"{split}: {len(counts)} classes, {fewest!r} has fewest pictures ({counts[fewest]:,}), {most!r} most "
            f"({counts[most]:,})"
        )

    def _copies(self) -> list[str]:
        if not self.copies:
            return ["no picture occurs twice, nor nearly"]
        lines = [
            f"{where}: {found['exact']} exact and {found['near']} near copies" for where, found in self.copies.items()
        ]
        across = [where for where in self.copies if len(set(where.split("-"))) > 1]
        if across:
            lines.append(f"copies on both sides ({', '.join(across)}) make scores too high; look at copies.csv")
        if self.other_labels:
            lines.append(f"{self.other_labels} of these pairs have two labels: one of the two is likely wrong")
        return lines + [f"  {pair}" for pair in self.named_copies]


def explored(
    pictures: Pictures, copies: list[CopyPair], audit: Audit | None, shift: Shift | None, out: Path
) -> Exploration:
    """What is known of the pictures, with the copies, the audit and the shift that were found among them."""
    images = pictures.images
    flat = images.reshape(len(images), -1)
    train = flat[pictures.splits == TRAIN] if (pictures.splits == TRAIN).any() else flat
    # part by part, since counting makes a number of eight bytes of each pixel
    histogram = sum(np.bincount(part.ravel(), minlength=256) for part in np.array_split(train, 1 + len(train) // 4096))
    histogram = histogram / train.size
    levels = np.arange(256) / 255
    mean = float(histogram @ levels)
    return Exploration(
        source=pictures.name,
        size=images.shape[1:],
        rows={str(name): int((pictures.splits == name).sum()) for name in dict.fromkeys(pictures.splits)},
        classes=_class_counts(pictures),
        gray_levels={
            "least": int(flat.min()),
            "most": int(flat.max()),
            "black": float(histogram[0]),
            "mean": mean,
            "std": float(histogram @ (levels - mean) ** 2) ** 0.5,
        },
        blank=[pictures.ids[row] for row in np.flatnonzero(flat.min(1) == flat.max(1))],
        copies=_count_copies(pictures, copies),
        other_labels=sum(_labels_differ(pictures, pair) for pair in copies),
        named_copies=_name_copies(pictures, copies),
        audit=audit,
        both_sides=_both_sides(pictures, audit),
        shift=shift,
        notes=pictures.notes,
        out=out,
    )


def _both_sides(pictures: Pictures, audit: Audit | None) -> str | None:
    """Whether the same hands stand in train and in valid, by groups, or by blocks of rows; None where nothing tells."""
    if not {TRAIN, VALID} <= set(pictures.splits):
        return None
    in_train, in_valid = pictures.splits == TRAIN, pictures.splits == VALID
    if pictures.groups is not None:
        of_valid = set(pictures.groups[in_valid])
        shared = of_valid & set(pictures.groups[in_train])
        if not shared:
            return f"no group stands on both sides of the split ({len(of_valid)} are in valid)"
        return f"{len(shared)} of the {len(of_valid)} groups in valid stand in train too, so its accuracy flatters"
    if audit is None or audit.order is None or not audit.order.by_hand:
        return None
    train_rows, valid_rows = np.flatnonzero(in_train), np.flatnonzero(in_valid)
    after = np.searchsorted(train_rows, valid_rows).clip(1, len(train_rows) - 1)
    nearest = np.minimum(abs(train_rows[after] - valid_rows), abs(valid_rows - train_rows[after - 1]))
    among = float((nearest < audit.order.block_rows / 4).mean())
    if among < 0.5:
        return "valid is made of blocks of rows of its own, so mostly of other hands than train"
    return f"{among:.0%} of the valid rows stand among training rows of the same hand, so its accuracy flatters"


def _class_counts(pictures: Pictures) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter] = {}
    for split, label in zip(pictures.splits, pictures.labels):
        if label is not None:
            counts.setdefault(str(split), Counter())[label] += 1
    return {split: {label: found[label] for label in pictures.classes} for split, found in counts.items()}


def _where(pictures: Pictures, pair: CopyPair) -> str:
    """The splits of the two, in the order train, valid, test."""
    return "-".join(sorted((str(pictures.splits[row]) for row in (pair.first, pair.second)), key=SPLITS.index))


def _count_copies(pictures: Pictures, copies: list[CopyPair]) -> dict[str, dict[str, int]]:
    found = Counter((_where(pictures, pair), "exact" if pair.exact else "near") for pair in copies)
    kinds = [f"{a}-{b}" for a, b in combinations_with_replacement(SPLITS, 2)]
    present = {where for where, _ in found}
    return {where: {kind: found[where, kind] for kind in ("exact", "near")} for where in kinds if where in present}


def _labels_differ(pictures: Pictures, pair: CopyPair) -> bool:
    first, second = pictures.labels[pair.first], pictures.labels[pair.second]
    return first is not None and second is not None and first != second


def _name_copies(pictures: Pictures, copies: list[CopyPair]) -> list[str]:
    """The first few pairs: those across splits first, then those with two labels."""
    worst_first = sorted(
        copies,
        key=lambda pair: (
            pictures.splits[pair.first] == pictures.splits[pair.second],
            not _labels_differ(pictures, pair),
            pair.distance,
        ),
    )
    return [_pair_line(pictures, pair) for pair in worst_first[:NAMED_PAIRS]]


def _pair_line(pictures: Pictures, pair: CopyPair) -> str:
    def named(row: int) -> str:
        label = pictures.labels[row]
        return f"{pictures.splits[row]} {pictures.ids[row]}" + (f" ({label})" if label is not None else "")

    how = "is equal to" if pair.exact else f"differs by {pair.distance:.2f} (of {NEAR}) from"
    return f"{named(pair.first)} {how} {named(pair.second)}"


def write_copies(pictures: Pictures, copies: list[CopyPair], path: Path) -> None:
    """Write the pairs as csv: split, id and label of both, and how far apart they are."""
    import pandas as pd

    rows = [
        {
            f"{what}_{side}": values[row]
            for side, row in (("first", pair.first), ("second", pair.second))
            for what, values in (("split", pictures.splits), ("id", pictures.ids), ("label", pictures.labels))
        }
        | {"exact": pair.exact, "distance": round(pair.distance, 4)}
        for pair in copies
    ]
    columns = [f"{what}_{side}" for side in ("first", "second") for what in ("split", "id", "label")] + [
        "exact",
        "distance",
    ]
    with whole_file(path) as partial:
        pd.DataFrame(rows, columns=columns).to_csv(partial, index=False)
