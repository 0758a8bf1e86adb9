"""The house: rooms in one order, entered by their doors; every file in its place."""

import ast
import json
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import fastdigits
from fastdigits.cli import COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fastdigits"
ROOMS = [  # each imports only from those above it
    "system",
    "photos",
    "styles",
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
    "pages",
    "labelling",
    "serving",
    "commands",
]
FREE_FILES = {"__init__", "__main__", "cli", "estimator"}  # beside the rooms, above all of them
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_FILES, MOST_LINES = 14, 300


def parts_of(path: Path) -> tuple[str, ...]:
    """Room and file, or the file alone."""
    return path.relative_to(PACKAGE).with_suffix("").parts


def imports(path: Path) -> list[tuple[tuple[str, ...], list[str]]]:
    """What a file imports from the package, inside functions too: the parts of each module's name, and what of it."""
    inside = PACKAGE in path.parents
    folder, found = parts_of(path)[:-1] if inside else (), []
    for node in ast.walk(ast.parse(source_of(path))):
        if isinstance(node, ast.ImportFrom) and node.level and inside:
            base, module = folder[: len(folder) - node.level + 1], node.module
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "fastdigits":
            base, module = (), node.module.partition(".")[2]
        else:
            continue
        names = [alias.name for alias in node.names]
        if module:
            found.append((base + tuple(module.split(".")), names))
        else:  # modules by their names, or the package's public functions
            found += [((*base, name), []) for name in names if inside]
    return found


def imported(path: Path) -> set[tuple[str, ...]]:
    return {name for name, _ in imports(path)}


def source_of(path: Path) -> str:
    """The text of a file, or of a notebook's cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return "\n".join("".join(line for line in cell if not line.startswith(("!", "%"))) for cell in cells)


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


OUTSIDE = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("nbs/*.ipynb")])


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.name)
def test_benchmarks_and_notebooks_come_in_by_the_doors(path):
    for module, names in imports(path):
        assert module in {*((room,) for room in ROOMS), ("cli",)}
        assert module == ("cli",) or set(names) <= set(import_module(f"fastdigits.{module[0]}").__all__)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(parts_of(path)))
def test_only_what_a_door_shows_is_taken(path):
    for module, names in imports(path):
        if len(module) == 1 and module[0] in ROOMS and module[0] != parts_of(path)[0]:
            assert set(names) <= set(import_module(f"fastdigits.{module[0]}").__all__)


def test_no_door_shows_what_nobody_takes():
    taken: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in [*FILES, *OUTSIDE]:
        for module, names in imports(path):
            if len(module) == 1 and module[0] in ROOMS and parts_of_room(path) != module[0]:
                taken[module[0]] |= set(names)
    public = {name for page in (ROOT / "docs").rglob("*.md") for name in re.findall(r"\w+", page.read_text())}
    for room in ROOMS[:-1]:
        shown = set(import_module(f"fastdigits.{room}").__all__)
        assert shown - taken[room] <= {*public, *fastdigits.__all__}, room


def parts_of_room(path: Path) -> str | None:
    """The room that a file of the package is in; None outside."""
    return parts_of(path)[0] if PACKAGE in path.parents else None
