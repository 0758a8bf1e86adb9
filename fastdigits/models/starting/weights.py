"""What a network starts from: a library's download, a file, an earlier run, or nowhere."""

from dataclasses import dataclass
from pathlib import Path

from ...system import InputError
from ..backbones import Backbone
from ..outliers import fit_outputs
from ..saved import DESCRIPTION_FILE, WEIGHTS_FILE, read_description, read_saved, read_weights
from ..shipped import check_outlives, model_folder, shipped_names
from .file import fitted, read_tensors

PRETRAINED, NONE = "pretrained", "none"


@dataclass(frozen=True)
class StartingWeights:
    """What a network starts from.

    Attributes
    ----------
    origin : str
        In words, for the run's record.
    transferred : bool
        Whether the body carries knowledge, so that training the head first makes sense.
    mean, std : list of float, length channels, or None
        The normalisation that the weights were trained with; None when there is nothing to transfer.
    of_digits : bool
        Whether they were trained on digits, as those of every saved model, rather than on photographs.
    """

    origin: str
    transferred: bool
    mean: list[float] | None = None
    std: list[float] | None = None
    of_digits: bool = False


def load_weights(module, backbone: Backbone, weights: str, size: int | None = None) -> StartingWeights:
    """Put starting weights into the body of `module`; its head stays fresh.

    Parameters
    ----------
    module : torch.nn.Module
        Built by `backbone`.
    backbone : Backbone
    weights : str
        `pretrained`, `none`, a .safetensors or .pth file, the folder of a saved model or an earlier run, or the name
        of a shipped model.
    size : int, optional
        Pixels that `module` was built for; published weights of networks of a fixed size are fitted to it.

    Raises
    ------
    InputError
        When the download fails, the file is missing, unsafe or damaged, or it does not fit the architecture.
    """
    if weights == NONE:
        return StartingWeights("none", transferred=False)
    mean, std = backbone.mean_std
    of_digits, hint = False, "name the architecture that the weights were made for"
    path = model_folder(weights)
    if weights == PRETRAINED:
        tensors = _download(backbone, size)
    elif path.is_dir():
        description = read_description(path)
        mean, std, tensors = description["mean"], description["std"], read_weights(path, description)
        of_digits = True
        if description["architecture"] == backbone.name and description["size"] != size:
            hint = f"they are for pictures of {description['size']} px: pass --size {description['size']}"
    else:
        notes: list[str] = []
        tensors = read_tensors(path, notes)
        children = [name for name, _ in module.named_children()]
        tensors = fitted(tensors, module.state_dict(), children, weights, notes)
        _refuse_nan(tensors, weights)
        for note in notes:
            print(note, flush=True)
    _load_body(module, backbone, tensors, weights, hint)
    return StartingWeights(weights, True, list(mean), list(std), of_digits)


def load_whole(module, backbone: Backbone, weights: str, classes: list[str]) -> StartingWeights:
    """Put the weights of a run or saved model of the same network into `module`, its head included, to go on from.

    Raises
    ------
    InputError
        When it is no saved model, or one of another network or other classes.
    """
    if not (model_folder(weights) / DESCRIPTION_FILE).is_file():
        raise InputError(f"--weights {weights} is no finished run or saved model, which training can go on from")
    saved = read_saved(model_folder(weights))
    if saved.architecture != backbone.name:
        raise InputError(f"--weights {weights} is a {saved.architecture}, not a {backbone.name}")
    if saved.classes != classes:
        known, wanted = (", ".join(names[:12]) for names in (saved.classes, classes))
        raise InputError(f"--weights {weights} knows the classes {known}; the data have {wanted}")
    try:
        module.load_state_dict(fit_outputs(saved.module.state_dict(), module.state_dict(), len(classes)))
    except RuntimeError:  # a layer's shape depends on the pictures' size
        raise InputError(
            f"--weights {weights} is a {saved.architecture} for pictures of {saved.size} px; pass --size {saved.size}"
        ) from None
    return StartingWeights(weights, True, saved.mean, saved.std, of_digits=True)


def _download(backbone: Backbone, size: int | None) -> dict:
    """The library's published weights, from its cache or the network."""
    if backbone.weights_source is None:
        own = [
            name for name in shipped_names() if read_description(model_folder(name))["architecture"] == backbone.name
        ]
        names = f"name {' or '.join(own)}, " if own else ""
        raise InputError(
            f"nobody has published weights of {backbone.name}; {names}pass a file or an earlier run with "
            "--weights PATH, or use --weights none"
        )
    try:
        if backbone.library == "timm":
            return backbone.build(1000, size, pretrained=True).state_dict()  # timm fits position embeddings to the size
        import torchvision

        published = torchvision.models.get_model_weights(backbone.library_name).DEFAULT
        return published.get_state_dict(progress=True, check_hash=True)
    except Exception as error:  # each downloader has its own errors: URLError, httpx, huggingface_hub, RuntimeError
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"pretrained weights of {backbone.name} could not be had from {backbone.weights_source} ({reason[:160]}); "
            "connect to the network, pass a file or an earlier run with --weights PATH, or use --weights none"
        ) from None


def _refuse_nan(tensors: dict, weights: str) -> None:
    strange = next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)
    if strange is not None:
        raise InputError(
            f"--weights {weights} holds weights that are no numbers, in {strange}: that training diverged; take an "
            "earlier checkpoint of it"
        )


def _load_body(module, backbone: Backbone, tensors: dict, weights: str, hint: str) -> None:
    """Load all but the head; InputError, with a hint, unless every body tensor is there in its shape."""
    own = module.state_dict()
    body = {name: tensor for name, tensor in own.items() if name not in backbone.head_names}
    fitting = {name: tensors[name] for name in body if name in tensors and tensors[name].shape == body[name].shape}
    # batch counters are absent in old files and matter to nobody
    missing = [name for name in body if name not in fitting and not name.endswith("num_batches_tracked")]
    if missing:
        raise InputError(
            f"--weights {weights} does not fit {backbone.name}: {len(fitting)} of {len(body)} tensors match, "
            f"the first that does not is {missing[0]}; {hint}"
        )
    module.load_state_dict({**own, **fitting})


def check_starts(out: Path, weights: str, teachers: list[str] | None) -> None:
    """InputError when what training starts from or learns from lies where it would write."""
    if weights not in (NONE, PRETRAINED):
        check_outlives(out, "--weights", weights)
    for teacher in teachers or []:
        check_outlives(out, "--teachers", teacher)


def starting_weights_of(arch: str, weights: str) -> str:
    """The weights that a command means: a shipped model's name as the architecture stands for its own."""
    path = Path(weights)
    if path.name == WEIGHTS_FILE and (path.parent / DESCRIPTION_FILE).is_file():
        return str(path.parent)  # which knows what the file alone does not: its classes and what it was trained on
    return arch if weights == PRETRAINED and arch in shipped_names() else weights
