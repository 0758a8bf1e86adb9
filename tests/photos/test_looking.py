"""Gray scales, grounds, and what pictures show besides one digit."""

import numpy as np
import pytest
from PIL import Image

from fastdigits.photos import BLANK, DIGIT, OTHER, SEVERAL, Turning, contents_of, is_on_light, read_gray, scale_of
from fastdigits.photos.scale import BYTES, GrayScale


@pytest.fixture(scope="module")
def digits(digit_images) -> np.ndarray:
    """Real digits of 28x28 pixels, light on dark."""
    return np.pad(digit_images[0].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))


@pytest.mark.parametrize(
    ("least", "most", "black", "white"),
    [
        (0, 255, 0, 255),
        (0, 1, 0, 1),
        (0, 1.0000002, 0, 1),
        (-1, 1, -1, 1),
        (0, 16, 0, 16),
        (0, 12, 0, 15),
        (0, 200, 0, 255),
        (0, 4000, 0, 4095),
        (0, 60_000, 0, 65_535),
        (0, 0, 0, 255),
    ],
)
def test_numbers_tell_their_scale(least, most, black, white):
    assert scale_of(least, most) == GrayScale(black, white)


@pytest.mark.parametrize(("least", "most"), [(0, 70_000), (-3, 5), (-0.2, 1), (-1, 255)])
def test_numbers_that_are_no_gray_levels(least, most):
    assert scale_of(least, most) is None


def test_a_scale_makes_gray_levels_whatever_the_type():
    scale = GrayScale(0, 16)
    for dtype in (np.int64, np.float64, np.float32, np.uint8):
        assert scale.to_uint8(np.array([0, 8, 16], dtype)).tolist() == [0, 128, 255]
    assert BYTES.to_uint8(np.array([0.4, 254.6, 300])).tolist() == [0, 255, 255]
    assert scale.outside(np.array([-0.1, 16.0001, 17])).tolist() == [True, False, True]


@pytest.mark.parametrize(("mode", "factor"), [("I;16", 16), ("I;16", 257), ("F", 1 / 255)])
def test_deep_pictures_are_read_by_the_same_rule(tmp_path, digits, mode, factor):
    levels = digits[3].astype(np.float64) * factor
    file = tmp_path / ("deep.tif" if mode == "F" else "deep.png")
    Image.fromarray(levels.astype(np.float32) if mode == "F" else levels.astype(np.uint16)).save(file)
    assert np.abs(read_gray(file).astype(int) - digits[3]).max() <= 1


def test_grounds_are_told(digits):
    on_light, on_dark = is_on_light(digits)
    assert not on_light.any()
    assert on_dark.mean() > 0.99
    on_light, on_dark = is_on_light(255 - digits)
    assert not on_dark.any()
    assert on_light.mean() > 0.99
    paper = (150 - digits // 3).astype(np.uint8)  # gray paper, faint ink
    assert is_on_light(paper)[0].mean() > 0.99
    assert not np.any(is_on_light(np.full((3, 28, 28), 255, np.uint8)))  # of blank paper neither is told
    assert not np.any(is_on_light(digits[:, :4, :4]))  # so small


def test_unclear_pictures_go_with_the_others(digits):
    turning = Turning()
    table = np.concatenate([255 - digits[:50], np.full((1, 28, 28), 255, np.uint8)])
    found = turning.turn(table)
    assert (found[:50] == digits[:50]).all()
    assert not found[50].any()  # white paper is black ground as well
    assert (turning.seen, turning.turned) == (51, 51)
    mixed = np.concatenate([digits[:30], 255 - digits[30:40]])
    assert (Turning().turn(mixed) == digits[:40]).all()


@pytest.mark.parametrize(("ground", "turned"), [("dark", 0), ("light", 5)])
def test_the_user_may_know_the_ground(digits, ground, turned):
    turning = Turning(ground)
    found = turning.turn(255 - digits[:5])
    assert turning.turned == turned
    assert (found == (digits[:5] if turned else 255 - digits[:5])).all()


def side_by_side(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two digits of 28x28 pixels in one picture of that size."""
    both = np.zeros((40, 40), np.uint8)
    for start, digit in ((0, first), (21, second)):
        columns = np.flatnonzero(digit.max(0) > 60)
        cut = digit[:, columns[0] : columns[-1] + 1][:, :18]
        both[6:34, start : start + cut.shape[1]] = cut
    return np.asarray(Image.fromarray(both).resize((28, 28), Image.BILINEAR))


def test_what_pictures_show(digits):
    assert (contents_of(digits) == DIGIT).mean() > 0.99
    assert contents_of(np.zeros((1, 28, 28), np.uint8)).tolist() == [BLANK]
    assert contents_of(np.full((1, 28, 28), 12, np.uint8)).tolist() == [BLANK]
    generator = np.random.default_rng(0)
    noise = [(generator.random((28, 28)) < share) * 255 for share in (0.05, 0.2, 0.5, 0.7)]
    assert contents_of(np.array(noise, np.uint8)).tolist() == [OTHER] * 4
    assert contents_of(np.full((1, 28, 28), 255, np.uint8)).tolist() == [BLANK]
    assert (contents_of(255 - digits[:20]) == OTHER).all()  # nothing is lighter than the ground
    gray_ground = (100 + digits[:50] // 2).astype(np.uint8)
    assert (contents_of(gray_ground) == DIGIT).all()
    twos = np.stack([side_by_side(digits[k], digits[k + 1]) for k in range(0, 200, 2)])
    assert (contents_of(twos) == SEVERAL).mean() > 0.9
    faint = (digits[:50] // 6).astype(np.uint8)
    assert (contents_of(faint) == DIGIT).all()
    large = digits[:20].repeat(12, 1).repeat(12, 2)
    assert (contents_of(large) == DIGIT).all()
    assert contents_of(np.zeros((0, 28, 28), np.uint8)).tolist() == []


@pytest.mark.realdata
def test_real_tables_are_told_right(real_data):
    import pandas as pd

    for name, parts in (("mnist", 7), ("kannada", 298)):  # of 60,000, that are written in two parts
        table = pd.read_csv(real_data / name / "train.csv.gz").filter(like="pixel")
        images = table.to_numpy(np.uint8).reshape(-1, 28, 28)
        for pictures, expected in ((images, 0), (255 - images, len(images))):
            turning = Turning()
            assert (turning.turn(pictures) == images).all()
            assert turning.turned == expected
        counts = np.bincount(contents_of(images), minlength=4).tolist()
        assert counts == [len(images) - parts, 0, parts, 0]
