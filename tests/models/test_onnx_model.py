"""ONNX exports: the same answers as torch, from the command, the library and the script beside the graph."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from PIL import Image

import fastdigits
from fastdigits import InputError, evaluate, export, finetune, open_model, predict
from fastdigits.photos.digit import has_form
from fastdigits.system.files import file_sha256

# what a machine without the training stack is like
WITHOUT_TORCH = (
    "import runpy, sys\n"
    "for name in ('torch', 'fastai', 'fastdigits', 'pandas', 'scipy', 'sklearn'): sys.modules[name] = None\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


@pytest.fixture(scope="module")
def exported(run, shared):
    """The tiny ResNet as ONNX."""
    done = export(str(run), shared / "onnx", to="onnx")
    assert (done.pictures, done.real) == (40, True)
    assert done.largest_difference < 1e-5
    return shared / "onnx"


def run_script(folder, *arguments, cwd=None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(folder / "predict.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_folder_holds_all(exported, run):
    assert {path.name for path in exported.iterdir()} == {"model.onnx", "model.json", "predict.py", "README.md"}
    description = json.loads((exported / "model.json").read_text())
    assert description["sha256"] == file_sha256(exported / "model.onnx")
    assert (description["format"], description["opset"]) == ("onnx", 20)
    assert description["temperature"] == json.loads((run / "model.json").read_text())["temperature"]
    graph = onnx.load(exported / "model.onnx", load_external_data=False)
    onnx.checker.check_model(graph)
    assert not any(tensor.external_data for tensor in graph.graph.initializer)  # the weights are inside
    (images,) = graph.graph.input
    assert [axis.dim_param for axis in images.type.tensor_type.shape.dim] == ["n", "height", "width"]
    assert images.type.tensor_type.elem_type == onnx.TensorProto.UINT8


@pytest.mark.parametrize("shape", [(1, 8, 8), (300, 8, 8), (5, 16, 16), (5, 33, 21), (2, 100, 100), (0, 8, 8)])
def test_any_number_and_size_of_pictures(exported, run, shape):
    images = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    found, expected = (open_model(path).probabilities(images) for path in (exported, run))
    assert found.shape == (shape[0], 10)
    assert np.abs(found - expected).max(initial=0) < 1e-5


def test_predict_and_evaluate_take_the_folder(exported, run, table_file, test_file, tmp_path):
    for model, name in ((exported, "onnx.csv"), (run, "torch.csv")):
        predict(str(model), str(test_file), out=tmp_path / name, probabilities=True)
    found, expected = (pd.read_csv(tmp_path / name) for name in ("onnx.csv", "torch.csv"))
    assert (found[["id", "label"]] == expected[["id", "label"]]).all(axis=None)
    numbers = [name for name in found.columns if name.startswith(("p_", "confidence"))]
    assert np.allclose(found[numbers], expected[numbers], atol=1e-5)
    assert evaluate(str(exported), str(table_file)).accuracy == evaluate(str(run), str(table_file)).accuracy
    together = predict(str(run), str(test_file), ensemble=[str(exported)], out=tmp_path / "both.csv")
    assert len(together.ids) == 40


def test_the_script_needs_neither_torch_nor_fastdigits(exported, run, table_file, test_file, tmp_path):
    done = run_script(exported, test_file, tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    expected = predict(str(run), str(test_file), out=tmp_path / "expected.csv").table()
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["id"].tolist() == list(range(1000, 1040))
    assert found["label"].astype(str).tolist() == expected["label"].tolist()
    assert np.allclose(found["confidence"], expected["confidence"], atol=1e-3)
    labelled = run_script(exported, table_file).stdout.splitlines()
    assert (labelled[0], len(labelled)) == ("id,label,confidence,verdict", 201)
    assert labelled[1].startswith("d0,")


def test_the_script_reads_pictures(exported, run, folder, tmp_path):
    pictures = folder / "test"
    lines = run_script(exported, pictures).stdout.splitlines()[1:]
    labels = dict(line.split(",")[:2] for line in lines)
    expected = predict(str(run), str(folder), out=tmp_path / "p.csv")
    assert labels == dict(zip(expected.ids, expected.labels))
    one = next(pictures.iterdir())
    assert run_script(exported, one).stdout.splitlines()[1].startswith(f"{one.name},{labels[one.stem]},")


def test_mistakes_at_the_script(exported, tmp_path):
    assert "predict.py PICTURE | FOLDER | TABLE.csv" in run_script(exported).stderr
    assert "nothing.csv does not exist" in run_script(exported, "nothing.csv").stderr
    (tmp_path / "t.csv").write_text("pixel0,pixel1,pixel2\n1,2,3\n")
    assert "t.csv has 3 pixel columns, which is no square" in run_script(exported, tmp_path / "t.csv").stderr


def test_shipped_models_can_be_exported(tmp_path):
    done = export("digitnet-mnist", tmp_path / "onnx", to="onnx")
    assert (done.pictures, done.real) == (32, False)
    model = open_model(tmp_path / "onnx")
    assert (model.normalise, model.size) == (True, 28)
    Image.fromarray(np.full((60, 50), 255, np.uint8)).save(tmp_path / "blank.png")
    assert predict(str(tmp_path / "onnx"), str(tmp_path / "blank.png")).ids == ["blank.png"]
    said = run_script(tmp_path / "onnx", tmp_path / "blank.png")
    told = "blank.png: no digit of 20 pixels, white on black, in 28x28; fastdigits predict would cut out the digit"
    assert told in said.stderr
    form = np.zeros((28, 28), np.uint8)
    form[4:24, 12:16] = 255
    Image.fromarray(form).save(tmp_path / "form.png")
    assert run_script(tmp_path / "onnx", tmp_path / "form.png").stderr == ""


def test_its_script_sees_pictures_as_predict_does(exported, tmp_path):
    """Turned by their camera, or transparent; ids with commas stay one column."""
    digit = np.full((24, 16), 230, np.uint8)
    digit[4:20, 6:9] = 20
    turned = Image.Exif()
    turned[0x0112] = 6
    (tmp_path / "p").mkdir()
    Image.fromarray(digit).save(tmp_path / "p" / "turned.png", exif=turned)
    Image.fromarray(digit).save(tmp_path / "p" / "turned, as held.jpg", exif=turned, quality=95)
    Image.fromarray(np.stack([digit] * 3 + [np.where(digit < 100, 255, 0).astype(np.uint8)], 2)).save(
        tmp_path / "p" / "clear.png"
    )
    Image.fromarray((255 - digit).astype(np.uint16) * 257).save(tmp_path / "p" / "deep.png")
    (tmp_path / "p" / "._deep.png").write_bytes(b"what macOS puts beside it")
    predict(str(exported), str(tmp_path / "p"), out=tmp_path / "by_package.csv")
    run_script(exported, tmp_path / "p", tmp_path / "by_script.csv").check_returncode()
    package, script = (pd.read_csv(tmp_path / f"by_{one}.csv").set_index("id") for one in ("package", "script"))
    assert set(script.index) == {"clear", "deep", "turned", "turned, as held"}
    assert np.abs(script.confidence - package.confidence).max() < 1e-4


def test_wrong_onnx_folders(exported, run, folder, tmp_path):
    import shutil

    with pytest.raises(InputError, match="--to 'keras' is unknown; accepted are model, onnx, learner and web"):
        export(str(run), tmp_path / "x", to="keras")
    with pytest.raises(InputError, match="is an ONNX export already; pass the run or model that it was made from"):
        export(str(exported), tmp_path / "x", to="model")
    with pytest.raises(InputError, match=r"is an ONNX export, which only predicts"):
        finetune("test_resnet", folder, weights=str(exported), out=tmp_path / "run")
    with pytest.raises(InputError, match=r"--teachers .*onnx is an ONNX export; pass the run or model that it was"):
        finetune("test_resnet", folder, weights="none", teachers=[str(exported)], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    broken = tmp_path / "broken"
    shutil.copytree(exported, broken)
    graph, about = broken / "model.onnx", json.loads((broken / "model.json").read_text())
    graph.write_bytes(graph.read_bytes()[:-100] + b"x" * 100)
    with pytest.raises(InputError, match=r"is not the file that model.json names"):
        open_model(broken)
    (broken / "model.json").write_text(json.dumps(about | {"sha256": file_sha256(graph)}))
    with pytest.raises(InputError, match="is no graph that onnxruntime reads"):
        open_model(broken)
    foreign = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "foreign",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )
    onnx.save(onnx.helper.make_model(foreign, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10), graph)
    (broken / "model.json").write_text(json.dumps(about | {"sha256": file_sha256(graph)}))
    with pytest.raises(InputError, match="takes x and gives y; export the model again"):
        open_model(broken)
    graph.unlink()
    with pytest.raises(InputError, match=r"lacks model.onnx; export the model again"):
        open_model(broken)


@pytest.mark.slow
@pytest.mark.realdata
def test_ten_thousand_real_rows(real_data, tmp_path):
    export("digitnet-mnist", tmp_path / "onnx", to="onnx")
    table = str(real_data / "mnist" / "test.csv.gz")
    found = [
        predict(model, table, out=tmp_path / f"{k}.csv", probabilities=True)
        for k, model in enumerate(("digitnet-mnist", str(tmp_path / "onnx")))
    ]
    assert len(found[0].ids) == 10_000
    assert found[0].labels == found[1].labels
    assert np.abs(found[0].probabilities - found[1].probabilities).max() < 1e-4


def test_the_script_knows_the_form_as_the_package_does(digit_images):
    """It stands alone, so it has a copy: both say the same of pictures of every kind."""
    script = runpy.run_path(str(Path(fastdigits.__file__).parent / "models" / "graphs" / "script.py"))
    rng, form = np.random.default_rng(0), np.zeros((28, 28), np.uint8)
    form[4:24, 12:16] = 255
    moved = [np.roll(form, (down, across), (0, 1)) for down in range(-4, 5) for across in range(-4, 5)]
    enlarged = [np.asarray(Image.fromarray(digit).resize((28, 28))) for digit in digit_images[0][:20]]
    strange = [255 - form, np.zeros((28, 28), np.uint8), form[:20], rng.integers(0, 256, (28, 28), np.uint8)]
    said = [bool(has_form(picture)) for picture in (*moved, *enlarged, *strange)]
    assert said == [bool(script["has_form"](picture)) for picture in (*moved, *enlarged, *strange)]
    assert 0 < sum(said) < len(said)
