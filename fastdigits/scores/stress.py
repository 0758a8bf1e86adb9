"""How a model holds out under stress: accuracy on the same pictures thinner, thicker, shifted, on bad paper."""

from dataclasses import dataclass

import numpy as np

from ..answers import Inference
from ..folders import ImageFolder, evenly_spaced

MIXED_SIZES_PX = 64  # to which pictures of several sizes are brought
STRESSED_PICTURES = 2000  # of many, evenly spaced; each is seen under every stress and strength


@dataclass
class StressScore:
    """Accuracies (0..1) under one stress, in the order of its strengths, from harmless to hard."""

    name: str
    unit: str
    strengths: list[float]
    accuracies: list[float]


def stressed_rows(n: int, most: int = STRESSED_PICTURES) -> np.ndarray:
    """Which of n pictures are seen under stress: all or `most` of them, evenly spaced."""
    return evenly_spaced(n, most)


def stressed_pictures(folder: ImageFolder, split: str, rows: np.ndarray) -> np.ndarray:
    """Pictures of a split as they are seen under stress, of one size: uint8 (n, h, h), light on dark."""
    from ..folders import on_dark, split_images

    return on_dark(folder, split_images(folder, split, folder.size or MIXED_SIZES_PX, rows))


def stress_scores(inference: Inference, images: np.ndarray, truth: np.ndarray) -> list[StressScore]:
    """Accuracy under each stress of `batches.STRESSES`.

    Parameters
    ----------
    inference : Inference
    images : ndarray of uint8, shape (n, h, h)
    truth : ndarray of int, shape (n,)
        Positions of the true labels among the classes.
    """
    from ..batches import STRESSES, stressed

    scores = {name: StressScore(name, stress.unit, [], []) for name, stress in STRESSES.items()}
    for name, strength, pictures in stressed(images):
        answers = inference.probabilities(pictures).argmax(1)
        scores[name].strengths.append(strength)
        scores[name].accuracies.append(float((answers == truth).mean()))
    return list(scores.values())


def mean_under_stress(scores: list[StressScore]) -> float:
    """The mean of all accuracies: one number to compare models by."""
    return float(np.mean([accuracy for score in scores for accuracy in score.accuracies]))


def stress_table(scores: list[StressScore]):
    """A rich table: a row for each stress, a column for each strength."""
    from rich.table import Table

    table = Table("stress", "mild", "medium", "strong", title="accuracy against strength")
    for score in scores:
        cells = [f"{accuracy:.2%} ({strength:g})" for strength, accuracy in zip(score.strengths, score.accuracies)]
        table.add_row(f"{score.name}, {score.unit}", *cells)
    table.caption = f"mean under stress {mean_under_stress(scores):.2%}"
    return table
