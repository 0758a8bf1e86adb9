"""Every kind of source gives the same pictures; every wrong one gives one clear line."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError
from fastdigits.answers.submissions import submission_sample
from fastdigits.sources import array_source, pixels
from fastdigits.sources.opening import open_source


def read(source) -> tuple[np.ndarray, list[str], list[str] | None]:
    """All images, ids and labels of a source."""
    chunks = list(open_source(source).chunks())
    ids = [id_ for chunk in chunks for id_ in chunk.ids]
    labels = None if chunks[0].labels is None else [label for chunk in chunks for label in chunk.labels]
    return np.concatenate([chunk.images for chunk in chunks]), ids, labels


def images_of(table: pd.DataFrame) -> np.ndarray:
    return table.filter(like="pixel").to_numpy(np.uint8).reshape(len(table), 8, 8)


def write_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def error_of(source) -> str:
    with pytest.raises(InputError) as caught:
        read(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def four_pixels(*rows: str, header: str = "label,p0,p1,p2,p3") -> str:
    return "\n".join((header, *rows)) + "\n"


def write_csv(table, path):
    table.to_csv(path, index=False)


def write_csv_zip(table, path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("digits.csv", table.to_csv(index=False))


def write_semicolons(table, path):
    table.to_csv(path, index=False, sep=";")


def write_bom_crlf(table, path):
    path.write_bytes(b"\xef\xbb\xbf" + table.to_csv(index=False).replace("\n", "\r\n").encode())


def write_parquet(table, path):
    table.to_parquet(path, index=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.csv", write_csv),
        ("t.csv.gz", write_csv),
        ("t.zip", write_csv_zip),
        ("t.CSV", write_semicolons),
        ("u.csv", write_bom_crlf),
        ("t.parquet", write_parquet),
    ],
)
def test_tables_give_exact_pictures(tmp_path, digit_table, name, write):
    write(digit_table, tmp_path / name)
    images, ids, labels = read(tmp_path / name)
    assert (images == images_of(digit_table)).all()
    assert ids == digit_table["id"].tolist()
    assert labels == [str(label) for label in digit_table["label"]]


def test_columns_in_any_order_and_case(tmp_path, digit_table):
    shuffled = digit_table.sample(frac=1, axis=1, random_state=0)
    shuffled.columns = [name.upper() for name in shuffled.columns]
    shuffled = shuffled.rename(columns={"ID": "ImageId"})
    shuffled.to_csv(tmp_path / "t.csv", index=False)
    images, ids, labels = read(tmp_path / "t.csv")
    assert (images == images_of(digit_table)).all()
    assert (ids[3], labels[3]) == ("d3", "3")


def test_pixels_named_by_row_and_column_are_put_in_reading_order(tmp_path):
    header = "2x2,1x1,label,2x1,1x2"
    images, _, _ = read(write_text(tmp_path / "t.csv", four_pixels("4,1,7,3,2", header=header)))
    assert images.tolist() == [[[1, 2], [3, 4]]]


def test_tables_without_header(tmp_path, digit_table):
    with_label = digit_table.drop(columns="id")
    with_label.to_csv(tmp_path / "label.csv", index=False, header=False)
    images_of_all = images_of(digit_table)
    images, ids, labels = read(tmp_path / "label.csv")
    assert (images == images_of_all).all()
    assert ids[:2] == ["0", "1"]
    assert labels[:3] == ["0", "1", "2"]
    source = open_source(tmp_path / "label.csv")
    assert source.notes == ["label.csv: no header line; the first column was read as the label"]

    digit_table.assign(id=range(200)).to_csv(tmp_path / "both.csv", index=False, header=False)
    source = open_source(tmp_path / "both.csv")
    assert source.notes == ["both.csv: no header line; the first two columns were read as id and label"]
    assert read(tmp_path / "both.csv")[1][:2] == ["0", "1"]

    with_label.drop(columns="label").to_csv(tmp_path / "pixels.csv", index=False, header=False)
    images, _, labels = read(tmp_path / "pixels.csv")
    assert (images == images_of_all).all()
    assert labels is None


def test_a_table_without_header_whose_label_comes_last(tmp_path, digit_table):
    """As UCI's: the first column is a corner that never changes."""
    last = digit_table.drop(columns=["id", "label"]).assign(label=digit_table["label"])
    last.to_csv(tmp_path / "last.csv", index=False, header=False)
    images, _, labels = read(tmp_path / "last.csv")
    assert (images == images_of(digit_table)).all()
    assert labels == [str(label) for label in digit_table["label"]]
    assert open_source(tmp_path / "last.csv").notes == [
        "last.csv: no header line; the last column was read as the label, the first being a black corner"
    ]


def test_a_sorted_table_without_header_has_its_label_first(tmp_path, digit_table):
    """Whose first rows have one label, and a last pixel that changes."""
    noisy = digit_table.drop(columns="id").sort_values("label", kind="stable").assign(pixel63=np.arange(200) % 90)
    pd.concat([noisy.head(1)] * 300 + [noisy]).assign(pixel63=np.arange(500) % 90).to_csv(
        tmp_path / "sorted.csv", index=False, header=False
    )
    assert open_source(tmp_path / "sorted.csv").notes == [
        "sorted.csv: no header line; the first column was read as the label"
    ]


def test_levels_of_fewer_bits(tmp_path, digit_table):
    """As UCI's and scikit-learn's digits have them, 0..16."""
    pixels = digit_table.filter(like="pixel")
    digit_table.assign(**(pixels // 16)).to_csv(tmp_path / "dark.csv", index=False)
    source = open_source(tmp_path / "dark.csv")
    images = np.concatenate([chunk.images for chunk in source.chunks()])
    assert (images.reshape(200, -1) == 17 * (pixels // 16).to_numpy()).all()
    assert source.notes == ["dark.csv: its numbers 0..15 were read as black..white"]


def test_labels_that_were_written_as_floats(tmp_path, digit_table):
    floats = digit_table.assign(label=digit_table["label"].astype(float))
    floats.to_csv(tmp_path / "floats.csv", index=False)
    floats.to_parquet(tmp_path / "floats.parquet")
    for name in ("floats.csv", "floats.parquet"):
        assert read(tmp_path / name)[2][:3] == ["0", "1", "2"]


def test_pandas_default_column_names_are_a_header(tmp_path, digit_table):
    pixels_only = digit_table.filter(like="pixel")
    pixels_only.columns = range(64)
    pixels_only.to_csv(tmp_path / "t.csv", index=False)
    assert len(read(tmp_path / "t.csv")[0]) == len(digit_table)


def test_fractions_are_scaled_and_said(tmp_path, digit_table):
    fractions = digit_table.copy()
    fractions[fractions.filter(like="pixel").columns] = fractions.filter(like="pixel") / 255
    fractions.to_csv(tmp_path / "t.csv", index=False)
    source = open_source(tmp_path / "t.csv")
    images = np.concatenate([chunk.images for chunk in source.chunks()])
    assert (images == images_of(digit_table)).all()
    assert source.notes == ["t.csv: its numbers 0..1 were read as black..white"]


def test_labels_stored_as_floats_are_whole_numbers(tmp_path, digit_table):
    digit_table.astype({"label": float}).to_parquet(tmp_path / "t.parquet")
    assert set(read(tmp_path / "t.parquet")[2]) == set("0123456789")


def test_chunks_are_bounded(tmp_path, digit_table, monkeypatch):
    monkeypatch.setattr("fastdigits.sources.tables.rows.CHUNK_ROWS", 64)
    digit_table.to_csv(tmp_path / "t.csv", index=False)
    sizes = [len(chunk.ids) for chunk in open_source(tmp_path / "t.csv").chunks()]
    assert sizes == [64, 64, 64, 8]


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("images", "labels", "test_images", "test_labels")],
)
def test_npz(tmp_path, digit_images, names):
    images, labels = digit_images
    np.savez_compressed(
        tmp_path / "m.npz", **dict(zip(names, (images[:50], labels[:50], images[50:60], labels[50:60])))
    )
    read_images, _, texts = read(tmp_path / "m.npz")
    assert (read_images == images[:50]).all()
    assert texts == [str(label) for label in labels[:50]]
    test = open_source(tmp_path / "m.npz").test
    assert (next(test.chunks()).images == images[50:60]).all()


def test_npz_of_one_unnamed_array_and_a_channel_axis(tmp_path, digit_images):
    np.savez(tmp_path / "m.npz", digit_images[0][:9, :, :, None].astype(np.float32) / 255)
    images, _, labels = read(tmp_path / "m.npz")
    assert (images == digit_images[0][:9]).all()
    assert labels is None


def write_idx(folder: Path, images: np.ndarray, labels: np.ndarray, prefix: str, packed: bool = False) -> None:
    n, h, w = images.shape
    ending, opener = (".gz", gzip.open) if packed else ("", open)
    with opener(folder / f"{prefix}-images-idx3-ubyte{ending}", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, n, h, w) + images.tobytes())
    with opener(folder / f"{prefix}-labels-idx1-ubyte{ending}", "wb") as file:
        file.write(struct.pack(">II", 0x801, n) + labels.astype(np.uint8).tobytes())


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_and_folder(tmp_path, digit_images, packed):
    images, labels = digit_images
    write_idx(tmp_path, images[:30], labels[:30], "train", packed)
    write_idx(tmp_path, images[30:40], labels[30:40], "t10k", packed)
    source = open_source(tmp_path)
    assert (next(source.chunks()).images == images[:30]).all()
    assert (next(source.test.chunks()).images == images[30:40]).all()
    file = next(tmp_path.glob("train-images*"))
    assert read(file)[2] == [str(label) for label in labels[:30]]


def test_idx_files_packed_and_unpacked(tmp_path, digit_images):
    """As torchvision leaves them."""
    images, labels = digit_images
    for packed in (False, True):
        write_idx(tmp_path, images[:30], labels[:30], "train", packed)
        write_idx(tmp_path, images[30:40], labels[30:40], "t10k", packed)
    (tmp_path / "._train-images-idx3-ubyte").touch()
    source = open_source(tmp_path)
    assert (next(source.chunks()).images == images[:30]).all()
    assert (next(source.test.chunks()).images == images[30:40]).all()


def test_idx_without_labels(tmp_path, digit_images):
    write_idx(tmp_path, *(part[:5] for part in digit_images), "train")
    next(tmp_path.glob("*labels*")).unlink()
    assert read(tmp_path / "train-images-idx3-ubyte")[2] is None


def test_sklearn_digits_reach_white(digit_images):
    images, _, labels = read("sklearn:digits")
    assert (images == digit_images[0]).all()
    assert images.max() == 255
    assert labels == [str(label) for label in digit_images[1]]


def test_arrays_in_memory_come_in_chunks_with_their_own_ids(monkeypatch, digit_images):
    monkeypatch.setattr("fastdigits.sources.arrays.CHUNK_ROWS", 300)
    images, labels = digit_images[0][:700], digit_images[1][:700].astype(str).tolist()
    source = array_source("digits", images, labels, [f"d{k}" for k in range(700)])
    chunks = list(source.chunks())
    assert [len(chunk.ids) for chunk in chunks] == [300, 300, 100]
    assert (np.concatenate([chunk.images for chunk in chunks]) == images).all()
    assert [label for chunk in chunks for label in chunk.labels] == labels
    assert (chunks[2].ids[-1], source.rows, source.has_ids) == ("d699", 700, True)
    assert array_source("digits", images, labels[::-1]).digest() != source.digest()


@pytest.mark.parametrize(("name", "folder", "prefix"), [("mnist", "MNIST", ""), ("emnist-digits", "EMNIST", "emnist-")])
def test_torchvision_sets_from_files_at_hand(tmp_path, monkeypatch, digit_images, name, folder, prefix):
    """torchvision's own loader reads files that are laid where it would download them."""
    images, labels = digit_images
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    raw = tmp_path / "fastdigits" / "datasets" / folder / "raw"
    raw.mkdir(parents=True)
    splits = ("digits-train", "digits-test") if prefix else ("train", "t10k")
    for split, rows in zip(splits, (slice(0, 20), slice(20, 30))):
        write_idx(raw, images[rows], labels[rows], prefix + split)
    source = open_source(f"torchvision:{name}")
    expected = images[:20].transpose(0, 2, 1) if prefix else images[:20]  # EMNIST is stored transposed
    assert (next(source.chunks()).images == expected).all()
    assert len(next(source.test.chunks()).ids) == 10


def test_torchvision_offline_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    message = error_of("torchvision:kmnist")
    assert message.startswith("torchvision:kmnist could not be downloaded (")
    assert message.endswith(
        f"connect to the network, or put torchvision's files for it under {tmp_path}/fastdigits/datasets"
    )


def test_which_of_two_train_tables_is_not_guessed(tmp_path, digit_table):
    digit_table[:5].to_csv(tmp_path / "train.csv.gz", index=False)
    with zipfile.ZipFile(tmp_path / "train.csv.zip", "w") as archive:
        archive.writestr("train.csv", digit_table.to_csv(index=False))
    assert error_of(tmp_path) == (
        f"{tmp_path} holds train.csv.gz and train.csv.zip, and it is not clear which one is meant; remove one, or pass "
        "the other"
    )
    digit_table[:10].to_csv(tmp_path / "train.csv", index=False)  # unpacked, it is meant
    source = open_source(tmp_path)
    assert sum(len(chunk.ids) for chunk in source.chunks()) == 10
    packed = ("train.csv.gz", "train.csv.zip")
    assert source.notes == [f"{tmp_path}: {name} was left out beside train.csv" for name in packed]
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for place in ("mnist", "fashion"):
            archive.writestr(f"{place}/train.csv", digit_table.to_csv(index=False))
    assert "holds mnist/train.csv and fashion/train.csv, and" in error_of(tmp_path / "two.zip")


def test_a_label_column_may_be_in_the_test_table_too(tmp_path, digit_table):
    named = digit_table.rename(columns={"label": "cls"})
    for name, rows in (("train", named[:100]), ("test", named[100:])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    source = open_source(tmp_path, label_column="cls")
    assert (source.has_labels, source.test.has_labels) == (True, True)
    named[100:].drop(columns="cls").to_csv(tmp_path / "test.csv", index=False)
    assert not open_source(tmp_path, label_column="cls").test.has_labels


def test_competition_zip(tmp_path, digit_table):
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("train.csv", digit_table.to_csv(index=False))
        archive.writestr("test.csv", digit_table.drop(columns="label").head(7).to_csv(index=False))
        archive.writestr("Dig-extra.csv", digit_table.head(3).to_csv(index=False))
        archive.writestr("sample_submission.csv", "id,label\nd0,0\n")
        archive.writestr("__MACOSX/train.csv", "junk")
    source = open_source(tmp_path / "c.zip")
    assert source.name == "c.zip/train.csv"
    assert len(next(source.test.chunks()).ids) == 7
    assert len(read(tmp_path / "c.zip" / "Dig-extra.csv")[1]) == 3
    assert submission_sample(tmp_path / "c.zip").member == "sample_submission.csv"
    with pytest.raises(InputError, match=r"c.zip has no gone.csv; it holds train.csv, test.csv, Dig-extra.csv, "):
        open_source(tmp_path / "c.zip" / "gone.csv")


BAD_TABLES = [
    ("", "bad.csv is empty; pass a table of pixel rows"),
    ("\n\n", "bad.csv is empty; pass a table of pixel rows"),
    ("label,p0,p1,p2,p3\n", "bad.csv has a header line and no rows; pass the table with its pixel rows"),
    (
        four_pixels("1,2,3,4,5", "1,2,3,4"),
        "row 2 of bad.csv has 3 pixels, expected 4; was a column dropped or a line cut?",
    ),
    (four_pixels("1,2,3,4,5,6"), "row 1 of bad.csv has 5 pixels, expected 4; was a column dropped or a line cut?"),
    (four_pixels("1,2,x,4,5"), "row 1 of bad.csv, column 'p1': 'x' is not a number; gray levels are"),
    (four_pixels("1,2,,4,5"), "row 1 of bad.csv, column 'p1': an empty field is not a number"),
    (four_pixels("1,2,3,4,nan"), "row 1 of bad.csv, column 'p3': 'nan' is not a number"),
    (four_pixels("1,2,3,4,inf"), "row 1 of bad.csv, column 'p3': inf is not a number"),
    (four_pixels("1,2,3,4,256"), "row 1 of bad.csv, column 'p3': 256 is outside 0..255"),
    (four_pixels("1,2,3,4,-1"), "row 1 of bad.csv, column 'p3': -1 is outside 0..255"),
    (
        four_pixels("1,2,3,4,7.5"),
        "row 1 of bad.csv, column 'p3': 7.5 is neither a whole number 0..255 nor in a table of 0..1",
    ),
    (
        four_pixels("1,2,3,4", header="label,p0,p1,p2"),
        "bad.csv has 3 pixel columns, which is no square; expected e.g. 1 (1x1) or 4 (2x2)",
    ),
    (four_pixels("1,2,3,4,5", header="label,p0,p1,p1,p3"), "bad.csv has the column 'p1' more than once"),
    (
        four_pixels("1,1,2,3,4", header="id,ImageId,p0,p1,p2"),
        "bad.csv has two id columns, 'id' and 'ImageId'; keep one",
    ),
    (
        four_pixels("1,2,3,4,9", header="label,p0,p1,p2,writer"),
        "bad.csv has the column 'writer', which is neither id, label nor a numbered pixel",
    ),
    ("1,2,3\n", "bad.csv has 3 pixel columns, which is no square"),
    ("1\n", "bad.csv has no header line and 1 columns; expected label and pixels"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TABLES, ids=range(len(BAD_TABLES)))
def test_bad_tables(tmp_path, text, message):
    assert error_of(write_text(tmp_path / "bad.csv", text)).startswith(message)


def test_a_later_row_outside_the_scale_of_the_first_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdigits.sources.tables.delimited.CSV_BLOCK_BYTES", 64)
    rows = ["1,0,0.5,1,0"] * 20 + ["1,0,200,1,0"]
    message = error_of(write_text(tmp_path / "t.csv", four_pixels(*rows)))
    assert message.startswith("row 21 of t.csv, column 'p1': 200 is outside 0..1 like the rows before it")


def test_text_that_is_not_utf8(tmp_path):
    (tmp_path / "t.csv").write_bytes("label,p0,p1,p2,é\n".encode("utf-16"))
    assert error_of(tmp_path / "t.csv") == "t.csv is not UTF-8 text; save it as csv in UTF-8"
    (tmp_path / "u.csv").write_bytes(b"label,p0,p1,p2,p3\n1,2,3,4,5\n\xff\xfe,2,3,4,5\n")
    assert error_of(tmp_path / "u.csv") == "u.csv is not UTF-8 text; save it as csv in UTF-8"


def test_a_row_longer_than_the_parser_reads(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdigits.sources.tables.delimited.CSV_BLOCK_BYTES", 9)
    path = write_text(tmp_path / "t.csv", "9.,1,1,1\n" * 3 + "100,100,100,100\n" * 3)
    assert error_of(path).startswith("t.csv cannot be read as csv: straddling object")


def test_damaged_files(tmp_path, digit_table):
    packed = gzip.compress(digit_table.to_csv(index=False).encode())
    (tmp_path / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert error_of(tmp_path / "t.csv.gz").startswith("t.csv.gz is damaged or cut short (")
    (tmp_path / "t.zip").write_bytes(b"PK no zip")
    assert error_of(tmp_path / "t.zip").endswith("t.zip is not a whole zip archive; download or pack it again")
    assert error_of(tmp_path / "t.zip" / "train.csv").endswith("is not a whole zip archive; download or pack it again")
    (tmp_path / "t.npz").write_bytes(b"PK no zip")
    assert error_of(tmp_path / "t.npz") == "t.npz is no npz archive, or is cut short; save it again"
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    assert error_of(tmp_path / "t.parquet") == "t.parquet is no parquet file, or is cut short; write it again"


def test_sources_that_are_none(tmp_path):
    assert error_of(tmp_path / "no.csv").startswith(f"{tmp_path}/no.csv does not exist; pass csv, csv.gz, zip, parquet")
    assert error_of("sklearn:faces").startswith("'sklearn:faces' is no known data set; known are sklearn:digits, torch")
    (tmp_path / "t.xlsx").write_bytes(b"x")
    assert error_of(tmp_path / "t.xlsx").startswith("t.xlsx is of no known kind; accepted are csv")
    (tmp_path / "e.npz").touch()
    assert error_of(tmp_path / "e.npz") == "e.npz is empty; pass a table of pixel rows"
    assert error_of(tmp_path).startswith(f"{tmp_path} is no source: expected one train-images-idx3-ubyte file in it")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    assert error_of(tmp_path / "two.zip").endswith(
        f"holds a.csv, b.csv and none is called train; pass one as {tmp_path}/two.zip/NAME"
    )
    with pytest.raises(InputError, match=r"two.zip holds 0 sample submissions; pass the sample file itself"):
        submission_sample(tmp_path / "two.zip")


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = write_text(tmp_path / "t.csv", four_pixels("1,2,3,4,5"))

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so a mode bit does not do
    assert error_of(path) == f"{path} cannot be read: Permission denied"


def test_bad_parquet(tmp_path, digit_table):
    digit_table.astype({"pixel3": object}).assign(pixel3="x").to_parquet(tmp_path / "t.parquet")
    assert "column 'pixel3' holds" in error_of(tmp_path / "t.parquet")
    holes = digit_table.astype({"pixel3": float})
    holes.loc[4, "pixel3"] = None
    holes.to_parquet(tmp_path / "h.parquet")
    assert error_of(tmp_path / "h.parquet").startswith("row 5 of h.parquet, column 'pixel3': the value is missing")
    digit_table.head(0).to_parquet(tmp_path / "e.parquet")
    assert error_of(tmp_path / "e.parquet") == "e.parquet has no rows; pass the table with its pixel rows"


def npz(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def test_bad_npz(tmp_path):
    square, labels = np.zeros((3, 4, 4), np.uint8), np.arange(3)
    assert "holds the arrays a; expected x_train" in error_of(npz(tmp_path / "a.npz", a=square))
    objects = np.array([{}, {}, {}], object)
    assert "holds pickled Python objects, which are not read" in error_of(npz(tmp_path / "b.npz", images=objects))
    assert "holds a single value" in error_of(npz(tmp_path / "d.npz", images=np.uint8(3)))
    assert "has the shape (2,); expected 3 labels" in error_of(
        npz(tmp_path / "e.npz", images=square, labels=labels[:2])
    )
    oblong = np.zeros((3, 4, 5), np.uint8)
    assert "holds pictures of the shape (4, 5); expected square gray ones" in error_of(
        npz(tmp_path / "f.npz", images=oblong)
    )
    assert "has no rows" in error_of(npz(tmp_path / "g.npz", images=square[:0]))
    assert "holds <U1; gray levels are" in error_of(npz(tmp_path / "h.npz", images=np.full((3, 4, 4), "x")))
    too_bright = square.astype(np.int32) + 300
    assert "row 1 of i.npz/images.npy, column pixel 0: 300 is outside 0..255" in error_of(
        npz(tmp_path / "i.npz", images=too_bright)
    )


def npz_of_bytes(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def test_cut_npz_members(tmp_path):
    def npy(array) -> bytes:
        stream = io.BytesIO()
        np.save(stream, array)
        return stream.getvalue()

    images, labels = npy(np.zeros((3, 4, 4), np.uint8)), npy(np.arange(3))
    assert "is no numpy array, or is cut short" in error_of(npz_of_bytes(tmp_path / "a.npz", images=b"junk"))
    assert "it ends before its 3 pictures" in error_of(npz_of_bytes(tmp_path / "b.npz", images=images[:-5]))
    assert "(2 of 3 labels)" in error_of(npz_of_bytes(tmp_path / "c.npz", images=images, labels=labels[:-8]))


def test_bad_idx(tmp_path, digit_images):
    images, labels = (part[:5] for part in digit_images)
    write_idx(tmp_path, images, labels, "train")
    images_file, labels_file = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    labels_file.write_bytes(labels_file.read_bytes()[:-1])
    assert error_of(images_file) == "train-labels-idx1-ubyte is no idx file of 5 labels, as its pictures need"
    images_file.write_bytes(images_file.read_bytes()[:-1])
    labels_file.unlink()
    assert "is damaged or cut short: it ends before its 5 pictures" in error_of(images_file)
    images_file.write_bytes(b"\0" * 16)
    assert "is no idx file of pictures (magic number 0x00000803)" in error_of(images_file)


def test_square_side_names_its_neighbours():
    assert pixels.square_side(784, "t") == 28
    with pytest.raises(
        InputError, match=r"t has 783 pixel columns, which is no square; expected e.g. 729 \(27x27\) or"
    ):
        pixels.square_side(783, "t")


def test_blank_lines_before_the_header(tmp_path):
    path = write_text(tmp_path / "t.csv", "\n\n" + four_pixels("7,1,2,3,4", "8,1,2,3,4"))
    assert read(path)[2] == ["7", "8"]
    path.write_text("\n\n" + four_pixels("7,1,2,3,4", "8,1,x,3,4"))
    assert error_of(path).startswith("row 2 of t.csv, column 'p1': 'x' is not a number")


def test_a_quote_that_does_not_close(tmp_path):
    path = write_text(tmp_path / "t.csv", four_pixels("7,1,2,3,4", '8,1,"2,3,4'))
    assert error_of(path).startswith("row 2 of t.csv")
    path.write_text(four_pixels('7,1,2,3,"4' + "5" * 200_000))
    assert error_of(path).startswith("row 1 of t.csv cannot be read as csv: field larger than field limit")


def test_a_header_without_a_line_end(tmp_path):
    path = write_text(tmp_path / "t.csv", "label,p0,p1,p2,p3")
    assert error_of(path) == "t.csv has a header line and no rows; pass the table with its pixel rows"


def test_zip_members_that_cannot_be_unpacked(tmp_path, digit_table):
    write_csv_zip(digit_table, tmp_path / "t.zip")
    content = bytearray((tmp_path / "t.zip").read_bytes())
    content[0:4] = b"xxxx"
    (tmp_path / "t.zip").write_bytes(content)
    assert error_of(tmp_path / "t.zip").startswith(
        "t.zip/digits.csv cannot be unpacked (Bad magic number for file header)"
    )


def test_bytes_of_0_and_1_then_more(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdigits.sources.arrays.CHUNK_ROWS", 2)
    images = np.ones((4, 2, 2), np.uint8)
    images[3] = 9
    assert error_of(npz(tmp_path / "a.npz", images=images)).startswith(
        "row 4 of a.npz/images.npy, column pixel 0: 9 is"
    )


def test_a_damaged_parquet_footer(tmp_path, digit_table):
    digit_table.to_parquet(tmp_path / "t.parquet")
    content = bytearray((tmp_path / "t.parquet").read_bytes())
    content[-40:-10] = b"x" * 30
    (tmp_path / "t.parquet").write_bytes(content)
    assert error_of(tmp_path / "t.parquet") == "t.parquet is no parquet file, or is cut short; write it again"
