"""The house: rooms in one order, entered by their doors; every file in its place."""

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from fastdigits.cli import COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fastdigits"
ROOMS = [  # each imports only from those above it
    "system",
    "photos",
    "sources",
    "folders",
    "batches",
    "recipes",
    "models",
    "runs",
    "answers",
    "scores",
    "audit",
    "figures",
    "training",
    "reports",
    "search",
    "serving",
    "commands",
]
FREE_FILES = {"__init__", "__main__", "cli", "estimator"}  # beside the rooms, above all of them
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_FILES, MOST_LINES = 14, 300


def parts_of(path: Path) -> tuple[str, ...]:
    """Room and file, or the file alone."""
    return path.relative_to(PACKAGE).with_suffix("").parts


def imported(path: Path) -> set[tuple[str, ...]]:
    """What a file of the package imports from the package, inside functions too: the parts of each module's name."""
    folder, found = parts_of(path)[:-1], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = folder[: len(folder) - node.level + 1]
            names = [tuple(node.module.split("."))] if node.module else [(alias.name,) for alias in node.names]
            found |= {base + name for name in names}
    return found


def has_circle(above: dict[str, set[str]]) -> bool:
    """Whether some names lead back to themselves; `above` has what each of them needs."""
    done = set()
    while free := {name for name, needed in above.items() if name not in done and needed <= done}:
        done |= free
    return done != set(above)


def test_every_room_and_file_has_its_place():
    entries = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == {*ROOMS, *FREE_FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(parts_of(path)))
def test_imports_go_to_rooms_above_through_their_doors(path):
    room = parts_of(path)[0]
    if room in ROOMS:
        others = {name for name in imported(path) if name[0] != room}
        assert others <= {(above,) for above in ROOMS[: ROOMS.index(room)]}
    else:  # commands are called by the names of their files
        assert all(len(name) == 1 or name[0] == "commands" for name in imported(path))


@pytest.mark.parametrize("room", ROOMS)
def test_no_circle_inside_a_room(room):
    files = [path for path in FILES if parts_of(path)[0] == room and path.name != "__init__.py"]
    names = {parts_of(path)[1:] for path in files}
    above = {parts_of(path)[1:]: {name[1:] for name in imported(path) if name[0] == room} & names for path in files}
    assert not has_circle(above)
    assert has_circle({"a": {"b"}, "b": {"a"}})


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_a_door_says_what_is_behind_it(room):
    door = import_module(f"fastdigits.{room}")
    assert 1 <= len(re.findall(r"[.:](?:\s|$)", door.__doc__)) <= 5
    for name in door.__all__:  # a file of that name would stand in the way of what it holds
        assert not isinstance(getattr(door, name), ModuleType)
        assert not (PACKAGE / room / f"{name}.py").exists()
    with pytest.raises(AttributeError):
        door.fly  # noqa: B018


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_of_a_size_to_look_over(room):
    files = {path.stem for path in (PACKAGE / room).glob("*.py")}
    assert len(files) >= 5
    assert room == "commands" or len(files) <= MOST_FILES  # there are as many files as verbs
    words = {room, room.removesuffix("s")}
    assert not [name for name in files if words & set(name.split("_"))]


def test_files_stay_small():
    sizes = {"/".join(parts_of(path)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES} == {}


def test_one_file_a_command():
    for name, (function, _) in COMMANDS.items():
        module = function.partition(":")[0]
        assert module == f"fastdigits.commands.{name.replace('-', '_')}"
    files = {path.stem for path in (PACKAGE / "commands").glob("*.py")} - {"__init__", "taking"}
    assert files == {name.replace("-", "_") for name in COMMANDS}


def test_the_map_shows_the_rooms_in_their_order():
    table = re.findall(r"^\| `(\w+)/` \| \S", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert table == ROOMS


def test_tests_lie_in_the_same_rooms():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ROOMS)


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("nbs/*.ipynb")]), ids=lambda p: p.name
)
def test_benchmarks_and_notebooks_come_in_by_the_doors(path):
    modules = re.findall(r"(?:from|import) fastdigits\.([\w.]+)", path.read_text(encoding="utf-8"))
    assert set(modules) <= {*ROOMS, "cli"}
