# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy", "pillow", "onnxruntime"]
# ///
"""Predict digits with the model beside this file: python predict.py PICTURE | FOLDER | TABLE.csv [OUT.csv]

Writes id,label,confidence,verdict. The verdict is sure, doubtful (a person should look), blank (no ink), several (more
than one digit) or other (no digit). Tables have a header line, pixel columns in the order of the rows of the picture,
and, if they like, id and label columns. Dark digits on a light ground are turned.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).parent
PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".avif", ".pgm", ".ppm")
BATCH = 256
# a picture in MNIST's form: its pixels, its border's mean gray level at most, from where on a pixel is ink, rows or
# columns of ink, pixels each way between centre of mass and middle at most
SIDE, BORDER_LEVEL, INK_LEVEL, EXTENTS, OFF_CENTRE = 28, 24, 40, (17, 23), 2.5
WHITES = (1, 3, 7, 15, 16, 31, 63, 64, 255, 1023, 4095, 16_383, 65_535)  # what gray levels may end at
ROUNDING, LEAST_CONTRAST = 1e-4, 20
# of the rim's place between a picture's darkest and lightest gray level, and of the pixels on that side
DARK_RIM, LIGHT_RIM, MOST = 1 / 3, 2 / 3, 0.6
STROKE_LEVEL, TALL, SHARE, MOST_INK, MOST_CHANGES, LEAST_INK = 64, 0.6, 0.2, 0.6, 1.5, 12
LOOKED_AT, LEAST_SIDE, ENOUGH, SURE_OF_PARTS = 112, 8, 0.9, 0.999
TOLD = {2: "several", 3: "other"}  # by the graph's `shown`
ID_NAMES, LABEL_NAMES = ("id", "imageid"), ("label", "labels", "class", "target", "digit", "character", "y")


def pictures(source: Path, cut_out: bool):
    """Ids and gray pictures, uint8 (h, w), one after the other.

    `cut_out` says that the model was trained on digits that were cut out of photos, which is not done here.
    """
    files = [source]
    if source.is_dir():
        files = sorted(f for f in source.iterdir() if f.suffix.lower() in PICTURES and not f.name.startswith("."))
    for file in files:
        gray = gray_levels(Image.open(file))
        if cut_out and not has_form(gray):
            print(
                f"{file}: no digit of 20 pixels, white on black, in 28x28; fastdigits predict would cut out the digit",
                file=sys.stderr,
            )
        yield file.stem if source.is_dir() else file.name, gray


def gray_levels(picture):
    """Gray levels uint8 (h, w): turned as its camera was held; what is transparent is paper, white under dark ink."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):  # more than 256 levels
        levels = np.asarray(picture, np.float64).clip(0)
        is_bytes = 1 < levels.max(initial=0) <= 255 or (picture.mode != "F" and levels.max(initial=0) <= 255)
        return scaled(levels, 0, 255) if is_bytes else scaled(levels, *scale_of(levels))
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    gray, alpha = picture.convert("LA").split()
    visible = np.asarray(gray)[np.asarray(alpha) > 127]
    paper = 255 if visible.size and visible.mean() <= 127 else 0
    return np.asarray(Image.composite(gray, Image.new("L", gray.size, paper), alpha))


def has_form(gray):
    """Whether a picture is 28x28 pixels, white on black, with a digit of about 20 pixels in the middle, as MNIST's."""
    if gray.shape != (SIDE, SIDE):
        return False
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    mask = gray > INK_LEVEL
    if border.mean() >= BORDER_LEVEL or not mask.any():
        return False
    extents = [np.ptp(np.flatnonzero(mask.any(axis))) + 1 for axis in (0, 1)]
    centre = [gray.sum(axis) @ np.arange(SIDE) / gray.sum() for axis in (0, 1)]
    middle = (SIDE - 1) / 2
    return EXTENTS[0] <= max(extents) <= EXTENTS[1] and max(abs(c - middle) for c in centre) <= OFF_CENTRE


def scale_of(values):
    """Which numbers are black and white: 0..1, -1..1, or 0 and the least usual end that none goes beyond."""
    least, most = values.min(initial=0), values.max(initial=0)
    if least < -0.5 and least >= -1 - ROUNDING and most <= 1 + ROUNDING:
        return -1, 1
    white = next((white for white in WHITES if most <= white * (1 + ROUNDING)), None)
    if least < 0 or white is None:
        sys.exit(f"pixels from {least:g} to {most:g} are no gray levels; accepted are 0..255, 0..1 and -1..1")
    return 0, white if most else 255


def scaled(values, black, white):
    """Gray levels uint8 of numbers of which these are black and white."""
    return np.rint(((values - black) / (white - black)).clip(0, 1) * 255).astype(np.uint8)


def rim_level(gray):
    """Mean gray level of a picture's outermost pixels."""
    return float(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]]).mean())


class Turning:
    """Turns dark digits on a light ground; what is not clear goes with most of those that are."""

    def __init__(self):
        self.seen, self.turned, self.light, self.dark = 0, 0, 0, 0

    def turn(self, gray):
        rim = rim_level(gray)
        least, most = int(gray.min()), int(gray.max())
        share, above = (rim - least) / max(most - least, 1), (gray > (least + most) // 2).mean()
        is_clear = most - least >= LEAST_CONTRAST and min(gray.shape) >= LEAST_SIDE
        is_light = is_clear and share > LIGHT_RIM and above > MOST
        is_dark = is_clear and share < DARK_RIM and above < 1 - MOST
        self.light, self.dark, self.seen = self.light + is_light, self.dark + is_dark, self.seen + 1
        if is_light or (self.light > self.dark and not is_dark):
            self.turned += 1
            return 255 - gray
        return gray


def shown(gray):
    """What a picture, light on dark, shows besides one digit: blank, several, other; else None."""
    most, ground = int(gray.max()), rim_level(gray)
    if most - int(gray.min()) < LEAST_CONTRAST:
        return "blank"
    if min(gray.shape) < LEAST_SIDE:
        return None
    step = max(1, max(gray.shape) // LOOKED_AT)
    ink = gray[::step, ::step] > np.uint8(ground + min(STROKE_LEVEL, (most - ground) / 4))
    area, share = int(ink.sum()), float(ink.mean())
    changes = min(np.count_nonzero(ink[:, 1:] != ink[:, :-1]), np.count_nonzero(ink[1:] != ink[:-1]))
    if share > MOST_INK or not area or (area > LEAST_INK and changes > MOST_CHANGES * (1 - share) * area):
        return "other"
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    parts = 0
    for part in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        inside = ink[:, part[0] : part[-1] + 1]
        parts += np.ptp(np.flatnonzero(inside.any(1))) + 1 >= TALL * (np.ptp(rows) + 1) and inside.sum() >= SHARE * area
    return "several" if parts > 1 else None


def verdict(gray, confidence, least, told):
    """Whether an answer can be taken as it is; `told` is the graph's word on what is shown, None where it has none."""
    found = shown(gray)
    if found in ("blank", "other"):
        return found
    if told is not None:
        found = TOLD.get(told)
    elif confidence >= SURE_OF_PARTS:
        found = None
    if found:
        return found
    return "doubtful" if confidence < least else "sure"


def rows(source: Path):
    """Ids and gray pictures, uint8 (h, h), of a csv table's rows."""
    with source.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        names = [name.strip().lower() for name in next(reader)]
        ids = [k for k, name in enumerate(names) if name in ID_NAMES]
        labels = [names.index(name) for name in LABEL_NAMES if name in names][:1]
        pixels = [k for k in range(len(names)) if k not in ids + labels]
        side = round(len(pixels) ** 0.5)
        if side * side != len(pixels):
            sys.exit(f"{source} has {len(pixels)} pixel columns, which is no square")
        table = [row for row in reader if row]
    values = np.array([[row[k] for k in pixels] for row in table], np.float32)
    levels = scaled(values, *scale_of(values)).reshape(-1, side, side)
    for number, (row, gray) in enumerate(zip(table, levels)):
        yield row[ids[0]] if ids else str(number), gray


def batches(found):
    """Lists of ids and arrays uint8 (n, h, w) of consecutive pictures of one size."""
    ids, images = [], []
    for id_, image in found:
        if images and (image.shape != images[0].shape or len(images) == BATCH):
            yield ids, np.stack(images)
            ids, images = [], []
        ids.append(id_)
        images.append(image)
    if images:
        yield ids, np.stack(images)


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    if not source.exists():
        sys.exit(f"{source} does not exist")
    about = json.loads((HERE / "model.json").read_text(encoding="utf-8"))
    classes = about["classes"]
    session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
    outputs = ["probabilities", *(["shown"] if about.get("outliers") else [])]
    least = (about.get("reject") or {}).get("below", ENOUGH)
    found = rows(source) if source.suffix.lower() == ".csv" else pictures(source, about["normalise"])
    turning, lines = Turning(), [("id", "label", "confidence", "verdict")]
    for ids, images in batches((id_, turning.turn(gray)) for id_, gray in found):
        probabilities, *more = session.run(outputs, {"images": images})  # (n, classes); what is shown (n,), if told
        told = more[0].tolist() if more else [None] * len(ids)
        for id_, gray, p, kind in zip(ids, images, probabilities, told):
            found = verdict(gray, float(p.max()), least, kind)
            lines.append((id_, classes[int(p.argmax())], f"{p.max():.6f}", found))
    if turning.turned:
        print(f"{turning.turned} of {turning.seen} pictures were turned to light digits on dark", file=sys.stderr)
    if len(sys.argv) == 3:
        with Path(sys.argv[2]).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)
    else:
        csv.writer(sys.stdout, lineterminator="\n").writerows(lines)


if __name__ == "__main__":
    main()
