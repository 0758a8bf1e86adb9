"""The quickstart by command and by notebook, and the README's own words."""

import re
from pathlib import Path

import pandas as pd
import pytest

from fastdigits import InputError, finetune, quickstart
from fastdigits.cli import COMMANDS
from fastdigits.recipes import find_recipe
from fastdigits.spaces import find_space

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_quickstart(in_tmp, capsys):
    made = quickstart()
    assert made.accuracy > 0.95
    assert made.test_accuracy > 0.9
    for name in ("train.csv", "digits/manifest.json", "run/result.json", "model/model.safetensors", "submission.csv"):
        assert (in_tmp / "quickstart" / name).is_file()
    assert len(pd.read_csv("quickstart/submission.csv")) == 297
    assert "pictures       quickstart/digits/" in str(made)
    assert "$ fastdigits finetune digitnet-mnist quickstart/digits" in capsys.readouterr().out


def test_quickstart_does_not_replace_other_things(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "train.csv").touch()
    with pytest.raises(InputError, match=r"home holds other things \(no quickstart.json\), so it is not replaced"):
        quickstart(tmp_path / "home", overwrite=True)
    with pytest.raises(InputError, match="home exists already"):
        quickstart(tmp_path / "home")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook client and its libraries
@pytest.mark.parametrize("path", sorted((ROOT / "nbs").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_run(in_tmp, path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(in_tmp)}}).execute()
    assert "% of 297 test rows" in notebook.cells[-1].outputs[0].text


def readme_blocks(pattern: str) -> list[str]:
    return re.findall(pattern, (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_readmes_python_runs(in_tmp, monkeypatch, table_file, test_file):
    """The block as it stands, with the tiny network in place of the ResNet-50 whose weights are a download."""
    (in_tmp / "train.csv").write_text(table_file.read_text())
    (in_tmp / "test.csv").write_text(test_file.read_text())

    def tiny(arch, data, **options):
        assert arch == "resnet50"
        return finetune("test_resnet", data, weights="none", lr=5e-3, size=16, out="runs/resnet50-digits", **options)

    monkeypatch.setattr("fastdigits.finetune", tiny, raising=False)
    first, second = readme_blocks(r"```python\n(.*?)```")
    exec(compile(first, "README.md", "exec"), {})
    assert len(pd.read_csv("submission.csv")) == 40
    *fitting, scoring = second.strip().splitlines()
    names = {}
    exec(compile("\n".join(fitting), "README.md", "exec"), names)
    assert eval(scoring, names) > 0.9


def test_the_readmes_search_space_is_one(in_tmp):
    (block,) = readme_blocks(r"```toml\n(.*?)```")
    (in_tmp / "space.toml").write_text(block)
    space = find_space("space.toml", "conv5x5", "train", find_recipe("conv5x5"), False)
    assert list(space.searched) == ["batch_size", "lr", "network.filters"]
    assert space.fixed == {"augment": "light"}


def test_the_readme_names_every_command_and_no_other():
    named = set(readme_blocks(r"\| `fastdigits ([a-z-]+)"))
    assert named == set(COMMANDS)
    used = set(readme_blocks(r"(?:^|\n) {4}(?:\.venv/bin/)?fastdigits ([a-z-]+)"))
    assert used <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(readme_blocks(r"(?:^|\n) {4}make ([a-z-]+)")) <= targets
