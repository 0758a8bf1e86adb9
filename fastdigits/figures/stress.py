"""Pictures of stress: accuracy against strength, and what the stressed pictures look like."""

from pathlib import Path

import numpy as np

from ..scores import StressScore
from .canvas import COLUMN, Drawing, finished, in_style, new_drawing
from .tokens import LIGHT

COLUMNS = 2


@in_style
def draw_stress(scores: list[StressScore], accuracy: float, path: Path | None = None) -> Drawing:
    """Accuracy against strength, a small chart for each stress, all on one scale.

    Parameters
    ----------
    scores : list of StressScore
    accuracy : float
        On the pictures as they are, 0..1: the dotted line.
    path : Path, optional
        A PNG file to write.
    """
    n_rows = -(-len(scores) // COLUMNS)
    drawing = new_drawing(COLUMN, 1.55 * n_rows)
    all_axes = drawing.subplots(n_rows, COLUMNS, sharey=True, squeeze=False).ravel()
    for axes, score in zip(all_axes, scores):
        axes.axhline(accuracy, color=LIGHT["quiet"], linestyle=":", linewidth=1)
        axes.plot(range(len(score.strengths)), score.accuracies, marker="o")
        axes.set_xticks(range(len(score.strengths)), [f"{strength:g}" for strength in score.strengths])
        axes.set_title(f"{score.name} ({score.unit})", fontsize=9, fontweight="normal")
        axes.margins(0.15)
    for axes in all_axes[len(scores) :]:
        axes.set_axis_off()
    for axes in all_axes[::COLUMNS]:
        axes.set_ylabel("accuracy")
    return finished(drawing, path)


@in_style
def draw_stressed(rows: list[tuple[str, list[np.ndarray]]], path: Path | None = None) -> Drawing:
    """One digit under each stress: a row for each, from mild on the left to strong.

    Parameters
    ----------
    rows : list of (name, pictures)
        Pictures are uint8 (h, w), in the order of their strengths.
    path : Path, optional
        A PNG file to write.
    """
    side = rows[0][1][0].shape[0]
    gap = max(1, side // 10)
    strips = [
        np.concatenate([np.pad(picture, (0, gap), constant_values=255) for picture in p], axis=1) for _, p in rows
    ]
    sheet = np.concatenate(strips)  # one picture: thirty axes would take seconds
    height = 0.9 * COLUMN / 2 / sheet.shape[1] * sheet.shape[0]
    drawing = new_drawing(COLUMN, height + 0.3)
    axes = drawing.subplots()
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    axes.tick_params(length=0)
    axes.set_yticks([k * (side + gap) + side / 2 for k in range(len(rows))], [name for name, _ in rows])
    axes.set_xticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return finished(drawing, path)
