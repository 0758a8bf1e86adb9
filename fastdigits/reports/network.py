"""Sections of a run's report about its network: why it answered, how it was trained, what is inside."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ..batches import find_policy, random_view
from ..figures import (
    draw_augmentation,
    draw_batch,
    draw_curves,
    draw_feature_maps,
    draw_filters,
    draw_heat,
    draw_neighbours,
    draw_network,
    draw_values,
    draw_weights,
)
from ..folders import TRAIN, resize, split_images, to_float
from ..models import WeightStatistics, feature_maps, features, first_filters, grad_cam, layer_table, weight_statistics
from ..recipes import Stage
from ..system import progress_bar
from .page import Figure, Section, Table, Text, drawn
from .view import View

EXPLAINED, NEIGHBOURS = 6, 7
TRAIN_SAMPLE = 5000  # training pictures among which neighbours are looked for
AUGMENTED, DRAWS, VERSIONS = 8, 3, 24


def reasons_section(view: View) -> Section:
    """Where the network looked, and which training digits it finds alike, for the surest mistakes or any pictures."""
    if view.images is None:
        return Section("Why")
    surest = view.surest_mistakes[:EXPLAINED]
    rows = surest if len(surest) else np.arange(min(EXPLAINED, len(view.ids)))
    what = "the surest mistakes" if len(surest) else "some pictures"
    images, titles = view.images[rows], [view.title(row) for row in rows]
    heat = grad_cam(
        view.saved.module, torch.cat(list(view.batches(images))), [int(view.predicted[row]) for row in rows]
    )
    nearest, labels = _nearest(view, images)
    neighbours = drawn(
        "neighbours",
        "Nearest training digits",
        f"In bold {what}; beside each the training digits that look most alike to the network's last layer, with their "
        "labels. Neighbours of the predicted label explain a mistake, those of the true label mean that it was close.",
        draw_neighbours(images, titles, nearest, labels),
        is_chart=False,
    )
    return Section("Why", [neighbours] if heat is None else [_where_it_looked(images, heat, titles, what), neighbours])


def _where_it_looked(images: np.ndarray, heat: np.ndarray, titles: list[str], what: str) -> Figure:
    return drawn(
        "grad-cam",
        "Where it looked",
        f"Grad-CAM (Selvaraju et al. 2017) for the predicted label of {what}: bright places spoke for it, dark ones "
        "did not matter. It says where, not why.",
        draw_heat(same_side(images, heat.shape[1]), heat, titles),
        is_chart=False,
    )


def _nearest(view: View, images: np.ndarray) -> tuple[np.ndarray, list[list[str]]]:
    """For each picture the training pictures most alike (n, k, h, w), and their labels, among a sample."""
    train = view.folder.split(TRAIN)
    rows = np.sort(np.random.default_rng(0).permutation(len(train))[:TRAIN_SAMPLE])
    pictures = split_images(view.folder, TRAIN, view.saved.size, rows)
    with progress_bar("comparing with training pictures", len(pictures)) as advance:
        known = features(view.saved.module, _advancing(view.batches(pictures), advance))
    alike = features(view.saved.module, view.batches(images)) @ known.T
    best = np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBOURS]
    return pictures[best], [[train.labels[rows[k]] for k in found] for found in best]


def _advancing(batches: Iterator, advance) -> Iterator:
    for batch in batches:
        yield batch
        advance(len(batch))


def same_side(images: np.ndarray, side: int) -> np.ndarray:
    """Pictures uint8 (n, h, w) as floats 0..1 at `side` pixels, as the model sees them."""
    return resize(to_float(torch.from_numpy(np.ascontiguousarray(images))[:, None]), side)[:, 0].numpy()


def training_section(view: View) -> Section:
    """How it learnt: curves, the search for a rate, augmentation."""
    run, augment = view.run, view.run.record().get("settings", {}).get("augment")
    curves = drawn(
        "curves",
        "Loss, accuracy and learning rate",
        "A valid loss that rises while the train loss falls is learning by heart. Augmented training pictures are "
        "harder, so the train loss may lie above the valid loss.",
        draw_curves(run.history()),
    )
    items = [curves]
    if run.lr_find_png.is_file():
        sentence = "The loss at each rate tried; the dashed line is the rate chosen, where the loss falls steeply."
        items.append(Figure("lr-find", "Learning-rate search", sentence, run.lr_find_png.read_bytes()))
    if view.folder and augment not in (None, "none"):
        items += _augmentation(view, augment)
    return Section("Training", items)


def _augmentation(view: View, augment: str) -> list[Figure]:
    split = view.folder.split(TRAIN)
    rows = np.linspace(0, len(split) - 1, min(AUGMENTED, len(split))).astype(int)
    before = split_images(view.folder, TRAIN, view.saved.size, rows)
    gray = to_float(torch.from_numpy(np.ascontiguousarray(before))[:, None])
    how = find_policy(augment), view.saved.size, view.saved.ground
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        views = [random_view(gray.clone(), *how)[:, 0] for _ in range(DRAWS)]
        versions = random_view(gray[:1].repeat(VERSIONS, 1, 1, 1), *how)[:, 0]
    several = drawn(
        "augmentation",
        "Augmentation",
        f"In the first row training digits as they are, below how the augmentation {augment!r} shows them. Each should "
        "still be read as its label.",
        draw_augmentation(before, [draw.clamp(0, 1).numpy() for draw in views], [split.labels[row] for row in rows]),
        is_chart=False,
    )
    one = drawn(
        "versions",
        "One digit, augmented",
        f"The first of these digits, a {split.labels[rows[0]]}, as {VERSIONS} epochs may show it.",
        draw_batch(versions.clamp(0, 1).numpy(), [""] * VERSIONS),
        is_chart=False,
    )
    return [several, one]


def one_digit_section(view: View, row: int) -> Section:
    """One picture as numbers, and layer by layer."""
    if view.images is None:
        return Section("One digit")
    image = view.images[row]
    maps = feature_maps(view.saved.module, next(view.batches(image[None])))
    true, predicted = view.pair(row)
    title = f"{view.ids[row]}: true {true}, predicted {predicted}"
    values = drawn(
        "values",
        f"Its gray levels ({title})",
        "0 is black, 255 white: this is all that the network is given.",
        draw_values(image, title),
        is_chart=False,
    )
    if not maps:
        return Section("One digit", [values], folded=True)
    layers = drawn(
        "feature-maps",
        "Feature maps, layer by layer",
        "What each convolution, with its activation, and each pooling layer makes of it, the first twelve channels of "
        "each: strokes and edges at first, later maps too coarse to read.",
        draw_feature_maps(maps),
        is_chart=False,
        has_captions=True,
    )
    return Section("One digit", [values, layers], folded=True)


def network_section(view: View) -> Section:
    """The network's layers, filters and weights."""
    module, size = view.saved.module, view.saved.size
    layers = layer_table(module, torch.zeros(1, len(view.saved.mean), size, size))
    weights, filters = weight_statistics(module), first_filters(module)
    total = sum(p.numel() for p in module.parameters() if p.requires_grad)
    drawing = drawn(
        "network",
        "The network drawn",
        "Layers in the order of the computation, of large networks the convolutions and dense layers: the higher a "
        "box, "
        "the larger its maps; the wider, the more channels.",
        draw_network(layers),
    )
    table = Table(
        "layers",
        "Layers",
        f"{total:,} trainable parameters.",
        ["layer", "kind", "output", "parameters"],
        [[x.name, x.kind, " x ".join(map(str, x.output_shape)), f"{x.parameters:,}"] for x in layers],
    )
    histograms = drawn(
        "weights",
        "Weights",
        "A layer whose weights pile up in one spike at zero does little; one with a few far outliers may be unstable.",
        draw_weights(weights),
        has_captions=True,
    )
    statistics = Table(
        "weight-statistics",
        "Weights in numbers",
        "Normalisation is left out.",
        ["layer", "shape", "mean", "deviation", "least", "most"],
        [_weight_row(layer) for layer in weights],
    )
    kernels = drawn(
        "first-filters",
        "First-layer filters",
        "White adds, black takes away. Smooth spots and edges were learnt; noise was not, or too hard.",
        draw_filters(filters),
        is_chart=False,
    )
    filled = [kernels] if len(filters) else []
    return Section("Network", [drawing, *filled, table, histograms, statistics], folded=True)


def _weight_row(layer: WeightStatistics) -> list[str]:
    numbers = [f"{layer.mean:+.5f}", f"{layer.std:.5f}", f"{layer.least:+.4f}", f"{layer.most:+.4f}"]
    return [layer.name, "x".join(map(str, layer.shape)), *numbers]


def origin_section(view: View) -> Section:
    """The command, the data, the settings."""
    record, result = view.run.record(), view.run.result()
    stages = "; ".join(Stage.from_record(stage).sentence for stage in record["stages"])
    settings = ", ".join(f"{name} {value}" for name, value in record.get("settings", {}).items() if value is not None)
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [
        f"Command: {record['command'] or 'from Python'}",
        f"Data: {Path(record['data']).name} (digest {record['data_digest'][:16]})",
        f"Starting weights: {record['weights']}",
        f"Stages: {stages}",
        f"Settings: {settings}",
        f"{result['epochs']} epochs in {result['seconds'] / 60:.1f} minutes on {record['device']} in "
        f"{record['precision']}; the weights are those of epoch {result['kept_epoch']:g}",
        f"Versions: {versions}",
    ]
    return Section("How it was made", [Text(lines)], folded=True)
