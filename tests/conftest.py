"""Small real data: scikit-learn's bundled digits, and a network of timm's that trains in seconds."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits

from fastdigits import convert, finetune
from fastdigits.folders import ImageFolder
from fastdigits.training import lr_search
from tests.browsers import CHROMIUM

TINY = "test_resnet"  # timm's half-million-parameter network for tests

lr_search.SEARCH_BATCHES = 40  # instead of 100: enough for these small data
# one number of threads, so that equal seeds give equal numbers everywhere
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))


def pytest_collection_modifyitems(items):
    reason = "needs the real tables: set FASTDIGITS_DATA to the folder that holds mnist/ and kannada/"
    for item in items:
        if item.get_closest_marker("realdata") and not os.environ.get("FASTDIGITS_DATA"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """A cache of the tests' own, so that they neither read nor write that of whoever runs them."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("fastdigits.system.memory.cache_folder", lambda: folder)
        yield


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    return Path(os.environ["FASTDIGITS_DATA"])


@pytest.fixture(scope="session")
def digit_images() -> tuple[np.ndarray, np.ndarray]:
    """Real digits: images uint8 (1797, 8, 8) and labels (1797,)."""
    digits = load_digits()
    return np.rint(digits.images * (255 / 16)).astype(np.uint8), digits.target


@pytest.fixture(scope="session")
def digit_table(digit_images) -> pd.DataFrame:
    """The first 200 digits as `id,label,pixel0..pixel63`."""
    images, labels = (part[:200] for part in digit_images)
    table = pd.DataFrame(images.reshape(len(images), -1), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "label", labels)
    table.insert(0, "id", [f"d{k}" for k in range(len(table))])
    return table


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder for what several tests only read."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def table_file(shared, digit_table) -> Path:
    path = shared / "train.csv"
    digit_table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def test_file(shared, digit_images) -> Path:
    """Forty more digits without labels: `id,pixel0..pixel63`, ids from 1000."""
    path = shared / "test.csv"
    table = pd.DataFrame(digit_images[0][200:240].reshape(40, -1), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "id", range(1000, 1040))
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def folder(shared, table_file, test_file) -> Path:
    """An image folder: 160 train, 40 valid, 40 test pictures of 8x8 pixels."""
    convert(table_file, shared / "digits", valid=0.2, test=test_file)
    return shared / "digits"


@pytest.fixture(scope="session")
def folder28(shared, digit_images) -> Path:
    """An image folder of 28x28 pictures: the 8x8 digits three times as large; 96 train, 64 valid."""
    images, labels = (part[:160] for part in digit_images)
    large = np.pad(images.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    np.savez(shared / "digits28.npz", images=large, labels=labels)
    convert(shared / "digits28.npz", shared / "digits28", valid=0.4)
    return shared / "digits28"


@pytest.fixture(scope="session")
def ten_writers(tmp_path_factory, digit_images) -> Path:
    """400 real digits at 28 px by ten imagined writers, as a table with groups."""
    folder = tmp_path_factory.mktemp("folds")
    images, labels = (part[:400] for part in digit_images)
    large = np.kron(images, np.ones((1, 3, 3), np.uint8))
    padded = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    np.savez(folder / "digits.npz", images=padded, labels=labels)
    writers = pd.DataFrame({"id": range(400), "writer": [f"w{k % 10}" for k in range(400)]})
    writers.to_csv(folder / "writers.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def folder_of_writers(ten_writers) -> ImageFolder:
    """With groups, split into train and valid."""
    return convert(ten_writers / "digits.npz", ten_writers / "written", groups=ten_writers / "writers.csv", valid=0.2)


@pytest.fixture(scope="session")
def run(shared, folder) -> Path:
    """A finished run of the tiny network."""
    finetune(TINY, folder, weights="none", epochs=2, size=16, batch_size=32, lr=5e-3, out=shared / "run")
    return shared / "run"


@pytest.fixture
def in_tmp(tmp_path, monkeypatch) -> Path:
    """The test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
