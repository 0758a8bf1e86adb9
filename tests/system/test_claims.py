"""One process at a time writes at a place; what a killed one claimed is taken over."""

import socket
import subprocess
import sys

import pytest

from fastdigits.system.claims import claimed

CLAIM = "import os, sys\nfrom pathlib import Path\nfrom fastdigits.system import claimed\n"


@pytest.mark.parametrize("signed", [True, False])
def test_what_a_killed_process_claimed_is_taken_over(tmp_path, signed):
    """Even if it had no time to say who it was."""
    code = CLAIM + "with claimed(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "run"])
    assert done.returncode == -9
    lock = tmp_path / ".run.lock"
    assert lock.read_text().split()[1] == socket.gethostname()
    if not signed:
        lock.write_text("")
    with claimed(tmp_path / "run"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_one_writer_at_a_time(tmp_path):
    """Three processes add one to the same number, twenty times each, and remove the claim's file each time."""
    counted = tmp_path / "counted"
    counted.write_text("0")
    code = CLAIM + "out = Path(sys.argv[1])\nfor _ in range(20):\n    with claimed(out):\n"
    code += "        out.write_text(str(int(out.read_text()) + 1))\n"
    writers = [subprocess.Popen([sys.executable, "-c", code, counted]) for _ in range(3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    assert counted.read_text() == "60"
    assert list(tmp_path.iterdir()) == [counted]
