"""The tools that are compared: what is installed for each, and the script that its user would write.

Each script is called as `python SCRIPT FOLDER MINUTES SEED` in an environment of its own, where FOLDER holds train.csv
(label, then pixels) and test.csv (pixels alone); it writes FOLDER/answers.csv, a label a line, and what is handed on to
FOLDER/model. Pretrained weights are out of reach for all of them.
"""

from dataclasses import dataclass
from pathlib import Path

from ..measuring import machine

SCRIPTS = Path(__file__).parent / "scripts"
HERE = Path(__file__).parents[2]  # the project itself


@dataclass(frozen=True)
class Tool:
    """One way to recognise digits.

    Attributes
    ----------
    name : str
        Of the table, and of its environment.
    packages : tuple of str
        What pip installs.
    script : str
    settings : str
        What was chosen, in a few words.
    pickle : bool
        Whether what is handed on is unpickled when it is opened.
    """

    name: str
    packages: tuple[str, ...]
    script: str
    settings: str
    pickle: bool

    @property
    def place(self) -> Path:
        return SCRIPTS / self.script

    @property
    def version(self) -> str:
        """What an environment that was made before is compared by: of ours the commit, of others nothing."""
        return machine()["commit"] if str(HERE) in self.packages else ""

    @property
    def lines(self) -> int:
        """How many lines its user writes: all but empty ones and comments."""
        lines = [line.strip() for line in self.place.read_text(encoding="utf-8").splitlines()]
        return sum(bool(line) and not line.startswith("#") for line in lines)


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("fastdigits", (str(HERE),), "with_fastdigits.sh", "train digitnet --minutes", False),
        Tool("fastai", ("fastai",), "with_fastai.py", "resnet18 from nothing, fine_tune, aug_transforms", True),
        Tool("timm", ("timm", "pandas"), "with_timm.py", "resnet18 from nothing, AdamW, cosine, RandAugment", True),
        Tool("ultralytics", ("ultralytics", "pandas"), "with_ultralytics.py", "yolo11n-cls.yaml, 32 px", True),
        Tool("keras", ("keras", "tensorflow", "pandas"), "with_keras.py", "the convnet of its MNIST example", False),
        Tool("boosting", ("scikit-learn", "pandas"), "with_boosting.py", "HistGradientBoosting on pixels", True),
        Tool("neighbours", ("scikit-learn", "pandas"), "with_neighbours.py", "k nearest neighbours on pixels", True),
        Tool("autogluon", ("autogluon.tabular[all]",), "with_autogluon.py", "TabularPredictor on pixels", True),
    )
}
