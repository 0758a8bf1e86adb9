"""Distortions do what they say, in proportion to their amount; the stress set is the same each time."""

import json

import numpy as np
import pytest
import torch

from fastdigits import evaluate, read_folder
from fastdigits.batches.augmentation import POLICIES, Policy, random_view
from fastdigits.batches.distortions import add_noise, bend, blur, change_stroke, draw_lines
from fastdigits.batches.stress import STRESSES, stressed
from fastdigits.photos.files import read_gray
from fastdigits.scores.stress import STRESSED_PICTURES, stressed_rows


@pytest.fixture
def bar():
    """Four pictures of a bar five pixels wide, floats (4, 1, 28, 28)."""
    images = torch.zeros(4, 1, 28, 28)
    images[:, :, 4:24, 12:17] = 1
    return images


def amounts(*values: float) -> torch.Tensor:
    return torch.tensor(values)


def widths(images: torch.Tensor) -> list[float]:
    """Ink along the middle row."""
    return images[:, 0, 14].sum(1).tolist()


def test_strokes_become_wider_and_thinner_by_pixels_on_either_side(bar):
    assert widths(change_stroke(bar, amounts(0, 0.5, 1, 2))) == pytest.approx([5, 6, 7, 9], abs=1e-5)
    assert widths(change_stroke(bar, amounts(-0.5, -1, -1.5, -2))) == pytest.approx([4, 3, 2, 1], abs=1e-5)


def test_a_thinned_stroke_stays_bright():
    thin = torch.zeros(1, 1, 28, 28)
    thin[:, :, 4:24, 13:15] = 1
    assert change_stroke(thin, amounts(-0.6)).max() == pytest.approx(1, abs=1e-5)
    blank = torch.zeros(1, 1, 28, 28)
    assert change_stroke(blank, amounts(-0.6)).max() == 0


def test_blur_has_the_deviation_that_it_says():
    point = torch.zeros(3, 1, 29, 29)
    point[:, :, 14, 14] = 1
    wanted = amounts(0.5, 1.0, 1.6)
    blurred = blur(point, wanted)
    places = torch.arange(29.0) - 14
    found = ((blurred[:, 0].sum(1) * places**2).sum(1)).sqrt()
    assert found.tolist() == pytest.approx(wanted.tolist(), abs=1e-4)
    assert blurred.sum((1, 2, 3)).tolist() == pytest.approx([1, 1, 1], abs=1e-4)


def test_noise_and_lines_stay_in_range_and_leave_some_alone(bar):
    torch.manual_seed(0)
    noisy = add_noise(bar, amounts(0, 0.1, 0.2, 0.4))
    assert torch.equal(noisy[0], bar[0])
    spread = [float((noisy - bar)[k].std()) for k in range(1, 4)]
    assert spread == sorted(spread)
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    lined = draw_lines(bar, amounts(0, 0.3, 0.6, 0.9))
    assert torch.equal(lined[0], bar[0])
    added = (lined - bar)[:, 0].amax((1, 2))  # a line between two pixels is shared by them
    assert ((added <= amounts(0, 0.3, 0.6, 0.9)) & (added >= amounts(0, 0.15, 0.3, 0.45))).all()
    assert (lined >= bar).all()


def test_bending_moves_points_smoothly_by_the_pixels_that_it_says():
    torch.manual_seed(0)
    grid = torch.zeros(300, 28, 28, 2)
    moves = bend(grid, torch.full((300,), 2.0)) * 14  # coordinates of width 2 are 28 pixels
    assert float(moves.std()) == pytest.approx(2, rel=0.25)
    steps = moves[:, :, 1:] - moves[:, :, :-1]
    assert float(steps.std()) < 0.9
    assert torch.equal(bend(grid, torch.zeros(300)), grid)


def test_strong_augmentation_does_all_of_it(bar):
    """Each part alone changes pictures, and those of another size in proportion."""
    strong = POLICIES["strong"]
    for part in ("elastic_px", "stroke_px", "blur_px", "noise", "lines"):
        policy = Policy(**{part: getattr(strong, part)})
        changed = random_view(bar, policy, 28)
        assert (changed - bar).abs().mean() > 1e-3, part
        assert changed.min() >= 0
        assert changed.max() <= 1
    torch.manual_seed(1)
    small = widths(random_view(bar, Policy(stroke_px=(1, 1)), 28))
    large = widths(random_view(bar.repeat_interleave(2, 2).repeat_interleave(2, 3), Policy(stroke_px=(1, 1)), 56))
    assert small == pytest.approx([7] * 4, abs=0.01)
    assert large[0] == pytest.approx(14, abs=0.01)


def test_the_share_of_dirty_paper():
    images = torch.zeros(2000, 1, 8, 8)
    changed = random_view(images, Policy(noise=0.3, p_paper=0.25), 8)
    share = (changed.sum((1, 2, 3)) > 0).float().mean()
    assert float(share) == pytest.approx(0.25, abs=0.04)


def test_the_stress_set_is_graded_and_repeats(digit_images):
    images = np.kron(digit_images[0][:50], np.ones((1, 3, 3), np.uint8))
    first, again = list(stressed(images)), list(stressed(images))
    assert [(name, strength) for name, strength, _ in first] == [
        (name, strength) for name, stress in STRESSES.items() for strength in stress.strengths
    ]
    assert all(np.array_equal(one[2], two[2]) for one, two in zip(first, again))
    for name in STRESSES:
        changes = [np.abs(pictures.astype(int) - images).mean() for n, _, pictures in first if n == name]
        assert changes == sorted(changes), name
        assert changes[0] > 0
    state = torch.get_rng_state()
    next(stressed(images))
    assert torch.equal(torch.get_rng_state(), state)


def test_rows_under_stress_are_evenly_spaced():
    assert stressed_rows(5).tolist() == [0, 1, 2, 3, 4]
    many = stressed_rows(100_000)
    assert len(many) == STRESSED_PICTURES
    assert (many[0], many[-1]) == (0, 99_999)


def test_evaluate_shows_accuracy_against_strength(folder28, tmp_path):
    evaluation = evaluate("digitnet-mnist", str(folder28), stress=True, out=tmp_path / "scores.json")
    assert [score.name for score in evaluation.stress] == list(STRESSES)
    mild, hard = (np.mean([score.accuracies[k] for score in evaluation.stress]) for k in (0, -1))
    assert 0.5 < hard < mild < evaluation.accuracy + 0.05
    stored = json.loads((tmp_path / "scores.json").read_text())["stress"]
    assert stored[0]["strengths"] == list(STRESSES["thinner"].strengths)
    assert evaluate("digitnet-mnist", str(folder28)).stress is None


def test_a_table_is_stressed_as_its_folder_is(folder28, tmp_path):
    """The rows of a table are picked out of its stream."""
    split = read_folder(folder28).split("valid")
    images, labels = np.stack([read_gray(file) for file in split.files]), np.array(split.labels)
    np.savez(tmp_path / "valid.npz", images=images, labels=labels)
    of_table = evaluate("digitnet-mnist", str(tmp_path / "valid.npz"), stress=True)
    assert of_table.stress == evaluate("digitnet-mnist", str(folder28), stress=True).stress
