"""The notebooks run from top to bottom in an empty folder, are thin, and are kept with outputs worth looking at."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "nbs").glob("*.ipynb"))
LARGEST_BYTES, LONGEST_FUNCTION = 500_000, 5


def code_cells(path: Path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook client and its libraries
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(in_tmp, path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(in_tmp)}}).execute()
    *_, last = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert last.outputs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_thin_and_shows_its_outputs(path):
    cells = code_cells(path)
    assert path.stat().st_size < LARGEST_BYTES
    assert all(cell.execution_count == number for number, cell in enumerate(cells, 1))
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) / 2
    shown = str([cell.outputs for cell in cells])
    assert "Traceback" not in shown
    assert "/tmp/" not in shown
    functions = [
        node
        for cell in cells
        for node in ast.walk(ast.parse(cell.source.replace("\n%", "\n#")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert all(node.end_lineno - node.lineno < LONGEST_FUNCTION for node in functions)
