"""What takes long to find out is found out once, and again where what it depends on has changed."""

import os
import subprocess
import sys

import pytest

from fastdigits.system import remembered


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdigits.system.memory.cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_found_once(cache):
    asked = []

    def find() -> dict:
        asked.append(1)
        return {"networks": len(asked)}

    assert [remembered("x", "a 1", find) for _ in range(3)] == [{"networks": 1}] * 3
    assert remembered("x", "a 2", find) == {"networks": 2}
    (cache / "x.json").write_text("{")
    assert remembered("x", "a 2", find) == {"networks": 3}
    (cache / "x.json").write_text("[1]")
    assert remembered("x", "a 2", find) == {"networks": 4}
    assert remembered("x", "a 2", find) == {"networks": 4}


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(cache):
    cache.write_text("a file where the folder should be")
    assert remembered("x", "a", lambda: {"k": 1}) == {"k": 1}


def test_the_list_of_models_loads_no_library_twice(tmp_path):
    """The second time it is read, with torch, torchvision and timm out of reach."""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "200"}
    code = "import sys; {}from fastdigits.cli import main; sys.argv[1:] = ['models']; main()"
    without = "sys.modules.update(dict.fromkeys(['torchvision', 'timm'])); "
    pages = [
        subprocess.run([sys.executable, "-c", code.format(how)], capture_output=True, text=True, env=environment)
        for how in ("", without)
    ]
    assert [page.returncode for page in pages] == [0, 0], pages[1].stderr
    assert "resnet50" in pages[0].stdout
    assert pages[0].stdout == pages[1].stdout
