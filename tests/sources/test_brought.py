"""Tables and sets as people bring them: other libraries' files, other scales, other ways round."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, evaluate, predict
from fastdigits.sources.opening import open_source

pa = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def digits(digit_images) -> tuple[np.ndarray, np.ndarray]:
    """Eighty real digits of 16x16 pixels and their labels."""
    images, labels = (part[:80] for part in digit_images)
    return images.repeat(2, 1).repeat(2, 2), labels


def read(source, **options) -> tuple[np.ndarray, list[str] | None, list[str]]:
    """Pictures, labels and notes."""
    table = open_source(source, **options)
    chunks = list(table.chunks())
    labels = [label for chunk in chunks for label in chunk.labels] if table.has_labels else None
    return np.concatenate([chunk.images for chunk in chunks]), labels, table.notes


def png(image: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize("kind", ["struct", "bytes", "list", "nested", "fixed"])
def test_parquet_with_a_picture_in_one_column(in_tmp, digits, kind):
    import pyarrow.parquet as pq

    images, labels = digits
    column = {
        "struct": lambda: pa.array([{"bytes": png(image), "path": None} for image in images]),
        "bytes": lambda: pa.array([png(image) for image in images]),
        "list": lambda: pa.array([image.ravel().tolist() for image in images]),
        "nested": lambda: pa.array([image.tolist() for image in images]),
        "fixed": lambda: pa.FixedSizeListArray.from_arrays(pa.array(images.ravel()), 256),
    }[kind]()
    table = {"image": column, "label": labels, "id": [f"p{k}" for k in range(80)], "who": labels}
    pq.write_table(pa.table(table), "set.parquet")
    found, names, notes = read("set.parquet")
    assert (found == images).all()
    assert names == labels.astype(str).tolist()
    assert notes == ["set.parquet: of its columns 'who' were not used"]
    assert convert("set.parquet", "digits", valid=0).split("train").ids[3] == "p3"


def test_parquet_pictures_that_cannot_be_read(in_tmp, digits):
    import pyarrow.parquet as pq

    images, _ = digits
    pq.write_table(pa.table({"image": [png(images[0]), b"no picture"]}), "a.parquet")
    with pytest.raises(InputError) as caught:
        read("a.parquet")
    assert str(caught.value) == "row 2 of a.parquet holds no readable picture; replace or drop it"
    pq.write_table(pa.table({"image": [png(images[0]), png(images[1, :8, :8])]}), "b.parquet")
    with pytest.raises(InputError) as caught:
        read("b.parquet")
    assert str(caught.value) == (
        "row 2 of b.parquet, 'image': the picture is 8x8, others 16x16; all must be equal squares: save them as files "
        "and convert the folder with --normalise"
    )
    pq.write_table(pa.table({"image": [png(images[0]), None]}), "c.parquet")
    with pytest.raises(InputError) as caught:
        read("c.parquet")
    assert str(caught.value) == "row 2 of c.parquet, column 'image': the value is missing; fill it or drop the row"


@pytest.mark.parametrize("between", [" ", ", "])
def test_csv_with_all_pixels_in_one_field(in_tmp, digits, between):
    images, labels = digits
    fields = [between.join(map(str, image.ravel())) for image in images]
    fields = [f"[{field}]" for field in fields] if between == ", " else fields
    pd.DataFrame({"digit": labels, "pixels": fields, "Usage": "Training"}).to_csv("t.csv", index=False)
    found, names, notes = read("t.csv")
    assert (found == images).all()
    assert names == labels.astype(str).tolist()
    assert notes == ["t.csv: the column 'digit' was read as the label", "t.csv: of its columns 'Usage' were not used"]
    fields[4] = fields[4][:-9]
    pd.DataFrame({"label": labels, "pixels": fields}).to_csv("cut.csv", index=False)
    with pytest.raises(InputError) as caught:
        read("cut.csv")
    assert str(caught.value) == (
        "row 5 of cut.csv, column 'pixels': no 256 numbers, which the first row has; was a line cut?"
    )


def test_tables_parted_by_blanks(in_tmp, digits):
    """As the USPS digits are: a label written as a float, then values -1..1, a blank at the end of each line."""
    images, labels = digits
    values = images.reshape(80, -1) / 127.5 - 1
    with gzip.open("zip.train.gz", "wt") as file:
        for label, row in zip(labels, values):
            file.write(f"{label:.4f} " + " ".join(f"{value:.4f}" for value in row) + " \n")
    found, names, notes = read("zip.train.gz")
    assert np.abs(found.astype(int) - images).max() <= 1
    assert names == labels.astype(str).tolist()
    assert notes == [
        "zip.train.gz: no header line; the first column was read as the label",
        "zip.train.gz: its numbers -1..1 were read as black..white",
    ]
    np.savetxt("wide.txt", np.column_stack([labels, images.reshape(80, -1)]), fmt="%5d")
    found, names, _ = read("wide.txt")
    assert (found == images).all()
    assert names == labels.astype(str).tolist()


def test_arrays_stored_by_columns(in_tmp, digits):
    images, labels = digits
    by_columns = pd.DataFrame(images.reshape(80, -1)).to_numpy()
    np.savez("f.npz", x_train=np.asfortranarray(by_columns), y_train=labels)
    found, names, _ = read("f.npz")
    assert (found == images).all()
    assert names == labels.astype(str).tolist()


@pytest.mark.parametrize(
    ("change", "scale"),
    [
        (lambda x: x / 255 * 1.0000002, "0..1"),
        (lambda x: x.astype(np.uint16) * 16, "0..4095"),
        (lambda x: x.astype(np.int32) * 257, "0..65535"),
        (lambda x: x // 16, "0..15"),
        (lambda x: x / 127.5 - 1, "-1..1"),
    ],
)
def test_scales(in_tmp, digits, change, scale):
    images, labels = digits
    np.savez("s.npz", x_train=change(images), y_train=labels)
    found, _, notes = read("s.npz")
    assert np.abs(found.astype(int) - images).max() <= (15 if scale == "0..15" else 1)
    assert notes == [f"s.npz/x_train.npy: its numbers {scale} were read as black..white"]


def test_numbers_that_are_no_scale(in_tmp, digits):
    images, labels = digits
    slip = images.astype(np.int32)
    slip[3, 2, 1] = 300  # one slip is no scan of ten bits
    np.savez("slip.npz", x_train=slip, y_train=labels)
    with pytest.raises(InputError) as caught:
        read("slip.npz")
    assert str(caught.value) == (
        "row 4 of slip.npz/x_train.npy, column pixel 33: 300 is outside 0..255; gray levels are whole numbers 0..255 "
        "or fractions 0..1"
    )
    mixed = images.astype(np.float64)
    mixed[70:] /= 255
    np.savez("mixed.npz", x_train=mixed, y_train=labels)
    with pytest.raises(InputError, match=r"is neither a whole number 0\.\.255 nor in a table of 0\.\.1"):
        read("mixed.npz")
    np.savez("int8.npz", x_train=images.astype(np.int8), y_train=labels)
    with pytest.raises(InputError) as caught:
        read("int8.npz")
    assert str(caught.value) == (
        "int8.npz/x_train.npy holds int8, in which gray levels above 127 turn negative; save it as uint8"
    )


@pytest.fixture(scope="module")
def idx_files(digits) -> dict[str, bytes]:
    images, labels = digits
    head = struct.pack(">IIII", 0x803, 80, 16, 16)
    label_head = struct.pack(">II", 0x801, 80)
    return {
        "images-idx3-ubyte": head + images.tobytes(),
        "labels-idx1-ubyte": label_head + labels.astype(np.uint8).tobytes(),
    }


def test_a_zip_archive_of_mnists_files(in_tmp, idx_files, digits):
    with zipfile.ZipFile("mnist.zip", "w") as archive:
        for part in ("train", "t10k"):
            for name, data in idx_files.items():
                archive.writestr(f"raw/{part}-{name}.gz", gzip.compress(data))
    folder = convert("mnist.zip", "digits", valid=0)
    assert {name: len(split) for name, split in folder.splits.items()} == {"train": 80, "test": 80}
    _, labels, _ = read("mnist.zip/raw/train-images-idx3-ubyte.gz")
    assert labels == digits[1].astype(str).tolist()


def test_several_sets_in_one_folder(in_tmp, idx_files):
    for name in ("emnist-digits", "emnist-mnist"):
        for part, data in idx_files.items():
            Path(f"{name}-train-{part}").write_bytes(data)
    with pytest.raises(InputError) as caught:
        convert(".", "digits")
    first = "emnist-digits-train-images-idx3-ubyte"
    assert str(caught.value) == (
        f". holds several sets ({first}, emnist-mnist-train-images-idx3-ubyte); pass the pictures of one, as {first}"
    )
    Path("dots").mkdir()
    for part, data in idx_files.items():
        Path("dots", "train-" + part.replace("-idx", ".idx")).write_bytes(data)
    assert len(convert("dots", "digits", valid=0).split("train")) == 80


def test_sources_met_by_what_to_do(in_tmp, digits, idx_files):
    images, labels = digits
    Path("comp/train").mkdir(parents=True)
    for k in range(3):
        Image.fromarray(images[k]).save(f"comp/train/{k}.png")
    pd.DataFrame({"id": range(3), "label": labels[:3]}).to_csv("comp/train.csv", index=False)
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.write("comp/train/0.png", "IMG_0.PNG")
    os.mkfifo("pipe")
    for source, line in {
        "comp": "comp/train.csv names the pictures of comp/train: pass both, as `comp/train --labels comp/train.csv`",
        "photos.zip": "photos.zip holds pictures; unpack it, and pass the folder",
        "pipe": "pipe is a pipe or device, which cannot be read twice; save it as a file and pass that",
    }.items():
        with pytest.raises(InputError) as caught:
            convert(source, "digits")
        assert str(caught.value) == line
    assert len(convert("comp/train", "digits", labels="comp/train.csv", valid=0).split("train")) == 3


def test_pictures_without_an_ending_are_counted(in_tmp, digits, capsys):
    Path("photos").mkdir()
    Image.fromarray(digits[0][0]).save("photos/a.png")
    Image.fromarray(digits[0][1]).save("photos/b", format="PNG")
    Path("photos/README").write_text("a text")
    predict("digitnet-mnist", "photos", out="p.csv")
    assert capsys.readouterr().out == (
        "photos: files that are not read were left out (1 without an ending); save them as PNG or JPEG\n"
    )


def test_no_line_is_endless(in_tmp):
    Path("t.csv").write_text("label," + "x" * 5000 + "\n1,2\n")
    with pytest.raises(InputError) as caught:
        convert("t.csv", "digits")
    assert len(str(caught.value)) <= 300


@pytest.mark.realdata
def test_orientation_is_told(in_tmp, real_data, capsys):
    table = pd.read_csv(real_data / "mnist" / "train.csv.gz", nrows=200)
    images = table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28)
    for name, turned, told in (
        ("upright", images, None),
        ("transposed", images.transpose(0, 2, 1), "stored transposed"),
        ("rotated", np.rot90(images, 1, (1, 2)), "stored turned left by 90 degrees"),
        ("mirrored", images[:, :, ::-1], "stored mirrored"),
        ("negative", 255 - images.transpose(0, 2, 1), "stored transposed"),
    ):
        np.savez(f"{name}.npz", x_train=turned, y_train=table["label"])
        for call in (
            lambda name=name: convert(f"{name}.npz", "digits", overwrite=True),
            lambda name=name: evaluate("digitnet-mnist", f"{name}.npz"),
        ):
            call()
            said = capsys.readouterr().out
            assert (told in said) if told else ("seem to be stored" not in said)
    letters = table["label"].map(dict(enumerate("abcdefghij")))
    np.savez("letters.npz", x_train=images.transpose(0, 2, 1), y_train=letters.to_numpy(str))
    convert("letters.npz", "digits", overwrite=True)
    assert "seem to be stored" not in capsys.readouterr().out  # nobody knows how these look upright


def test_packed_tables_and_lists_that_are_none(in_tmp):
    import pyarrow.parquet as pq

    Path("bare.csv").write_text('5,"' + " ".join("0" * 64) + '"\n')
    with pytest.raises(InputError) as caught:
        read("bare.csv")
    assert str(caught.value) == (
        "bare.csv has all pixels in one field and no header line; add one, such as label,pixels"
    )
    for name, cell in (("ragged", [[1, 2], [3]]), ("texts", ["a", "b", "c", "d"])):
        pq.write_table(pa.table({"image": [cell]}), f"{name}.parquet")
        with pytest.raises(InputError) as caught:
            read(f"{name}.parquet")
        assert str(caught.value) == (
            f"row 1 of {name}.parquet holds no list of numbers as its picture; write gray levels 0..255"
        )


@pytest.mark.realdata
def test_orientation_is_told_of_tables_in_the_order_of_their_labels(in_tmp, real_data):
    table = pd.read_csv(real_data / "mnist" / "train.csv.gz", nrows=3000).sort_values("label")
    images = table.filter(like="pixel").to_numpy(np.uint8).reshape(-1, 28, 28)
    np.savez("sorted.npz", x_train=images.transpose(0, 2, 1), y_train=table["label"])
    assert "stored transposed" in read("sorted.npz")[2][0]
