"""Answers learn from their own table where that can help, say what they did, and leave the model as it was."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from fastdigits import InputError, export, open_model, predict
from fastdigits.answers.inference import Inference
from fastdigits.audit.adaptation import _parted, adapted, balanced, mixed_by_plan
from fastdigits.models.statistics import statistics_of

EQUAL = np.full(10, 0.1)


def certain(labels: np.ndarray, sure: float = 0.9) -> np.ndarray:
    """Probabilities (n, 10) of answers with these labels."""
    probabilities = np.full((len(labels), 10), (1 - sure) / 9, np.float32)
    probabilities[np.arange(len(labels)), labels] = sure
    return probabilities


def test_statistics_are_mixed_in_and_taken_back():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).eval()
    inputs = torch.randn(64, 1, 8, 8) * 3 + 5
    before, outside = {k: v.clone() for k, v in network.state_dict().items()}, network(inputs)
    with statistics_of(network, inputs, share=1.0):
        inside = network(inputs)
        assert inside.mean((0, 2, 3)).abs().max() < 1e-4  # by their own mean and deviation
        assert (inside.std((0, 2, 3)) - 1).abs().max() < 1e-2
        assert not network.training
    assert all((values == before[name]).all() for name, values in network.state_dict().items())
    assert (network(inputs) == outside).all()
    with statistics_of(network, inputs, share=0.5):
        half = network[1].running_mean.clone()
    own = network[0](inputs).mean((0, 2, 3))
    torch.testing.assert_close(half, own / 2, rtol=1e-4, atol=1e-4)  # of training it is 0
    with pytest.raises(ZeroDivisionError), statistics_of(network, inputs, share=1.0):
        1 / 0  # noqa: B018
    assert (network[1].running_mean == before["1.running_mean"]).all()
    with statistics_of(nn.Linear(3, 2), torch.ones(1, 3), share=1.0):
        pass  # nothing to change


def test_parts_have_the_wished_sizes():
    chunks = np.split(np.arange(20), [3, 4, 15])
    assert [part.tolist() for part in _parted(chunks, [5, 6, 9])] == [
        part.tolist() for part in np.split(np.arange(20), [5, 11])
    ]


def test_balanced_answers_have_the_wished_shares():
    rng = np.random.default_rng(0)
    probabilities = certain(rng.integers(0, 10, 400), sure=0.4)
    found = balanced(probabilities, EQUAL)
    assert found.sum(0) == pytest.approx(np.full(10, 40), rel=1e-3)
    assert found.sum(1) == pytest.approx(np.ones(400), rel=1e-5)
    doubtful = certain(np.repeat(np.arange(10), 10), sure=0.99)
    doubtful[0] = 0.02
    doubtful[0, [0, 1]] = 0.40, 0.44  # one of the class 0 that is nearly taken for a 1
    doubtful[0] /= doubtful[0].sum()
    assert balanced(doubtful, EQUAL)[0].argmax() == 0
    assert balanced(certain(np.zeros(5, int)), np.eye(10)[0]).argmax(1).tolist() == [0] * 5


def test_a_plan_is_told_from_chance():
    rng = np.random.default_rng(0)
    in_turn, by_chance = np.arange(2000) % 10, rng.integers(0, 10, 2000)
    assert mixed_by_plan(certain(in_turn), EQUAL)
    assert mixed_by_plan(certain(rng.permutation(in_turn[:500])), EQUAL)
    assert not mixed_by_plan(certain(by_chance), EQUAL)
    assert not mixed_by_plan(certain(np.full(2000, 7)), EQUAL)
    wrong = np.where(rng.random(2000) < 0.03, rng.integers(0, 10, 2000), in_turn)
    assert mixed_by_plan(certain(wrong), EQUAL)  # a few mistakes do not hide it


def test_what_was_done_is_told(digit_images):
    model = open_model("digitnet-mnist")
    model.valid = {"shares": EQUAL.tolist()}
    images, labels = digit_images
    inference = Inference([model], exact=True)
    probabilities = inference.probabilities(images)
    mixed = np.random.default_rng(0).permutation(len(images))
    same, told = adapted(inference, lambda: [images[mixed]], certain(np.full(len(images), 3)))
    assert told == ["nothing was changed: neither the order of the rows nor their classes tell anything"]
    assert (same.argmax(1) == 3).all()
    normalised, (line, *_) = adapted(inference, lambda: np.array_split(images, 7), probabilities)
    assert line.startswith("the rows stand in the order of their hands: normalised by parts; ")
    assert (normalised.argmax(1) == labels).mean() > 0.9
    assert np.allclose(inference.probabilities(images), probabilities, atol=1e-6)  # the model is as it was
    in_turn = np.arange(len(images)) % 10
    _, told = adapted(inference, lambda: [images[mixed]], certain(in_turn, sure=0.3))
    assert told[-1].startswith("the classes are mixed by plan: brought to the shares of training; ")
    few, (line,) = adapted(inference, lambda: [images[:99]], probabilities[:99])
    assert line == "nothing was changed: 99 rows tell too little, 100 would do"
    assert (few == probabilities[:99]).all()


def test_a_table_that_becomes_shorter(digit_images):
    parts = _parted([digit_images[0][:30]], [20, 20])
    assert len(next(parts)) == 20
    with pytest.raises(InputError, match="the table has fewer rows than a moment ago; was it changed"):
        next(parts)


def test_predict_with_adaptation(tmp_path, digit_images):
    np.savez(tmp_path / "t.npz", images=digit_images[0][:600])
    plain = predict("digitnet-mnist", tmp_path / "t.npz", out=tmp_path / "p.csv")
    found = predict("digitnet-mnist", tmp_path / "t.npz", adapt=True, out=tmp_path / "a.csv")
    assert found.adaptation[0].startswith("the rows stand in the order of their hands")
    # of the model as it was
    assert found.expectation.accuracy == pytest.approx(plain.expectation.accuracy, abs=1e-4)
    told = str(found).splitlines()
    assert any(line.startswith("without adaptation expected accuracy") for line in told)
    assert f"adapted: {found.adaptation[0]}" in told
    assert '"adaptation"' in (tmp_path / "a.notes.json").read_text()


def test_where_nothing_can_be_adapted(tmp_path, run, digit_images):
    np.savez(tmp_path / "t.npz", images=digit_images[0][:600])
    np.savez(tmp_path / "few.npz", images=digit_images[0][:99])
    with pytest.raises(InputError, match="--adapt learns from the whole table; leave out --shard"):
        predict(run, tmp_path / "t.npz", adapt=True, shard="1/2", out=tmp_path / "x.csv")
    few = predict(run, tmp_path / "few.npz", adapt=True, out=tmp_path / "few.csv")
    assert few.adaptation == ["nothing was changed: 99 rows tell too little, 100 would do"]
    export("digitnet-mnist", tmp_path / "onnx", to="onnx")
    with pytest.raises(InputError, match="an ONNX export has fixed; pass the run or model"):
        predict(tmp_path / "onnx", tmp_path / "t.npz", adapt=True, out=tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_pictures_of_several_sizes(tmp_path, run, digit_images):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row, image in enumerate(digit_images[0][:220]):
        picture = Image.fromarray(np.kron(image, np.ones((3 + row % 2,) * 2, np.uint8)))
        picture.save(folder / f"{row:03}.png")
    found = predict(run, folder, adapt=True, normalise=False, out=tmp_path / "p.csv")
    assert len(found.ids) == 220
    assert found.adaptation
