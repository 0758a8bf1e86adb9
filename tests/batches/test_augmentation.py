"""Augmentation keeps digits digits: within its ranges, never mirrored, never on validation."""

import pytest
import torch
import torch.nn.functional as F
from fastai.vision.augment import Warp

from fastdigits import InputError
from fastdigits.batches.augmentation import (
    POLICIES,
    Policy,
    affine_matrices,
    change_light,
    find_policy,
    perspective,
    random_view,
    sampling_grid,
)

X = torch.zeros(500, 1, 28, 28)


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_mirrors(name):
    matrices = affine_matrices(X, POLICIES[name])[:, :2, :2]
    assert (torch.det(matrices) > 0).all()


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


def test_what_is_magnified_has_a_drawn_centre():
    """As fastai's: with p the magnification is drawn or not, with it the centre always."""
    matrices = affine_matrices(torch.zeros(4000, 1, 8, 8), Policy(zoom=(2, 2), zoom_centre=True, p=0.5))
    is_magnified = matrices[:, 0, 0] != 1
    assert is_magnified.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert torch.equal((matrices[:, :2, 2] != 0).all(1), is_magnified)


def test_p_is_the_share_that_changes():
    matrices = affine_matrices(torch.zeros(4000, 1, 8, 8), Policy(rotate_deg=15, p=0.75))
    changed = (matrices[:, 0, 1] != 0).float().mean()
    assert float(changed) == pytest.approx(0.75, abs=0.04)


def test_the_picture_moves_where_the_matrix_says():
    """A magnification of 2 around the centre doubles a centred square."""
    x = torch.zeros(1, 1, 16, 16)
    x[..., 6:10, 6:10] = 1
    y = random_view(x, Policy(zoom=(2, 2)), 16)
    assert float(y.sum()) == pytest.approx(4 * 16, rel=0.1)
    assert float(y[0, 0, 5, 5]) == pytest.approx(1, abs=1e-5)
    assert float(y[0, 0, 1, 1]) == pytest.approx(0, abs=1e-5)


def test_smaller_pictures_are_brought_to_size_by_the_same_sample():
    """Without any change that is the bilinear resize; larger pictures keep their size for a smoothing one."""
    x = torch.rand(4, 1, 8, 8)
    y = random_view(x, Policy(fill="border"), 12)
    resized = F.interpolate(x, (12, 12), mode="bilinear", align_corners=False)
    torch.testing.assert_close(y, resized, atol=1e-6, rtol=0)
    assert random_view(x, POLICIES["light"], 4).shape == (4, 1, 8, 8)


def test_the_warp_is_fastais():
    warp = Warp(0.2, p=1.0).coord_fs[0]
    warp.before_call(X)
    tilt_x, tilt_y = -1 - warp.targ_pts[:, 0, 1], -1 - warp.targ_pts[:, 0, 0]
    grid = sampling_grid(torch.eye(3).expand(len(X), 3, 3), 28)
    ours = sampling_grid(perspective(torch.Tensor(tilt_x), torch.Tensor(tilt_y)), 28)
    torch.testing.assert_close(ours, torch.Tensor(warp(grid)), atol=2e-6, rtol=0)


def test_the_grid_is_torchs():
    matrices = affine_matrices(X, POLICIES["strong"])
    grid = F.affine_grid(matrices[:, :2], (len(X), 1, 20, 20), align_corners=False)
    torch.testing.assert_close(sampling_grid(matrices, 20), grid, atol=2e-6, rtol=0)


def test_light_stays_within_fastais_ranges():
    """Gray 0.5 has no contrast, so it shows the brightness alone; black and white stay what they are."""
    gray = change_light(torch.full((2000, 1, 1, 1), 0.5), Policy(light=0.2)).flatten()
    assert gray.min().item() == pytest.approx(0.4, abs=0.04)
    assert gray.max().item() == pytest.approx(0.6, abs=0.04)
    ends = change_light(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(100, 1, 1, 2), Policy(light=0.2))
    assert (ends[..., 0] < 1e-4).all()
    assert (ends[..., 1] > 1 - 1e-4).all()


def test_unknown_policy():
    with pytest.raises(InputError) as caught:
        find_policy("flip")
    assert str(caught.value) == (
        "--augment 'flip' is unknown; accepted are none, light, medium, strong, conv5-bn, conv5x5, conv8-leaky, "
        "resnet50-kannada"
    )


@pytest.mark.parametrize("name", ["light", "strong"])
def test_paper_lies_around_dark_digits_on_light(name):
    x = torch.zeros(16, 1, 28, 28)
    x[..., 8:20, 12:16] = 1
    torch.manual_seed(0)
    dark = random_view(x, POLICIES[name], 28)
    torch.manual_seed(0)
    light = random_view(1 - x, POLICIES[name], 28, ground="light")
    torch.testing.assert_close(light, 1 - dark)
