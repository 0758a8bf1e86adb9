"""Predictions are the run's own, in the source's order, in the form a competition wants."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, evaluate, finetune, open_model, predict, read_folder
from fastdigits.answers.inference import Inference
from fastdigits.answers.verdicts import counted, verdict_line
from fastdigits.folders.shards import ShardDone, read_shard
from fastdigits.models.shipped import model_folder

TINY = "test_resnet"


@pytest.fixture(scope="module")
def second_run(shared, folder):
    finetune(TINY, folder, weights="none", epochs=1, size=16, lr=5e-3, seed=9, out=shared / "second")
    return shared / "second"


def error_of(*args, **options) -> str:
    with pytest.raises(InputError) as caught:
        predict(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_table(in_tmp, run, test_file):
    found = predict(run, test_file)
    table = pd.read_csv("predictions.csv")
    assert table.columns.tolist() == ["id", "label", "confidence", "verdict"]
    assert table["id"].tolist() == list(range(1000, 1040))
    assert [str(label) for label in table["label"]] == found.labels
    assert table["confidence"].between(0.1, 1).all()
    assert str(found).splitlines() == [
        f"40 predictions, mean confidence {found.confidences.mean():.1%}",
        verdict_line(counted(found.verdicts)),
        "written to predictions.csv",
    ]


def test_a_folder_predicts_its_test_pictures_as_the_table_does(tmp_path, run, folder, test_file):
    by_folder = predict(run, folder, out=tmp_path / "a.csv", probabilities=True)
    by_table = predict(run, test_file, out=tmp_path / "b.csv")
    assert by_folder.ids == by_table.ids
    np.testing.assert_allclose(by_folder.probabilities, by_table.probabilities, atol=1e-6)
    table = pd.read_csv(tmp_path / "a.csv")
    columns = table[[f"p_{k}" for k in range(10)]]
    np.testing.assert_allclose(columns.sum(axis=1), 1, atol=1e-5)


def test_the_runs_own_predictions_are_repeated(run, folder):
    recorded = pd.read_csv(run / "valid_predictions.csv")
    files = read_folder(folder).split("valid").files
    images = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
    found = Inference([open_model(run)]).probabilities(images)
    np.testing.assert_allclose(found, recorded[[f"p_{k}" for k in range(10)]], atol=1e-5)


def test_pictures(in_tmp, run, folder):
    part = read_folder(folder).split("test")
    found = predict(run, str(part.files[0]))
    assert found.ids == ["1000.png"]
    assert found.verdicts == ["doubtful"]
    assert str(found) == f"1000.png: {found.labels[0]} ({found.confidences[0]:.1%}), doubtful"
    assert list(in_tmp.iterdir()) == []
    (in_tmp / "mixed").mkdir()
    for name, file, side in (("10", part.files[0], 8), ("9", part.files[1], 20)):
        Image.open(file).resize((side, side)).save(in_tmp / "mixed" / f"{name}.png")
    assert predict(run, in_tmp / "mixed").ids == ["9", "10"]


def test_an_ensemble_is_the_mean(tmp_path, run, second_run, test_file):
    one, two = (predict(model, test_file, out=tmp_path / f"{k}.csv") for k, model in enumerate((run, second_run)))
    both = predict(run, test_file, ensemble=[second_run], out=tmp_path / "both.csv")
    np.testing.assert_allclose(both.probabilities, (one.probabilities + two.probabilities) / 2, atol=1e-6)


def test_competition_formats(in_tmp, run, test_file):
    labels = predict(run, test_file, submission="kaggle").labels
    kaggle = pd.read_csv("submission.csv", dtype=str)
    assert kaggle.columns.tolist() == ["ImageId", "Label"]
    assert kaggle["ImageId"].tolist() == [str(k) for k in range(1000, 1040)]
    assert kaggle["Label"].tolist() == labels
    predict(run, test_file, submission="kannada", overwrite=True)
    kannada = pd.read_csv("submission.csv", dtype=str)
    assert kannada.columns.tolist() == ["id", "label"]
    assert kannada["id"].tolist() == [str(k) for k in range(1000, 1040)]


def test_a_samples_columns_ids_and_order(in_tmp, run, test_file):
    labels = dict(zip(map(str, range(1000, 1040)), predict(run, test_file).labels))
    ids = [str(k) for k in range(1039, 999, -1)]
    pd.DataFrame({"ImageID": ids, "Digit": 0}).to_csv("sample.csv", index=False)
    with zipfile.ZipFile("c.zip", "w") as archive:
        archive.write("sample.csv", "sample_submission.csv")
    for sample in ("sample.csv", "c.zip"):
        predict(run, test_file, submission=sample, out="s.csv", overwrite=True)
        made = pd.read_csv("s.csv", dtype=str)
        assert made.columns.tolist() == ["ImageID", "Digit"]
        assert made["ImageID"].tolist() == ids
        assert made["Digit"].tolist() == [labels[id_] for id_ in ids]


def test_a_sample_over_a_table_without_ids_goes_by_position(in_tmp, run, test_file):
    pd.read_csv(test_file).drop(columns="id").to_csv("plain.csv", index=False)
    pd.DataFrame({"ImageId": range(1, 41), "Label": 0}).to_csv("sample.csv", index=False)
    found = predict(run, "plain.csv", submission="sample.csv")
    assert pd.read_csv("submission.csv", dtype=str)["Label"].tolist() == found.labels


def test_bad_submissions(in_tmp, run, test_file):
    assert error_of(run, test_file, submission="digits") == (
        "--submission digits is neither kaggle, kannada nor a file; pass the competition's sample"
    )
    pd.DataFrame({"id": range(39), "label": 0}).to_csv("sample.csv", index=False)
    assert error_of(run, test_file, submission="sample.csv") == (
        "sample.csv has 39 rows, the predicted table has 40; is it the sample of another competition?"
    )
    pd.DataFrame({"id": range(40), "label": 0}).to_csv("sample.csv", index=False)
    assert error_of(run, test_file, submission="sample.csv") == (
        "sample.csv asks for the id '0', which the predicted table does not have"
    )
    pd.DataFrame({"id": range(40), "label": 0, "x": 0}).to_csv("sample.csv", index=False)
    assert error_of(run, test_file, submission="sample.csv") == (
        "sample.csv has the columns id, label, x; a sample has an id and a label column"
    )
    pd.DataFrame({"id": ["", *range(1001, 1040)], "label": 0}).to_csv("sample.csv", index=False)
    assert error_of(run, test_file, submission="sample.csv") == (
        "sample.csv asks for the id '', which the predicted table does not have"
    )
    (in_tmp / "sample.csv").write_text("")
    assert error_of(run, test_file, submission="sample.csv").startswith("sample.csv cannot be read as csv: ")
    assert error_of(run, test_file, submission="kaggle", probabilities=True) == (
        "a submission has no room for probabilities; leave out --probabilities or --submission"
    )
    assert [path.name for path in in_tmp.iterdir()] == ["sample.csv"]


def test_a_row_is_submitted_once(in_tmp, run, test_file):
    twice = pd.read_csv(test_file)
    twice.loc[1, "id"] = twice["id"][0]
    twice.to_csv("twice.csv", index=False)
    for form in ("kaggle", "kannada"):
        assert error_of(run, "twice.csv", submission=form) == (
            f"the id {twice['id'][0]} occurs more than once; a submission names each row once"
        )


def test_capital_letters_of_an_ending_count_as_small_ones(in_tmp, run, test_file):
    predict(run, test_file, out="ANSWERS.CSV.GZ")
    assert len(pd.read_csv("ANSWERS.CSV.GZ", compression="gzip")) == 40


def test_tables_are_what_their_name_says(in_tmp, run, test_file):
    for name in ("answers.csv.zip", "answers.parquet", "answers.json"):
        assert (
            error_of(run, test_file, out=name) == f"{name} would not be what its name says; name a .csv or .csv.gz file"
        )


def test_outputs_are_not_replaced_unasked(in_tmp, run, test_file):
    predict(run, test_file)
    assert error_of(run, test_file).startswith("predictions.csv exists already; pass --overwrite")


def test_models_that_are_none(tmp_path, run, test_file, folder):
    assert error_of(tmp_path / "no", test_file) == (
        f"{tmp_path}/no does not exist; pass a run directory, a saved model, or one of digitnet-kannada, "
        "digitnet-mnist, digitnet-tiny-mnist"
    )
    (tmp_path / "learner.pkl").touch()
    assert error_of(tmp_path / "learner.pkl", test_file) == (
        f"{tmp_path}/learner.pkl is no saved model, and pickled ones are not loaded; pass a run or a saved model"
    )
    assert error_of(tmp_path, test_file) == f"{tmp_path} holds no saved model (model.json is missing)"


def test_damaged_models(tmp_path, run, test_file):
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.json", "model.safetensors"):
        shutil.copy(run / name, model / name)
    assert predict(model / "model.json", test_file, out=tmp_path / "p.csv").labels
    weights, description = (model / "model.safetensors").read_bytes(), json.loads((model / "model.json").read_text())

    def error_with(changes: dict) -> str:
        (model / "model.json").write_text(json.dumps(description | changes))
        return error_of(model, test_file, out=tmp_path / "x.csv")

    assert error_with({"schema": 2}) == f"{model}/model.json has schema 2, this fastdigits reads 1; upgrade it"
    assert (
        error_with({"classes": ["a"], "valid": None})
        == f"{model}/model.safetensors does not fit test_resnet; export the model again"
    )
    (model / "model.safetensors").write_bytes(weights[:-1])
    assert (
        error_with({})
        == f"{model}/model.safetensors is not the file that model.json names (sha256 differs); export it again"
    )
    (model / "model.safetensors").unlink()
    assert error_with({}) == f"{model} lacks model.safetensors; export the model again"
    (model / "model.json").write_text(json.dumps({"schema": 1}))
    assert error_of(model, test_file, out=tmp_path / "x.csv").startswith(
        f"{model}/model.json lacks architecture, classes"
    )
    (model / "model.json").write_text("[")
    assert (
        error_of(model, test_file, out=tmp_path / "x.csv") == f"{model}/model.json is damaged; export the model again"
    )


def test_an_ensemble_of_other_classes(tmp_path, run, test_file):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(run / "model.safetensors", other)
    description = json.loads((run / "model.json").read_text()) | {"classes": list("abcdefghij")}
    (other / "model.json").write_text(json.dumps(description))
    assert error_of(run, test_file, ensemble=[other], out=tmp_path / "x.csv").endswith(
        "models that are averaged or compared need the same classes"
    )


def test_sources_without_test_pictures(tmp_path, run, test_file):
    (tmp_path / "empty").mkdir()
    accepted = ".png, .jpg, .jpeg, .jfif, .bmp, .tif, .tiff, .webp, .gif, .avif, .pgm, .ppm, .heic, .heif"
    message = f"{tmp_path}/empty holds no pictures; pass a folder of {accepted} files or a table"
    assert error_of(run, tmp_path / "empty", out=tmp_path / "x") == message
    assert (
        error_of(run, tmp_path / "no.png") == f"{tmp_path}/no.png does not exist; pass a picture, a folder or a table"
    )


def test_evaluation_of_a_folder_and_of_a_table(tmp_path, run, folder, table_file):
    result = evaluate(run, folder, out=tmp_path / "scores.json")
    recorded = json.loads((run / "result.json").read_text())
    assert result.accuracy == recorded["accuracy"]
    assert list(result.interval) == recorded["interval"]
    assert json.loads((tmp_path / "scores.json").read_text())["confusion"] == result.confusion
    whole = evaluate(run, table_file)
    assert whole.pictures == 200
    assert sum(score.pictures for score in whole.per_class) == 200


def test_evaluation_that_cannot_be(tmp_path, run, folder, test_file, digit_table):
    def error_of_evaluation(*args, **options) -> str:
        with pytest.raises(InputError) as caught:
            evaluate(*args, **options)
        return str(caught.value)

    no_labels = (
        "has no labels, and what to expect cannot be told (fewer than 50 pictures); name a table's column of labels "
        "with --label-column, of an image folder pass --split valid, or use `fastdigits predict`"
    )
    assert error_of_evaluation(run, folder, split="test") == f"{folder} (test) {no_labels}"
    assert error_of_evaluation(run, test_file) == f"test.csv {no_labels}"
    needless = (
        "test.csv has no labels, so --stress has nothing to score; name a table's column of labels with "
        "--label-column, of an image folder pass --split valid"
    )
    assert error_of_evaluation(run, test_file, stress=True) == needless
    digit_table.assign(label=digit_table["label"] + 5).to_csv(tmp_path / "t.csv", index=False)
    message = error_of_evaluation(run, tmp_path / "t.csv")
    assert message == "t.csv has the label '10', which the model does not know (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"
    (tmp_path / "x.json").touch()
    assert "x.json exists already" in error_of_evaluation(run, folder, out=tmp_path / "x.json")


def test_what_to_expect_of_several_models_and_of_several_views(tmp_path, run, second_run, digit_table):
    table, unlabelled = tmp_path / "t.csv", tmp_path / "u.csv"
    digit_table.to_csv(table, index=False)
    digit_table.drop(columns="label").to_csv(unlabelled, index=False)
    for number, how in enumerate(({"ensemble": [second_run]}, {"tta": True}, {"ensemble": [second_run], "tta": True})):
        true = evaluate(run, table, **how).accuracy
        found = predict(run, unlabelled, **how, out=tmp_path / f"{number}.csv").expectation
        assert found.interval[0] <= true <= found.interval[1]
        for shard in ("1/2", "2/2"):
            joined = predict(run, unlabelled, **how, shard=shard, out=tmp_path / f"{number}-shards.csv")
        assert joined.expectation.accuracy == pytest.approx(found.accuracy, abs=1e-6)


def test_what_to_expect_without_labels(tmp_path, run, digit_table):
    table, unlabelled = tmp_path / "t.csv", tmp_path / "u.csv"
    digit_table.to_csv(table, index=False)
    digit_table.drop(columns="label").to_csv(unlabelled, index=False)
    expectation = evaluate(run, unlabelled, out=tmp_path / "expected.json")
    true, (low, high) = evaluate(run, table).accuracy, expectation.interval
    assert low <= true <= high
    assert json.loads((tmp_path / "expected.json").read_text())["accuracy"] == expectation.accuracy
    told = predict(run, unlabelled, out=tmp_path / "p.csv")
    assert told.expectation.accuracy == pytest.approx(expectation.accuracy, abs=1e-6)
    assert str(told).splitlines()[2].startswith(f"expected accuracy {expectation.accuracy:.1%} (")
    notes = json.loads((tmp_path / "p.notes.json").read_text())
    assert notes["expectation"]["valid_accuracy"] == expectation.valid_accuracy
    older = tmp_path / "older"
    shutil.copytree(run, older, ignore=shutil.ignore_patterns("checkpoints"))
    description = json.loads((older / "model.json").read_text())
    del description["valid"], description["properties"]
    (older / "model.json").write_text(json.dumps(description))
    why = "the model keeps nothing of valid pictures; train it again, with some"
    untold = predict(older, unlabelled, out=tmp_path / "o.csv")
    assert untold.expectation is None
    assert f"what accuracy to expect cannot be told: {why}" in str(untold)
    with pytest.raises(InputError, match=why):
        evaluate(older, unlabelled)
    for damage in ({"valid": {"pictures": 3}}, {"valid": 1}, {"properties": {"slant": [1]}}, {"properties": 3}):
        (older / "model.json").write_text(json.dumps(description | damage))
        with pytest.raises(InputError, match=r"model.json is damaged; export the model again"):
            predict(older, unlabelled, out=tmp_path / "x.csv")


def test_the_test_part_of_a_data_set(tmp_path, run, digit_images):
    images, labels = digit_images
    np.savez(tmp_path / "m.npz", x_train=images[:50], y_train=labels[:50], x_test=images[50:70], y_test=labels[50:70])
    assert len(predict(run, tmp_path / "m.npz", out=tmp_path / "p.csv").ids) == 20
    assert evaluate(run, tmp_path / "m.npz").pictures == 50
    assert evaluate(run, tmp_path / "m.npz", split="test").pictures == 20
    with pytest.raises(InputError, match=r"has no part called valid; leave out --split, or pass an image folder"):
        evaluate(run, tmp_path / "m.npz", split="valid")


def test_a_competitions_tables_count_for_more_than_pictures_beside_them(in_tmp, run, table_file, test_file, folder):
    """As for convert."""
    (in_tmp / "comp" / "test").mkdir(parents=True)
    shutil.copyfile(table_file, "comp/train.csv")
    shutil.copyfile(test_file, "comp/test.csv")
    picture = read_folder(folder).split("test").files[0]
    for name in ("header.png", "test/1.png"):
        shutil.copyfile(picture, in_tmp / "comp" / name)
    assert predict(run, "comp").ids == predict(run, test_file, out="t.csv").ids
    (in_tmp / "comp" / "train" / "0").mkdir(parents=True)  # of an image folder, the table says something else
    shutil.copyfile(picture, "comp/train/0/1.png")
    assert predict(run, "comp", out="i.csv").ids == ["1"]
    shutil.rmtree("comp")
    (in_tmp / "photos").mkdir()
    shutil.copyfile(picture, "photos/1.png")
    (in_tmp / "photos" / "broken.zip").write_text("none of ours")
    assert predict(run, "photos", out="p.csv").ids == ["1"]


def test_a_sample_with_a_repeated_id(in_tmp, run, test_file):
    pd.DataFrame({"id": [1000] * 40, "label": 0}).to_csv("sample.csv", index=False)
    message = "sample.csv names an id more than once; pass the competition's own sample"
    assert error_of(run, test_file, submission="sample.csv") == message


def test_a_photo_can_be_a_submission(in_tmp):
    Image.fromarray(np.pad(np.full((16, 4), 255, np.uint8), 6)).save("one.png")
    predict("digitnet-mnist", "one.png", submission="kaggle")
    assert Path("submission.csv").read_text() == "ImageId,Label\n1,1\n"


def test_notes_of_predictions_that_are_gone_are_replaced(tmp_path, run, digit_table):
    digit_table.to_csv(tmp_path / "t.csv", index=False)
    predict(run, tmp_path / "t.csv", out=tmp_path / "p.csv")
    (tmp_path / "p.csv").unlink()
    predict(run, tmp_path / "t.csv", out=tmp_path / "p.csv")
    for theirs in ("{}", "no JSON", '["notes", "verdicts"]'):
        (tmp_path / "q.notes.json").write_text(theirs)
        with pytest.raises(InputError, match=r"q\.notes\.json exists already; pass --overwrite to replace it"):
            predict(run, tmp_path / "t.csv", out=tmp_path / "q.csv")
        assert (tmp_path / "q.notes.json").read_text() == theirs


def test_a_sample_inside_a_zip_and_a_model_by_its_file(in_tmp, run, test_file):
    pd.DataFrame({"ImageId": range(1000, 1040), "Label": 0}).to_csv("sample.csv", index=False)
    with zipfile.ZipFile("c.zip", "w") as archive:
        archive.write("sample.csv", "sample_submission.csv")
        archive.write("sample.csv", "sample_submission_old.csv")
    assert error_of(run, test_file, submission="c.zip") == (
        "c.zip holds 2 sample submissions; pass the sample file itself"
    )
    found = predict(run, test_file, submission="c.zip/sample_submission.csv", out="s.csv")
    assert pd.read_csv("s.csv", dtype=str)["Label"].tolist() == found.labels
    assert predict(str(run / "model.json"), test_file, shard="1/1", out="p.csv").labels == found.labels


def test_shards_that_end_together(in_tmp, run, test_file):
    part = read_shard("2/2")
    predict(run, test_file, shard="2/2", out="p.csv")
    assert str(ShardDone.of(part, 20, Path("p.csv"))).endswith("missing 1/2")
    predict(run, test_file, shard="1/2", out="p.csv")
    assert str(ShardDone.of(part, 20, Path("p.csv"))) == (
        "shard 2/2: 20 rows; another one that ended with it has put all together"
    )


def test_each_model_of_a_comparison_sees_photos_as_it_was_trained_on_them(in_tmp, digit_images):
    images, labels = digit_images[0][:60], digit_images[1][:60]
    for k, (gray, label) in enumerate(zip(images, labels)):
        file = in_tmp / "photos" / str(label) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.pad(gray, ((8, 12), (2, 18)))).save(file)  # far from the middle
    shutil.copytree(model_folder("digitnet-mnist"), "plain")
    about = json.loads(Path("plain/model.json").read_text())
    Path("plain/model.json").write_text(json.dumps(about | {"normalise": False}))
    normalised, plain = (evaluate(model, "photos").accuracy for model in ("digitnet-mnist", "plain"))
    assert normalised != plain
    compared = evaluate("digitnet-mnist", "photos", against="plain").comparison
    assert compared.difference == pytest.approx(normalised - plain)
    under_stress = evaluate("digitnet-mnist", "photos", stress=True).stress
    assert evaluate("digitnet-mnist", "photos", against="plain", stress=True).stress == under_stress
    both = evaluate("digitnet-mnist", "photos", against="plain", normalise=True).comparison
    assert both.difference == 0
