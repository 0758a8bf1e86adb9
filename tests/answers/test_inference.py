"""Models at work: in any batch size and precision they name the same labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fastdigits.answers.inference import LARGEST_INPUT, BatchSize, Inference
from fastdigits.answers.opening import open_model


@pytest.fixture
def images(digit_images):
    return digit_images[0][300:]


def test_any_batch_size_gives_the_same_probabilities(run, images, monkeypatch):
    model = open_model(run)
    expected = np.concatenate([model.probabilities(image[None]) for image in images[:100]])
    monkeypatch.setattr("fastdigits.answers.inference.TRIED_ON_CPU", (7, 32))
    found = Inference([model]).probabilities(images[:100])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_exact_inference_ignores_the_clock(run, images, monkeypatch):
    """The same digits whatever sizes are tried and however long they take."""
    monkeypatch.setattr("fastdigits.answers.inference.EXACT_BATCH", 10)
    found = []
    for tried in ((7, 32), (64, 16)):
        monkeypatch.setattr("fastdigits.answers.inference.TRIED_ON_CPU", tried)
        inference = Inference([open_model(run)], exact=True)
        found.append(inference.probabilities(images))
        assert inference.batch_size.pictures == 10
    assert np.array_equal(*found)


def test_normalisation_is_folded_into_convolutions_in_a_copy(images):
    """The copy answers the same; the model keeps its own weights, and can be adapted still."""
    model = open_model("digitnet-mnist")
    before = {name: values.clone() for name, values in model.module.state_dict().items()}
    faster = model.folded()
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in faster.module.modules())
    np.testing.assert_allclose(faster.probabilities(images), model.probabilities(images), atol=1e-5)
    assert all(torch.equal(before[name], values) for name, values in model.module.state_dict().items())
    inference = Inference([model])
    with model.knowing(images[:200], share=1.0):
        adapted, unmoved = inference.as_trained().probabilities(images), inference.probabilities(images)
    assert np.abs(adapted - unmoved).max() > 0.1
    plain = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    assert replace(model, module=plain).folded().module is plain


def test_large_pictures_go_in_small_batches(run, monkeypatch):
    model = open_model(run)
    monkeypatch.setitem(LARGEST_INPUT, "cpu", 3 * model.size**2 * 128)
    assert Inference([model]).batch_size.waiting == [64, 128]
    monkeypatch.setitem(LARGEST_INPUT, "cpu", 3 * model.size**2 * 10)  # fewer than are tried
    assert Inference([model]).batch_size.waiting == [8]
    assert Inference([model], exact=True).batch_size.waiting == [8]  # of which 256 is a multiple
    monkeypatch.setitem(LARGEST_INPUT, "cpu", 1)
    assert Inference([model]).batch_size.waiting == [1]


def test_the_fastest_size_stays():
    size = BatchSize((2, 4, 8))
    size.note(2, 9.0)  # the first batch does not count
    for seconds in (1.0, 0.5, 2.0):
        while size.waiting and (n := size.pictures):
            size.note(n, n * seconds)
            if len(size.rates) and size.done == 0:
                break
    assert size.rates == {2: 1.0, 4: 2.0, 8: 0.5}
    assert size.pictures == 4
    size.note(4, 100.0)
    assert size.pictures == 4


def test_shorter_batches_tell_nothing():
    size = BatchSize((8, 16))
    for _ in range(9):
        size.note(5, 1.0)
    assert size.rates == {}
    assert size.pictures == 8


@pytest.fixture
def in_bf16(monkeypatch):
    """The machine is one that is fast at bf16."""
    monkeypatch.setattr(
        "fastdigits.answers.inference.find_precision", lambda wanted, _: {"auto": "bf16"}.get(wanted, wanted)
    )


def test_bf16_changes_no_label(run, images, in_bf16):
    """Also where the network is far from sure."""
    found = Inference([open_model(run)]).probabilities(images)
    expected = Inference([open_model(run)], exact=True).probabilities(images)
    assert (found.argmax(1) == expected.argmax(1)).all()
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_only_unsure_pictures_are_computed_in_fp32(run, images, in_bf16, monkeypatch):
    model = open_model(run)
    expected = model.probabilities(images[:50])
    for sure, same in ((1.1, True), (0.0, False)):  # none is sure enough, all are
        monkeypatch.setattr("fastdigits.answers.inference.SURE_LEAD", sure)
        found = Inference([model]).probabilities(images[:50])
        assert np.allclose(found, expected, atol=1e-6) == same


def test_bf16_changes_no_verdict(run, images, in_bf16):
    exact = Inference([open_model(run)], exact=True).probabilities(images).max(1)
    quick = Inference([open_model(run)])
    for least in np.quantile(exact, [0.3, 0.5, 0.7, 0.9]):
        quick.judge = replace(quick.judge, least_sure=float(least) + 1e-5)
        found = quick.probabilities(images).max(1)
        assert ((found < quick.judge.least_sure) == (exact < quick.judge.least_sure)).all()
