"""Outputs appear whole or not at all, and only what fastdigits made is replaced."""

from contextlib import suppress
from pathlib import Path

import pytest

from fastdigits import InputError
from fastdigits.system.files import whole_file, whole_folder
from fastdigits.system.outputs import check_output, fresh_folder, remove_folder, replaced_folder


def test_a_file_that_fails_midway_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as partial:  # noqa: PT012
        partial.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_fails_midway_leaves_the_old_one(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(KeyboardInterrupt), whole_folder(path) as partial:  # noqa: PT012
        (partial / "half").touch()
        raise KeyboardInterrupt
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_links_stay_links(tmp_path):
    disk, link = tmp_path / "disk", tmp_path / "link"
    link.symlink_to(disk)
    for _ in range(2):  # nothing is there, then an old folder
        with whole_folder(link) as partial:
            (partial / "new").touch()
        assert link.is_symlink()
        assert [file.name for file in disk.iterdir()] == ["new"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "link"]
    fresh_folder(link)
    assert (link.is_symlink(), list(disk.iterdir())) == (True, [])
    remove_folder(link)
    assert not disk.exists()
    fresh_folder(link)
    assert disk.is_dir()
    (disk / "a").write_text("old")
    (tmp_path / "to_a").symlink_to(disk / "a")
    with whole_file(tmp_path / "to_a") as partial:
        partial.write_text("new")
    assert (disk / "a").read_text() == "new"
    assert (tmp_path / "to_a").is_symlink()


def test_a_folder_is_replaced_only_if_what_comes_instead_does_not_fail(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(InputError), replaced_folder(path):  # noqa: PT012
        (path / "half").touch()
        raise InputError("no")
    assert not path.exists()
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "old").write_text("hours of work")
    with pytest.raises(KeyboardInterrupt), replaced_folder(path):  # noqa: PT012
        (path / "deep").mkdir()
        raise KeyboardInterrupt
    assert [file.name for file in path.rglob("*")] == ["deep", "old"]
    (path / "half").touch()  # as a kill leaves it, in the middle of a replacement
    (path / ".before").mkdir()
    (path / "deep").rename(path / ".before" / "deep")
    check_output(path, True, "deep/old")  # it is known as ours still
    with pytest.raises(InputError), replaced_folder(path):
        raise InputError("no")
    assert [file.name for file in path.rglob("*")] == ["deep", "old"]
    with replaced_folder(path):
        (path / "new").touch()
    assert [file.name for file in path.rglob("*")] == ["new"]


@pytest.mark.parametrize("renames", range(7))
def test_no_kill_loses_what_was_there(tmp_path, monkeypatch, renames):
    """The process ends at any of the moves by which a replacement begins and is taken back; so does the next one."""
    path = tmp_path / "a"
    path.mkdir()
    for name in ("compete.json", "model", "submission.csv"):
        (path / name).write_text(name)

    class Killed(BaseException):
        pass

    rename, left = Path.rename, [renames]

    def until_the_kill(self, target):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", until_the_kill)
    for allowed in (renames, 1):
        left[0] = allowed
        with suppress(Killed, InputError), replaced_folder(path):
            (path / "half").touch()
            raise InputError("no")
    monkeypatch.setattr(Path, "rename", rename)
    check_output(path, True, "compete.json")
    with suppress(InputError), replaced_folder(path):
        raise InputError("no")
    assert {file.name: file.read_text() for file in path.iterdir()} == {
        name: name for name in ("compete.json", "model", "submission.csv")
    }


def test_the_folder_one_stands_in_stays(tmp_path, monkeypatch):
    (tmp_path / "old" / "part").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "old")
    fresh_folder(Path("."))
    assert list((tmp_path / "old").iterdir()) == []
    Path("new").touch()
    assert (tmp_path / "old" / "new").exists()


def test_a_disk_of_its_own_is_not_replaced():
    said = r"^/proc is a disk of its own, which a folder cannot replace; name a folder on it$"
    with pytest.raises(InputError, match=said), whole_folder(Path("/proc")):
        pass


def test_what_may_be_replaced(tmp_path):
    def error_of(*args) -> str:
        with pytest.raises(InputError) as caught:
            check_output(*args)
        return str(caught.value)

    path = tmp_path / "photos"
    check_output(path, False, "manifest.json")
    path.mkdir()
    assert error_of(path, False) == f"{path} exists already; pass --overwrite to replace it or name another output"
    check_output(path, True, "manifest.json")  # empty
    (path / "holiday.png").touch()
    assert error_of(path, True, "manifest.json") == (
        f"{path} holds other things (no manifest.json), so it is not replaced; name another output"
    )
    assert error_of(path, True) == f"{path} is a folder; name a file"
    assert error_of(path / "holiday.png", True, "manifest.json") == f"{path}/holiday.png is a file; name a folder"
    (path / "manifest.json").touch()
    check_output(path, True, "manifest.json")


def test_a_run_is_replaced_by_nothing_else(tmp_path):
    for name in ("run.json", "model.json"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="is a run directory, so it is not replaced; name another output"):
        check_output(tmp_path, True, "model.json")
    check_output(tmp_path, True, "run.json")


def test_a_kill_while_a_folder_is_swapped_keeps_the_old_one(tmp_path):
    (tmp_path / ".a.old").mkdir()
    (tmp_path / ".a.old" / "precious").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "a"):
        raise ZeroDivisionError
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["precious"]
