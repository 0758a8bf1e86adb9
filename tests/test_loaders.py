"""The DataBlock is fastai's own: batches, show_batch and test_dl work, and agree with prediction."""

import numpy as np
import pytest
import torch
from fastai.data.load import DataLoader
from PIL import Image

from fastdigits import InputError, digit_loaders, read_folder
from fastdigits.augmentation import POLICIES
from fastdigits.loaders import read_picture, resize
from fastdigits.saved import SavedModel

MEAN, STD = [0.3] * 3, [0.4] * 3


@pytest.fixture
def loaders(folder):
    return digit_loaders(read_folder(folder), size=16, mean=MEAN, std=STD, batch_size=32, policy=POLICIES["light"])


def test_batches(loaders):
    assert isinstance(loaders.train, DataLoader)
    x, y = loaders.train.one_batch()
    assert x.shape == (32, 3, 16, 16)
    assert x.dtype == torch.float32
    assert y.shape == (32,)
    assert list(loaders.vocab) == list("0123456789")
    assert sum(len(yb) for _, yb in loaders.valid) == 40


def test_validation_sees_what_prediction_sees(folder, loaders):
    """The same resize and normalisation, to the last bit."""
    files = read_folder(folder).split("valid").files
    x = torch.cat([xb for xb, _ in loaders.valid])
    images = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
    model = SavedModel(torch.nn.Linear(1, 1), "none", loaders.vocab, 16, MEAN, STD)
    assert torch.equal(torch.Tensor(x), model.model_input(images))


def test_labels_belong_to_their_pictures(folder, loaders):
    part = read_folder(folder).split("valid")
    labels = [loaders.vocab[int(label)] for _, yb in loaders.valid for label in yb]
    assert labels == part.labels


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # fastai's tensors
def test_show_batch_and_test_dl(folder, loaders):
    import matplotlib as mpl

    mpl.use("agg")
    loaders.show_batch(max_n=4)
    files = read_folder(folder).split("test").files
    (x,) = loaders.test_dl(files).one_batch()
    assert x.shape == (40, 3, 16, 16)


def test_pictures_of_mixed_sizes_and_colours(tmp_path):
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "train" / label).mkdir(parents=True)
        for k, shape in enumerate([(20, 30, 3), (8, 8, 3), (40, 40, 3)]):
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / "train" / label / f"{k}.png")
    loaders = digit_loaders(read_folder(tmp_path), size=16, mean=MEAN, std=STD, batch_size=6)
    x, _ = loaders.train.one_batch()
    assert x.shape == (6, 3, 16, 16)
    assert torch.equal(x[:, 0], x[:, 2])  # colour pictures are read as gray
    assert loaders.valid_ds.items == []


def test_fewer_rows_than_a_batch_are_one_batch(loaders, folder):
    few = digit_loaders(read_folder(folder), size=16, mean=MEAN, std=STD, batch_size=1000)
    assert len(few.train) == 1
    assert len(few.train.one_batch()[1]) == 160


def test_a_damaged_picture_is_named(tmp_path):
    for label in "ab":
        (tmp_path / "train" / label).mkdir(parents=True)
        for k in range(2):
            Image.new("L", (8, 8), 99 * k).save(tmp_path / "train" / label / f"{k}.png")
    folder = read_folder(tmp_path)
    bad = tmp_path / "train" / "a" / "1.png"
    bad.write_bytes(bad.read_bytes()[:50])
    loaders = digit_loaders(folder, size=8, mean=MEAN, std=STD)
    with pytest.raises(InputError) as caught:
        loaders.train.one_batch()
    assert str(caught.value) == f"{bad} is no readable picture; replace or remove it"


def test_an_error_from_a_worker_process_stays_one_line():
    wrapped = (
        "Caught InputError in DataLoader worker process 0.\nTraceback ...\nfastdigits.errors.InputError: a.png is bad\n"
    )
    assert str(InputError(wrapped)) == "a.png is bad"


def test_read_picture_takes_files_pictures_and_arrays(tmp_path):
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(gray).save(tmp_path / "a.png")
    for item in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(gray).convert("RGB"), gray):
        assert torch.equal(read_picture(item)[2], torch.from_numpy(gray))


def test_resize_keeps_equal_sizes_and_smooths_while_it_shrinks():
    x = torch.zeros(1, 1, 64, 64)
    x[..., ::2, :] = 1  # stripes of one pixel
    assert resize(x, 64) is x
    assert resize(x, 16).std() < 0.05
    one = torch.rand(3, 8, 8)
    assert torch.equal(resize(one, 16), resize(one[None], 16)[0])
