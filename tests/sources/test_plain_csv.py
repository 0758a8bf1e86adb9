"""The quick reader of plain tables: the same rows as pyarrow's, and pyarrow takes over where it must."""

import io

import numpy as np
import pytest

from fastdigits import InputError
from fastdigits.sources.opening import open_source
from fastdigits.sources.tables import plain
from fastdigits.sources.tables.plain import Rejoined, parse_plain, plain_rows
from fastdigits.sources.tables.rows import Columns

FOUR = Columns(["label", "p0", "p1", "p2", "p3"], None, 0, [1, 2, 3, 4])


def read_all(path):
    chunks = list(open_source(path).chunks())
    return (
        np.concatenate([chunk.images for chunk in chunks]),
        [id_ for chunk in chunks for id_ in chunk.ids],
        [label for chunk in chunks for label in chunk.labels],
    )


@pytest.fixture
def no_pyarrow(monkeypatch):
    """The test fails when the general parser is asked."""

    def refuse(*_):
        raise AssertionError("pyarrow was asked")

    monkeypatch.setattr("fastdigits.sources.tables.delimited._pyarrow_rows", refuse)


@pytest.fixture
def plain_table(digit_table):
    """The digits with ids of one to three digits."""
    return digit_table.assign(id=range(len(digit_table)))


@pytest.mark.parametrize("block", [64, 1000, 1 << 20])
@pytest.mark.parametrize(
    "form",
    [{}, {"sep": ";"}, {"lineterminator": "\r\n"}, {"header": False}],
    ids=["plain", "semicolons", "CRLF", "no header"],
)
def test_every_value_is_read(tmp_path, plain_table, monkeypatch, no_pyarrow, block, form):
    monkeypatch.setattr(plain, "BLOCK_BYTES", block)
    plain_table.to_csv(tmp_path / "t.csv", index=False, **form)
    images, ids, labels = read_all(tmp_path / "t.csv")
    assert (images.reshape(200, 64) == plain_table.filter(like="pixel").to_numpy()).all()
    assert ids == [str(k) for k in range(200)]
    assert labels == [str(label) for label in plain_table["label"]]


def test_columns_in_any_order_and_no_newline_at_the_end(tmp_path, plain_table, no_pyarrow):
    shuffled = plain_table[plain_table.columns[np.random.default_rng(0).permutation(66)]]
    (tmp_path / "t.csv").write_text(shuffled.to_csv(index=False).rstrip("\n"))
    images, ids, _ = read_all(tmp_path / "t.csv")
    assert (images.reshape(200, 64) == plain_table.filter(like="pixel").to_numpy()).all()
    assert ids[-1] == "199"


@pytest.mark.parametrize("odd", ["3.0", " 7", "+5", '"9"'])
def test_pyarrow_takes_over_in_the_middle(tmp_path, plain_table, monkeypatch, odd):
    monkeypatch.setattr(plain, "BLOCK_BYTES", 1000)
    lines = plain_table.to_csv(index=False).splitlines()
    fields = lines[150].split(",")
    fields[10] = odd
    (tmp_path / "t.csv").write_text("\n".join([*lines[:150], ",".join(fields), *lines[151:]]))
    expected = plain_table.filter(like="pixel").to_numpy().copy()
    expected[149, 8] = float(odd.strip('"'))
    images, ids, _ = read_all(tmp_path / "t.csv")
    assert (images.reshape(200, 64) == expected).all()
    assert ids == [str(k) for k in range(200)]


@pytest.mark.parametrize(
    "line",
    ["1,2,3,4", "1,2,3,4,5,6", "1,2,3,4,", ",2,3,4,5", "1,2,3,4,256", "1,2,3,4,1000", "1,2,3,4,-5", "1;2;3;4;5", "\n"],
)
def test_what_is_not_plain_is_left(line):
    assert parse_plain(f"1,0,0,0,0\n{line}\n".encode(), FOUR, ",") is None


def test_all_values_0_to_255():
    lines = "".join(f"{k % 10},{k},{k:03d},{255 - k},0\n" for k in range(256))
    rows = parse_plain(lines.encode(), FOUR, ",")
    assert rows.values.dtype == np.uint8
    assert rows.values.tolist() == [[k, k, 255 - k, 0] for k in range(256)]
    assert rows.labels == [str(k % 10) for k in range(256)]


def test_a_line_without_end_is_left(monkeypatch):
    monkeypatch.setattr(plain, "BLOCK_BYTES", 8)
    monkeypatch.setattr(plain, "LONGEST_ROW", 32)
    stream = io.BytesIO(b"1," * 100)
    reader = plain_rows(stream, FOUR, ",")
    with pytest.raises(StopIteration) as stopped:
        next(reader)
    unread = stopped.value.value
    assert 32 < len(unread) <= 48
    assert io.BufferedReader(Rejoined(unread, stream)).read() == b"1," * 100


def test_chunks_are_full_whatever_the_blocks(tmp_path, plain_table, monkeypatch):
    """Prediction works in batches, and short ones are slow."""
    monkeypatch.setattr(plain, "BLOCK_BYTES", 1000)
    monkeypatch.setattr("fastdigits.sources.tables.rows.CHUNK_ROWS", 60)
    plain_table.to_csv(tmp_path / "t.csv", index=False)
    assert [len(chunk.ids) for chunk in open_source(tmp_path / "t.csv").chunks()] == [60, 60, 60, 20]


@pytest.mark.parametrize("block", [64, 1 << 20])
@pytest.mark.parametrize("ending", ["\n\n", "\r\n\r\n"])
def test_empty_lines_at_the_end(tmp_path, plain_table, monkeypatch, block, ending):
    monkeypatch.setattr(plain, "BLOCK_BYTES", block)
    content = plain_table.to_csv(index=False) + ending
    (tmp_path / "t.csv").write_bytes(content.encode())
    assert len(read_all(tmp_path / "t.csv")[1]) == 200


def test_a_byte_order_mark_before_rows_without_header(tmp_path, plain_table):
    (tmp_path / "t.csv").write_text(plain_table.to_csv(index=False, header=False), encoding="utf-8-sig")
    images, ids, _ = read_all(tmp_path / "t.csv")
    assert (images.reshape(200, 64) == plain_table.filter(like="pixel").to_numpy()).all()
    assert ids[0].lstrip("\ufeff") == "0"


@pytest.mark.parametrize(
    ("bad", "message"),
    [("256", "row 150 of t.csv, column 'pixel8': 256 is outside 0..255"), ("x", "row 150 of t.csv, column 'pixel8': ")],
)
def test_rows_are_counted_on_after_the_hand_over(tmp_path, plain_table, monkeypatch, bad, message):
    monkeypatch.setattr(plain, "BLOCK_BYTES", 1000)
    lines = plain_table.to_csv(index=False).splitlines()
    fields = lines[150].split(",")
    fields[10] = bad
    (tmp_path / "t.csv").write_text("\n".join([*lines[:150], ",".join(fields), *lines[151:]]))
    with pytest.raises(InputError) as caught:
        read_all(tmp_path / "t.csv")
    assert str(caught.value).startswith(message)
