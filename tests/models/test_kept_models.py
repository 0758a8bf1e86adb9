"""Models that earlier versions saved give the answers that they gave then."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fastdigits import predict

KEPT = Path(__file__).parent / "saved_models"
VERSIONS = sorted(path.name for path in KEPT.iterdir() if (path / "answers.csv").is_file())


def test_this_version_has_kept_its_models():
    assert version("fastdigits") in VERSIONS, "at a release: python tests/models/saved_models/make.py"


@pytest.mark.parametrize("saved", ["model", "onnx"])
@pytest.mark.parametrize("released", VERSIONS)
def test_earlier_models_give_their_answers(released, saved, tmp_path):
    folder = KEPT / released
    predict(folder / saved, folder / "pictures.csv.gz", out=tmp_path / "now.csv", probabilities=True)
    then, now = pd.read_csv(folder / "answers.csv"), pd.read_csv(tmp_path / "now.csv")
    assert list(now.drop(columns="verdict").columns) == list(then.columns)
    assert (now["label"] == then["label"]).all()
    numbers = [name for name in then.columns if name != "label"]
    assert np.abs(now[numbers] - then[numbers]).to_numpy().max() < 1e-4


LEARNERS = [(KEPT / released / "learner.pkl", released) for released in VERSIONS]
LEARNERS.append((Path(__file__).parent / "learner_without_rooms.pkl", "0.1.0"))  # from when all modules lay flat


@pytest.mark.parametrize(("learner", "released"), LEARNERS, ids=lambda value: getattr(value, "stem", value))
def test_earlier_learners_load_and_give_their_answers(learner, released, tmp_path):
    """A pickle names classes by the modules that they stood in; those may have moved since."""
    folder = KEPT / released
    code = (
        "import sys, numpy as np, pandas as pd; from fastai.learner import load_learner;"
        "learn = load_learner(sys.argv[1]);"
        "images = pd.read_csv(sys.argv[2]).filter(like='pixel').to_numpy(np.uint8).reshape(-1, 28, 28);"
        "loader = learn.dls.test_dl(list(images), rm_type_tfms=0, num_workers=0);"
        "answers = pd.DataFrame(learn.get_preds(dl=loader)[0].numpy(), columns=learn.dls.vocab);"
        "answers.to_json(sys.argv[3])"
    )
    files = [learner, folder / "pictures.csv.gz", tmp_path / "now.json"]
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, *files], check=True, capture_output=True)
    now = pd.read_json(files[-1])
    then = pd.read_csv(folder / "answers.csv").filter(like="p_")
    assert [f"p_{label}" for label in now.columns] == list(then.columns)
    assert np.abs(now.to_numpy() - then.to_numpy()).max() < 1e-4


def test_others_may_read_a_saved_model(run):
    modes = {path.stat().st_mode & 0o777 for path in (run / "model.safetensors", run / "model.json")}
    plain = run / "run.json"
    assert modes == {plain.stat().st_mode & 0o777}
