# python with_timm.py FOLDER MINUTES SEED
import sys
import time
from pathlib import Path

import pandas as pd
import timm
import torch
from PIL import Image
from timm.data import create_dataset, create_loader
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2

folder, minutes, seed = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
started = time.monotonic()
torch.manual_seed(seed)
train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
for name, labels, pixels in (
    ("train", train["label"], train.drop(columns="label")),
    ("test", ["all"] * len(test), test),
):
    for row, (label, picture) in enumerate(zip(labels, pixels.to_numpy("uint8").reshape(-1, 28, 28))):
        place = folder / "pictures" / name / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).convert("RGB").save(place / f"{row:06}.png")
how = {"input_size": (3, 28, 28), "batch_size": 128, "use_prefetcher": False, "num_workers": 1}
pictures = create_dataset("", root=folder / "pictures" / "train")
loader = create_loader(pictures, is_training=True, hflip=0, auto_augment="rand-m5-n2", scale=(0.7, 1), **how)
model = timm.create_model("resnet18", num_classes=len(pictures.reader.class_to_idx))
optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=0.02)
loss_of = LabelSmoothingCrossEntropy(0.1)


def step(images, labels):
    optimizer.zero_grad()
    loss_of(model(images), labels).backward()
    optimizer.step()


model.train()
begun, tried = time.monotonic(), 20
for number, batch in enumerate(loader):
    step(*batch)
    if number + 1 == tried:
        break
second = (time.monotonic() - begun) / tried
left = minutes * 60 * 0.85 - (time.monotonic() - started)
steps = max(1, int(left / second))
scheduler, _ = create_scheduler_v2(optimizer, sched="cosine", num_epochs=steps, warmup_epochs=steps // 20)
done = 0
while done < steps:
    for batch in loader:
        step(*batch)
        done += 1
        scheduler.step(done)
        if done == steps:
            break
model.eval()
test_loader = create_loader(create_dataset("", root=folder / "pictures" / "test"), **how, crop_pct=1.0)
with torch.inference_mode():
    numbers = torch.cat([model(images).argmax(1) for images, _ in test_loader])
names = {number: name for name, number in pictures.reader.class_to_idx.items()}
(folder / "answers.csv").write_text("\n".join(names[int(number)] for number in numbers) + "\n")
(folder / "model").mkdir()
torch.save(model.state_dict(), folder / "model" / "weights.pth")
