"""Whether an answer can be taken as it is."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, evaluate, export, predict
from fastdigits.answers import Judge, verdict_line
from fastdigits.photos import BLANK, DIGIT, OTHER, SEVERAL

MODEL = "digitnet-mnist"


def test_verdicts():
    confidences = np.array([0.99, 0.5, 0.99, 0.99, 0.9995, 0.99])
    contents = np.array([DIGIT, DIGIT, BLANK, SEVERAL, SEVERAL, OTHER])
    shares = np.stack([confidences, 1 - confidences], axis=1)
    told = Judge(["a", "b"]).verdicts(shares, contents)
    assert told == ["sure", "doubtful", "blank", "several", "sure", "other"]
    # of a model that tells outliers its word counts, but for what the ink alone shows to be none
    outliers = np.array([[0.1, 0.2], [0.5, 0.3], [0, 0], [0, 0], [0.2, 0.4], [0.5, 0.1]])
    told = Judge(["a", "b"], above=0.5).verdicts(np.concatenate([shares, outliers], axis=1), contents)
    assert told == ["sure", "several", "blank", "sure", "other", "other"]
    assert verdict_line({"sure": 9612, "several": 3}) == (
        "9,612 sure, 3 several (`fastdigits read` reads several digits)"
    )


@pytest.fixture(scope="module")
def table(digit_images) -> pd.DataFrame:
    """Thirty real digits of 28x28 pixels, of which the fourth row is blank, the sixth noise, the eighth two digits."""
    images = np.pad(digit_images[0][:30].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    images[3] = 0
    images[5] = (np.random.default_rng(0).random((28, 28)) < 0.4) * 255
    two = np.concatenate([images[12][:, 4:22], np.zeros((28, 3), np.uint8), images[13][:, 4:22]], axis=1)
    images[7] = np.asarray(Image.fromarray(np.pad(two, ((6, 5), (0, 0)))).resize((28, 28)))
    return pd.DataFrame(images.reshape(30, -1), columns=[f"pixel{k}" for k in range(784)])


def test_verdicts_reach_every_road(in_tmp, table, capsys):
    table.to_csv("t.csv", index=False)
    found = predict(MODEL, "t.csv", out="p.csv")
    written = pd.read_csv("p.csv")
    assert written.columns.tolist() == ["id", "label", "confidence", "verdict"]
    assert written["verdict"].tolist() == found.verdicts
    assert [found.verdicts[row] for row in (3, 5, 7)] == ["blank", "other", "several"]
    assert sum(verdict in ("sure", "doubtful") for verdict in found.verdicts[10:]) >= 15  # of 20, coarse as they are
    assert str(found).splitlines()[1] == verdict_line(
        {name: found.verdicts.count(name) for name in ("sure", "doubtful", "blank", "several", "other")}
    )
    assert capsys.readouterr().out.splitlines() == [
        "t.csv: 1 picture is blank: no ink (id 3)",
        "t.csv: 1 picture is no light digit on dark: noise, or a surface (id 5)",
    ]
    kept = json.loads((in_tmp / "p.notes.json").read_text())
    assert len(kept["notes"]) == 2
    assert kept["verdicts"]["blank"] == 1
    # a submission has a label for each row, and says the rest where warnings go
    predict(MODEL, "t.csv", submission="kaggle")
    assert len(pd.read_csv("submission.csv")) == 30
    assert "1 blank" in capsys.readouterr().err
    # a file of predictions without anything to notice has none beside it
    table[10:].to_csv("plain.csv", index=False)
    predict(MODEL, "plain.csv", out="p.csv", overwrite=True)
    assert not (in_tmp / "p.notes.json").exists()


def test_the_exported_script_gives_the_same_verdicts(in_tmp, table):
    pytest.importorskip("onnxscript")
    for name, pixels in (("dark", table), ("light", 255 - table), ("shares", table / 255), ("bits", table // 16)):
        pixels.to_csv(f"{name}.csv", index=False)
    export(MODEL, out="model", to="onnx")
    for name in ("dark", "light", "shares", "bits"):
        command = [sys.executable, "model/predict.py", f"{name}.csv", "script.csv"]
        subprocess.run(command, check=True, capture_output=True)
        script = pd.read_csv("script.csv")
        expected = predict(MODEL, f"{name}.csv", probabilities=True, out="p.csv", overwrite=True)
        assert script["label"].astype(str).tolist() == expected.labels, name
        assert script["verdict"].tolist() == expected.verdicts, name
        assert np.abs(script["confidence"] - expected.confidences).max() < 1e-4


def test_strict_makes_what_is_noticed_an_error(in_tmp, table):
    table.to_csv("t.csv", index=False)
    line = "--strict: t.csv: 1 picture is blank: no ink (id 3) (and 1 more lines); mend the data, or leave out --strict"
    labelled = table.assign(label=[k % 2 for k in range(30)])
    labelled.to_csv("l.csv", index=False)
    for call in (
        lambda: predict(MODEL, "t.csv", strict=True),
        lambda: convert("t.csv", "digits", strict=True),
        lambda: evaluate(MODEL, "l.csv", strict=True),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == line.replace("t.csv", "l.csv" if "l.csv" in str(caught.value) else "t.csv")
    assert sorted(path.name for path in in_tmp.iterdir()) == ["l.csv", "t.csv"]
    table[10:].to_csv("plain.csv", index=False)
    assert len(predict(MODEL, "plain.csv", strict=True).ids) == 20


@pytest.mark.parametrize("ground", ["auto", "light", "dark"])
def test_dark_digits_are_turned_on_every_road(in_tmp, table, ground, capsys):
    whole = table[10:].reset_index(drop=True)
    whole.to_csv("dark.csv", index=False)
    (255 - whole).to_csv("light.csv", index=False)
    straight = predict(MODEL, "dark.csv", probabilities=True, out="a.csv")
    capsys.readouterr()
    turned = predict(MODEL, "light.csv", probabilities=True, out="b.csv", ground=ground)
    said = capsys.readouterr().out
    if ground == "dark":
        assert turned.labels != straight.labels
        assert said == "light.csv: 20 pictures are no light digit on dark: noise, or a surface (id 0, 1, 2, ...)\n"
        return
    assert turned.labels == straight.labels
    assert np.abs(turned.probabilities - straight.probabilities).max() < 1e-6
    line = {
        "auto": "light.csv: all pictures are dark digits on a light ground and were turned to light on dark; where "
        "that is wrong, pass --ground dark",
        "light": "light.csv: all pictures were turned to light digits on a dark ground, as --ground light says",
    }[ground]
    assert said == f"{line}\n"
    (in_tmp / "pictures").mkdir()
    for k, row in (255 - whole).iterrows():
        Image.fromarray(row.to_numpy(np.uint8).reshape(28, 28)).save(f"pictures/{k}.png")
    assert predict(MODEL, "pictures", ground=ground, out="n.csv").labels == straight.labels  # cut out as photos are
    assert not (in_tmp / "n.notes.json").exists()
    by_files = predict(MODEL, "pictures", ground=ground, normalise=False, out="c.csv")
    assert by_files.labels == straight.labels
    assert json.loads((in_tmp / "c.notes.json").read_text())["notes"] == [line.replace("light.csv", "pictures")]
    folder = convert("light.csv", "digits", ground=ground)
    assert folder.manifest["notes"] == [line]
    assert predict(MODEL, "digits", out="d.csv").labels == straight.labels


def test_notes_lie_beside_their_own_predictions(in_tmp):
    from fastdigits.answers import notes_file_of

    names = {"p.csv": "p.notes.json", "p.csv.gz": "p.notes.json", "a.v1.csv": "a.v1.notes.json"}
    assert {name: notes_file_of(in_tmp / name).name for name in names} == names


def test_what_a_folder_made_by_hand_leaves_out_is_said(in_tmp, table, capsys):
    row = table.iloc[0].to_numpy(np.uint8).reshape(28, 28)
    for split in ("train/5", "valid/5", "test"):
        (in_tmp / "hand" / split).mkdir(parents=True)
        Image.fromarray(row).save(f"hand/{split}/a.png")
    (in_tmp / "hand" / "test" / "b.pdf").write_text("")
    line = "hand/test: files that are not read were left out (1 .pdf); save them as PNG or JPEG"
    predict(MODEL, "hand", normalise=False)
    assert capsys.readouterr().out == f"{line}\n"
    with pytest.raises(InputError) as caught:
        evaluate(MODEL, "hand", normalise=False, strict=True)
    assert str(caught.value) == f"--strict: {line}; mend the data, or leave out --strict"


def test_shards_of_another_ground_are_refused(in_tmp, table):
    table.to_csv("t.csv", index=False)
    predict(MODEL, "t.csv", shard="1/2", out="p.csv")
    with pytest.raises(InputError, match="was made of another source or with other options"):
        predict(MODEL, "t.csv", shard="2/2", out="p.csv", ground="light")
    convert("t.csv", "digits", shard="1/2")
    with pytest.raises(InputError, match="was made of another source or with other options"):
        convert("t.csv", "digits", shard="2/2", ground="light")
    with pytest.raises(InputError, match=r"^--strict: t.csv: 1 picture is blank"):
        convert("t.csv", "strict", shard="1/2", strict=True)
