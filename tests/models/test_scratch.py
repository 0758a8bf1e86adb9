"""Scratch networks are the published ones, and go through training, saving and prediction with one channel."""

import numpy as np
import pytest
import torch
from PIL import Image

from fastdigits import InputError, evaluate, find_backbone, finetune, train
from fastdigits.models.networks.layers import ElementPReLU, FastDropout, FastELU, GaussianDropout
from fastdigits.models.networks.scratch import SCRATCH, conv8_leaky, conv_elu, dnn_he


@pytest.mark.parametrize("name", SCRATCH)
def test_parameter_counts(name):
    published = {
        "conv-elu": 128_938,
        "conv5-bn": 2_817_578,
        "mlp-300-100": 266_610,
        "conv5x5": 857_930,
        "conv5x5-tuned": 755_146,
        "dnn-he": 266_610,  # not published; of the sizes that we take
        "dnn-tuned": 142_510,  # the same
        "conv3-pool": 105_346,
        "dcnn-prelu": 3_747_002,
        "conv8-leaky": 1_924_106,
    }
    backbone = find_backbone(name)
    assert backbone.parameter_count() == published[name]
    assert (backbone.library, backbone.channels, backbone.fixed_size) == ("fastdigits", 1, 28)
    with torch.no_grad():
        assert backbone.build(7)(torch.zeros(2, 1, 28, 28)).shape == (2, 7)


def test_prelu_has_a_slope_for_each_element():
    layer = ElementPReLU(2, 3, 3)
    x = torch.randn(4, 2, 3, 3)
    assert torch.equal(layer(x), x.clamp(min=0))  # slopes start at zero
    torch.nn.init.uniform_(layer.weight)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        seen = layer(x.to(memory_format=memory_format))
        torch.testing.assert_close(seen, torch.where(x > 0, x, x * layer.weight))


def test_keras_initial_weights():
    torch.manual_seed(0)
    network = conv_elu(10)
    lecun = network[4].weight  # 64 channels of 5x5 pixels
    assert lecun.std().item() == pytest.approx(1600**-0.5, rel=0.03)
    assert lecun.abs().max() <= 2 * 1600**-0.5 / 0.87962566
    glorot = network[-1].weight
    assert glorot.abs().max().item() == pytest.approx((6 / 74) ** 0.5, rel=0.05)
    he = dnn_he(10)[1].weight
    assert he.abs().max().item() == pytest.approx((12 / 1084) ** 0.5, rel=0.01)
    assert all((layer.bias == 0).all() for layer in network if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d))
    scale = conv8_leaky(10)[1].weight
    assert -0.05 <= scale.min() < -0.03
    assert 0.03 < scale.max() <= 0.05


def test_fast_elu_is_elu():
    x = torch.linspace(-20, 5, 2001, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(FastELU()(x), torch.nn.functional.elu(x))
    assert torch.autograd.gradcheck(FastELU(), (x[::100],))
    single = x.detach().float()
    assert (FastELU()(single) - torch.nn.functional.elu(single)).abs().max() < 1.3e-7
    half = x.detach().bfloat16()
    assert (FastELU()(half) - torch.nn.functional.elu(half)).abs().max() <= 2**-8


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_a_share_and_keeps_the_mean(p, dtype):
    torch.manual_seed(0)
    layer, x = FastDropout(p), torch.ones(64, 8, 21, 19, dtype=dtype).contiguous(memory_format=torch.channels_last)
    y = layer(x.requires_grad_())
    n, dropped = x.numel(), (y == 0).float().mean().item()
    assert dropped == pytest.approx(p, abs=4 * (p * (1 - p) / n) ** 0.5)
    assert y[y != 0].unique().item() == pytest.approx(1 / (1 - p), rel=2e-5 if dtype == torch.float32 else 2**-8)
    assert y.is_contiguous(memory_format=torch.channels_last)
    y.sum().backward()
    assert torch.equal(x.grad, y)
    for axis in range(4):  # no picture, map, row or column is dropped more than others
        others = tuple(k for k in range(4) if k != axis)
        shares, each = (y == 0).float().mean(others), n / x.shape[axis]
        assert (shares - p).abs().max() < 5 * (p * (1 - p) / each) ** 0.5
    neighbours = (y[:, 1:] == 0) & (y[:, :-1] == 0)  # whose bits come from one draw
    assert neighbours.float().mean().item() == pytest.approx(p**2, rel=0.05)
    assert torch.equal(layer.eval()(x), x)


def test_dropout_follows_the_seed_and_any_form():
    layer, x = FastDropout(0.5), torch.ones(3, 5, 7)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
    assert layer(x[:, ::2]).shape == (3, 3, 7)
    assert layer(x[:0]).shape == (0, 5, 7)
    assert torch.equal(FastDropout(0.0)(x), x)
    assert torch.equal(FastDropout(1.0)(x), torch.zeros_like(x))


def test_gaussian_dropout_is_noise_in_training_only():
    torch.manual_seed(0)
    layer, x = GaussianDropout(0.25), torch.ones(100_000)
    noisy = layer(x)
    assert noisy.mean().item() == pytest.approx(1, abs=0.01)
    assert noisy.std().item() == pytest.approx((0.25 / 0.75) ** 0.5, rel=0.02)
    assert layer.eval()(x) is x


@pytest.mark.parametrize("name", SCRATCH)
def test_layer_groups_hold_every_parameter_once(name):
    backbone = find_backbone(name)
    module = backbone.build(10)
    groups = backbone.layer_groups(module)
    assert sorted(id(p) for group in groups for p in group) == sorted(map(id, module.parameters()))


@pytest.fixture
def two_shapes(tmp_path):
    """Bars and squares of 28 px: train/ and valid/."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 40), ("valid", 10)):
        for label, (height, width) in {"bar": (20, 4), "square": (10, 10)}.items():
            (tmp_path / "data" / split / label).mkdir(parents=True)
            for k in range(count):
                image = np.zeros((28, 28), np.uint8)
                y, x = rng.integers(0, 8, 2)
                image[y : y + height, x : x + width] = 255
                Image.fromarray(image).save(tmp_path / "data" / split / label / f"{k}.png")
    return tmp_path / "data"


def test_from_training_to_evaluation(two_shapes, tmp_path):
    run = tmp_path / "run"
    result = finetune(
        "conv-elu", two_shapes, weights="none", epochs=6, lr=3e-3, batch_size=16, keep="best", out=run
    ).result
    assert result["accuracy"] > 0.9
    assert evaluate(run, two_shapes).accuracy == result["accuracy"]
    assert '"channels": 1' in (run / "model.json").read_text()


@pytest.mark.parametrize("name", SCRATCH)
@pytest.mark.parametrize("size", [29, 32, 40])
def test_networks_are_built_for_any_size(name, size):
    module = find_backbone(name).build(7, size).eval()
    with torch.no_grad():
        assert module(torch.zeros(2, 1, size, size)).shape == (2, 7)


@pytest.mark.parametrize("name", ["conv-elu", "conv5-bn", "conv5x5-tuned", "conv3-pool", "dcnn-prelu", "conv8-leaky"])
def test_pictures_that_are_too_small_for_the_layers(name):
    with pytest.raises(InputError) as caught:
        find_backbone(name).build(10, 7)
    assert (
        str(caught.value) == f"{name} does not work on pictures of 7 px; it needs larger ones, such as 28: pass --size"
    )


def test_a_recipe_at_another_size(two_shapes, tmp_path):
    options = {"epochs": 2, "batch_size": 16}
    run = train("conv-elu", two_shapes, size=36, **options, out=tmp_path / "run").run
    assert run.record()["size"] == 36
    assert evaluate(run.path, two_shapes).accuracy == run.result()["accuracy"]
    train("conv-elu", two_shapes, size=36, weights=run.path, **options, out=tmp_path / "more")
    with pytest.raises(InputError) as caught:
        train("conv-elu", two_shapes, weights=run.path, **options, out=tmp_path / "other")
    assert str(caught.value) == f"--weights {run.path} is a conv-elu for pictures of 36 px; pass --size 36"
    with pytest.raises(
        InputError, match=r"the first that does not is .*; they are for pictures of 36 px: pass --size 36$"
    ):
        finetune("conv-elu", two_shapes, weights=run.path, **options, out=tmp_path / "other")


def test_settings_of_dnn_he():
    shapes = [tuple(p.shape) for n, p in find_backbone("dnn-he:dense=50,dropout=0").build(10).named_parameters()]
    assert shapes == [(50, 784), (50,), (10, 50), (10,)]


def test_networks_without_published_weights(two_shapes, tmp_path):
    with pytest.raises(InputError, match=r"^nobody has published weights of conv-elu; pass a file or an earlier run"):
        finetune("conv-elu", two_shapes, out=tmp_path / "run")
