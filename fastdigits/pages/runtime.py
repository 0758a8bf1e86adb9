"""onnxruntime-web, which computes a model inside a page: found in a folder, or fetched by the user's npm."""

import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..system import InputError, file_sha256

RUNTIME_VERSION = "1.30.0"
PACKAGE = f"onnxruntime-web@{RUNTIME_VERSION}"
# its script for WebAssembly on one CPU, and what that loads
FILES = {
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
NPM_S = 300  # seconds that npm may take for 33 MB
WAYS = (
    f"npm fetches {PACKAGE} (nodejs.org has npm), or pass --runtime with a folder that holds its "
    f"dist/{' and dist/'.join(FILES)}"
)


@dataclass(frozen=True)
class Runtime:
    """The two files of onnxruntime-web that a page needs: its script and its WebAssembly."""

    script: bytes
    wasm: bytes


def find_runtime(folder: Path | None = None) -> Runtime:
    """The runtime from a folder, or from npm.

    Parameters
    ----------
    folder : Path, optional
        The unpacked package, its `dist` folder, or a `node_modules` folder.

    Raises
    ------
    InputError
        When the files are missing or others than those of RUNTIME_VERSION, or npm is missing or fails.
    """
    if folder is not None:
        for place in (folder, folder / "dist", folder / "package" / "dist", folder / "onnxruntime-web" / "dist"):
            if all((place / name).is_file() for name in FILES):
                return _checked(place)
        raise InputError(f"{folder} holds no {' and '.join(FILES)}; {WAYS}")
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(f"--to web needs onnxruntime-web, and there is no npm here: {WAYS}")
    with TemporaryDirectory(prefix="fastdigits-") as temporary:
        here = Path(temporary)
        try:
            done = subprocess.run(
                [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(here)],
                cwd=here,
                capture_output=True,
                text=True,
                timeout=NPM_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"npm pack {PACKAGE} failed ({type(error).__name__}); {WAYS}") from None
        packed = next(here.glob("*.tgz"), None)
        if done.returncode or packed is None:
            raise InputError(f"npm pack {PACKAGE} failed ({_reason(done.stderr)}); {WAYS}")
        try:
            with tarfile.open(packed) as archive:
                for name in FILES:
                    with archive.extractfile(f"package/dist/{name}") as stream:
                        (here / name).write_bytes(stream.read())
        except (KeyError, OSError, tarfile.TarError):
            raise InputError(f"what npm pack {PACKAGE} brought is damaged or another package; {WAYS}") from None
        return _checked(here)


def _reason(said: str) -> str:
    """What npm said, in a few words."""
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in said.splitlines()]
    return next((line for line in lines if line), "it said nothing")[:120]


def _checked(folder: Path) -> Runtime:
    """The files of a folder; InputError unless they are those that this version was tried with."""
    for name, sha256 in FILES.items():
        if file_sha256(folder / name) != sha256:
            version = _version_beside(folder)
            raise InputError(f"{folder / name} is not that of {PACKAGE}{version}; npm pack {PACKAGE} fetches it")
    return Runtime(*((folder / name).read_bytes() for name in FILES))


def _version_beside(folder: Path) -> str:
    """Which version stands in the package's own description, as the end of a sentence; nothing where there is none."""
    try:
        return f" but of {json.loads((folder.parent / 'package.json').read_text(encoding='utf-8'))['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
