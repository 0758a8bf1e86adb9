"""Bad, hostile and random files: each is refused in one line by name, nothing is written, nothing is run."""

import gzip
import io
import json
import pickle
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.commands import peak_megabytes
from fastdigits import InputError, convert, evaluate, export, finetune, open_model, predict
from fastdigits.cli import main
from fastdigits.sources.opening import open_source
from fastdigits.system.files import file_sha256

FOUR = "label,p0,p1,p2,p3\n"
ROWS = FOUR + "1,0,5,9,2\n2,7,7,7,7\n"


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


def npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def parquet(**columns) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


def idx(magic: int, *sizes: int, body: bytes = b"") -> bytes:
    return struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + body


class Trap:
    """A pickle that writes a file when it is loaded."""

    def __reduce__(self):
        return (Path.touch, (Path("trap-was-run"),))


def jpeg(side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, side), 9).save(file, "JPEG")
    return file.getvalue()


TEXTS = {  # name: what stands in a csv
    "one quote": FOUR + '"1,0,5,9,2\n',
    "quote in a field": FOUR + '1,0,"5"x,9,2\n',
    "two delimiters": FOUR + "1;0;5;9;2\n",
    "decimal commas": "label;p0;p1;p2;p3\n1;0,5;1;0;0\n",
    "scientific, too large": FOUR + "1,1e3,0,0,0\n",
    "scientific, infinite": FOUR + "1,1e999,0,0,0\n",
    "huge integer": FOUR + f"1,{10**40},0,0,0\n",
    "hexadecimal": FOUR + "1,0xff,0,0,0\n",
    "underscores": FOUR + "1,1_0,0,0,0\n",
    "a formula": FOUR + "1,=1+1,0,0,0\n",
    "true": FOUR + "1,true,0,0,0\n",
    "none": FOUR + "1,None,0,0,0\n",
    "na": FOUR + "1,NA,0,0,0\n",
    "only spaces": FOUR + "1, ,0,0,0\n",
    "a thin space": FOUR + "1,1\u2009,0,0,0\n",
    "arabic digits": FOUR + "1,\u0661,0,0,0\n",
    "minus zero point five": FOUR + "1,-0.5,0,0,0\n",
    "more fields than columns": FOUR + "1,0,5,9,2,\n",
    "a row of nothing but commas": FOUR + ",,,,\n",
    "no label": FOUR + ",0,5,9,2\n",
    "the header twice": FOUR + FOUR + "1,0,5,9,2\n",
    "a null byte": FOUR + "1,0,\0,9,2\n",
    "a null byte in the header": "label,p\0,p1,p2,p3\n1,0,5,9,2\n",
    "one endless line": "1" * 200_000,
    "a comment line": "# digits\n" + ROWS,
    "a title line": "My digits,,,,\n" + ROWS,
    "names twice": "label,p0,p0,p2,p3\n1,0,5,9,2\n",
    "two labels": "label,Label,p0,p1,p2,p3\n1,1,0,5,9,2\n",
    "no names": ",,,,\n1,0,5,9,2\n",
    "unknown column": "label,p0,p1,p2,p3,writer\n1,0,5,9,2,w\n",
    "no square": "label,p0,p1,p2,p3,p4\n1,0,5,9,2,1\n",
    "ten thousand and one columns": ",".join(f"p{k}" for k in range(10_001)) + "\n" + ",".join(["0"] * 10_001) + "\n",
    "a short last line": ROWS + "1,0,5",
    "a long label": FOUR + f"{'x' * 300},0,5,9,2\n",
    "a label that climbs": FOUR + "../../x,0,5,9,2\n",
    "a label that is a folder": FOUR + "a/b,0,5,9,2\n",
    "an id that climbs": "id,label,p0,p1,p2,p3\n../../x,1,0,5,9,2\n",
    "an id twice": "id,label,p0,p1,p2,p3\na,1,0,5,9,2\na,2,0,5,9,2\n",
    "html": "<html><body>404 not found</body></html>\n",
    "json": '{"label": [1, 2], "pixels": [[0, 1], [2, 3]]}\n',
}
BYTES = {  # name of the file: its bytes
    "utf16.csv": ROWS.encode("utf-16"),
    "latin1.csv": FOUR.replace("p0", "pé").encode("latin-1"),
    "two-boms.csv": b"\xef\xbb\xbf\xef\xbb\xbf" + ROWS.encode(),
    "nothing.csv": b"",
    "blank.csv": b" \n\n \n",
    "picture.csv": jpeg(),
    "zip.csv": zipped(a__csv=ROWS.encode()),
    "no-gzip.csv.gz": ROWS.encode(),
    "cut.csv.gz": gzip.compress((ROWS * 200).encode())[:-20],
    "bad-sum.csv.gz": gzip.compress(ROWS.encode())[:-8] + b"12345678",
    "trailing.csv.gz": gzip.compress(ROWS.encode()) + b"more",
    "empty.csv.gz": gzip.compress(b""),
    "no-zip.zip": b"PK but no more",
    "empty.zip": zipped(),
    "no-table.zip": zipped(readme__txt=b"hello"),
    "two-tables.zip": zipped(a__csv=ROWS.encode(), b__csv=ROWS.encode()),
    "nested.zip": zipped(inner__zip=zipped(train__csv=ROWS.encode())),
    "cut.zip": zipped(train__csv=(ROWS * 100).encode())[:-60],
    "no-npz.npz": b"hello",
    "pickled.npz": npz(images=np.array([Trap()], dtype=object), labels=np.zeros(1)),
    "no-images.npz": npz(names=np.zeros((3, 2))),
    "texts.npz": npz(images=np.array([["a", "b"]]), labels=np.zeros(1)),
    "flat.npz": npz(images=np.zeros(784, np.uint8), labels=np.zeros(1)),
    "lengths.npz": npz(images=np.zeros((3, 4, 4), np.uint8), labels=np.zeros(2)),
    "oblong.npz": npz(images=np.zeros((3, 4, 5), np.uint8), labels=np.zeros(3)),
    "coloured.npz": npz(images=np.zeros((3, 4, 4, 3), np.uint8), labels=np.zeros(3)),
    "complex.npz": npz(images=np.zeros((3, 4, 4), complex), labels=np.zeros(3)),
    "nan.npz": npz(images=np.full((3, 4, 4), np.nan), labels=np.zeros(3)),
    "none.npz": npz(images=np.zeros((0, 4, 4), np.uint8), labels=np.zeros(0)),
    "large.npz": npz(images=np.full((3, 4, 4), 700), labels=np.zeros(3)),
    "cut.npz": npz(images=np.zeros((30, 40, 40), np.uint8), labels=np.zeros(30))[:-4000],
    "no-parquet.parquet": b"PAR1 but no more",
    "texts.parquet": parquet(label=[1], p0=["a"], p1=["b"], p2=["c"], p3=["d"]),
    "lists.parquet": parquet(label=[1], p0=[[1, 2]], p1=[[1]], p2=[[1]], p3=[[1]]),
    "no-rows.parquet": parquet(label=[], p0=[], p1=[], p2=[], p3=[]),
    "missing.parquet": parquet(label=[1.0], p0=[None], p1=[1.0], p2=[1.0], p3=[1.0]),
    "magic-idx3-ubyte": idx(0x0D03, 1, 2, 2, body=b"1234"),
    "labels-idx3-ubyte": idx(0x0801, 4, body=b"1234"),
    "short-idx3-ubyte": idx(0x0803, 10, 28, 28, body=b"1234"),
    "long-idx3-ubyte": idx(0x0803, 1, 2, 2, body=b"12345678"),
    "huge-idx3-ubyte": idx(0x0803, 2**32 - 1, 2**32 - 1, 2**32 - 1, body=b"1"),
    "none-idx3-ubyte": idx(0x0803, 0, 28, 28),
    "head-idx3-ubyte": b"\0\0",
    "table.xlsx": zipped(**{"xl/workbook.xml": b"<x/>"}),
    "model.pkl": pickle.dumps(Trap()),
}
CASES = {f"{name} (text)": ("bad.csv", text.encode()) for name, text in TEXTS.items()} | {
    name: (name, content) for name, content in BYTES.items()
}


def test_there_are_many_cases():
    assert len(CASES) >= 80


@pytest.mark.parametrize("case", CASES)
def test_bad_tables(in_tmp, capsys, case):
    """One line on stderr that names the file, exit code 2, nothing written."""
    name, content = CASES[case]
    Path(name).write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main(["convert", name, "out"])
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (2, ""), err
    assert err.count("\n") == 1
    assert err.startswith("fastdigits: ")
    assert name in err
    assert sorted(path.name for path in Path().iterdir()) == [name]


@pytest.mark.slow
def test_a_zip_bomb_is_read_as_a_stream(tmp_path):
    """A gigabyte of zeros in a member of a megabyte: refused at its first line, not unpacked."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("train.csv", "w") as member:
        for _ in range(1000):
            member.write(bytes(1_000_000))
    code = (
        "import sys; from fastdigits.sources import open_source; from fastdigits import InputError\n"
        "try: next(open_source(sys.argv[1]).chunks())\n"
        "except InputError as error: assert 'the first line of bomb.zip/train.csv is no line of a table' in str(error)"
    )
    assert peak_megabytes([sys.executable, "-c", code, str(bomb)]) < 300


def test_zip_members_that_climb_are_never_unpacked(in_tmp):
    with zipfile.ZipFile("climbing.zip", "w") as archive:
        archive.writestr("../../train.csv", ROWS)
    Path("inside").mkdir()
    convert("climbing.zip", "inside/out", valid=0)  # read from within the archive
    assert not Path("../../train.csv").exists()
    assert sorted(path.name for path in Path().iterdir()) == ["climbing.zip", "inside"]


# ---- random files

SEEDS = {  # whole files, from which random ones are made
    "f.csv": ROWS.encode(),
    "f.csv.gz": gzip.compress(ROWS.encode(), mtime=0),
    "f.zip": zipped(train__csv=ROWS.encode()),
    "f.npz": npz(images=np.arange(32, dtype=np.uint8).reshape(2, 4, 4), labels=np.arange(2)),
    "f.parquet": parquet(label=[1, 2], p0=[0, 1], p1=[2, 3], p2=[4, 5], p3=[6, 7]),
    "f-idx3-ubyte": idx(0x0803, 1, 2, 2, body=b"1234"),
}
changes = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["replace", "insert", "cut"]), st.binary(max_size=6)), max_size=4
)


def changed(content: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    for share, kind, piece in edits:
        at = int(share * len(content))
        content = {
            "replace": content[:at] + piece + content[at + len(piece) :],
            "insert": content[:at] + piece + content[at:],
            "cut": content[:at],
        }[kind]
    return content


def read_or_refused(path: Path) -> None:
    """Every chunk of a file is whole, or the file is refused in one line that names it."""
    try:
        chunks = list(open_source(path).chunks())
    except InputError as error:
        chunks, line = [], str(error)
    else:
        line = path.name
    assert path.name in line
    assert "\n" not in line
    for chunk in chunks:
        assert chunk.images.dtype == np.uint8
        assert chunk.images.shape[1] == chunk.images.shape[2]
        assert len(chunk.ids) == len(chunk.images)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(edits=changes)
def test_random_files_are_read_or_refused(tmp_path_factory, name, edits):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(changed(SEEDS[name], edits))
    read_or_refused(path)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet='0123456789.,;\t"\n\r -+eExlabidp\0é', max_size=120))
def test_random_texts_are_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_bytes(text.encode())
    read_or_refused(path)


# ---- models


@pytest.fixture
def model(tmp_path, run) -> Path:
    export(str(run), tmp_path / "model")
    return tmp_path / "model"


def redescribed(model: Path, **changes) -> None:
    """Change model.json, with the sha256 of the weights as they are now."""
    about = json.loads((model / "model.json").read_text())
    about |= {"sha256": file_sha256(model / "model.safetensors")} | changes
    (model / "model.json").write_text(json.dumps(about))


def reweighted(model: Path, change) -> None:
    """Change the weights, and the sha256 as a forger would."""
    weights = safetensors.torch.load_file(model / "model.safetensors")
    change(weights)
    safetensors.torch.save_file(weights, model / "model.safetensors")
    redescribed(model)


def first(weights: dict) -> str:
    return next(name for name, tensor in weights.items() if tensor.is_floating_point() and tensor.ndim > 1)


BAD_MODELS = {
    "cut weights": (lambda m: cut(m / "model.safetensors"), "is not the file that model.json names (sha256 differs)"),
    "altered weights": (lambda m: flip(m / "model.safetensors"), "is not the file that model.json names"),
    "no weights": (lambda m: (m / "model.safetensors").unlink(), "lacks model.safetensors; export the model again"),
    "no description": (lambda m: (m / "model.json").unlink(), "holds no saved model (model.json is missing)"),
    "cut description": (lambda m: cut(m / "model.json"), "model.json is damaged; export the model again"),
    "a list": (lambda m: (m / "model.json").write_text("[]"), "model.json lacks schema, architecture"),
    "a newer schema": (lambda m: redescribed(m, schema=99), "has schema 99, this fastdigits reads 1; upgrade it"),
    "schema as text": (lambda m: redescribed(m, schema="1"), "model.json is damaged; export the model again"),
    "unknown architecture": (lambda m: redescribed(m, architecture="nope"), "nope"),
    "too few classes": (lambda m: redescribed(m, classes=["0"], valid=None), "does not fit test_resnet"),
    "a limit that is none": (lambda m: redescribed(m, reject="abc"), "model.json is damaged; export the model again"),
    "a limit as text": (
        lambda m: redescribed(m, reject={"below": "high", "wished_accuracy": 0.99}),
        "model.json is damaged; export the model again",
    ),
    "normalise as text": (lambda m: redescribed(m, normalise="maybe"), "model.json is damaged; export the model again"),
    "classes twice": (lambda m: redescribed(m, classes=["0"] * 10), "model.json is damaged; export the model again"),
    "no classes": (lambda m: redescribed(m, classes=[]), "model.json is damaged; export the model again"),
    "wrong channels": (lambda m: redescribed(m, mean=[0.5], std=[0.5]), "model.json is damaged"),
    "no deviation": (lambda m: redescribed(m, std=[0.0, 0.0, 0.0]), "model.json is damaged"),
    "no temperature": (lambda m: redescribed(m, temperature=0), "model.json is damaged"),
    "no size": (lambda m: redescribed(m, size=0), "model.json is damaged"),
    "a huge size": (lambda m: redescribed(m, size=10**6), "model.json is damaged"),
    "another architecture": (lambda m: redescribed(m, architecture="conv-elu"), "does not fit conv-elu"),
    "a tensor less": (lambda m: reweighted(m, lambda w: w.pop(first(w))), "does not fit test_resnet"),
    "a tensor more": (lambda m: reweighted(m, lambda w: w.update(x=torch.zeros(1))), "does not fit test_resnet"),
    "nan weights": (
        lambda m: reweighted(m, lambda w: w[first(w)].fill_(float("nan"))),
        "holds weights that are no numbers; train the model again",
    ),
    "no safetensors": (
        lambda m: ((m / "model.safetensors").write_bytes(b"x" * 100), redescribed(m)),
        "model.safetensors is damaged; export the model again",
    ),
    "a pickle by that name": (
        lambda m: ((m / "model.safetensors").write_bytes(pickle.dumps(Trap())), redescribed(m)),
        "model.safetensors is damaged; export the model again",
    ),
}


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("case", BAD_MODELS)
def test_bad_models(model, in_tmp, case):
    break_it, message = BAD_MODELS[case]
    break_it(model)
    with pytest.raises(InputError) as caught:
        open_model(model)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("trap-was-run").exists()


@pytest.mark.parametrize(
    "name", ["model.pkl", "learner.pkl", "model.pth", "model.pt", "model.safetensors", "model.onnx"]
)
def test_a_pickle_is_not_run_whatever_its_name(in_tmp, folder, test_file, name):
    Path(name).write_bytes(pickle.dumps(Trap()))
    for work in (
        lambda: open_model(name),
        lambda: predict(name, str(test_file), out=Path("p.csv")),
        lambda: evaluate(name, str(folder)),
        lambda: finetune("test_resnet", folder, weights=name, out=Path("run")),
        lambda: finetune("test_resnet", folder, weights="none", teachers=[name], out=Path("run")),
        lambda: export(name, Path("out")),
        lambda: convert(name, Path("out")),
    ):
        with pytest.raises(InputError) as caught:
            work()
        assert "\n" not in str(caught.value)
    assert [path.name for path in Path().iterdir()] == [name]


def test_a_checkpoint_with_code_is_not_run(in_tmp, run, folder):
    shutil.copytree(run, "cut")
    Path("cut/result.json").unlink()
    Path("cut/checkpoints/last.pt").write_bytes(pickle.dumps(Trap()))
    options = {"weights": "none", "epochs": 2, "size": 16, "batch_size": 32, "lr": 5e-3}
    with pytest.raises(InputError, match=r"last.pt is damaged; start the run again with --overwrite"):
        finetune("test_resnet", folder, out=Path("cut"), resume=True, **options)
    assert not Path("trap-was-run").exists()
