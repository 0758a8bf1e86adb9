"""Classes with few rows: told, and shown as often as the others with --balance."""

import json

import numpy as np
import pytest

from fastdigits import InputError, convert, finetune, train
from fastdigits.batches import digit_loaders
from fastdigits.folders import read_folder


@pytest.fixture(scope="module")
def unequal(tmp_path_factory, digit_images):
    """Sixty threes and six eights to train on, twenty of each as valid."""
    place = tmp_path_factory.mktemp("unequal")
    images, labels = digit_images
    threes, eights = (np.flatnonzero(labels == label) for label in (3, 8))
    rows = np.concatenate([threes[:20], eights[:20], threes[20:80], eights[20:26]])
    np.savez(place / "t.npz", x_train=images[rows], y_train=labels[rows])
    return convert(place / "t.npz", place / "digits", valid=40, split="first")


def shown(loaders) -> np.ndarray:
    """How many pictures of each class an epoch shows."""
    return sum(np.bincount(labels.numpy(), minlength=2) for _, labels in loaders.train)


def test_an_epoch_shows_each_class_equally_often(unequal):
    options = {"size": 8, "mean": [0.0], "std": [1.0], "batch_size": 11, "device": "cpu"}
    assert shown(digit_loaders(unequal, **options)).tolist() == [60, 6]
    balanced = digit_loaders(unequal, **options, balance=True)
    for _ in range(3):
        assert (np.abs(shown(balanced) - 33) <= 1).all()
    assert len(balanced.valid_ds) == 40


def test_equal_classes_are_trained_as_without_it(tmp_path, folder):
    runs = [
        train("dnn-he", folder, epochs=1, out=tmp_path / str(balance), balance=balance).run for balance in (False, True)
    ]
    rows = [read_folder(folder).split("train").labels.count(str(k)) for k in range(10)]
    assert max(rows) - min(rows) > 0  # which 160 rows of ten classes may have
    assert runs[1].record()["settings"]["balance"] is True
    assert runs[0].record()["settings"]["balance"] is False


def test_a_run_prints_macro_f1_and_says_why(tmp_path, unequal, capsys):
    result = train("dnn-he", unequal.path, epochs=2, out=tmp_path / "run", balance=True)
    f1 = json.loads((tmp_path / "run" / "result.json").read_text())["macro_f1"]
    line = "the classes are unequal: 6 training pictures of '8', 60 of '3'; macro F1 counts each class alike"
    assert f", macro F1 {f1:.4f}, on 40 valid pictures" in str(result)
    assert line in str(result).splitlines()


def test_equal_classes_print_none(run):
    assert (
        "unequal" not in json.loads((run / "result.json").read_text())
        or not json.loads((run / "result.json").read_text())["unequal"]
    )


def test_what_is_noticed_of_a_folder(tmp_path, digit_images, capsys):
    """Pictures that are left out, no valid pictures, dark digits: said, kept, and refused with strict."""
    from PIL import Image

    images, labels = digit_images
    for k in np.flatnonzero(labels < 2)[:24]:
        file = tmp_path / "hand" / "train" / str(labels[k]) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - images[k].repeat(2, 0).repeat(2, 1)).save(file)
    (tmp_path / "hand" / "train" / "1" / "x.svg").write_text("")
    hand = tmp_path / "hand"
    lines = [
        f"{hand / 'train' / '1'}: files that are not read were left out (1 .svg); save them as PNG or JPEG",
        f"{hand} has no valid pictures, so nothing measures the accuracy of this training",
        f"{hand} has dark digits on a light ground; the model learns them so, and turns others to it",
    ]
    with pytest.raises(InputError) as caught:
        finetune("test_resnet", hand, weights="none", epochs=1, out=tmp_path / "strict", strict=True)
    assert str(caught.value) == f"--strict: {lines[0]} (and 2 more lines); mend the data, or leave out --strict"
    assert not (tmp_path / "strict").exists()
    finetune("test_resnet", hand, weights="none", epochs=1, out=tmp_path / "run")
    assert capsys.readouterr().out.splitlines()[:3] == lines
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["notes"] == lines


@pytest.fixture(scope="module")
def light_run(tmp_path_factory, digit_images):
    """A run on an image folder made by hand, whose digits are dark on light, and that folder."""
    from PIL import Image

    place = tmp_path_factory.mktemp("light")
    images, labels = digit_images
    for k in range(240):
        split = "valid" if k % 4 == 0 else "train"
        file = place / "hand" / split / str(labels[k]) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - images[k]).save(file)
    train("dnn-he", place / "hand", epochs=25, out=place / "run")
    return place


def test_a_model_of_dark_digits_takes_both_grounds(light_run, digit_images, tmp_path, in_tmp):
    from fastdigits import evaluate, export, predict

    images, labels = (part[300:360] for part in digit_images)
    assert json.loads((light_run / "run" / "model.json").read_text())["ground"] == "light"
    right = {}
    for name, pictures in (("dark", images), ("light", 255 - images)):
        np.savez(f"{name}.npz", x_train=pictures, y_train=labels)
        right[name] = evaluate(light_run / "run", f"{name}.npz").accuracy
    assert right["dark"] == right["light"] > 0.8
    as_trained = json.loads((light_run / "run" / "result.json").read_text())["accuracy"]
    assert evaluate(light_run / "run", light_run / "hand").accuracy == as_trained > 0.8
    pytest.importorskip("onnxscript")
    export(light_run / "run", out="onnx", to="onnx")
    export(light_run / "run", out="learner.pkl", to="learner")
    graph, network = (
        predict(model, "dark.npz", out=f"{name}.csv") for name, model in (("a", "onnx"), ("b", light_run / "run"))
    )
    assert graph.labels == network.labels


def test_a_ground_that_the_user_knows_stays(digit_images, in_tmp):
    """Pictures that are said to be light on dark are neither turned by convert nor by what follows."""
    from fastdigits import evaluate

    images, labels = (part[:240] for part in digit_images)
    np.savez("t.npz", x_train=255 - images, y_train=labels)
    folder = convert("t.npz", "digits", ground="dark")
    assert folder.manifest["ground"] == "dark"
    run = train("dnn-he", "digits", epochs=25, out="run").run
    assert json.loads((run.path / "model.json").read_text())["ground"] == "dark"
    as_trained = json.loads((run.path / "result.json").read_text())["accuracy"]
    assert evaluate("run", "digits").accuracy == as_trained > 0.8
    assert evaluate("run", "t.npz", ground="dark").accuracy > 0.9


def test_teachers_of_another_ground_are_refused(light_run, tmp_path):
    with pytest.raises(InputError) as caught:
        train("dnn-he", light_run / "hand", epochs=1, teachers=["digitnet-mnist"], normalise=False, out=tmp_path / "a")
    assert str(caught.value) == (
        f"--teachers were not trained on digits on a light ground, as those of {light_run / 'hand'} are; convert the "
        "pictures, which brings them to a dark one, and train on that folder"
    )
