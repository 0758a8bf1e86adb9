"""The models that come with fastdigits: small, whole, known by name to every command, and good."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, evaluate, export, finetune, list_models, open_model, predict, read_folder
from fastdigits.answers import Inference
from fastdigits.commands.convert import convert
from fastdigits.models.backbones import find_backbone
from fastdigits.models.description import read_description
from fastdigits.models.saved import read_weights
from fastdigits.models.shipped import WEIGHTS, model_folder, shipped_architecture, shipped_names
from fastdigits.photos import contents_of, normalised
from fastdigits.photos.files import read_gray
from fastdigits.styles import drawn_digits
from fastdigits.styles.camera import photograph
from fastdigits.styles.pens import ink_of_text
from tests.photos.printed import printed_character

DIGITS = [str(k) for k in range(10)]
KEPT = Path(__file__).parent.parent.parent / "docs" / "predictions"


PARAMETERS = {"digitnet-kannada": 464_106, "digitnet-mnist": 464_106, "digitnet-tiny-mnist": 9_550}


def test_there_are_three():
    assert shipped_names() == list(PARAMETERS)
    assert [shipped_architecture(name) for name in shipped_names()] == ["digitnet", "digitnet", "digitnet-tiny"]
    assert shipped_architecture("resnet18") == "resnet18"


@pytest.mark.parametrize("name", PARAMETERS)
def test_they_are_small_whole_and_described(name):
    assert sum(file.stat().st_size for file in (WEIGHTS / name).iterdir()) < 2_000_000
    description = read_description(WEIGHTS / name)
    assert (description["classes"], description["size"], description["channels"]) == (DIGITS, 28, 1)
    assert description["normalise"] is True
    assert description["temperature"] != 1
    assert {str(value.dtype) for value in read_weights(WEIGHTS / name, description).values()} == {
        "torch.float16",
        "torch.int64",
    }
    model = open_model(name)
    assert {str(value.dtype) for value in model.module.parameters()} == {"torch.float32"}
    assert find_backbone(model.architecture).parameter_count() == PARAMETERS[name]
    for said in ("trained on 60,000 pictures", "## Scores", "a second model, trained in the same way", "seed 1"):
        assert said in model.card
    assert "model-index" not in model.card  # whose scores would be another model's


def test_the_tiny_one_is_tiny_and_good():
    assert (WEIGHTS / "digitnet-tiny-mnist" / "model.safetensors").stat().st_size < 25_000
    model, drawn = open_model("digitnet-tiny-mnist"), list(drawn_digits(230, seed=3))
    answers = model.probabilities(np.stack([picture for picture, *_ in drawn])).argmax(1)
    assert np.mean([model.classes[k] == label for k, (_, label, _) in zip(answers, drawn)]) > 0.85


def test_what_shows_no_digit_is_told():
    """Each verdict as a user meets it; letters that are digits to everybody stay digits."""
    rng = np.random.default_rng(11)
    verdicts = {}
    for text in ("47", "2026", "A", "W", "R", "%", "words of text", "O", "l", "3", "7"):
        photo = photograph(ink_of_text(text, 60, rng, ("DejaVuSans",)), rng)
        verdicts[text] = answers_to("digitnet-mnist", photo)
    assert [verdicts[text] for text in ("47", "2026")] == ["several", "several"]
    assert {verdicts[text] for text in ("A", "W", "R", "%", "words of text")} <= {"other", "several"}
    assert {verdicts[text] for text in ("O", "l", "3", "7")} <= {"sure", "doubtful"}


def answers_to(model: str, photo: np.ndarray) -> str:
    """The verdict on a photo."""
    inference, picture = Inference([open_model(model)], exact=True), normalised(photo)[None]
    return inference.judge.verdicts(inference.shares(picture), contents_of(picture))[0]


def test_printed_digits_are_read(tmp_path):
    """Print is not handwriting, and MNIST has no such one; most are read all the same."""
    right = []
    for text in DIGITS:
        from PIL import Image

        Image.fromarray(printed_character(text)).save(tmp_path / f"{text}.png")
        right.append(predict("digitnet-mnist", str(tmp_path / f"{text}.png")).labels == [text])
    assert sum(right) >= 8


def test_real_digits_that_it_never_saw(digit_images, tmp_path):
    """8x8 digits of another collection than MNIST, enlarged by the model itself."""
    images, labels = (part[:600] for part in digit_images)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    assert evaluate("digitnet-mnist", str(tmp_path / "digits.npz")).accuracy > 0.93


def test_a_path_of_that_name_comes_first(in_tmp):
    assert model_folder("digitnet-mnist") == WEIGHTS / "digitnet-mnist"
    (in_tmp / "digitnet-mnist").mkdir()
    assert str(model_folder("digitnet-mnist")) == "digitnet-mnist"
    assert str(model_folder("runs/digitnet-mnist")) == "runs/digitnet-mnist"


def test_they_are_exported_and_listed(tmp_path):
    exported = export("digitnet-kannada", tmp_path / "model")
    assert exported.largest_difference < 1e-5
    assert open_model(tmp_path / "model").card == open_model("digitnet-kannada").card
    assert "digitnet-mnist" in list_models("digitnet*").names


def test_ten_examples_of_each_are_enough(digit_images, tmp_path):
    """By default: enough steps, starting from what digitnet-mnist knows."""
    images, labels = digit_images
    few = np.concatenate([np.flatnonzero(labels == k)[:10] for k in range(10)])
    rest = np.setdiff1d(np.arange(600), few)
    for name, rows in (("few", few), ("rest", rest)):
        np.savez(tmp_path / f"{name}.npz", images=images[rows], labels=labels[rows])
    convert(tmp_path / "few.npz", tmp_path / "few", valid=0)
    run = finetune("digitnet-mnist", tmp_path / "few", out=tmp_path / "run").run
    assert run.record()["weights"] == "digitnet-mnist"
    assert run.record()["architecture"] == "digitnet"
    assert evaluate(str(run.path), str(tmp_path / "rest.npz")).accuracy > 0.93


def test_an_architecture_without_weights_names_those_that_have_some(folder28, tmp_path):
    with pytest.raises(InputError) as caught:
        finetune("digitnet", folder28, out=tmp_path / "run")
    assert str(caught.value) == (
        "nobody has published weights of digitnet; name digitnet-kannada or digitnet-mnist, pass a file or an earlier "
        "run with --weights PATH, or use --weights none"
    )
    finetune("digitnet", folder28, weights="digitnet-kannada", epochs=1, lr=0.01, out=tmp_path / "named")
    assert (tmp_path / "named" / "result.json").is_file()


def test_digitnet_takes_gray_and_coloured_pictures(folder28):
    import torch

    images = np.stack([read_gray(file) for file in read_folder(folder28).split("valid").files[:8]])
    model = open_model("digitnet-mnist")
    gray = model.model_input(images)
    with torch.inference_mode():
        assert torch.allclose(model.module(gray), model.module(gray.expand(-1, 3, -1, -1)), atol=1e-5)
        assert model.module.features(gray).shape == (8, 128)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("answers", ["digitnet-mnist-test", "digitnet-kannada-test", "digitnet-kannada-dig"])
def test_the_kept_answers_are_those_of_the_shipped_models(answers, real_data, tmp_path):
    """Of 10,000 rows two may be close calls that another processor decides otherwise."""
    name, table = answers.rsplit("-", 1)
    predict(name, str(real_data / name.removeprefix("digitnet-") / f"{table}.csv.gz"), out=tmp_path / "answers.csv")
    kept, found = pd.read_csv(KEPT / f"{answers}.csv.gz"), pd.read_csv(tmp_path / "answers.csv")
    assert (kept.id == found.id).all()
    assert (kept.label != found.label).sum() <= 2


@pytest.mark.slow
@pytest.mark.realdata
def test_they_know_their_tables(real_data):
    """Rows that they were trained on, so a check that nothing is mixed up, not a score."""
    for name in ("mnist", "kannada"):
        assert evaluate(f"digitnet-{name}", str(real_data / name / "train.csv.gz")).accuracy > 0.995
