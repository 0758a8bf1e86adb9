# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy", "pillow", "onnxruntime"]
# ///
"""Predict digits with the model beside this file: python predict.py PICTURE | FOLDER | TABLE.csv [OUT.csv]

Writes id,label,confidence. Tables have a header line, pixel columns with gray levels 0..255 in the order of the rows of
the picture, and, if they like, id and label columns.
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
        levels = np.asarray(picture, np.float64)
        largest = 65_535 if levels.max(initial=0) > 255 else 255
        return np.rint(levels.clip(0, largest) * (255 / largest)).astype(np.uint8)
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


def rows(source: Path):
    """Ids and gray pictures, uint8 (h, h), of a csv table's rows."""
    with source.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        names = [name.strip().lower() for name in next(reader)]
        ids = [k for k, name in enumerate(names) if name in ("id", "imageid")]
        pixels = [k for k, name in enumerate(names) if k not in ids and name != "label"]
        side = round(len(pixels) ** 0.5)
        if side * side != len(pixels):
            sys.exit(f"{source} has {len(pixels)} pixel columns, which is no square")
        for number, row in enumerate(reader):
            yield row[ids[0]] if ids else str(number), np.array([row[k] for k in pixels], np.uint8).reshape(side, side)


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
    found = rows(source) if source.suffix.lower() == ".csv" else pictures(source, about["normalise"])
    lines = [("id", "label", "confidence")]
    for ids, images in batches(found):
        probabilities = session.run(None, {"images": images})[0]  # (n, classes)
        lines += [(id_, classes[int(p.argmax())], f"{p.max():.6f}") for id_, p in zip(ids, probabilities)]
    if len(sys.argv) == 3:
        with Path(sys.argv[2]).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)
    else:
        csv.writer(sys.stdout, lineterminator="\n").writerows(lines)


if __name__ == "__main__":
    main()
