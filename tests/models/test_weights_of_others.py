"""Files of weights as other trainers write them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdigits import InputError
from fastdigits.models import find_backbone, load_weights

BACKBONE = find_backbone("resnet18")
SIZE = 32


@pytest.fixture(scope="module")
def donor() -> dict:
    torch.manual_seed(0)
    return BACKBONE.build(7, SIZE).state_dict()


def loaded(file) -> dict:
    module = BACKBONE.build(10, SIZE)
    load_weights(module, BACKBONE, str(file), SIZE)
    return module.state_dict()


def has_body(found: dict, donor: dict) -> bool:
    return all(torch.equal(found[name], donor[name]) for name in donor if not name.startswith("fc."))


def named(donor: dict, prefix: str) -> dict:
    return {f"{prefix}{name}": tensor for name, tensor in donor.items()}


@pytest.mark.parametrize(
    ("ending", "wrap", "said"),
    [
        ("pth", lambda d: named(d, "_orig_mod."), "_orig_mod. was taken from the names of its tensors"),
        ("ckpt", lambda d: {"state_dict": named(d, "model.")}, "model. was taken from the names of its tensors"),
        (
            "ckpt",
            lambda d: {"state_dict": named(d, "model._orig_mod."), "epoch": 3},
            "model._orig_mod. was taken from the names of its tensors",
        ),
        ("pth", lambda d: {"model_state_dict": d, "optimizer_state_dict": {}, "epoch": 1}, None),
        (
            "pth.tar",
            lambda d: {"arch": "resnet18", "state_dict": named(d, "module.")},
            "module. was taken from the names of its tensors",
        ),
        (
            "pth",
            lambda d: {"state_dict": {name: 0 * tensor for name, tensor in d.items()}, "state_dict_ema": d},
            "its averaged weights (state_dict_ema) were taken",
        ),
        (
            "pth",
            lambda d: {"n_averaged": torch.tensor(4)} | named(d, "module."),
            "module. was taken from the names of its tensors",
        ),
    ],
)
def test_what_trainers_put_around_weights(tmp_path, donor, ending, wrap, said, capsys):
    file = tmp_path / f"w.{ending}"
    torch.save(wrap(donor), file)
    assert has_body(loaded(file), donor)
    assert capsys.readouterr().out == (f"{file}: {said}\n" if said else "")


def test_fastai_learners(tmp_path, donor, capsys):
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.vision.learner import create_timm_model, create_vision_model
    from torchvision.models import resnet18

    model = create_vision_model(resnet18, 10, pretrained=False)
    rows = [(torch.zeros(3, SIZE, SIZE), 0)] * 4
    learner = Learner(
        DataLoaders.from_dsets(rows, rows, bs=2), model, loss_func=torch.nn.CrossEntropyLoss(), path=tmp_path
    )
    learner.create_opt()
    learner.save("stage-1")
    file = tmp_path / "models" / "stage-1.pth"
    found = loaded(file)
    assert torch.equal(found["layer3.1.conv2.weight"], model[0][6][1].conv2.weight)
    assert capsys.readouterr().out.endswith(f"{file}: its names are those of a fastai learner, whose body was taken\n")
    timm_model = create_timm_model("resnet18", 10, pretrained=False)[0]
    torch.save(timm_model.state_dict(), tmp_path / "timm.pth")
    backbone = find_backbone("timm:resnet18")
    module = backbone.build(10, SIZE)
    load_weights(module, backbone, str(tmp_path / "timm.pth"), SIZE)
    assert torch.equal(module.layer3[1].conv2.weight, timm_model[0].model.layer3[1].conv2.weight)


def test_one_channel_is_fitted_to_three(tmp_path, donor, capsys):
    file = tmp_path / "gray.pth"
    torch.save(donor | {"conv1.weight": donor["conv1.weight"].sum(1, keepdim=True)}, file)
    found = loaded(file)["conv1.weight"]
    gray = torch.rand(1, 1, SIZE, SIZE)
    expected = torch.conv2d(gray, donor["conv1.weight"].sum(1, keepdim=True))
    assert torch.allclose(torch.conv2d(gray.repeat(1, 3, 1, 1), found), expected, atol=1e-5)
    assert capsys.readouterr().out == f"{file}: conv1.weight is for 1 channel(s) and was fitted to 3\n"


def test_three_channels_are_fitted_to_one(tmp_path, capsys):
    backbone = find_backbone("digitnet")
    state = backbone.build(10, 28).state_dict()
    first = next(name for name, tensor in state.items() if tensor.ndim == 4 and tensor.shape[1] == 1)
    file = tmp_path / "colour.pth"
    torch.save(state | {first: state[first].repeat(1, 3, 1, 1) / 3}, file)
    module = backbone.build(10, 28)
    load_weights(module, backbone, str(file), 28)
    assert torch.allclose(module.state_dict()[first], state[first])
    assert capsys.readouterr().out == f"{file}: {first} is for 3 channel(s) and was fitted to 1\n"


def test_weights_that_are_no_numbers(tmp_path, donor):
    file = tmp_path / "nan.pth"
    torch.save(donor | {"layer1.0.conv1.weight": donor["layer1.0.conv1.weight"] * float("nan")}, file)
    with pytest.raises(InputError) as caught:
        loaded(file)
    assert str(caught.value) == (
        f"--weights {file} holds weights that are no numbers, in layer1.0.conv1.weight: that training diverged; take "
        "an earlier checkpoint of it"
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_torchscript_is_named(tmp_path):
    file = tmp_path / "script.pt"
    torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(file)
    with pytest.raises(InputError) as caught:
        loaded(file)
    assert str(caught.value) == (
        f"{file} is a TorchScript archive, a program rather than weights; save its weights: "
        "torch.save(torch.jit.load('script.pt').state_dict(), 'weights.pth')"
    )


def test_a_whole_pickled_network_is_named(tmp_path):
    file = tmp_path / "whole.pth"
    torch.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(InputError) as caught:
        loaded(file)
    assert str(caught.value) == (
        f"{file} holds pickled Python objects, such as torch.nn.modules.linear.Linear, or is damaged, and is not "
        "loaded, since that could run code; where you trust it, save its state_dict as .safetensors"
    )


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    prefixes=st.lists(
        st.sampled_from(["_orig_mod.", "module.", "model.", "net.", "backbone."]), max_size=3, unique=True
    ),
    wrappers=st.lists(st.sampled_from(["state_dict", "model", "model_state_dict", "net"]), max_size=2, unique=True),
    ending=st.sampled_from(["pth", "pt", "ckpt", "pth.tar", "bin"]),
)
def test_whatever_stands_around_weights_is_taken_off(tmp_path_factory, donor, prefixes, wrappers, ending):
    content = named(donor, "".join(prefixes))
    for wrapper in wrappers:
        content = {wrapper: content, "epoch": 3}
    file = tmp_path_factory.mktemp("w") / f"w.{ending}"
    torch.save(content, file)
    assert has_body(loaded(file), donor)
