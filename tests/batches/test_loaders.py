"""The DataBlock is fastai's own: batches, show_batch and test_dl work, and agree with prediction."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from fastai.data.load import DataLoader
from fastai.torch_core import TensorCategory, TensorImage
from fasttransform import Transform
from PIL import Image

from fastdigits import InputError, convert, digit_loaders, read_folder, train
from fastdigits.batches.augmentation import POLICIES
from fastdigits.batches.transforms import read_picture
from fastdigits.folders.inputs import resize
from fastdigits.models.saved import SavedModel

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


@pytest.fixture
def both_ways(folder, loaders, monkeypatch):
    """The same loaders over decoded pictures and over files."""
    monkeypatch.setattr("fastdigits.folders.decoded.LARGEST_PX", 0)
    from_files = digit_loaders(
        read_folder(folder), size=16, mean=MEAN, std=STD, batch_size=32, policy=POLICIES["light"]
    )
    assert (len(loaders.train.decoded), len(from_files.train.decoded)) == (2, 0)
    return loaders, from_files


def batches_of(loader):
    return [(torch.Tensor(x), torch.Tensor(y)) for x, y in loader]


def test_both_ways_give_the_same_validation_batches(both_ways):
    """To the last bit, in types and shapes too."""
    decoded, from_files = (list(loaders.valid) for loaders in both_ways)
    for (x, y), (x_file, y_file) in zip(decoded, from_files, strict=True):
        assert (type(x), type(y)) == (type(x_file), type(y_file)) == (TensorImage, TensorCategory)
        assert torch.equal(x, x_file)
        assert torch.equal(y, y_file)


def test_both_ways_give_the_same_training_batches_from_one_seed(both_ways, monkeypatch):
    monkeypatch.setattr(
        "fastdigits.batches.loaders.MOST_AT_ONCE", 1
    )  # several batches at once draw their numbers at once
    found = []
    for loaders in both_ways:
        torch.manual_seed(1)
        loaders.train.rng.seed(1)
        found.append(batches_of(loaders.train))
    for (x, y), (x_file, y_file) in zip(*found, strict=True):
        assert torch.equal(x, x_file)
        assert torch.equal(y, y_file)


def test_several_batches_at_once_hold_the_same_pictures(folder, monkeypatch):
    """Without augmentation, and with the last, shorter batch dropped as fastai drops it."""
    found = []
    for at_once in (1, 3):
        monkeypatch.setattr("fastdigits.batches.loaders.MOST_AT_ONCE", at_once)
        loaders = digit_loaders(read_folder(folder), size=16, mean=MEAN, std=STD, batch_size=30)
        loaders.train.rng.seed(1)
        found.append(batches_of(loaders.train))
    assert [len(y) for _, y in found[0]] == [30] * 5
    for (x, y), (x_several, y_several) in zip(*found, strict=True):
        assert torch.equal(x, x_several)
        assert torch.equal(y, y_several)


def test_only_training_batches_are_augmented(folder):
    plain, varied = (
        digit_loaders(read_folder(folder), size=16, mean=MEAN, std=STD, batch_size=32, policy=policy)
        for policy in (POLICIES["none"], POLICIES["strong"])
    )
    (x, _), (x_plain, _) = varied.valid.one_batch(), plain.valid.one_batch()
    assert torch.equal(x, x_plain)
    for loaders in (plain, varied):
        loaders.train.rng.seed(1)
    assert not torch.equal(varied.train.one_batch()[0], plain.train.one_batch()[0])


def test_transforms_that_a_user_adds_come_first(loaders):
    """fastai's own batch transforms, which have lower orders, see gray levels and not what the model sees."""

    class Invert(Transform):
        order = 5

        def encodes(self, x: TensorImage):
            return 255 - x

    (plain, _), *_ = loaders.valid
    loaders.valid.after_batch.add(Invert())
    (inverted, _), *_ = loaders.valid
    inverted, plain = (torch.Tensor(x) * 0.4 + 0.3 for x in (inverted, plain))
    torch.testing.assert_close(inverted, 1 - plain, atol=1e-6, rtol=0)


def test_every_training_row_is_seen_once(folder, loaders):
    seen = [loaders.train.dataset.items[row] for row in loaders.train.get_idxs()]
    assert sorted(seen) == sorted(read_folder(folder).split("train").files)
    counts = np.bincount(torch.cat([y for _, y in batches_of(loaders.train)]))
    labels = read_folder(folder).split("train").labels
    assert counts.tolist() == [labels.count(str(k)) for k in range(10)]


def test_an_epoch_of_a_portion_of_the_rows(loaders):
    train = loaders.train
    train.portion = 0.5
    epochs = [train.get_idxs() for _ in range(2)]
    assert [len(set(rows)) for rows in epochs] == [80, 80]  # of 160
    assert set(epochs[0]) != set(epochs[1])
    assert len(train) == len(list(train)) == 2
    assert train.new(shuffle=False, drop_last=False).portion == 1
    train.weights = np.r_[np.zeros(40), np.ones(120)]
    assert min(train.get_idxs()) >= 40
    train.portion, train.share = 0.01, (0, 1)
    assert len(train.get_idxs()) == train.bs == 32  # one batch at least


def test_no_file_is_opened_for_decoded_pictures(loaders, monkeypatch):
    monkeypatch.setattr("fastdigits.batches.transforms.read_gray", None)
    assert sum(len(y) for _, y in batches_of(loaders.train)) == 160
    assert len(batches_of(loaders.valid)) == 1


def test_an_items_transform_sends_fastais_way(loaders):
    class Counted(Transform):
        items = 0

        def encodes(self, x: TensorImage):
            self.items += 1
            return x

    plain, counted = batches_of(loaders.valid), Counted()
    loaders.valid.after_item.add(counted)
    for (x, y), (x_item, y_item) in zip(plain, batches_of(loaders.valid), strict=True):
        assert torch.equal(x, x_item)
        assert torch.equal(y, y_item)
    assert counted.items == 40


def test_pickled_loaders_read_the_files(loaders):
    list(loaders.train)
    again = pickle.loads(pickle.dumps(loaders))
    assert (again.train.decoded, again.train.found) == ((), None)
    for (x, y), (x_again, y_again) in zip(batches_of(loaders.valid), batches_of(again.valid), strict=True):
        assert torch.equal(x, x_again)
        assert torch.equal(y, y_again)


def test_a_model_of_one_channel(folder):
    loaders = digit_loaders(read_folder(folder), size=16, mean=[0.3], std=[0.4], batch_size=32)
    assert loaders.train.one_batch()[0].shape == (32, 1, 16, 16)


def test_validation_sees_what_prediction_sees(folder, loaders):
    """The same resize and normalisation, to the last bit."""
    files = read_folder(folder).split("valid").files
    x = torch.cat([xb for xb, _ in loaders.valid])
    images = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
    model = SavedModel(torch.nn.Linear(1, 1), architecture="none", classes=loaders.vocab, size=16, mean=MEAN, std=STD)
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
    part = read_folder(folder).split("valid")
    (x,) = loaders.test_dl(part.files).one_batch()  # decoded ones, without and with labels
    (x_valid, y_valid), *_ = loaders.valid
    assert torch.equal(x, x_valid)
    _, y = loaders.test_dl(part.files, with_labels=True).one_batch()
    assert torch.equal(y, y_valid)


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
    with pytest.raises(InputError) as caught:
        digit_loaders(folder, size=8, mean=MEAN, std=STD)
    assert str(caught.value) == f"{bad} is no readable picture; replace or remove it"


def test_an_error_from_a_worker_process_stays_one_line():
    wrapped = "Caught InputError in DataLoader worker process 0.\nTraceback ...\n"
    wrapped += "fastdigits.system.errors.InputError: a.png is bad\n"
    assert str(InputError(wrapped)) == "a.png is bad"


def test_read_picture_takes_files_pictures_and_arrays(tmp_path):
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(gray).save(tmp_path / "a.png")
    for item in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(gray).convert("RGB"), gray):
        assert torch.equal(read_picture(item)[0], torch.from_numpy(gray))


def test_resize_keeps_equal_sizes_and_smooths_while_it_shrinks():
    x = torch.zeros(1, 1, 64, 64)
    x[..., ::2, :] = 1  # stripes of one pixel
    assert resize(x, 64) is x
    assert resize(x, 16).std() < 0.05
    one = torch.rand(3, 8, 8)
    assert torch.equal(resize(one, 16), resize(one[None], 16)[0])


def test_labels_keep_the_order_of_the_folders_classes(digit_images, tmp_path):
    """2 before 10, where fastai would sort texts: the position of a label is that of the model's output."""
    images, labels = digit_images
    chosen = np.flatnonzero(labels < 3)[:90]
    np.savez(tmp_path / "d.npz", images=images[chosen], labels=np.array([10, 2, 30])[labels[chosen]])
    folder = convert(tmp_path / "d.npz", tmp_path / "digits", valid=30)
    loaders = digit_loaders(folder, size=8, mean=[0.0], std=[1.0], batch_size=20)
    assert list(loaders.vocab) == folder.classes == ["2", "10", "30"]
    (_, y), split = next(iter(loaders.valid)), folder.split("valid")
    assert [folder.classes[k] for k in y] == split.labels[: len(y)]
    run = train("dnn-he", tmp_path / "digits", epochs=8, lr=3e-3, batch_size=10, out=tmp_path / "run")
    assert run.result["accuracy"] > 0.9
    assert run.run.history()[-1]["accuracy"] == run.result["accuracy"]


def test_views_of_dark_digits_have_light_corners(tmp_path, digit_images):
    images, labels = digit_images[0][:100], digit_images[1][:100]
    for k, (gray, label) in enumerate(zip(images, labels)):
        file = tmp_path / "train" / str(label) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.pad(255 - gray, 4, constant_values=255)).save(file)
    options = {"size": 16, "mean": [0.0], "std": [1.0], "batch_size": 64}
    loaders = digit_loaders(read_folder(tmp_path), **options, policy=replace(POLICIES["light"], rotate_deg=45))
    x, _ = loaders.train.one_batch()
    assert torch.Tensor(x)[:, 0, 0, 0].min() > 0.9
