"""No command ends well having dropped a row, a label, an id or a file that it does not mention.

What is read is counted against what was written and what was named, over small sources of every kind.
"""

import contextlib
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits

from fastdigits import InputError, convert, predict
from fastdigits.folders import read_folder

MODEL = "digitnet-mnist"
DIGITS = load_digits()
IMAGES = np.rint(DIGITS.images * (255 / 16)).astype(np.uint8).repeat(2, 1).repeat(2, 2)  # 16x16 pixels
KINDS = (".png", ".jpg", ".bmp", ".svg", ".pdf", ".dng", ".txt")
READ = (".png", ".jpg", ".bmp")
STRANGE = (".svg", ".pdf", ".dng")  # pictures that are not read
quickly = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def said(function) -> tuple[object, str]:
    """What a call returns, or None where it refuses its input, and what it printed or refused it with."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            found = function()
    except InputError as error:
        return None, str(error)
    return found, out.getvalue()


def fresh(tmp_path: Path) -> Path:
    shutil.rmtree(tmp_path / "here", ignore_errors=True)
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@st.composite
def tables(draw) -> pd.DataFrame:
    """Rows with some of an id, a label under any name, row numbers, a group, in any order, of any scale and ground."""
    n = draw(st.integers(1, 12))
    rows = draw(st.permutations(range(30)))[:n]
    pixels = IMAGES[rows].reshape(n, -1).astype(float)
    pixels = 255 - pixels if draw(st.booleans()) else pixels
    pixels = draw(st.sampled_from([lambda p: p.astype(int), lambda p: p / 255, lambda p: (p / 16).astype(int)]))(pixels)
    table = pd.DataFrame(pixels, columns=[f"pixel{k}" for k in range(256)])
    if draw(st.booleans()):
        table.insert(0, draw(st.sampled_from(["label", "class", "y", "digit", "sign"])), DIGITS.target[rows])
    if draw(st.booleans()):
        table.insert(0, draw(st.sampled_from(["id", "ImageId"])), draw(st.permutations(range(1, n + 1))))
    if draw(st.booleans()):
        table.insert(0, "Unnamed: 0", range(n))
    return table


@quickly
@given(table=tables(), kind=st.sampled_from(["csv", "parquet"]))
def test_rows_of_tables(tmp_path, table, kind):
    place = fresh(tmp_path)
    file = place / f"t.{kind}"
    table.to_csv(file, index=False) if kind == "csv" else table.to_parquet(file)
    folder, words = said(lambda: convert(file, place / "digits", valid=0))
    label = next((name for name in ("label", "class", "y", "digit", "sign") if name in table), None)
    if folder is None:
        assert label == "sign"
        assert "--label-column sign" in words
        return
    (split,) = folder.splits.values()
    assert len(split) == len(table)
    own = next((name for name in ("id", "ImageId") if name in table), None)
    assert split.ids == (table[own].astype(str).tolist() if own else [str(k) for k in range(len(table))])
    assert split.labels == (table[label].astype(str).tolist() if label else None)
    if label not in (None, "label"):
        assert f"the column {label!r} was read as the label" in words
    assert ("'Unnamed: 0'" in words) == ("Unnamed: 0" in table)
    pixels = table.filter(like="pixel").to_numpy()
    is_byte_scale = pixels.max() > 64
    assert ("black..white" in words) == (not is_byte_scale)
    assert folder.manifest["notes"] == words.splitlines()


@st.composite
def picture_trees(draw) -> dict[str, int]:
    """Names of files below a folder, in classes, deeper, or flat, with the digit that each shows."""
    deep = draw(st.booleans())
    places = st.sampled_from(["1/", "2/", "2/w1/", "3/w1/w2/", ".thumbs/"] if deep else ["1/", "2/", "3/"])
    if draw(st.booleans()):
        places = st.just("")
    names = st.tuples(places, st.sampled_from("abcd"), st.sampled_from(KINDS))
    found = draw(st.lists(names, min_size=1, max_size=10, unique=True))
    return {"".join(parts): k for k, parts in enumerate(found)}


def write_tree(place: Path, tree: dict[str, int]) -> None:
    for name, k in tree.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[k]).save(file) if file.suffix in READ else file.write_bytes(b"x")


def counted_as_left_out(words: str) -> int:
    """How many files of kinds that are not read the lines name."""
    return sum(
        int(count) for part in re.findall(r"left out \(([^)]*)\)", words) for count in re.findall(r"(\d+) \.", part)
    )


@quickly
@given(tree=picture_trees())
def test_files_of_picture_folders(tmp_path, tree):
    place = fresh(tmp_path)
    write_tree(place / "photos", tree)
    visible = [name for name in tree if not name.startswith(".")]
    readable = [name for name in visible if name.endswith(READ)]
    strange = [name for name in visible if name.endswith(STRANGE)]
    folder, words = said(lambda: convert(place / "photos", place / "digits", valid=0))
    if folder is None:  # refused in words that name what stands in the way
        assert words
        return
    (split,) = folder.splits.values()
    assert len(split) == len(readable)
    assert len(set(split.ids)) == len(readable)
    if split.labels is not None:
        assert sorted(split.labels) == sorted(name.partition("/")[0] for name in readable)
    assert counted_as_left_out(words) == len(strange)


@quickly
@given(tree=picture_trees())
def test_files_that_are_predicted(tmp_path, tree):
    place = fresh(tmp_path)
    flat = {name.replace("/", "-").lstrip("."): k for name, k in tree.items()}
    write_tree(place / "photos", flat)
    readable = [name for name in flat if name.endswith(READ)]
    found, words = said(lambda: predict(MODEL, place / "photos", out=place / "p.csv"))
    if found is None:
        assert not readable or "left out" in words
        return
    written = pd.read_csv(place / "p.csv", dtype=str)
    assert len(written) == len(set(written["id"])) == len(readable)
    assert counted_as_left_out(words) == len([name for name in flat if name.endswith(STRANGE)])


@quickly
@given(
    names=st.lists(
        st.sampled_from(["x_train", "y_train", "x_test", "y_test", "images", "labels", "extra", "arr_0"]),
        min_size=1,
        unique=True,
    ),
    by_columns=st.booleans(),
)
def test_arrays(tmp_path, names, by_columns):
    place = fresh(tmp_path)
    pictures, order = IMAGES[:9].reshape(9, -1), np.asfortranarray if by_columns else np.ascontiguousarray
    is_labels = {"y_train", "y_test", "labels"}
    np.savez(place / "a.npz", **{n: DIGITS.target[:9] if n in is_labels else order(pictures) for n in names})
    folder, words = said(lambda: convert(place / "a.npz", place / "digits", valid=0))
    if folder is None:
        assert "a.npz" in words
        return
    taken = sum(len(split) for split in read_folder(place / "digits").splits.values())
    pairs = [("x_train", "y_train"), ("images", "labels"), ("arr_0", "arr_1")]
    first = next(name for name, _ in pairs if name in names)
    unused = set(names) - {first, dict(pairs)[first], "x_test", *(["y_test"] if "x_test" in names else [])}
    assert all(name in words for name in unused), (names, words)
    assert taken == 9 + 9 * ("x_test" in names and "x_test.npy was left out" not in words)


@pytest.mark.parametrize("command", [convert, predict])
def test_strict_refuses_all_that_is_named(tmp_path, command):
    write_tree(tmp_path / "photos", {"a.png": 1, "b.svg": 2})
    arguments = (tmp_path / "photos",) if command is convert else (MODEL, tmp_path / "photos")
    key = {"out": tmp_path / ("digits" if command is convert else "p.csv")}
    with pytest.raises(InputError) as caught:
        command(*arguments, strict=True, **key)
    assert str(caught.value) == (
        f"--strict: {tmp_path / 'photos'}: files that are not read were left out (1 .svg); save them as PNG or JPEG; "
        "mend the data, or leave out --strict"
    )
    assert not key["out"].exists()


SCALES = {
    "bytes": lambda p: p.astype(np.uint8),
    "whole": lambda p: p.astype(np.int64),
    "floats": lambda p: p.astype(np.float64),
    "shares": lambda p: p / 255,
    "rounded shares": lambda p: p / 255 * 1.0000002,
    "signed shares": lambda p: p / 127.5 - 1,
    "12 bits": lambda p: p.astype(np.int32) * 4095 // 255,
    "16 bits": lambda p: p.astype(np.int64) * 257,
}


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> list[str]:
    """The labels of the first forty digits, as they are."""
    place = tmp_path_factory.mktemp("straight")
    np.savez(place / "t.npz", images=IMAGES[:40])
    return predict(MODEL, place / "t.npz", out=place / "p.csv").labels


@quickly
@given(
    scale=st.sampled_from(sorted(SCALES)), light=st.booleans(), kind=st.sampled_from(["npz", "csv", "parquet", "array"])
)
def test_scale_ground_and_kind_change_no_answer(tmp_path, straight, scale, light, kind):
    """What one part knows of the pictures all parts know: the same digits give the same labels, however they come."""
    place = fresh(tmp_path)
    pixels = IMAGES[:40].reshape(40, -1).astype(np.float64)
    pixels = SCALES[scale](255 - pixels if light else pixels)
    if kind == "npz":
        np.savez(place / "t.npz", images=pixels)
    elif kind == "csv":
        pd.DataFrame(pixels).to_csv(place / "t.csv", index=False)
    elif kind == "parquet":
        pd.DataFrame(pixels).add_prefix("pixel").to_parquet(place / "t.parquet")
    else:
        np.savez(place / "t.npz", images=pixels.reshape(40, 16, 16))
    (file,) = place.iterdir()
    found, words = said(lambda: predict(MODEL, file, out=place / "p.csv"))
    assert np.mean([a == b for a, b in zip(found.labels, straight)]) >= 0.975  # rounding of one in forty
    assert ("were turned" in words) == light
    assert ("black..white" in words) == (scale not in ("bytes", "whole", "floats"))
