"""Several tables as one, and a table in parts for several machines: the same folder, the same predictions."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from fastdigits import InputError, convert, predict, read_folder
from fastdigits.folders.shards import BLOCK_ROWS, ShardDone
from fastdigits.sources.opening import open_tables


@pytest.fixture(scope="module")
def table(shared, digit_images):
    """3,000 labelled rows of 4x4 pixels without ids: three blocks, the last one not full."""
    images, labels = (np.tile(part, (2, *[1] * (part.ndim - 1)))[:3000] for part in digit_images)
    small = images[:, ::2, ::2].reshape(3000, 16)
    frame = pd.DataFrame(small, columns=[f"pixel{k}" for k in range(16)])
    frame.insert(0, "label", labels)
    path = shared / "table3000.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def parts(shared, table):
    """The same rows in twelve files, 1.csv to 12.csv."""
    (shared / "parts").mkdir()
    frame = pd.read_csv(table)
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 12), start=1):
        frame.iloc[rows].to_csv(shared / "parts" / f"{number}.csv", index=False)
    return f"{shared}/parts/*.csv"


@pytest.fixture(scope="module")
def whole(shared, table, test_file):
    return convert(table, shared / "whole3000", valid=0.2)


def content(path) -> dict[str, bytes]:
    """Every file but the manifest, and of that what does not name the source."""
    manifest = json.loads((path / "manifest.json").read_text())
    manifest.pop("source")
    files = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*.png")}
    return files | {"manifest": json.dumps(manifest).encode()}


def test_files_that_fit_a_pattern_are_one_table(parts, whole, tmp_path):
    """2.csv comes before 10.csv, and rows without ids are numbered through."""
    convert(parts, tmp_path / "joined", valid=0.2)
    assert content(tmp_path / "joined") == content(whole.path)


def test_more_tables_follow(parts, whole, shared, tmp_path):
    files = [str(shared / "parts" / f"{number}.csv") for number in range(1, 13)]
    convert(files[0], tmp_path / "joined", valid=0.2, also=files[1:])
    assert content(tmp_path / "joined") == content(whole.path)


def test_shards_make_the_same_folder(table, whole, tmp_path, capsys):
    """In any order; only what ends last makes the folder, and nothing is left beside it."""
    out = tmp_path / "digits"
    for number in (3, 1, 4):
        done = convert(table, out, valid=0.2, shard=f"{number}/4")
        assert isinstance(done, ShardDone)
        assert not out.exists()
    assert str(done) == "shard 4/4: 0 rows; the one that ends last puts all together, missing 2/4"
    folder = convert(table, out, valid=0.2, shard="2/4")
    assert content(out) == content(whole.path)
    assert folder.digest == whole.digest
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["digits"]


def test_shards_at_the_same_time(table, whole, tmp_path):
    command = [sys.executable, "-m", "fastdigits", "convert", str(table), str(tmp_path / "digits"), "--valid", "0.2"]
    running = [subprocess.Popen([*command, "--shard", f"{number}/3"]) for number in (1, 2, 3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert content(tmp_path / "digits") == content(whole.path)


def test_shards_of_labelled_and_test_tables_with_ids(table_file, test_file, folder, tmp_path):
    for number in (1, 2):
        convert(table_file, tmp_path / "digits", valid=0.2, test=test_file, shard=f"{number}/2")
    assert read_folder(tmp_path / "digits").digest == read_folder(folder).digest
    assert content(tmp_path / "digits") == content(folder)


def test_shards_are_dealt_in_blocks(table, tmp_path):
    done = convert(table, tmp_path / "digits", shard="1/2")
    assert done.rows == BLOCK_ROWS + 3000 - 2 * BLOCK_ROWS


def test_a_shard_that_is_done_is_kept(table, tmp_path):
    convert(table, tmp_path / "digits", shard="1/2")
    place = tmp_path / "digits.shards" / "1-of-2"
    before = place.stat().st_mtime_ns
    assert convert(table, tmp_path / "digits", shard="1/2").rows == 1976
    assert place.stat().st_mtime_ns == before
    with pytest.raises(InputError, match="1-of-2 was made of another source or with other options; remove"):
        convert(table, tmp_path / "digits", valid=0.5, shard="2/2")


def test_a_failed_merge_loses_nothing(table, whole, tmp_path):
    """The groups lack an id, which shows when all shards are put together; mended, the same command goes on."""
    groups, out = tmp_path / "writers.csv", tmp_path / "digits"
    frame = pd.DataFrame({"id": range(3000), "writer": [f"w{k % 20}" for k in range(3000)]})
    frame[:-1].to_csv(groups, index=False)
    convert(table, out, valid=0.2, groups=groups, shard="1/2")
    with pytest.raises(InputError, match=r"names no group for 1 of 3000 ids, e.g. '2999'"):
        convert(table, out, valid=0.2, groups=groups, shard="2/2")
    assert not out.exists()
    frame.to_csv(groups, index=False)
    folder = convert(table, out, valid=0.2, groups=groups, shard="2/2")
    convert(table, tmp_path / "expected", valid=0.2, groups=groups)
    assert content(out) == content(tmp_path / "expected")
    assert sum(len(split) for split in folder.splits.values()) == 3000


def test_shards_of_other_predictions_are_refused(run, table, parts, tmp_path):
    """Another model, another table, another way: never half of each."""
    out = tmp_path / "p.csv"
    done = predict(str(run), str(table), out=out, shard="1/2")
    assert isinstance(done, ShardDone)
    for model, source, options in (
        ("digitnet-mnist", str(table), {}),
        (str(run), parts, {}),
        (str(run), str(table), {"tta": True}),
        (str(run), str(table), {"probabilities": True}),
    ):
        with pytest.raises(InputError, match="1-of-2 was made of another source or with other options"):
            predict(model, source, out=out, shard="2/2", **options)
    assert len(predict(str(run), str(table), out=out, shard="2/2").ids) == 3000


def test_ids_that_occur_in_two_shards(digit_images, tmp_path):
    images = digit_images[0][:1500]
    ids = [*range(1499), 3]
    np.savez(tmp_path / "t.npz", images=images, labels=digit_images[1][:1500], ids=ids)
    frame = pd.DataFrame(images.reshape(1500, -1), columns=[f"pixel{k}" for k in range(64)])
    frame.insert(0, "label", digit_images[1][:1500])
    frame.insert(0, "id", ids)
    frame.to_csv(tmp_path / "t.csv", index=False)
    convert(tmp_path / "t.csv", tmp_path / "digits", shard="1/2")
    with pytest.raises(InputError, match="the id '3' occurs twice in the train rows; give every row its own id"):
        convert(tmp_path / "t.csv", tmp_path / "digits", shard="2/2")
    assert not (tmp_path / "digits").exists()


def test_predictions_of_shards_and_of_several_tables(run, parts, table, tmp_path):
    predict(str(run), str(table), out=tmp_path / "whole.csv", probabilities=True)
    predict(str(run), parts, out=tmp_path / "joined.csv", probabilities=True)
    for number in (2, 1, 3):
        assert not (tmp_path / "sharded.csv").exists()
        predict(str(run), str(table), out=tmp_path / "sharded.csv", probabilities=True, shard=f"{number}/3")
    whole = pd.read_csv(tmp_path / "whole.csv")
    for other in ("joined.csv", "sharded.csv"):
        found = pd.read_csv(tmp_path / other)
        assert (found[["id", "label"]] == whole[["id", "label"]]).all(axis=None)
        numbers = [name for name in found.columns if name.startswith(("p_", "confidence"))]
        assert np.allclose(found[numbers], whole[numbers], atol=1e-5)
        told, of_whole = (
            json.loads((tmp_path / name).with_suffix(".notes.json").read_text()) for name in (other, "whole.csv")
        )
        assert told["expectation"]["methods"] == pytest.approx(of_whole["expectation"]["methods"], abs=1e-4)
    assert {path.suffix for path in tmp_path.iterdir() if not path.name.startswith(".")} == {".csv", ".json"}


def test_submission_of_shards(run, test_file, tmp_path):
    for number in (1, 2):
        predict(str(run), str(test_file), out=tmp_path / "s.csv", submission="kannada", shard=f"{number}/2")
    assert pd.read_csv(tmp_path / "s.csv")["id"].tolist() == list(range(1000, 1040))


@pytest.mark.parametrize("text", ["2", "0/2", "3/2", "a/b", "1/0", "1/2/3"])
def test_wrong_shards(table, tmp_path, text):
    error = f"--shard {text} makes no sense; accepted are 1/4 to 4/4 for four shards"
    with pytest.raises(InputError, match=error):
        convert(table, tmp_path / "digits", shard=text)
    with pytest.raises(InputError, match=error):
        predict("digitnet-mnist", str(table), out=tmp_path / "p.csv", shard=text)
    assert not list(tmp_path.iterdir())


def test_tables_that_are_not_alike(table, table_file, test_file, folder28, shared, tmp_path):
    with pytest.raises(InputError, match=r"train.csv has ids, table3000.csv has none; tables read as one are alike"):
        open_tables([table, table_file])
    with pytest.raises(InputError, match=r"train.csv has labels, test.csv has none; tables read as one are alike"):
        open_tables([table_file, test_file])
    with pytest.raises(InputError, match=r"digits28.npz.* has 28x28 pictures, table3000.csv has 4x4; tables read as"):
        open_tables([table, shared / "digits28.npz"])
    with pytest.raises(InputError, match=r"no file fits .*nothing\*.csv"):
        convert(f"{tmp_path}/nothing*.csv", tmp_path / "digits")
    competition = tmp_path / "competition"
    competition.mkdir()
    for name in ("train", "test"):
        (competition / f"{name}.csv").write_bytes((table_file if name == "train" else test_file).read_bytes())
    with pytest.raises(InputError, match=r"train.csv comes with a test table; name the tables that are to be read as"):
        convert(competition, tmp_path / "digits", also=[str(table_file)])
    with pytest.raises(InputError, match="--also is for tables; put all pictures into one folder"):
        convert(folder28, tmp_path / "digits", normalise=True, also=[str(table)])
    with pytest.raises(InputError, match="is no table; --also and --shard are for tables of pixels"):
        predict("digitnet-mnist", str(folder28 / "train" / "1"), out=tmp_path / "p.csv", shard="1/2")
