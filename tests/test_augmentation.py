"""Augmentation keeps digits digits: within its ranges, never mirrored, never on validation."""

import pytest
import torch
from fastai.torch_core import TensorImage
from fastai.vision.augment import Flip

from fastdigits import InputError
from fastdigits.augmentation import POLICIES, Policy, affine_matrices, digit_augmentation, find_policy

X = torch.zeros(500, 1, 28, 28)


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_mirrors(name):
    matrices = affine_matrices(X, POLICIES[name])[:, :2, :2]
    assert (torch.det(matrices) > 0).all()
    assert not any(isinstance(transform, Flip) for transform in digit_augmentation(POLICIES[name]))


def test_published_ranges():
    kannada = POLICIES["resnet50-kannada"]
    assert (kannada.rotate_deg, kannada.zoom, kannada.warp, kannada.light) == (15, (1, 1.15), 0.05, 0.1)
    for name in ("conv5-bn", "conv5x5"):
        assert (POLICIES[name].rotate_deg, POLICIES[name].window, POLICIES[name].shift) == (10, (0.9, 1.1), 0.1)
    leaky = POLICIES["conv8-leaky"]
    assert (leaky.rotate_deg, leaky.shift, leaky.shear_deg, leaky.window) == (10, 0.25, 0.1, (0.6, 1.4))


def test_rotation_stays_within_its_degrees():
    matrices = affine_matrices(X, Policy(rotate_deg=15))
    degrees = torch.rad2deg(torch.atan2(matrices[:, 0, 1], matrices[:, 0, 0]))
    assert degrees.abs().max() <= 15
    assert degrees.min() < -13
    assert degrees.max() > 13


def test_zoom_and_shift_stay_within_their_ranges():
    matrices = affine_matrices(X, Policy(zoom=(0.8, 1.25), shift=0.1))
    assert ((1 / matrices[:, 0, 0] >= 0.8) & (1 / matrices[:, 0, 0] <= 1.25)).all()
    assert torch.equal(matrices[:, 0, 0], matrices[:, 1, 1])
    assert matrices[:, :2, 2].abs().max() <= 0.2  # a tenth of the width, which is 2 in grid coordinates


def test_keras_zoom_draws_the_window_of_each_axis():
    matrices = affine_matrices(X, Policy(window=(0.6, 1.4)))
    width, height = matrices[:, 0, 0], matrices[:, 1, 1]
    assert not torch.equal(width, height)
    for side in (width, height):
        assert ((side >= 0.6) & (side <= 1.4)).all()
        assert side.mean().item() == pytest.approx(1, abs=0.05)


def test_a_drawn_centre_keeps_the_window_inside_the_picture():
    """Magnified by two, the window is half as wide and may lie anywhere inside: its centre is at -0.5..0.5."""
    centres = affine_matrices(X, Policy(zoom=(2, 2), zoom_centre=True))[:, :2, 2]
    assert centres.abs().max() <= 0.5
    assert centres.std().item() == pytest.approx(0.5 / 3**0.5, abs=0.03)


def test_p_is_the_share_that_changes():
    matrices = affine_matrices(torch.zeros(4000, 1, 8, 8), Policy(rotate_deg=15, p=0.75))
    changed = (matrices[:, 0, 1] != 0).float().mean()
    assert float(changed) == pytest.approx(0.75, abs=0.04)


def test_the_picture_moves_where_the_matrix_says():
    """A magnification of 2 around the centre doubles a centred square."""
    (transform,) = digit_augmentation(Policy(zoom=(2, 2)))
    x = torch.zeros(1, 1, 16, 16)
    x[..., 6:10, 6:10] = 1
    y = transform(TensorImage(x), split_idx=0)
    assert float(y.sum()) == pytest.approx(4 * 16, rel=0.1)
    assert float(y[0, 0, 5, 5]) == pytest.approx(1, abs=1e-5)
    assert float(y[0, 0, 1, 1]) == pytest.approx(0, abs=1e-5)


def test_validation_batches_are_untouched():
    x = TensorImage(torch.rand(4, 3, 16, 16))
    for transform in digit_augmentation(POLICIES["strong"]):
        assert torch.equal(transform(x, split_idx=1), x)
    assert digit_augmentation(POLICIES["none"]) == []


def test_unknown_policy():
    with pytest.raises(InputError) as caught:
        find_policy("flip")
    assert str(caught.value) == (
        "--augment 'flip' is unknown; accepted are none, light, strong, conv5-bn, conv5x5, conv8-leaky, "
        "resnet50-kannada"
    )
