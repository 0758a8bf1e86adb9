"""Weights come from where the user says, whatever their head; what does not fit is one clear line."""

import pickle
import shutil

import pytest
import safetensors.torch
import torch
import torchvision

from fastdigits import InputError, find_backbone
from fastdigits.models.starting.weights import load_weights, starting_weights_of

TINY = find_backbone("test_resnet")


class Payload:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self):
        return (open, ("/tmp/fastdigits-was-here", "w"))


@pytest.fixture
def donor():
    """The tiny network with other weights and a head of 1,000 classes."""
    torch.manual_seed(1)
    return TINY.build(1000)


def body_of(module) -> dict:
    return {name: tensor for name, tensor in module.state_dict().items() if name not in TINY.head_names}


def assert_transferred(weights, donor) -> None:
    module = TINY.build(10)
    head = {name: module.state_dict()[name].clone() for name in TINY.head_names}
    start = load_weights(module, TINY, str(weights))
    assert start.transferred
    assert all(torch.equal(tensor, body_of(module)[name]) for name, tensor in body_of(donor).items())
    assert all(torch.equal(module.state_dict()[name], tensor) for name, tensor in head.items())


def error_of(weights, backbone=TINY) -> str:
    module = backbone.build(10)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(InputError) as caught:
        load_weights(module, backbone, str(weights))
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_none():
    start = load_weights(TINY.build(10), TINY, "none")
    assert (start.transferred, start.mean) == (False, None)


def test_safetensors_and_pth_files(tmp_path, donor):
    safetensors.torch.save_file(donor.state_dict(), tmp_path / "w.safetensors")
    assert_transferred(tmp_path / "w.safetensors", donor)
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    assert_transferred(tmp_path / "w.pth", donor)
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in donor.state_dict().items()}}
    torch.save(wrapped, tmp_path / "checkpoint.pth")
    assert_transferred(tmp_path / "checkpoint.pth", donor)


def test_an_earlier_run_brings_its_normalisation(run):
    module = TINY.build(3)
    start = load_weights(module, TINY, str(run))
    weights = safetensors.torch.load_file(run / "model.safetensors")
    assert all(torch.equal(tensor, weights[name]) for name, tensor in body_of(module).items())
    assert start.mean == pytest.approx([0.305] * 3, abs=0.02)  # the digits' own
    assert start.origin == str(run)


def test_the_file_of_a_saved_model_is_the_model(run, tmp_path):
    """So that its classes are known, and what it was trained on; the file alone is a file."""
    alone = tmp_path / "model.safetensors"
    shutil.copyfile(run / "model.safetensors", alone)
    assert starting_weights_of("test_resnet", str(run / "model.safetensors")) == str(run)
    assert starting_weights_of("test_resnet", str(alone)) == str(alone)


def test_torchvision_weights_from_its_cache(tmp_path, monkeypatch):
    """torchvision's own loader, over a file where it keeps its downloads."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    backbone = find_backbone("resnet18")
    torch.manual_seed(2)
    donor = torchvision.models.resnet18()
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(donor.state_dict(), cache / "resnet18-f37072fd.pth")
    module = backbone.build(10)
    start = load_weights(module, backbone, "pretrained")
    assert torch.equal(module.layer1[0].conv1.weight, donor.layer1[0].conv1.weight)
    assert module.fc.out_features == 10
    assert (start.mean, start.std) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_timm_weights_from_its_cache(tmp_path, monkeypatch, donor):
    """timm's own loader, over a file where the hub keeps its downloads."""
    from huggingface_hub import constants

    snapshot = tmp_path / "models--timm--test_resnet.r160_in1k" / "snapshots" / "0"
    snapshot.mkdir(parents=True)
    refs = snapshot.parent.parent / "refs"
    refs.mkdir()
    (refs / "main").write_text("0")
    safetensors.torch.save_file(donor.state_dict(), snapshot / "model.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert_transferred("pretrained", donor)


@pytest.mark.parametrize(
    ("name", "source"), [("resnet18", "torchvision download"), ("test_resnet", "hub timm/test_resnet.r160_in1k")]
)
def test_offline_is_one_line(tmp_path, monkeypatch, name, source):
    from huggingface_hub import constants

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    message = error_of("pretrained", find_backbone(name))
    assert message.startswith(f"pretrained weights of {name} could not be had from {source} (")
    assert message.endswith(
        "connect to the network, pass a file or an earlier run with --weights PATH, or use --weights none"
    )


def test_a_network_without_published_weights():
    assert error_of("pretrained", find_backbone("darknet17")) == (
        "nobody has published weights of darknet17; pass a file or an earlier run with --weights PATH, "
        "or use --weights none"
    )


def test_wrong_architecture(tmp_path):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "w.pth")
    message = error_of(tmp_path / "w.pth")
    assert message.startswith(
        f"--weights {tmp_path}/w.pth does not fit test_resnet: 9 of 90 tensors match, the first that"
    )
    assert "name the architecture that the weights were made for" in message


def test_files_that_are_none(tmp_path, donor):
    assert error_of(tmp_path / "no.pth").startswith(
        f"--weights {tmp_path}/no.pth does not exist; accepted are pretrained"
    )
    (tmp_path / "w.h5").touch()
    assert (
        "w.h5 is of no known kind; accepted are .safetensors, .pth, .pt, .bin, .ckpt, .tar files and runs"
        in error_of(tmp_path / "w.h5")
    )
    assert error_of(tmp_path) == f"{tmp_path} holds no saved model (model.json is missing)"
    torch.save([1, 2], tmp_path / "list.pth")
    assert (
        error_of(tmp_path / "list.pth")
        == f"{tmp_path}/list.pth holds no table of tensors by name; save the model's state_dict"
    )


def test_damaged_files(tmp_path, donor):
    safetensors.torch.save_file(donor.state_dict(), tmp_path / "w.safetensors")
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    for path in (tmp_path / "w.safetensors", tmp_path / "w.pth"):
        path.write_bytes(path.read_bytes()[:5000])
        assert error_of(path) == f"{path} is damaged or cut short; get it again"


def test_no_pickled_code_is_run(tmp_path):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"state_dict": Payload()}))
    assert "holds pickled Python objects, or is damaged, and is not loaded" in error_of(tmp_path / "evil.pth")
    torch.save({"state_dict": Payload()}, tmp_path / "evil2.pth")
    line = error_of(tmp_path / "evil2.pth")
    assert line.startswith(f"{tmp_path / 'evil2.pth'} holds pickled Python objects, such as ")
    assert "is not loaded, since that could run code" in line
    from pathlib import Path

    assert not Path("/tmp/fastdigits-was-here").exists()


def test_a_checkpoint_is_no_file_of_weights(run):
    for name in ("best.pt", "last.pt"):
        path = run / "checkpoints" / name
        assert error_of(path) == (
            f"--weights {path} is a checkpoint, which lacks what the run knows besides; finish the run with --resume, "
            "and pass the run"
        )
