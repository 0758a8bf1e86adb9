"""Modules import only from above them in the order of the flow; facts have one home."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fastdigits"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "templates"]
ORDER = [
    "errors",
    "world",
    "png",
    "outputs",
    "progress",
    "machine",
    "ink",
    "photos",
    "sheets",
    "picture_files",
    "sources",
    "pixel_sums",
    "folders",
    "memory_folders",
    "decoded",
    "splitting",
    "folds",
    "specs",
    "schedules",
    "stages",
    "recipes",
    "pseudo_labels",
    "shards",
    "picture_writing",
    "sharded_writing",
    "conversion",
    "inputs",
    "distortions",
    "augmentation",
    "stress",
    "batch_transforms",
    "loaders",
    "models",
    "saved",
    "shipped",
    "starting_weights",
    "onnx_model",
    "inference",
    "runs",
    "submissions",
    "probabilities",
    "sharded_prediction",
    "prediction",
    "calibration",
    "comparison",
    "intervals",
    "stress_scores",
    "scores",
    "scoring",
    "leaks",
    "answers",
    "evaluation",
    "label_errors",
    "pictures",
    "duplicates",
    "quick_classifier",
    "audit",
    "introspection",
    "figures",
    "reading",
    "serving",
    "exploring",
    "model_card",
    "keras_rmsprop",
    "optimizers",
    "epoch_end",
    "callbacks",
    "weight_average",
    "together",
    "distillation",
    "listing",
    "options",
    "rules",
    "learners",
    "lr_search",
    "results",
    "tracking",
    "run_records",
    "stage_fitting",
    "run_fitting",
    "fitting",
    "fold_runs",
    "training",
    "finetuning",
    "pages",
    "report_view",
    "score_sections",
    "network_sections",
    "stress_section",
    "run_report",
    "reporting",
    "spaces",
    "searches",
    "trials",
    "workers",
    "estimator",
    "study_report",
    "tuning",
    "competing",
    "exporting",
    "quickstarting",
    "cli",
]


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """Modules of the package that a file imports, inside functions too."""
    depth = len(path.relative_to(PACKAGE).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:  # relative to the package itself
            found |= {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upwards(path):
    module = module_of(path)
    if module in ("__init__", "__main__"):
        return
    above = ORDER[: ORDER.index(module)]
    assert imported_modules(path) <= {*above, module}


def test_every_module_has_its_place():
    modules = {module_of(path) for path in MODULES} - {"__init__", "__main__"}
    assert modules == set(ORDER)


def test_modules_stay_small():
    sizes = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: size for name, size in sizes.items() if size > 300} == {}
