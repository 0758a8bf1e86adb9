"""Tables become image folders exactly, splits keep their promises, mistakes leave nothing behind."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fastdigits import InputError, convert, read_folder
from fastdigits.folders.splitting import choose_valid


def read_back(folder: Path, split: str) -> pd.DataFrame:
    """The pixel table that the pictures of one split hold, in the manifest's order."""
    part = read_folder(folder).split(split)
    pixels = [np.asarray(Image.open(file).convert("L")).ravel() for file in part.files]
    table = pd.DataFrame(pixels, columns=[f"pixel{k}" for k in range(len(pixels[0]))])
    table.insert(0, "label", part.labels if part.labels is not None else "")
    table.insert(0, "id", part.ids)
    return table


def files_in(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob("*")}


def assert_refused(message: str, out: Path, *args, **options) -> None:
    """convert raises one line that holds `message` and leaves nothing beside what was there."""
    before = files_in(out.parent)
    with pytest.raises(InputError) as caught:
        convert(*args, out, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_in(out.parent) == before


def test_csv_to_png_to_csv_is_exact(folder, digit_table, test_file):
    back = pd.concat([read_back(folder, "train"), read_back(folder, "valid")])
    expected = digit_table.astype({"label": str}).set_index("id")
    pd.testing.assert_frame_equal(back.set_index("id").loc[expected.index], expected, check_dtype=False)
    tests = read_back(folder, "test").drop(columns="label").astype(int)
    pd.testing.assert_frame_equal(tests, pd.read_csv(test_file), check_dtype=False)


def test_pictures_have_three_equal_channels(folder):
    picture = Image.open(next((folder / "train").glob("*/*.png")))
    assert picture.mode == "RGB"
    channels = np.asarray(picture)
    assert (channels == channels[:, :, :1]).all()


def test_manifest(folder, digit_table):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["classes"] == list("0123456789")
    assert (manifest["size"], manifest["channels"]) == (8, 3)
    assert manifest["split"] == {"method": "stratified", "valid": 0.2, "seed": 5, "groups": None}
    assert sum(manifest["counts"]["train"].values()) == 160
    assert manifest["counts"]["test"] == 40
    assert len(manifest["source"]["sha256"]) == 64
    rows = digit_table.set_index("id").loc[manifest["rows"]["train"]["ids"]]
    pixels = rows.filter(like="pixel").to_numpy() / 255
    assert manifest["pixels"]["mean"] == pytest.approx(pixels.mean(), abs=1e-6)
    assert manifest["pixels"]["std"] == pytest.approx(pixels.std(), abs=1e-5)


def test_stratified_split_keeps_proportions_and_follows_the_seed(digit_table):
    labels = [str(label) for label in digit_table["label"]]
    in_valid = choose_valid(labels, 0.2, "stratified", seed=5)
    assert in_valid.sum() == 40
    for label in set(labels):
        rows = np.array(labels) == label
        assert in_valid[rows].sum() == pytest.approx(0.2 * rows.sum(), abs=1)
    assert (in_valid == choose_valid(labels, 0.2, "stratified", seed=5)).all()
    assert (in_valid != choose_valid(labels, 0.2, "stratified", seed=6)).any()


def test_first_and_random_split(digit_table):
    labels = [str(label) for label in digit_table["label"]]
    assert np.flatnonzero(choose_valid(labels, 0.2, "first", seed=5)).tolist() == list(range(40))
    in_valid = choose_valid(labels, 0.2, "random", seed=5)
    assert in_valid.sum() == 40
    assert np.flatnonzero(in_valid).tolist() != list(range(40))


def test_valid_may_be_a_number_of_rows(tmp_path, table_file, digit_table):
    made = convert(table_file, tmp_path / "out", valid=np.int64(30), split="first", seed=np.int64(3))
    assert made.split("valid").ids == digit_table["id"][:30].tolist()


def test_a_recipe_names_its_split(tmp_path, table_file):
    made = convert(table_file, tmp_path / "a", recipe="conv-elu")
    assert made.manifest["split"] == {"method": "random", "valid": 0.2, "seed": 141, "groups": None}
    assert len(made.split("valid").ids) == 40
    changed = convert(table_file, tmp_path / "b", recipe="conv-elu", seed=3)
    assert changed.manifest["split"] == {"method": "random", "valid": 0.2, "seed": 3, "groups": None}


@pytest.mark.parametrize("method", ["stratified", "random"])
def test_no_group_on_both_sides(tmp_path, table_file, digit_table, method):
    writers = pd.DataFrame({"id": digit_table["id"], "writer": [f"w{k // 20}" for k in range(200)]})
    writers.to_csv(tmp_path / "w.csv.gz", index=False)
    made = convert(table_file, tmp_path / "out", valid=0.2, split=method, groups=tmp_path / "w.csv.gz")
    train, valid = set(made.split("train").groups), set(made.split("valid").groups)
    assert not train & valid
    assert len(train | valid) == 10
    assert len(made.split("valid")) == 40
    assert made.manifest["split"]["groups"] == "w.csv.gz"


def test_all_rows_train_and_a_table_without_labels_is_test(tmp_path, table_file, test_file):
    assert list(convert(table_file, tmp_path / "all", valid=0).splits) == ["train"]
    made = convert(test_file, tmp_path / "test")
    assert list(made.splits) == ["test"]
    assert made.split("test").ids[0] == "1000"
    with pytest.raises(InputError, match=r"test has no train pictures; it has test"):
        made.split("train")


def test_labelled_test_set_keeps_its_labels(tmp_path, digit_images):
    images, labels = digit_images
    np.savez(
        tmp_path / "m.npz", x_train=images[:200], y_train=labels[:200], x_test=images[200:220], y_test=labels[200:220]
    )
    made = convert(tmp_path / "m.npz", tmp_path / "out")
    assert made.split("test").labels == [str(label) for label in labels[200:220]]
    assert (tmp_path / "out" / "test" / "0.png").is_file()


def test_many_rows_are_written_in_parallel(tmp_path, digit_images, monkeypatch, table_file):
    monkeypatch.setattr("fastdigits.sources.tables.rows.CHUNK_ROWS", 40)
    made = convert(table_file, tmp_path / "out", valid=0.2)
    expected = pd.read_csv(table_file).set_index("id")
    back = pd.concat([read_back(made.path, "train"), read_back(made.path, "valid")]).set_index("id")
    assert (back.loc[expected.index].filter(like="pixel") == expected.filter(like="pixel")).all().all()


def test_a_bad_row_behind_many_good_ones(tmp_path, digit_table, monkeypatch):
    """While threads write, the main one reads on and finds it."""
    monkeypatch.setattr("fastdigits.sources.tables.rows.CHUNK_ROWS", 20)
    digit_table.assign(label=digit_table["label"].astype(str).where(digit_table.index != 190, "../x")).to_csv(
        tmp_path / "t.csv", index=False
    )
    assert_refused("row 191 of t.csv: the label '../x' cannot name a file", tmp_path / "out", tmp_path / "t.csv")


def test_overwrite_replaces_the_whole_folder(tmp_path, table_file, test_file):
    out = tmp_path / "out"
    convert(table_file, out)
    assert_refused(f"{out} exists already; pass --overwrite to replace it or name another output", out, table_file)
    convert(test_file, out, overwrite=True)
    assert {path.name for path in out.iterdir()} == {"test", "manifest.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_conversion_leaves_is_cleared(tmp_path, table_file):
    left = tmp_path / ".out.partial" / "train"
    left.mkdir(parents=True)
    convert(table_file, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_notes_are_printed(tmp_path, digit_table, capsys):
    digit_table.drop(columns="id").to_csv(tmp_path / "t.csv", index=False, header=False)
    convert(tmp_path / "t.csv", tmp_path / "out")
    assert capsys.readouterr().out == "t.csv: no header line; the first column was read as the label\n"


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("id", 3, "d2", "row 4 of t.csv: the id 'd2' occurs twice; give every row its own id or drop the id column"),
        ("id", 3, "../x", "row 4 of t.csv: the id '../x' cannot name a file; accepted are short texts"),
        ("id", 3, "x" * 300, "cannot name a file"),
        ("label", 0, "../x", "row 1 of t.csv: the label '../x' cannot name a file"),
        ("label", 0, "a/b", "row 1 of t.csv: the label 'a/b' cannot name a file"),
        ("label", 0, "..", "row 1 of t.csv: the label '..' cannot name a file"),
        ("label", 0, "", "row 1 of t.csv: the label is empty; fill it or drop the row"),
        ("label", 0, "a\tb", "cannot name a file"),
        ("pixel9", 5, "300", "row 6 of t.csv, column 'pixel9': 300 is outside 0..255"),
    ],
)
def test_rows_that_cannot_be_written(tmp_path, digit_table, column, row, value, message):
    table = digit_table.astype(str)
    table.loc[row, column] = value
    table.to_csv(tmp_path / "t.csv", index=False)
    assert_refused(message, tmp_path / "out", tmp_path / "t.csv")


def test_options_that_make_no_sense(tmp_path, table_file, test_file):
    out = tmp_path / "out"
    assert_refused(
        "--valid 1.5 makes no sense; accepted are 0 (all rows train), a share such as 0.15, or a whole number of rows",
        *(out, table_file),
        valid=1.5,
    )
    assert_refused("--valid 200 leaves none of the 200 rows to train on", out, table_file, valid=200)
    assert_refused("'conv-elo' is no recipe; near are conv-elu", out, table_file, recipe="conv-elo")
    assert_refused("--split 'half' is unknown; accepted are stratified, random, first", out, table_file, split="half")
    assert_refused("--split first cuts groups in two", out, table_file, split="first", groups=test_file)
    assert_refused(
        "test.csv has no labels and so is a test table itself; leave out --test", out, test_file, test=test_file
    )
    message = "test.csv has no labels, so it is not split and --groups has no use; leave it out"
    assert_refused(message, out, test_file, groups=table_file)
    assert_refused("1 of 200 rows for validation cannot hold all 10 classes", out, table_file, valid=0.001)
    assert_refused("4 of 200 rows for validation cannot hold all 10 classes on both sides", out, table_file, valid=0.02)


def test_train_and_test_of_two_sizes(tmp_path, table_file):
    pd.DataFrame({f"p{k}": [1] for k in range(9)}).to_csv(tmp_path / "t.csv", index=False)
    message = "t.csv has 3x3 pictures, train.csv has 8x8; train and test pictures must have one size"
    assert_refused(message, tmp_path / "out", table_file, test=tmp_path / "t.csv")


def test_classes_that_a_split_cannot_serve(tmp_path, digit_table):
    digit_table.sort_values("label").to_csv(tmp_path / "sorted.csv", index=False)
    message = "this split leaves no row of the class '0' in train"
    assert_refused(message, tmp_path / "out", tmp_path / "sorted.csv", split="first", valid=0.2)
    single = pd.concat([digit_table, digit_table.head(1).assign(id="one", label=11)])
    single.to_csv(tmp_path / "single.csv", index=False)
    assert_refused(
        "the label '11' has one row, so it cannot stand on both sides", tmp_path / "out", tmp_path / "single.csv"
    )


def test_a_link_as_output_stays_one(tmp_path, table_file):
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    out.symlink_to(disk)
    for _ in range(3):
        convert(table_file, out, overwrite=True)
        assert out.is_symlink()
        assert (disk / "manifest.json").is_file()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "out"]


def test_bad_groups(tmp_path, table_file, digit_table):
    out, file = tmp_path / "out", tmp_path / "g.csv"
    assert_refused(f"{file} does not exist; --groups takes a csv", out, table_file, groups=file)
    file.touch()
    assert_refused(f"{file} cannot be read as csv: ", out, table_file, groups=file)
    file.write_text("id,writer,age\nd0,w,3\n")
    assert_refused(
        "has the columns id, writer, age; --groups takes an id column and one group", out, table_file, groups=file
    )
    file.write_text("id,writer\nd0,w\n")
    assert_refused("names no group for 199 of 200 ids, e.g. 'd1'", out, table_file, groups=file)
    digit_table[["id"]].assign(writer="w").to_csv(file, index=False)
    assert_refused("--groups has the one group 'w'; a split by group needs two or more", out, table_file, groups=file)


def test_an_output_that_cannot_be_written(tmp_path, table_file):
    (tmp_path / "file").touch()
    message = f"{tmp_path}/file/out cannot be written (Not a directory); name an output elsewhere"
    with pytest.raises(InputError) as caught:
        convert(table_file, tmp_path / "file" / "out")
    assert str(caught.value) == message


@pytest.mark.slow
@pytest.mark.realdata
def test_all_kannada_rows_are_exact_and_writers_disjoint(tmp_path, real_data):
    kannada = real_data / "kannada"
    made = convert(
        kannada / "train.csv.gz", tmp_path / "k", groups=kannada / "writers.csv.gz", test=kannada / "test.csv.gz"
    )
    assert not set(made.split("train").groups) & set(made.split("valid").groups)
    expected = pd.read_csv(kannada / "train.csv.gz", dtype={"id": str, "label": str}).set_index("id")
    back = pd.concat([read_back(made.path, split) for split in ("train", "valid")]).set_index("id").loc[expected.index]
    assert len(back) == 60_000
    assert (back["label"] == expected["label"]).all()
    assert (back.filter(like="pixel").to_numpy() == expected.filter(like="pixel").to_numpy()).all()
    tests = read_back(made.path, "test").filter(like="pixel")
    assert (tests.to_numpy() == pd.read_csv(kannada / "test.csv.gz").filter(like="pixel").to_numpy()).all()


def test_large_valid_shares_by_group(digit_table):
    labels = [str(label) for label in digit_table["label"]]
    groups = np.array([f"w{k // 10}" for k in range(200)])
    for method in ("stratified", "random"):
        in_valid = choose_valid(labels, 0.7, method, seed=5, groups=groups)
        assert in_valid.mean() == pytest.approx(0.7, abs=0.05)
        assert not set(groups[in_valid]) & set(groups[~in_valid])


def test_random_rows_are_those_that_scikit_learn_takes():
    """So that a notebook's seed gives the notebook's split."""
    from sklearn.model_selection import train_test_split

    labels = ["0", "1"] * 500
    for valid, share in ((0.2, 0.2), (200, 0.2)):
        in_valid = choose_valid(labels, valid, "random", seed=42)
        theirs = train_test_split(range(1000), test_size=share, random_state=42)[1]
        assert np.flatnonzero(in_valid).tolist() == sorted(theirs)
    for n, share in ((995, 0.1), (991, 0.15)):  # which are no whole numbers of rows
        for method, classes in (("random", None), ("stratified", labels[:n])):
            theirs = train_test_split(range(n), test_size=share, random_state=42, stratify=classes)[1]
            assert np.flatnonzero(choose_valid(labels[:n], share, method, seed=42)).tolist() == sorted(theirs)


@pytest.mark.parametrize("valid", [0.15, 0.8])
def test_rare_classes_stand_on_both_sides(valid):
    labels = ["0"] * 100 + ["1"] * 100 + ["2"] * 3 + ["3"] * 2
    for seed in range(20):
        in_valid = choose_valid(labels, valid, "stratified", seed)
        assert in_valid.sum() == np.ceil(valid * 205)
        for label in "23":
            assert {bool(side) for side, one in zip(in_valid, labels) if one == label} == {True, False}
    assert (in_valid == choose_valid(labels, valid, "stratified", seed)).all()


@pytest.mark.parametrize("valid", [float("nan"), float("inf"), -1, 1.5])
def test_a_number_of_valid_rows_that_is_none(tmp_path, table_file, digit_table, valid):
    message = f"--valid {valid:g} makes no sense; accepted are 0 (all rows train), a share such as 0.15, or a whole"
    assert_refused(message, tmp_path / "out", table_file, valid=valid)


def test_seeds_and_repeated_groups(tmp_path, table_file, digit_table):
    out = tmp_path / "out"
    assert_refused("--seed -1 makes no sense; accepted are whole numbers 0 to 4294967295", out, table_file, seed=-1)
    file = tmp_path / "g.csv"
    file.write_text("id,writer\nd0,a\nd0,b\n")
    assert_refused("names the id 'd0' more than once; give every id one group", out, table_file, groups=file)
