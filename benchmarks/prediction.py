"""(b) From a csv to a submission: pictures a second in a process that has loaded its libraries.

With `conv-elu` beside other ways, and with digitnet-mnist beside the network alone.
"""

import tempfile
from pathlib import Path

from .measuring import Measurement, Round, take_turns, timed
from .notebook import MEAN, STD, notebook_loaders

ONE_BY_ONE = 100  # pictures of learn.predict, which takes its time
ROUNDS = 5
BATCH = 256
SHIPPED = "digitnet-mnist"
READY, READY_BATCHES = 256, 40  # pictures of the batch that is ready, and how often a round takes it


def measure(folder: Path, table: Path) -> list[Measurement]:
    """Rates for the unlabelled `table`, whose pictures are also in the image folder's test/."""
    from fastdigits import finetune

    with tempfile.TemporaryDirectory() as work:
        model = f"{work}/run"
        # a model that has learnt: one with fresh weights is never sure in bf16 and computes all again in fp32
        finetune("conv-elu", folder, weights="none", epochs=1, lr=0.01, out=Path(model))
        contenders = {
            "fastdigits": (fastdigits, model, str(table)),
            "plain torch": (plain_torch, model, str(table)),
            "get_preds": (get_preds, model, str(folder)),
            "learn.predict": (learn_predict, model, str(folder), str(table)),
        }
        found = take_turns("prediction", "conv-elu", contenders, ROUNDS, unmeasured=1)
        contenders = {"limit": (ready_batches, SHIPPED), "fastdigits": (fastdigits, SHIPPED, str(table))}
        return found + take_turns("prediction", SHIPPED, contenders, ROUNDS, unmeasured=1)


def save_model(work: Path) -> Path:
    """A saved conv-elu with fresh weights: in fp32 it predicts as fast as a good one, in bf16 it is never sure."""
    import torch

    from fastdigits import find_backbone
    from fastdigits.models import SavedModel

    torch.manual_seed(5)
    classes = [str(k) for k in range(10)]
    module = find_backbone("conv-elu").build(10).eval()
    saved = SavedModel(module, architecture="conv-elu", classes=classes, size=28, mean=[MEAN], std=[STD])
    saved.write(work)
    return work


def fastdigits(model: str, table: str) -> Round:
    """`predict MODEL TABLE --submission kaggle`."""
    from fastdigits import predict

    def work() -> int:
        with tempfile.TemporaryDirectory() as out:
            return len(predict(model, table, out=Path(out, "s.csv"), submission="kaggle").ids)

    return lambda: timed(work)


def ready_batches(model: str) -> Round:
    """The network alone over one batch that is ready, as it was trained, in bf16 where the machine is fast at it."""
    import torch

    from fastdigits.system import find_device, find_precision, prepare_machine

    prepare_machine()
    device = find_device()
    module = _module(model).to(device, memory_format=torch.channels_last)
    x = torch.rand(READY, 1, 28, 28, device=device).contiguous(memory_format=torch.channels_last)
    in_bf16 = find_precision("auto", device) == "bf16"

    def work() -> int:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=in_bf16):
            for _ in range(READY_BATCHES):
                module(x)
        return READY * READY_BATCHES

    return lambda: timed(work)


def plain_torch(model: str, table: str) -> Round:
    """pandas reads, one loop over batches, pandas writes."""
    import numpy as np
    import pandas as pd
    import torch

    module = _module(model)

    def work() -> int:
        pixels = pd.read_csv(table).filter(like="pixel").to_numpy(np.uint8)
        images = torch.from_numpy(pixels).view(-1, 1, 28, 28)
        with torch.no_grad():
            labels = [module((batch / 255 - MEAN) / STD).argmax(1) for batch in images.split(BATCH)]
        return _write(torch.cat(labels))

    return lambda: timed(work)


def get_preds(model: str, folder: str) -> Round:
    """fastai's get_preds over a test_dl of PNG files, which were made before."""
    learner, files = _learner(model, folder)

    def work() -> int:
        with learner.no_bar():
            probabilities, _ = learner.get_preds(dl=learner.dls.test_dl(files))
        return _write(probabilities.argmax(1))

    return lambda: timed(work)


def learn_predict(model: str, folder: str, table: str) -> Round:
    """fastai's learn.predict in a loop over the rows of the table."""
    import numpy as np
    import pandas as pd
    import torch
    from fastai.vision.all import PILImageBW

    learner, _ = _learner(model, folder)

    def work() -> int:
        pixels = pd.read_csv(table, nrows=ONE_BY_ONE).filter(like="pixel").to_numpy(np.uint8)
        labels = []
        for row in pixels.reshape(-1, 28, 28):
            with learner.no_bar(), learner.no_logging():
                labels.append(int(learner.predict(PILImageBW.create(row))[1]))
        return _write(torch.tensor(labels))

    return lambda: timed(work)


def _module(model: str):
    from fastdigits.models import model_folder, read_saved

    return read_saved(model_folder(model)).module


def _learner(model: str, folder: str):
    """A notebook's Learner around the model, and the test files."""
    from fastai.vision.all import CrossEntropyLossFlat, Learner, get_image_files

    dls = notebook_loaders(folder, 1, BATCH)
    return Learner(dls, _module(model), loss_func=CrossEntropyLossFlat()), get_image_files(Path(folder, "test"))


def _write(labels) -> int:
    """A submission from label numbers (n,); returns n."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as out:
        ids = range(1, len(labels) + 1)
        pd.DataFrame({"ImageId": ids, "Label": labels.numpy()}).to_csv(Path(out, "s.csv"), index=False)
    return len(labels)
