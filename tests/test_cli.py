"""The commands: names, help, exit codes, one line for a mistake, nothing heavy loaded for help."""

import contextlib
import errno
import inspect
import os
import platform
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import fastdigits
from fastdigits.cli import COMMANDS, NEXT, main


def run_main(*arguments) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code


def function_of(name: str):
    module, _, function = COMMANDS[name][0].partition(":")
    return getattr(import_module(module), function)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_the_docstring_says(name, capsys):
    function = function_of(name)
    assert inspect.getdoc(function).splitlines()[0] == COMMANDS[name][1]
    assert run_main(name, "--help") == 0
    page = " ".join(capsys.readouterr().out.split())
    for option in inspect.signature(function).parameters.keys() - {"on_epoch"}:  # which is Python's alone
        assert option.replace("_", "-") in page.lower()


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=str)
def test_no_help_page_loads_torch(arguments):
    code = (
        "import sys\nfrom fastdigits.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as stopped: assert stopped.code == 0\n"
        "heavy = {'torch', 'fastai', 'torchvision', 'timm', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_whole_job_by_commands(in_tmp, table_file, test_file, capsys):
    assert run_main("convert", table_file, "digits", "--valid", "0.2", "--test", test_file) == 0
    assert capsys.readouterr().out == "digits: 160 train, 40 valid, 40 test; 10 classes; 8x8 px\n"
    options = ["--weights", "none", "--epochs", "2", "--size", "32", "--lr", "0.005", "--out", "run"]
    assert run_main("finetune", "test_resnet", "digits", *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch   1 · all · train_loss ")
    assert lines[-2] == "run run"
    assert run_main("evaluate", "run", "digits") == 0
    assert "digits (valid): accuracy" in capsys.readouterr().out
    assert run_main("export", "run", "model") == 0
    assert run_main("predict", "model", test_file, "--submission", "kannada", "--out", "s.csv") == 0
    assert Path("s.csv").read_text().startswith("id,label\n1000,")
    assert run_main("models", "test_resnet") == 0
    assert "test_resnet" in capsys.readouterr().out


def test_mistakes_are_one_line_and_exit_code_2(in_tmp, capsys):
    assert run_main("convert", "no.csv", "out") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fastdigits: no.csv does not exist; pass csv")
    assert err.count("\n") == 1
    for arguments in (["convert"], ["convert", "a", "b", "--valid", "x"], ["fly"], ["convert", "a", "b", "--fly"]):
        assert run_main(*arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_paths_that_the_system_refuses_are_one_line(in_tmp, capsys, monkeypatch):
    long = "a" * 300
    assert run_main("convert", f"{long}/digits.csv", "out") == 2
    assert capsys.readouterr().err == f"fastdigits: {long}/digits.csv: File name too long; name a shorter one\n"

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "digits.csv")

    monkeypatch.setattr("fastdigits.commands.convert.open_tables", refused)  # root may read everything
    assert run_main("convert", "digits.csv", "out") == 2
    assert capsys.readouterr().err == (
        "fastdigits: digits.csv: Permission denied; change its permissions, or name another\n"
    )


def test_a_reader_who_stops_is_no_fault():
    line = f"{sys.executable} -u -m fastdigits models 'resnet1*' | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (141, "")


UNSAID = {"Expectation", "ShardDone", "Study", "str"}  # they say it themselves, or run until they are stopped


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_ends_with_what_to_do_next(name):
    returned = inspect.signature(function_of(name)).return_annotation
    kinds = {kind.__name__ for kind in getattr(returned, "__args__", (returned,))}
    assert kinds <= {*NEXT, *UNSAID}


def on_a_terminal(*arguments) -> list[str]:
    """The lines that a command prints where somebody sits before it."""
    import pty

    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "fastdigits", *map(str, arguments)]
    with subprocess.Popen(line, stdout=theirs, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # as Linux ends it
            while part := os.read(ours, 4096):
                said += part
    os.close(ours)
    assert process.returncode == 0
    return said.decode().splitlines()


def test_on_a_terminal_epochs_are_a_table_and_the_next_step_is_said(in_tmp, table_file):
    lines = on_a_terminal("convert", table_file, "digits")
    assert lines[-1] == (
        "next: fastdigits finetune digitnet-mnist digits, or from nothing: fastdigits train digitnet digits"
    )
    lines = on_a_terminal("train", "dnn-he", "digits", "--epochs", 3, "--out", "run")
    head = next(k for k, line in enumerate(lines) if line.startswith("epoch"))
    assert lines[head - 1] == "stage all"
    assert lines[head].split() == ["epoch", "train", "loss", "valid", "loss", "accuracy", "learning", "rate", "time"]
    assert [line.split()[0] for line in lines[head + 1 : head + 4]] == ["1", "2", "3"]
    assert lines[head + 1].endswith("★ best")
    assert lines[-1] == "next: fastdigits report run, fastdigits predict run TABLE"


def test_python_m_and_version():
    line = [sys.executable, "-m", "fastdigits", "--version"]
    out = subprocess.run(line, check=True, capture_output=True, text=True).stdout.splitlines()
    assert out[0] == f"fastdigits {fastdigits.__version__}"
    assert out[1].startswith(f"Python {platform.python_version()} on ")
    for package in ("torch", "fastai", "timm"):
        assert f"{package} {version(package)}" in out[2].split(", ")


def complete(line: str, home: Path) -> set[str]:
    """What bash offers after two tabs, with the script that --install-completion has written."""
    script = next(home.rglob("fastdigits"))
    ask = (
        f"source {script}; COMP_WORDS=({line} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE='{line} ';"
        "COMP_POINT=${#COMP_LINE}; f=$(complete -p fastdigits | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f; printf '%s\\n' "
        '"${COMPREPLY[@]}"'
    )
    return set(subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout.split())


def test_shell_completion(tmp_path, monkeypatch):
    environment = {**os.environ, "HOME": str(tmp_path)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    line = [sys.executable, "-m", "fastdigits", "--install-completion", "--shell", "bash"]
    subprocess.run(line, check=True, capture_output=True, env=environment)
    monkeypatch.setenv("PATH", environment["PATH"])
    assert complete("fastdigits", tmp_path) >= set(COMMANDS)


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_color(run, folder, no_color):
    """On a terminal, tables and mistakes are coloured unless NO_COLOR is set (no-color.org)."""
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": no_color, "COLUMNS": "100"}
    line = f"{sys.executable} -m fastdigits evaluate {run} {folder}"
    done = subprocess.run(["script", "-qec", line, "/dev/null"], capture_output=True, env=environment, check=True)
    assert b"accuracy" in done.stdout
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9]", done.stdout)) != bool(no_color)


def test_public_names():
    for name in fastdigits.__all__:
        assert getattr(fastdigits, name) is not None
    assert set(fastdigits.__all__) <= set(dir(fastdigits))
    with pytest.raises(AttributeError, match="module 'fastdigits' has no attribute 'fly'"):
        fastdigits.fly  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    code = "import fastdigits, sys; assert not {'torch', 'numpy', 'cyclopts'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_several_models_behind_ensemble(in_tmp, run, test_file, capsys):
    assert run_main("predict", run, test_file, "--ensemble", run, run) == 0
    assert "40 predictions" in capsys.readouterr().out
