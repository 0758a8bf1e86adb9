"""Classifiers by name, our scratch networks, torchvision's and timm's, built for any number of classes."""

import difflib
import re
from dataclasses import dataclass
from functools import cached_property

from ..system import InputError

TIMM = "timm:"  # how a name says that timm's model is meant where torchvision has one of that name
SEVERAL_OUTPUTS = ("googlenet", "inception_v3")  # torchvision's give more than one tensor while they train


@dataclass(frozen=True)
class Backbone:
    """One classifier that can be built.

    Attributes
    ----------
    name : str
        As the user writes it: `resnet50`, `convnext_atto`, `timm:resnet50`.
    library : 'fastdigits', 'torchvision' or 'timm'
    """

    name: str
    library: str

    @property
    def library_name(self) -> str:
        return self.name.removeprefix(TIMM)

    @property
    def file_name(self) -> str:
        """The name as part of a file's name."""
        return file_part(self.name)

    def build(self, n_classes: int, size: int | None = None, pretrained: bool = False):
        """A module from pictures (n, channels, size, size) to logits (n, n_classes), its weights fresh.

        `pretrained` is for timm's networks, whose published weights fit themselves to the size; those of others are put
        into a fresh module by `starting_weights`.
        """
        if self.library == "fastdigits":
            from .networks.by_name import build_network

            try:
                return build_network(self.name, n_classes, size or self.fixed_size)
            except ValueError:
                raise self.wrong_size(size) from None
        if self.library == "timm":
            import timm

            # networks that are built for one picture size are built for ours
            fixed = {"img_size": size} if size and self.fixed_size and size != self.fixed_size else {}
            try:
                module = timm.create_model(self.library_name, pretrained, num_classes=n_classes, **fixed)
            except (TypeError, AssertionError, ValueError, RuntimeError):
                if pretrained:
                    raise  # the download failed, or its tensors do not fit
                raise self.wrong_size(size) from None
            if getattr(getattr(module, "patch_embed", None), "num_patches", 1) == 0:  # smaller than one patch
                raise self.wrong_size(size)
            return module
        import torchvision

        return torchvision.models.get_model(self.library_name, weights=None, num_classes=n_classes)

    @property
    def channels(self) -> int:
        """Of the pictures that the network takes: ours see gray ones, others three equal channels."""
        return 1 if self.library == "fastdigits" else 3

    @cached_property
    def pretrained_config(self) -> dict:
        """timm's description of the default weights; empty for torchvision."""
        if self.library != "timm":
            return {}
        import timm

        return timm.get_pretrained_cfg(self.library_name).to_dict()

    @property
    def fixed_size(self) -> int | None:
        """The picture size in pixels that the network was made for, None when it takes all alike."""
        if self.library == "fastdigits":
            from .networks.by_name import OUR_SIZE

            return OUR_SIZE
        config = self.pretrained_config
        if config:
            return config["input_size"][-1] if config.get("fixed_input_size") else None
        return 224 if self.library_name.startswith(("vit_", "maxvit_")) else None

    @property
    def mean_std(self) -> tuple[list[float], list[float]]:
        """Normalisation that the published weights were trained with, on the scale 0..1, one value a channel."""
        if self.library == "fastdigits":
            return [0.0], [1.0]
        if self.library == "timm":
            return list(self.pretrained_config["mean"]), list(self.pretrained_config["std"])
        import torchvision

        transforms = torchvision.models.get_model_weights(self.library_name).DEFAULT.transforms()
        return list(transforms.mean), list(transforms.std)

    def wrong_size(self, size: int | None) -> InputError:
        need = f"it takes {self.fixed_size}"
        if self.library == "fastdigits" or not self.fixed_size:
            need = f"it needs larger ones, such as {self.fixed_size or '64 or 224'}"
        return InputError(f"{self.name} does not work on pictures of {size} px; {need}: pass --size")

    def check_size(self, module, size: int) -> None:
        """InputError unless the module takes pictures of `size` pixels."""
        import torch

        training = module.training
        try:
            with torch.no_grad():
                module.eval()(torch.zeros(1, self.channels, size, size, device=next(module.parameters()).device))
        except (RuntimeError, AssertionError, ValueError):
            raise self.wrong_size(size) from None
        finally:
            module.train(training)

    @cached_property
    def head_names(self) -> frozenset[str]:
        """Names of the parameters that depend on the number of classes: the head."""
        import torch

        with torch.device("meta"):
            shapes = [{name: p.shape for name, p in self.build(n).named_parameters()} for n in (3, 5)]
        return frozenset(name for name, shape in shapes[0].items() if shape != shapes[1][name])

    def parameter_count(self, n_classes: int = 10, size: int | None = None) -> int:
        """Number of trainable parameters with `n_classes` outputs for pictures of `size`; nothing is allocated."""
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build(n_classes, size).parameters())

    @property
    def weights_source(self) -> str | None:
        """Where `--weights pretrained` comes from, in a word; None when nobody has published any."""
        if self.library != "timm":
            return "torchvision download" if self.library == "torchvision" else None
        config = self.pretrained_config
        if config.get("hf_hub_id"):
            return f"hub {config['hf_hub_id']}"
        return "timm download" if config.get("url") else None

    def layer_groups(self, module) -> list[list]:
        """Parameters in three groups, early body, late body and head, for discriminative learning rates.

        The body's blocks come from timm's own `group_matcher`, or from torchvision's modules in their order; the
        first two thirds of them are the early body, which for a ResNet is everything before its third stage.
        """
        parameters = dict(module.named_parameters())
        body = [name for name in parameters if name not in self.head_names]
        block_of = self._block_numbers(module, body)
        blocks = sorted(set(block_of.values()))
        early = set(blocks[: max(1, len(blocks) * 2 // 3)])
        return [
            [parameters[name] for name in body if block_of[name] in early],
            [parameters[name] for name in body if block_of[name] not in early],
            [parameters[name] for name in parameters if name in self.head_names],
        ]

    def _block_numbers(self, module, body: list[str]) -> dict[str, int]:
        if hasattr(module, "group_matcher"):
            from timm.models import group_parameters

            block_of = group_parameters(module, module.group_matcher(), reverse=True)
            return {name: block_of[name] for name in body}
        blocks: dict[str, int] = {}
        return {name: blocks.setdefault(_block_name(name), len(blocks)) for name in body}


def file_part(name: str) -> str:
    """A network's or recipe's name, with its settings, as part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", name)


def _block_name(parameter: str) -> str:
    """`layer3` of `layer3.0.conv1.weight`, `features.4` of `features.4.0.block.1.weight`."""
    first, *rest = parameter.split(".")
    if first == "encoder" and rest[0] == "layers":  # torchvision's vision transformers
        return f"{first}.{rest[1]}"
    return f"{first}.{rest[0]}" if first == "features" and rest else first


def find_backbone(name: str) -> Backbone:
    """The classifier called `name`; torchvision's where two libraries have it and no `timm:` stands before.

    Raises
    ------
    InputError
        With the nearest names when there is none.
    """
    from .networks.by_name import build_network, is_network

    if is_network(name):
        import torch

        with torch.device("meta"):
            build_network(name, n_classes=2)  # are its settings right?
        return Backbone(name, "fastdigits")
    if name in _torchvision_names():
        return Backbone(name, "torchvision")
    import timm  # only now, since it takes long to load

    plain, _, tag = name.removeprefix(TIMM).partition(".")
    if plain in timm.list_models():
        if tag and name.removeprefix(TIMM) not in timm.list_pretrained(f"{plain}.*"):
            tags = ", ".join(timm.list_pretrained(f"{plain}.*")) or "none"
            raise InputError(f"timm has no weights {name!r}; it has {tags}")
        return Backbone(name, "timm")
    near = difflib.get_close_matches(plain.lower(), known_names(), n=4, cutoff=0.5)
    hint = f"near are {', '.join(near)}; " if near else ""
    raise InputError(f"{name!r} is no known architecture; {hint}`fastdigits models` lists all")


def known_names() -> dict[str, str]:
    """Every name and the library that it means."""
    import timm

    from .networks.by_name import NETWORKS

    names = dict.fromkeys(NETWORKS, "fastdigits") | dict.fromkeys(_torchvision_names(), "torchvision")
    return names | {TIMM + name if name in names else name: "timm" for name in timm.list_models()}


def _torchvision_names() -> list[str]:
    import torchvision

    names = torchvision.models.list_models(module=torchvision.models)
    return [name for name in names if name not in SEVERAL_OUTPUTS]
