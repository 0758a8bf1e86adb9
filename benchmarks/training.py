"""(a) Training throughput: pictures a second, loading and augmentation included, in the middle of an epoch.

fastdigits and its limit run in the precision that `auto` means on the machine, the others in fp32.
"""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .measuring import Measurement, Round, take_turns
from .notebook import MEAN, STD, notebook_loaders

SIZES = {"digitnet": 28, "conv-elu": 28, "conv8-leaky": 28, "resnet18": 32, "resnet50": 32}  # network: pixels
# steps a round; where they are short, multiples of the batches that fastdigits prepares together
STEPS = {
    ("digitnet", 128): 16,
    ("conv-elu", 64): 48,
    ("conv-elu", 256): 16,
    ("conv8-leaky", 64): 8,
    ("conv8-leaky", 256): 8,
    ("resnet18", 64): 16,
    ("resnet18", 256): 5,
    ("resnet50", 64): 8,
    ("resnet50", 256): 5,
}
AUGMENT = "resnet50-kannada"  # the policy that does what plain fastai is told to do below
WARM_UP = 2
ROUNDS = 3
WORKERS = 2


def measure(folder: Path, only: str = "") -> Iterator[list[Measurement]]:
    """Rates on the image folder for every network (or one) and batch size, contender by contender."""
    for (network, batch), steps in STEPS.items():
        if only not in ("", network):
            continue
        task = (str(folder), network, batch, steps)
        contenders = {
            "limit": (limit, *task),
            "fastdigits": (fastdigits, *task),
            "plain fastai": (plain_fastai, *task),
            "torch loop": (torch_loop, *task),
            "timm loader": (timm_loader, *task),
        }
        yield take_turns("training", f"{network}, batch {batch}", contenders, ROUNDS)


def build(network: str):
    """The network and the number of its channels."""
    from fastdigits import find_backbone

    backbone = find_backbone(network)
    return backbone.build(10), backbone.channels


def limit(folder: str, network: str, batch: int, steps: int) -> Round:
    """The same model, batch and precision over one ready batch, with fastdigits' settings of the machine."""
    import torch

    from fastdigits.system import find_device, find_precision, prepare_machine

    prepare_machine()
    device = find_device()
    in_bf16 = find_precision("auto", device) == "bf16"
    module, channels = build(network)
    module = module.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(module.parameters(), 1e-4, fused=True)
    x = torch.randn(batch, channels, SIZES[network], SIZES[network], device=device)
    x, y = x.contiguous(memory_format=torch.channels_last), torch.randint(0, 10, (batch,), device=device)

    def batches():
        while True:
            yield x, y

    def step(x, y):
        with torch.autocast(device, torch.bfloat16, enabled=in_bf16):
            loss = torch.nn.functional.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return lambda: steps_of(batches(), step, batch, steps)


def fastdigits(folder: str, network: str, batch: int, steps: int) -> Round:
    """What `finetune` trains with."""
    from fastdigits import find_backbone, read_folder
    from fastdigits.training import prepare_learner, renew_optimizer

    options = {"size": SIZES[network], "batch_size": batch, "weights": "none", "augment": AUGMENT}
    options |= {"scaling": "standardise", "optimizer": "fastai-adam"}
    learner = prepare_learner(find_backbone(network), read_folder(folder), **options).learner
    renew_optimizer(learner, frozen=False)
    return lambda: fit_steps(learner, batch, steps)


def plain_fastai(folder: str, network: str, batch: int, steps: int) -> Round:
    """The notebook way."""
    learner = notebook_learner(folder, network, batch)
    return lambda: fit_steps(learner, batch, steps)


def notebook_learner(folder: str, network: str, batch: int):
    """PNG files, Resize, aug_transforms without mirror, fp32, fastai's defaults for all else."""
    from fastai.vision.all import CrossEntropyLossFlat, Learner, Resize, accuracy, aug_transforms

    module, channels = build(network)
    views = aug_transforms(do_flip=False, max_rotate=15, max_zoom=1.15, max_lighting=0.1, max_warp=0.05)
    dls = notebook_loaders(folder, channels, batch, Resize(SIZES[network]), views)
    return Learner(dls, module, loss_func=CrossEntropyLossFlat(), metrics=accuracy)


def torch_loop(folder: str, network: str, batch: int, steps: int) -> Round:
    """A plain torch loop over ImageFolder with torchvision's v2 transforms."""
    import torch
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    module, channels = build(network)
    transform = v2.Compose(
        [
            v2.Grayscale(channels),
            v2.ToImage(),
            v2.Resize(SIZES[network]),
            v2.RandomAffine(10, translate=(0.08, 0.08), scale=(0.9, 1.1), shear=5),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([MEAN] * channels, [STD] * channels),
        ]
    )
    pictures = ImageFolder(f"{folder}/train", transform)
    loader = torch.utils.data.DataLoader(pictures, batch, shuffle=True, num_workers=WORKERS, drop_last=True)
    optimizer = torch.optim.AdamW(module.parameters(), 1e-4)
    return lambda: steps_of(loader, plain_step(module, optimizer), batch, steps)


def timm_loader(folder: str, network: str, batch: int, steps: int) -> Round:
    """timm's data set, loader, transforms and optimiser."""
    import torch
    from timm.data import create_dataset, create_loader
    from timm.optim import create_optimizer_v2

    module, channels = build(network)
    module = module.to(memory_format=torch.channels_last)
    loader = create_loader(
        create_dataset("", root=f"{folder}/train", is_training=True),
        input_size=(3, SIZES[network], SIZES[network]),
        batch_size=batch,
        is_training=True,
        use_prefetcher=False,
        no_aug=False,
        scale=(0.8, 1.0),
        ratio=(1.0, 1.0),
        hflip=0.0,
        color_jitter=None,
        mean=(MEAN,) * 3,
        std=(STD,) * 3,
        num_workers=WORKERS,
        persistent_workers=False,
        device=torch.device("cpu"),
    )
    step = plain_step(module, create_optimizer_v2(module, "adamw", lr=1e-4))
    return lambda: steps_of(loader, lambda x, y: step(x[:, :channels], y), batch, steps)


def plain_step(module, optimizer):
    """One step of training in fp32."""
    import torch

    def step(x, y):
        loss = torch.nn.functional.cross_entropy(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def steps_of(batches, step, batch: int, steps: int) -> tuple[int, float]:
    """Pictures and seconds of `steps` steps after the warm-up."""
    for number, (x, y) in enumerate(islice(batches, WARM_UP + steps), start=1):
        step(x, y)
        if number == WARM_UP:
            started = time.perf_counter()
    return batch * steps, time.perf_counter() - started


def fit_steps(learner, batch: int, steps: int) -> tuple[int, float]:
    """The same for a fastai Learner, inside `fit_one_cycle`."""
    from fastai.callback.core import Callback, CancelFitException

    class Clock(Callback):
        def before_fit(self):
            self.ends = []

        def after_batch(self):
            self.ends.append(time.perf_counter())
            if len(self.ends) == WARM_UP + steps:
                raise CancelFitException

    clock = Clock()
    with learner.no_bar() if hasattr(learner, "progress") else learner.no_logging():
        learner.fit_one_cycle(1, 1e-3, cbs=clock)
    return batch * steps, clock.ends[-1] - clock.ends[WARM_UP - 1]
