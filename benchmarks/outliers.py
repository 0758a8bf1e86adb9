"""`python -m benchmarks.outliers`: how well two ways of training tell pictures that show no single digit.

"extra classes" gives a network two outputs more, several digits and no digit; "exposure" teaches it to be undecided
there (outlier exposure, Hendrycks et al. 2019, arXiv:1812.04606). Each training leaves some kinds out, and is asked
about them: what a user brings is of no kind that was drawn here. The bound is the score that one digit in a hundred
has, of MNIST's rows or of the drawn ones, whichever is stricter.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from timm.optim import Muon

from fastdigits.batches import POLICIES, random_view
from fastdigits.models import find_backbone
from fastdigits.styles import SEEN_KINDS, SEVERAL_DIGITS, drawn_digits, drawn_others

from .made_tables import labelled_rows

PAGE = Path("docs", "results", "outliers.md")
TEXT = """# What no training saw

Written by `python -m benchmarks.outliers`. Two ways to teach a network that a picture shows no single digit: outputs of
its own for "several digits" and "no digit", or an answer without preference (outlier exposure, Hendrycks et al. 2019,
arXiv:1812.04606). Each training of digitnet, by Muon for six epochs on 12,000 MNIST rows and 9,200 drawn digits, leaves
three or four kinds of pictures out and is asked about them. The bound is chosen so that it takes 1 % of 3,000 held-out
MNIST rows or of 4,600 drawn digits for outliers, whichever is stricter. Shares of these pictures that are detected, one
seed.

{table}
"""
ROWS, VALID_ROWS, DRAWN, OTHERS = 12_000, 3_000, 9_200, 7_800
EPOCHS, BATCH, LR, EXPOSURE = 6, 128, 0.02, 0.5
GROUPS = [SEEN_KINDS[start::4] for start in range(4)]  # of kinds that one training leaves out
CLASSES = 10
METHODS = ("extra classes", "exposure")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="holds mnist/")
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/")
    images, labels = rows_of(chosen.data / "mnist" / "train.csv.gz")
    drawn, drawn_labels, _ = zip(*drawn_digits(DRAWN, seed=1))
    others, kinds = (np.array(found) for found in zip(*drawn_others(OTHERS, seed=2)))
    digits = np.concatenate([images[VALID_ROWS:], np.stack(drawn)])
    truth = np.concatenate([labels[VALID_ROWS:], np.array(drawn_labels, int)])
    tests = {"MNIST": images[:VALID_ROWS], "drawn digits": np.stack([p for p, *_ in drawn_digits(4_600, seed=3)])}
    unseen, unseen_kinds = (np.array(found) for found in zip(*drawn_others(3_900, seed=4)))
    lines = ["| kind that was left out | " + " | ".join(METHODS) + " |", "|---|---|---|"]
    for group in GROUPS:
        found = {}
        for method in METHODS:
            seen = ~np.isin(kinds, group)
            network = train(method, digits, truth, others[seen], kinds[seen] == SEVERAL_DIGITS)
            bound = max(np.quantile(scores(method, network, test), 0.99) for test in tests.values())
            found[method] = {
                kind: (scores(method, network, unseen[unseen_kinds == kind]) > bound).mean()
                for kind in group
                if (unseen_kinds == kind).any()
            }
            right = outputs(network, tests["MNIST"])[:, :CLASSES].argmax(1).numpy() == labels[:VALID_ROWS]
            print(f"{method} without {', '.join(group)}: MNIST {right.mean():.2%}", flush=True)
        for kind in found[METHODS[0]]:
            lines.append(f"| {kind} | " + " | ".join(f"{found[method][kind]:.1%}" for method in METHODS) + " |")
    PAGE.write_text(TEXT.format(table="\n".join(lines)), encoding="utf-8")
    print(*lines, sep="\n")


def rows_of(table: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (n, 28, 28) and labels int (n,) of some rows of a table, at random."""
    images, labels = labelled_rows(table)
    chosen = np.random.default_rng(5).permutation(len(images))[: ROWS + VALID_ROWS]
    return images[chosen], labels[chosen]


def train(method: str, digits: np.ndarray, truth: np.ndarray, others: np.ndarray, several: np.ndarray):
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    extra = method == METHODS[0]
    network = find_backbone("digitnet").build(CLASSES + 2 * extra).to(memory_format=torch.channels_last)
    steps, in_batch = len(digits) // BATCH, BATCH // 4
    optimizer = Muon(network.parameters(), LR, momentum=0.8, ns_steps=3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps * EPOCHS, cycle_momentum=False)
    for _ in range(EPOCHS):
        order = rng.permutation(len(digits))
        for start in range(0, steps * BATCH, BATCH):
            rows, strange = order[start : start + BATCH], rng.integers(0, len(others), in_batch)
            batch = as_input(np.concatenate([digits[rows], others[strange]]), "medium")
            target = torch.from_numpy(truth[rows])
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(batch)
            logits = logits.float()
            if extra:
                target = torch.cat([target, torch.from_numpy(np.where(several[strange], CLASSES, CLASSES + 1))])
                loss = F.cross_entropy(logits, target)
            else:
                undecided = -logits[BATCH:].log_softmax(1).mean()
                loss = F.cross_entropy(logits[:BATCH], target) + EXPOSURE * undecided
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def as_input(images: np.ndarray, policy: str = "none") -> torch.Tensor:
    floats = torch.from_numpy(images)[:, None].float() / 255
    view = random_view(floats, POLICIES[policy], 28) if policy != "none" else floats
    return ((view - 0.13) / 0.31).contiguous(memory_format=torch.channels_last)


def outputs(network, images: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat([network(as_input(images[start : start + 512])) for start in range(0, len(images), 512)])


def scores(method: str, network, images: np.ndarray) -> np.ndarray:
    """How strange pictures look to a network, 0..1 (n,)."""
    shares = outputs(network, images).softmax(1)
    return (shares[:, CLASSES:].sum(1) if method == METHODS[0] else 1 - shares.max(1).values).numpy()


if __name__ == "__main__":
    main()
