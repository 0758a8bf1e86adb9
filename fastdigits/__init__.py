"""fastdigits: from tables of pixels to a digit recogniser that one can trust and hand on."""

import importlib
import importlib.machinery
import sys
import warnings

# Importing fastai uses what torch and pandas call deprecated; its users can do nothing about it.
warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated", category=FutureWarning)
warnings.filterwarnings("ignore", message=r"The 'mode\.chained_assignment' option is deprecated")
# of tqdm, which timm's downloads load: there is no bar to draw with ipywidgets
warnings.filterwarnings("ignore", message="IProgress not found")

# Public name -> room. Loaded on first use: `import fastdigits` must not load torch.
_PUBLIC = {
    "InputError": "system",
    "convert": "commands.convert",
    "read_folder": "folders",
    "digit_loaders": "batches",
    "list_models": "commands.models",
    "find_backbone": "models",
    "open_model": "answers",
    "predict": "commands.predict",
    "evaluate": "commands.evaluate",
    "explore": "commands.explore",
    "report": "commands.report",
    "finetune": "commands.finetune",
    "train": "commands.train",
    "lr_find": "commands.lr_find",
    "export": "commands.export",
    "compete": "commands.compete",
    "read": "commands.read",
    "serve": "commands.serve",
    "label": "commands.label",
    "label_queue": "labelling",
    "tune": "commands.tune",
    "DigitClassifier": "estimator",
    "quickstart": "commands.quickstart",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str):
    if name == "__version__":
        from importlib.metadata import version

        return version("fastdigits")
    if name in _PUBLIC:
        return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


# Old module -> new one, of the classes in learners and estimators that were pickled while the package had no rooms.
_MOVED = {
    "fastdigits.augmentation": "fastdigits.batches.augmentation",
    "fastdigits.batch_transforms": "fastdigits.batches.transforms",
    "fastdigits.callbacks": "fastdigits.models.fastai_learner",
    "fastdigits.loaders": "fastdigits.batches.loaders",
    "fastdigits.models.digitnet": "fastdigits.models.networks.digitnet",
    "fastdigits.models.layers": "fastdigits.models.networks.layers",
    "fastdigits.models.scratch": "fastdigits.models.networks.scratch",
    "fastdigits.saved": "fastdigits.models.saved",
}


class _OldNames:
    """Lets Python find modules under the names that old pickles have for them."""

    def find_spec(self, name: str, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name in _MOVED else None

    def create_module(self, spec):
        return None  # Python's own kind of module, which exec_module replaces

    def exec_module(self, module) -> None:
        sys.modules[module.__name__] = importlib.import_module(_MOVED[module.__name__])


sys.meta_path.append(_OldNames())
