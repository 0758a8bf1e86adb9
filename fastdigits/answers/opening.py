"""Models by what the user calls them: a run, a saved model's folder, an ONNX export's, a shipped model's name."""

from pathlib import Path

from ..models import (
    DESCRIPTION_FILE,
    ONNX,
    WEIGHTS_FILE,
    OnnxModel,
    SavedModel,
    model_folder,
    read_description,
    read_onnx,
    read_quick,
    read_saved,
    shipped_names,
)
from ..runs import Run
from ..system import InputError


def open_model(model: str | Path, few: bool = False) -> SavedModel | OnnxModel:
    """The model that `model` names: a saved model's folder, an ONNX export's, a finished run's, or a shipped model.

    Parameters
    ----------
    model : str or Path
    few : bool
        Whether it will be asked about a few pictures alone. Then loading is what takes time, and a shipped model's
        graph is opened in place of its weights, where onnxruntime is installed.

    Raises
    ------
    InputError
        When there is none, the run is unfinished, or it is some other file, such as a pickle.
    """
    path = find_model(model)
    quick = read_quick(path) if few else None
    if quick is not None:
        return quick
    return read_onnx(path) if read_description(path).get("format") == ONNX else read_saved(path)


def find_model(model: str | Path) -> Path:
    """The folder of the model that `model` names, as `open_model` takes it.

    Raises
    ------
    InputError
        When there is none, the run is unfinished, or it is some other file, such as a pickle.
    """
    path = model_folder(model)
    if path.is_file():
        if path.name not in (WEIGHTS_FILE, DESCRIPTION_FILE):
            raise InputError(f"{path} is no saved model, and pickled ones are not loaded; pass a run or a saved model")
        path = path.parent
    if not path.is_dir():
        shipped = ", ".join(shipped_names())
        raise InputError(f"{path} does not exist; pass a run directory, a saved model, or one of {shipped}")
    Run(path).refuse_unfinished()
    return path


def open_models(models: list[str | Path], few: bool = False) -> list[SavedModel | OnnxModel]:
    """Models of an ensemble, as `open_model` opens them; InputError unless they tell the same classes."""
    opened = [open_model(model, few) for model in models]
    for name, model in zip(models, opened):
        if model.classes != opened[0].classes:
            raise InputError(
                f"{name} tells {', '.join(model.classes)}, {models[0]} tells {', '.join(opened[0].classes)}; "
                "models that are averaged or compared need the same classes"
            )
    return opened
