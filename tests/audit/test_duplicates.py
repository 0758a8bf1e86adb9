"""Copies that were planted are found, and nothing that brute force would not find."""

import numpy as np
import pytest

from fastdigits.audit import duplicates
from fastdigits.audit.duplicates import NEAR, _centred, find_copies


@pytest.fixture(scope="module")
def images(digit_images) -> np.ndarray:
    """400 digits of 28x28 pixels, all different."""
    small = np.unique(digit_images[0], axis=0)[:400]
    return np.pad(small.repeat(2, 1).repeat(2, 2), ((0, 0), (6, 6), (6, 6)))


def test_planted_copies(images):
    rng = np.random.default_rng(0)
    noisy = np.clip(images[7].astype(int) + rng.integers(-6, 7, images[7].shape) * (images[7] > 0), 0, 255)
    planted = np.stack([images[3], np.roll(images[5], (2, -3), (0, 1)), noisy.astype(np.uint8)])
    pairs = {(p.first, p.second): p for p in find_copies(np.concatenate([images, planted]))[0]}
    assert pairs[3, 400].exact
    assert not pairs[5, 401].exact
    assert pairs[5, 401].distance == 0  # once both are centred
    assert 0 < pairs[7, 402].distance < NEAR


def test_three_equal_pictures_follow_their_first(images):
    pairs, _ = find_copies(np.stack([images[0], images[9], images[0], images[0]]))
    assert [(p.first, p.second) for p in pairs if p.exact] == [(0, 2), (0, 3)]


def test_blank_pictures_are_no_copies():
    assert find_copies(np.full((5, 8, 8), 7, np.uint8)) == ([], [])


def test_as_brute_force(images, monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK_ROWS", 70)
    monkeypatch.setattr(duplicates, "NEAR", 0.5)
    flat = _centred(images).reshape(len(images), -1).astype(float)
    lengths = np.linalg.norm(flat, axis=1)
    apart = np.linalg.norm(flat[:, None] - flat[None], axis=2) / (lengths[:, None] + lengths) * 2
    expected = {(a, b) for a, b in np.argwhere(apart < 0.5).tolist() if a < b}
    assert {(p.first, p.second) for p in find_copies(images)[0]} == expected
    assert len(expected) > 10


def test_centred():
    picture = np.zeros((1, 9, 9), np.uint8)
    picture[0, 0:3, 6:9] = 200
    moved = _centred(picture)
    assert (np.argwhere(moved[0]).min(0).tolist(), np.argwhere(moved[0]).max(0).tolist()) == ([3, 3], [5, 5])
    assert (_centred(moved) == moved).all()


def test_searches_that_end_early_say_so(images, monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_ROWS", 50)
    assert find_copies(images)[1] == ["near copies were looked for among the first 50 of 400 pictures"]
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 3)
    pairs, notes = find_copies(np.stack([np.roll(images[0], k, 0) for k in range(4)]))
    assert len(pairs) == 3
    assert notes == ["there are more than 3 near copies; the search ended there"]


def test_large_pictures(images):
    large = images.repeat(4, 1).repeat(4, 2)[:20]
    pairs, _ = find_copies(np.concatenate([large, np.roll(large[:1], (4, 8), (1, 2))]))
    assert [(p.first, p.second, p.exact) for p in pairs] == [(0, 20, False)]
