"""Prove the packages: `make package` builds wheel and sdist and uses them as a stranger would, without the source tree.

In a new environment the wheel is installed and does the quickstart. Then each extra by itself: its command works; what
it brought is removed again, and without it the command ends with one line that names it. Downloads several GB.
"""

import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORT = 8765
DATA, MODEL = "quickstart/digits", "quickstart/model"
FINETUNE = ["finetune", "digitnet-mnist", DATA, "--epochs", "1", "--lr", "0.01"]
TWO = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "-m"]
COMMANDS = {  # extra: what python is given
    "onnx": ["-m", "fastdigits", "export", MODEL, "onnx", "--to", "onnx", "--overwrite"],
    "serve": ["-m", "fastdigits", "serve", "digitnet-mnist", "--port", str(PORT)],
    "tune": ["-m", "fastdigits", "tune", "dnn-he", DATA, "--trials", "1", "--epochs", "1", "--folds", "0"],
    "track": ["-m", "fastdigits", *FINETUNE, "--tensorboard", "--out", "track", "--overwrite"],
    "distributed": [*TWO, "fastdigits", *FINETUNE, "--out", "distributed", "--overwrite"],
}


class Environment:
    """A new virtual environment, and an empty folder to work in."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self.python, self.work = folder / "venv" / "bin" / "python", folder / "work"
        self.work.mkdir()

    def run(self, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run([self.python, *arguments], cwd=self.work, capture_output=True, text=True, check=False)

    def must(self, *arguments) -> str:
        done = self.run(*arguments)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def install(self, *requirements) -> None:
        self.must("-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", *requirements)

    def packages(self) -> set[str]:
        lines = self.must("-m", "pip", "list", "--format", "freeze").splitlines()
        return {line.partition("==")[0] for line in lines}


def build(folder: Path) -> Path:
    """The wheel, built from the sdist, as a package index would have it; both hold what they should."""
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT], check=True, capture_output=True)
    (wheel,), (sdist,) = (list((folder / "dist").glob(ending)) for ending in ("*.whl", "*.tar.gz"))
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "fastdigits").rglob("*"):
        inside = str(path.relative_to(ROOT))
        if path.is_file() and "__pycache__" not in inside:
            assert inside in names, f"the wheel lacks {inside}"
    assert not {name for name in names if name.startswith(("tests", "benchmarks", "docs"))}
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("/settings.ini") for name in archive.getnames())
    print(f"{wheel.name} {wheel.stat().st_size:,} bytes, {sdist.name} {sdist.stat().st_size:,} bytes", flush=True)
    return wheel


def quickstart(environment: Environment) -> None:
    before = time.monotonic()
    told = environment.must("-m", "fastdigits", "quickstart")
    where = environment.must("-c", "import fastdigits; print(fastdigits.__file__)")
    assert str(ROOT) not in where, where
    print(f"quickstart in {time.monotonic() - before:.0f} s: {told.splitlines()[-6]}", flush=True)


def answers(environment: Environment) -> None:
    """The server tells its health; then it is ended."""
    server = subprocess.Popen([environment.python, *COMMANDS["serve"]], cwd=environment.work)
    try:
        for _ in range(60):
            time.sleep(1)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health") as answer:
                    assert answer.status == 200
                    return
            except OSError:
                continue
        sys.exit("the server did not answer within a minute")
    finally:
        server.terminate()
        server.wait()


def prove_extra(environment: Environment, extra: str, wheel: Path) -> None:
    before = environment.packages()
    environment.install(f"{wheel}[{extra}]")
    use_extra(environment, extra)
    brought = sorted(environment.packages() - before)
    if not brought:
        print(f"{extra}: it works; what it needs comes with fastai already", flush=True)
        return
    environment.must("-m", "pip", "uninstall", "--quiet", "--yes", *brought)
    without = environment.run(*COMMANDS[extra])
    lines = [line for line in without.stderr.splitlines() if line.startswith("fastdigits: ")]
    assert without.returncode, f"{extra} is not needed"
    assert len(lines) == 1, without.stderr
    assert lines[0].endswith(f"pip install 'fastdigits[{extra}]'"), lines
    print(f"{extra}: it works; it brought {', '.join(brought)}; without them: {lines[0]}", flush=True)


def use_extra(environment: Environment, extra: str) -> None:
    if extra == "serve":
        answers(environment)
    else:
        environment.must(*COMMANDS[extra])


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        environment = Environment(folder)
        environment.install(wheel)
        quickstart(environment)
        for extra in COMMANDS:
            prove_extra(environment, extra, wheel)
        environment.install(f"{wheel}[all]")
        for extra in COMMANDS:
            use_extra(environment, extra)
        print("all: every one of them works", flush=True)
        environment.install(f"{wheel}[dev]")
        print(f"dev: {environment.must('-m', 'pip', 'check').strip()}", flush=True)


if __name__ == "__main__":
    main()
