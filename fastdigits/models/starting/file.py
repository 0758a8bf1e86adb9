"""Files of weights as trainers write them: found inside what is around them, and fitted to a network's names.

Nothing is unpickled that could run code. What was taken for what is told in notes.
"""

import re
import zipfile
from collections import Counter
from pathlib import Path

from ...system import InputError

FILE_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")  # pth.tar too
AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")  # keys of moving averages, which are better weights
WRAPPERS = ("state_dict", "model", "model_state_dict", "model_state", "net", "network", "weights", "params")
OF_CHECKPOINTS = {"next_stage", "next_epoch", "optimizer", "random"}  # of our own runs
PREFIXES = (  # that trainers put before the names: torch.compile, DataParallel and averages, Lightning, others
    *("_orig_mod.", "module.", "model.", "net.", "network.", "backbone.", "encoder.", "ema_model.", "0."),
)
GLOBAL = re.compile(r"GLOBAL (\w[\w.]*\w)")  # what a pickle wants to load, in torch's words


def read_tensors(path: Path, notes: list[str]) -> dict:
    """Tensors by name from a file of weights; `notes` gets what was chosen.

    Raises
    ------
    InputError
        When the file is missing, of no known kind, damaged, a TorchScript archive, or would have to run code.
    """
    import pickle
    import warnings

    import safetensors
    import safetensors.torch
    import torch
    from fastcore.foundation import L

    if not path.is_file():
        raise InputError(
            f"--weights {path} does not exist; accepted are pretrained, none, a .safetensors or .pth file, "
            "a saved model or an earlier run"
        )
    if path.suffix not in FILE_ENDINGS:
        raise InputError(f"--weights {path} is of no known kind; accepted are {', '.join(FILE_ENDINGS)} files and runs")
    if _is_torchscript(path):
        raise InputError(
            f"{path} is a TorchScript archive, a program rather than weights; save its weights: "
            f"torch.save(torch.jit.load({path.name!r}).state_dict(), 'weights.pth')"
        )
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        # fastai's learners keep lists of their own beside the weights
        with warnings.catch_warnings(), torch.serialization.safe_globals([L]):
            warnings.simplefilter("ignore", UserWarning)  # old pickle protocols: tried all the same, safely
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _pickled(path, str(error)) from None
    except (safetensors.SafetensorError, RuntimeError, EOFError, ValueError, OSError):
        raise InputError(f"{path} is damaged or cut short; get it again") from None
    if isinstance(content, dict) and content.keys() >= OF_CHECKPOINTS:
        raise InputError(
            f"--weights {path} is a checkpoint, which lacks what the run knows besides; finish the run with --resume, "
            "and pass the run"
        )
    tensors = _unwrapped(content, path, notes)
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise InputError(f"{path} holds no table of tensors by name; save the model's state_dict")
    return tensors


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):  # which torch says in its own words
        return False
    return any("/code/" in name or name.endswith("/constants.pkl") for name in names)


def _pickled(path: Path, reason: str) -> InputError:
    """The line for a file that holds more than tensors, naming what, as far as its bytes tell."""
    wanted = GLOBAL.search(reason)
    what = f", such as {wanted[1]}" if wanted else ""
    return InputError(
        f"{path} holds pickled Python objects{what}, or is damaged, and is not loaded, since that could run code; "
        "where you trust it, save its state_dict as .safetensors"
    )


def _unwrapped(content, path: Path, notes: list[str]):
    """The table of tensors inside what a trainer saved around it."""
    while isinstance(content, dict):
        key = next((key for key in (*AVERAGED, *WRAPPERS) if isinstance(content.get(key), dict)), None)
        if key is None:
            break
        if key in AVERAGED:
            notes.append(f"{path}: its averaged weights ({key}) were taken")
        content = content[key]
    return content


def fitted(tensors: dict, own: dict, children: list[str], path: str, notes: list[str]) -> dict:
    """The tensors under a network's own names, with as many input channels as it has.

    Parameters
    ----------
    tensors : dict of str to Tensor
        As they were found.
    own : dict of str to Tensor
        The network's state.
    children : list of str
        Names of the network's own parts in their order, by whose numbers fastai's `vision_learner` calls them.
    path : str
        Where they came from, for notes.
    notes : list of str
        Gets a line for each change.
    """
    tensors = _without_prefixes(tensors, own, path, notes)
    if not any(name in own for name in tensors):
        tensors = _by_fastai(tensors, own, children, path, notes)
    return {name: _with_channels(tensor, own.get(name), f"{path}: {name}", notes) for name, tensor in tensors.items()}


def _with_channels(tensor, own, what: str, notes: list[str]):
    """A first convolution's weights for one channel or three, as timm does: equal channels get the same answer."""
    if own is None or tensor.ndim != 4 or own.ndim != 4 or {tensor.shape[1], own.shape[1]} != {1, 3}:
        return tensor
    if (tensor.shape[0], *tensor.shape[2:]) != (own.shape[0], *own.shape[2:]):
        return tensor
    notes.append(f"{what} is for {tensor.shape[1]} channel(s) and was fitted to {own.shape[1]}")
    return tensor.sum(1, keepdim=True) if own.shape[1] == 1 else tensor.repeat(1, 3, 1, 1) / 3


def _without_prefixes(tensors: dict, own: dict, path: str, notes: list[str]) -> dict:
    """The tensors without what stands before the network's own names, as long as that makes more of them known."""
    taken = []
    while True:
        known = sum(name in own for name in tensors)
        starts = Counter(prefix for name in tensors for prefix in PREFIXES if name.startswith(prefix))
        for prefix, _ in starts.most_common():
            shorter = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
            deeper = any(name.startswith(PREFIXES) for name in shorter)
            if sum(name in own for name in shorter) > known or (known == 0 and deeper and _all_start(tensors, prefix)):
                tensors, taken = shorter, [*taken, prefix]
                break
        else:
            break
    if taken and any(name in own for name in tensors):
        notes.append(f"{path}: {''.join(taken)} was taken from the names of its tensors")
        return tensors
    return {"".join(taken) + name: tensor for name, tensor in tensors.items()} if taken else tensors


def _all_start(tensors: dict, prefix: str) -> bool:
    """Whether all names, but counters of averages, begin with a prefix."""
    return all(name.startswith(prefix) for name in tensors if name != "n_averaged")


def _by_fastai(tensors: dict, own: dict, children: list[str], path: str, notes: list[str]) -> dict:
    """The tensors of a fastai `vision_learner`, whose body is called by numbers, under the network's own names."""
    found = {}
    for name, tensor in tensors.items():
        body, _, rest = name.partition(".")
        place, _, inside = rest.removeprefix("model.").partition(".")
        if rest.startswith("model.") and body == "0":  # timm's body, whole
            found[rest.removeprefix("model.")] = tensor
        elif body == "0" and place.isdecimal() and int(place) < len(children):
            found[f"{children[int(place)]}.{inside}"] = tensor
        else:
            found[name] = tensor
    if not any(name in own for name in found):
        return tensors
    notes.append(f"{path}: its names are those of a fastai learner, whose body was taken")
    return found
