# python with_fastai.py FOLDER MINUTES SEED
import sys
import time
from pathlib import Path

import pandas as pd
from fastai.callback.training import ShortEpochCallback
from fastai.vision.all import (
    ImageDataLoaders,
    Resize,
    accuracy,
    aug_transforms,
    get_image_files,
    resnet18,
    set_seed,
    vision_learner,
)
from PIL import Image

folder, minutes, seed = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
started = time.monotonic()
set_seed(seed)
train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
for name, labels, pixels in (
    ("train", train["label"], train.drop(columns="label")),
    ("test", ["all"] * len(test), test),
):
    for row, (label, picture) in enumerate(zip(labels, pixels.to_numpy("uint8").reshape(-1, 28, 28))):
        place = folder / "pictures" / name / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).convert("RGB").save(place / f"{row:06}.png")
dls = ImageDataLoaders.from_folder(
    folder / "pictures" / "train",
    valid_pct=0.02,
    seed=seed,
    item_tfms=Resize(28),
    batch_tfms=aug_transforms(do_flip=False),
    num_workers=0,
)
learn = vision_learner(dls, resnet18, pretrained=False, metrics=accuracy)
part = min(1, 40 / len(dls.train))
begun = time.monotonic()
learn.fit(1, cbs=ShortEpochCallback(part, short_valid=True))
epoch = (time.monotonic() - begun) / part
left = minutes * 60 * 0.85 - (time.monotonic() - started)
learn = vision_learner(dls, resnet18, pretrained=False, metrics=accuracy)
if left >= 2 * epoch:
    learn.fine_tune(int(left / epoch) - 1)
else:
    learn.unfreeze()
    learn.fit_one_cycle(1, cbs=ShortEpochCallback(min(1, max(0.01, left / epoch))))
test_dl = dls.test_dl(sorted(get_image_files(folder / "pictures" / "test")))
numbers = learn.get_preds(dl=test_dl)[0].argmax(1)
(folder / "answers.csv").write_text("\n".join(dls.vocab[int(number)] for number in numbers) + "\n")
(folder / "model").mkdir()
learn.export(folder.resolve() / "model" / "learner.pkl")
