"""Decoded pictures are those of the files, are made once, and never outlive a change."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from fastdigits import InputError, read_folder
from fastdigits.folders.decoded import decoded_split


@pytest.fixture
def copied(folder, tmp_path):
    """An image folder that the test may change."""
    return shutil.copytree(folder, tmp_path / "digits", ignore=shutil.ignore_patterns("decoded"))


def pixels_of(files):
    return np.stack([np.asarray(Image.open(file).convert("L")) for file in files])


def arrays_in(path):
    return sorted(file.name for file in (path / "decoded").iterdir())


def test_pixels_are_those_of_the_files(copied):
    folder = read_folder(copied)
    for name in ("train", "valid", "test"):
        decoded = decoded_split(folder, name)
        assert isinstance(decoded.images, np.memmap)
        assert (decoded.images == pixels_of(folder.split(name).files)).all()
    assert len(arrays_in(copied)) == 3


def test_they_are_made_once(copied, monkeypatch):
    decoded_split(read_folder(copied), "valid")
    monkeypatch.setattr("fastdigits.folders.decoded.read_gray", None)
    assert decoded_split(read_folder(copied), "valid").images.shape == (40, 8, 8)


def test_in_worker_processes_too(copied, monkeypatch):
    monkeypatch.setattr("fastdigits.folders.decoded.PARALLEL_PICTURES", 50)
    monkeypatch.setattr("fastdigits.folders.decoded.CHUNK_PICTURES", 30)
    folder = read_folder(copied)
    assert (decoded_split(folder, "train").images == pixels_of(folder.split("train").files)).all()


def test_a_changed_file_is_seen_and_the_old_array_goes(copied):
    folder = read_folder(copied)
    before = decoded_split(folder, "valid").images.copy()
    old = arrays_in(copied)
    Image.fromarray(255 - before[3]).save(folder.split("valid").files[3])
    after = decoded_split(read_folder(copied), "valid").images
    assert (after[3] == 255 - before[3]).all()
    assert (np.delete(after, 3, 0) == np.delete(before, 3, 0)).all()
    assert len(arrays_in(copied)) == 1
    assert arrays_in(copied) != old


def test_a_touched_file_is_decoded_again(copied, monkeypatch):
    folder = read_folder(copied)
    decoded_split(folder, "valid")
    os.utime(folder.split("valid").files[0], ns=(1, 1))
    monkeypatch.setattr("fastdigits.folders.decoded.read_gray", None)
    with pytest.raises(TypeError):
        decoded_split(folder, "valid")


def test_a_folder_that_cannot_be_written(copied, capsys):
    folder = read_folder(copied)
    (copied / "decoded").write_text("in the way")  # file rights do not stop the super user
    decoded = decoded_split(folder, "valid")
    assert not isinstance(decoded.images, np.memmap)
    assert (decoded.images == pixels_of(folder.split("valid").files)).all()
    assert capsys.readouterr().out == (
        f"{copied / 'decoded'} cannot be written (File exists), so the pictures are decoded anew each time\n"
    )


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None])
def test_a_damaged_array_is_made_again(copied, damage):
    folder = read_folder(copied)
    decoded_split(folder, "valid")
    (array,) = (copied / "decoded").iterdir()
    array.write_bytes(array.read_bytes()[:-100] if damage is None else damage)
    assert (decoded_split(folder, "valid").images == pixels_of(folder.split("valid").files)).all()


def test_what_others_put_there_stays(copied):
    folder = read_folder(copied)
    (copied / "decoded").mkdir()
    kept = [copied / "decoded" / name for name in ("valid-notes.txt", "valid-0123456789abcdef.77.partial")]
    for file in kept:
        file.touch()
    decoded_split(folder, "valid")
    assert all(file.exists() for file in kept)


def test_large_and_mixed_pictures_are_left(copied, monkeypatch, tmp_path):
    monkeypatch.setattr("fastdigits.folders.decoded.LARGEST_PX", 7)
    assert decoded_split(read_folder(copied), "valid") is None
    for k, size in enumerate((8, 9)):
        (tmp_path / "mixed" / "train" / str(k)).mkdir(parents=True)
        Image.new("L", (size, size)).save(tmp_path / "mixed" / "train" / str(k) / "a.png")
    assert decoded_split(read_folder(tmp_path / "mixed"), "train") is None


@pytest.mark.parametrize("parallel", [False, True])
def test_a_picture_of_another_size(copied, monkeypatch, parallel):
    monkeypatch.setattr("fastdigits.folders.decoded.PARALLEL_PICTURES", 0 if parallel else 99)
    folder = read_folder(copied)
    file = folder.split("valid").files[0]
    Image.new("L", (9, 7)).save(file)
    with pytest.raises(InputError) as caught:
        decoded_split(folder, "valid")
    assert str(caught.value) == f"{file} is 9x7 px, the others are 8x8; convert again"
    assert arrays_in(copied) == []
