"""PNG files that every reader reads back exactly."""

import io

import numpy as np
import pytest
from PIL import Image

from fastdigits.system import png
from fastdigits.system.png import encode_pictures, write_pictures


@pytest.mark.parametrize("shape", [(5, 28, 28), (3, 1, 1), (2, 300, 7)])
def test_pixels_come_back_on_three_channels(shape, monkeypatch):
    monkeypatch.setattr(png, "PIXELS_AT_ONCE", 2000)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    files = list(encode_pictures(images))
    assert len(files) == shape[0]
    for image, content in zip(images, files):
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.mode == "RGB"
            picture.load()
            assert (np.asarray(picture) == image[:, :, None]).all()


def test_files_are_written_once(tmp_path):
    files = [str(tmp_path / f"{k}.png") for k in range(2)]
    images = np.zeros((2, 4, 4), np.uint8)
    assert write_pictures(images, files) == 2
    with pytest.raises(FileExistsError):
        write_pictures(images, files)


def test_a_call_that_writes_less_than_all(tmp_path, monkeypatch):
    """The system may; the rest follows."""
    write = png.os.write
    monkeypatch.setattr(png.os, "write", lambda number, content: write(number, content[:10]))
    image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    write_pictures(image, [str(tmp_path / "a.png")])
    assert (np.asarray(Image.open(tmp_path / "a.png"))[:, :, 0] == image[0]).all()
