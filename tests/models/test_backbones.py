"""Classifiers by name: built for any number of classes, their head and layer groups found."""

import pytest
import torch
from rich.console import Console

from fastdigits import InputError, find_backbone, list_models
from fastdigits.models.backbones import Backbone
from fastdigits.recipes.registry import RECIPES


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("resnet18", 11_181_642), ("resnet50", 23_528_522), ("timm:resnet50", 23_528_522), ("convnext_atto", 3_377_730)],
)
def test_parameter_counts(name, parameters):
    assert find_backbone(name).parameter_count() == parameters


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", {"fc.weight", "fc.bias"}),
        ("vgg11", {"classifier.6.weight", "classifier.6.bias"}),
        ("squeezenet1_0", {"classifier.1.weight", "classifier.1.bias"}),
        ("timm:resnet18", {"fc.weight", "fc.bias"}),
        ("test_vit", {"head.weight", "head.bias"}),
    ],
)
def test_head_is_what_depends_on_the_classes(name, head):
    assert find_backbone(name).head_names == head


@pytest.mark.parametrize(
    "name", ["resnet18", "densenet121", "efficientnet_b0", "test_resnet", "test_vit", "test_convnext"]
)
def test_layer_groups_hold_every_parameter_once(name):
    backbone = find_backbone(name)
    with torch.device("meta"):
        module = backbone.build(10)
    groups = backbone.layer_groups(module)
    assert len(groups) == 3
    assert all(groups)
    assert sorted(id(p) for group in groups for p in group) == sorted(map(id, module.parameters()))
    assert {id(p) for p in groups[2]} == {id(p) for n, p in module.named_parameters() if n in backbone.head_names}


def test_a_resnet_is_split_as_fastai_splits_it():
    backbone = find_backbone("resnet18")
    module = backbone.build(10)
    early, late, _ = backbone.layer_groups(module)
    before = [module.conv1, module.bn1, module.layer1, module.layer2]
    assert {id(p) for p in early} == {id(p) for part in before for p in part.parameters()}
    assert {id(p) for p in late} == {id(p) for part in (module.layer3, module.layer4) for p in part.parameters()}


def test_both_libraries_by_name():
    assert find_backbone("resnet50").library == "torchvision"
    assert find_backbone("timm:resnet50").library == "timm"
    assert find_backbone("resnet50.a1_in1k").library == "timm"
    assert find_backbone("timm:resnet50").file_name == "timm-resnet50"


def test_unknown_names_and_tags():
    with pytest.raises(
        InputError, match=r"'resnet5O' is no known architecture; near are .*resnet50.*`fastdigits models`"
    ):
        find_backbone("resnet5O")
    with pytest.raises(InputError, match=r"timm has no weights 'resnet50.mine'; it has resnet50.a1_in1k"):
        find_backbone("resnet50.mine")
    with pytest.raises(InputError, match=r"'googlenet' is no known architecture"):
        find_backbone("googlenet")


def test_networks_of_a_fixed_size_are_built_for_ours():
    module = find_backbone("vit_tiny_patch16_224").build(10, 32)
    assert module(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


def test_pictures_that_are_too_small():
    backbone = find_backbone("vgg11")
    module = backbone.build(10)
    module.train()
    with pytest.raises(InputError) as caught:
        backbone.check_size(module, 8)
    assert str(caught.value) == (
        "vgg11 does not work on pictures of 8 px; it needs larger ones, such as 64 or 224: pass --size"
    )
    assert module.training
    fixed = find_backbone("vit_b_16")
    with pytest.raises(InputError, match=r"vit_b_16 does not work on pictures of 32 px; it takes 224: pass --size"):
        fixed.check_size(fixed.build(10), 32)
    for name in ("vit_tiny_patch16_224", "xcit_nano_12_p16_224", "swin_tiny_patch4_window7_224"):
        with pytest.raises(InputError, match=rf"{name} does not work on pictures of 2 px; it takes 224: pass --size"):
            find_backbone(name).build(10, 2)


def test_listing():
    listed = list_models("resnet18")
    assert {"resnet18", "timm:resnet18"} <= set(listed.names)
    assert list_models("test_resn*").names == ["test_resnet"]
    assert len(list_models().names) > 1000
    assert list_models("kannada").names == ["digitnet-kannada", "resnet50-kannada"]


def test_all_of_a_recipe(capsys):
    """Every default that train or finetune will take, and what to know of the published number."""
    Console(width=300).print(list_models("resnet50-kannada"))
    page = capsys.readouterr().out
    recipe = RECIPES["resnet50-kannada"]
    assert "stratified 10%, seed 5 (convert --recipe resnet50-kannada)" in page
    assert "5 epochs, one-cycle, rate 2e-06 .. 0.002" in page
    assert "3 epochs, one-cycle, rate a tenth .. 2e-06" in page
    for shown in ("fastai-adam", recipe.augment, recipe.scaling, recipe.published.caveat):
        assert shown in page
    Console(width=300).print(list_models("conv5x5*"))
    assert "early stopping" not in capsys.readouterr().out  # of several recipes the names are enough
    Console(width=300).print(list_models("conv5x5"))  # whose name is also a part of another's
    page = capsys.readouterr().out
    assert "how conv5x5 trains" in page
    assert "conv5x5-tuned" in page


def test_a_name_that_none_has():
    with pytest.raises(InputError, match=r"no architecture fits 'xyz'; `fastdigits models` lists all"):
        list_models("xyz")


def test_weights_sources():
    assert Backbone("resnet18", "torchvision").weights_source == "torchvision download"
    assert find_backbone("test_resnet").weights_source == "hub timm/test_resnet.r160_in1k"
    assert find_backbone("darknet17").weights_source is None


def test_a_wider_digitnet():
    def parameters(text: str) -> int:
        return sum(values.numel() for values in find_backbone(text).build(10, 28).parameters())

    assert parameters("digitnet") == parameters("digitnet:width=32") == 464_106
    assert parameters("digitnet:width=48") == 1_041_754
    for width in ("3", "257"):
        with pytest.raises(InputError, match=f"digitnet:width={width} makes no sense; accepted are 4 to 256"):
            find_backbone(f"digitnet:width={width}").build(10, 28)
