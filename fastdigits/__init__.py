"""fastdigits: from tables of pixels to a digit recogniser that one can trust and hand on."""

import importlib
import warnings

# Importing fastai uses what torch and pandas call deprecated; its users can do nothing about it.
warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated", category=FutureWarning)
warnings.filterwarnings("ignore", message=r"The 'mode\.chained_assignment' option is deprecated")
# of tqdm, which timm's downloads load: there is no bar to draw with ipywidgets
warnings.filterwarnings("ignore", message="IProgress not found")

# Public name -> module. Loaded on first use: `import fastdigits` must not load torch.
_PUBLIC = {
    "InputError": "system.errors",
    "convert": "commands.convert",
    "read_folder": "folders.folder",
    "digit_loaders": "batches.loaders",
    "list_models": "commands.models",
    "find_backbone": "models.backbones",
    "open_model": "answers.prediction",
    "predict": "answers.prediction",
    "evaluate": "commands.evaluate",
    "explore": "commands.explore",
    "report": "commands.report",
    "finetune": "commands.finetune",
    "train": "commands.train",
    "lr_find": "training.lr_search",
    "export": "commands.export",
    "compete": "commands.compete",
    "read": "answers.reading",
    "serve": "serving.server",
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
