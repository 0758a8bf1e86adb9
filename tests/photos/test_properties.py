"""What is measured of digits: on pictures whose strokes, slant and place are known; and differences in words."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fastdigits.photos import differences, properties_of, summary_of
from fastdigits.photos.properties import PROPERTIES


def bar(left: int, top: int, width: int, height: int, level: int = 255, side: int = 28) -> np.ndarray:
    image = np.zeros((side, side), np.uint8)
    image[top : top + height, left : left + width] = level
    return image


def slanted(degrees: float, side: int = 28) -> np.ndarray:
    """A stroke through the middle that leans to the right."""
    canvas = Image.new("L", (side * 8, side * 8))
    dx = np.tan(np.radians(degrees)) * side * 3
    ImageDraw.Draw(canvas).line((side * 4 + dx, side, side * 4 - dx, side * 7), fill=255, width=24)
    return np.asarray(canvas.reduce(8))


def measured(*images: np.ndarray) -> dict[str, list[float]]:
    """The values of each property, by name."""
    return dict(zip(PROPERTIES, properties_of(np.stack(images)).T.tolist()))


def test_a_bar_is_measured():
    found = measured(bar(12, 4, 4, 20), bar(2, 4, 2, 20, level=100))
    assert found["height"] == [20, 20]
    assert found["width"] == [4, 2]
    assert found["darkness"] == [255, 100]
    assert found["place across"] == pytest.approx([0, -11])
    assert found["place down"] == pytest.approx([0, 0])
    assert found["stroke width"] == pytest.approx([80 / 24, 40 / 22])
    assert found["slant"] == pytest.approx([0, 0])
    assert found["edges"] == found["paper"] == [0, 0]


@pytest.mark.parametrize("degrees", [-30, -10, 20, 40])
def test_slant_is_measured_in_degrees(degrees):
    assert measured(slanted(degrees))["slant"][0] == pytest.approx(degrees, abs=2)


def test_lengths_are_those_of_pictures_28_pixels_wide():
    small, large = bar(12, 4, 4, 20), bar(24, 8, 8, 40, side=56)
    for name, (value,) in measured(large).items():
        assert value == pytest.approx(measured(small)[name][0], rel=0.2, abs=0.1), name


def test_noise_and_blur_are_told():
    clean, rng = bar(12, 4, 4, 20), np.random.default_rng(0)
    noisy = (clean + rng.integers(0, 30, clean.shape) * (clean == 0)).astype(np.uint8)
    assert measured(noisy)["paper"][0] > 10
    soft = np.asarray(Image.fromarray(clean).resize((14, 14), Image.Resampling.BOX).resize((28, 28)))
    assert measured(soft)["edges"][0] > 0.3


def test_pictures_without_ink_are_not_measured():
    assert properties_of(np.zeros((3, 28, 28), np.uint8)).shape == (0, len(PROPERTIES))
    assert properties_of(np.zeros((0, 28, 28), np.uint8)).shape == (0, len(PROPERTIES))
    assert len(properties_of(np.stack([bar(12, 4, 4, 20), np.zeros((28, 28), np.uint8)]))) == 1
    assert summary_of(properties_of(np.zeros((3, 28, 28), np.uint8))) == {}


def test_differences_are_told_the_largest_first():
    before = {"stroke width": [2.0, 0.5], "slant": [5.0, 10.0], "height": [20.0, 1.0], "darkness": [250.0, 5.0]}
    assert differences(before, before, 1000) == []
    after = {"stroke width": [1.5, 0.5], "slant": [5.0, 25.0], "height": [14.0, 1.0], "darkness": [245.0, 5.0]}
    assert [(one.name, one.in_spread) for one in differences(before, after, 1000)] == [
        ("height", False),
        ("slant", True),
        ("stroke width", False),
    ]
    assert [str(one) for one in differences(before, after, 1000)] == [
        "lower (14.0 against 20.0 px)",
        "of more varied slant (deviation 25 against 10 degrees)",
        "thinner (1.50 against 2.00 px)",
    ]
    assert [one.size for one in differences(before, after, 1000)] == pytest.approx([6, 1.5, 1])
    assert differences(before, {"stroke width": [2.0, 0.5]}, 1000) == []  # nothing is known of the others


def test_thinner_and_slanted_mnist_is_told_so(digit_images):
    import torch

    from fastdigits.batches.stress import STRESSES

    images = digit_images[0]
    before = summary_of(properties_of(images))

    def told(name: str, strength: float) -> list[str]:
        torch.manual_seed(0)
        floats = torch.from_numpy(images[:, None] / np.float32(255))
        changed = (STRESSES[name].apply(floats, strength)[:, 0] * 255).round().numpy().astype(np.uint8)
        return [one.name for one in differences(before, summary_of(properties_of(changed)), len(changed))]

    assert told("smaller", 0.55)[0] in ("height", "width")
    assert "place across" in told("shifted", 6)
    assert "paper" in told("noise", 0.3)
    assert "stroke width" in told("thicker", 1.5)


def test_luck_is_no_difference(digit_images):
    values = properties_of(digit_images[0])
    before, rng = summary_of(values), np.random.default_rng(0)
    for n, most in ((10, 0.5), (50, 0.15), (200, 0.05)):
        found = [differences(before, summary_of(rng.permutation(values)[:n]), n) for _ in range(60)]
        assert np.mean([bool(one) for one in found]) <= most, n
