"""Sections of a run's report about its network: why it answered, how it was trained, what is inside."""

from collections.abc import Iterator

import numpy as np
import torch

from .augmentation import find_policy, random_view
from .figures import (
    draw_augmentation,
    draw_curves,
    draw_feature_maps,
    draw_filters,
    draw_heat,
    draw_neighbours,
    draw_network,
    draw_values,
    draw_weights,
)
from .folders import TRAIN
from .inputs import resize, to_float
from .introspection import feature_maps, features, first_filters, grad_cam, layer_table, weight_statistics
from .pages import Figure, Section, Table, Text, drawn
from .progress import progress_bar
from .report_view import View, split_images

EXPLAINED, NEIGHBOURS = 6, 7
TRAIN_SAMPLE = 5000  # training pictures among which neighbours are looked for
AUGMENTED, DRAWS = 8, 3


def reasons_section(view: View) -> Section:
    """Where the network looked, and which training digits it finds alike, for the surest mistakes or any pictures."""
    if view.images is None:
        return Section("Why")
    surest = view.mistakes[np.argsort(-view.probabilities[view.mistakes].max(1), kind="stable")][:EXPLAINED]
    rows = surest if len(surest) else np.arange(min(EXPLAINED, len(view.ids)))
    images, titles = view.images[rows], [view.title(row) for row in rows]
    what = "the surest mistakes" if len(surest) else "some pictures"
    items = []
    x = torch.cat(list(view.batches(images)))
    heat = grad_cam(view.saved.module, x, [int(view.predicted[row]) for row in rows])
    if heat is not None:
        shown = same_side(images, heat.shape[1])
        items.append(
            drawn(
                "grad-cam",
                "Where it looked",
                f"Grad-CAM (Selvaraju et al. 2017) for the predicted label of {what}: red places spoke for it, blue "
                "ones "
                "did not matter. It says where, not why.",
                draw_heat(shown, heat, titles),
                is_chart=False,
            )
        )
    nearest, labels = _nearest(view, images)
    items.append(
        drawn(
            "neighbours",
            "Nearest training digits",
            f"In bold {what}; beside each the training digits that look most alike to the network's last layer, with "
            "their labels. Neighbours of the predicted label explain a mistake, those of the true label mean that it "
            "was close.",
            draw_neighbours(images, titles, nearest, labels),
            is_chart=False,
        )
    )
    return Section("Why", items)


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
    run, record = view.run, view.run.record()
    items = [
        drawn(
            "curves",
            "Curves",
            "A valid loss that rises while the train loss falls is learning by heart. Augmented training pictures are "
            "harder, so the train loss may lie above the valid loss.",
            draw_curves(run.history()),
        )
    ]
    if run.lr_find_png.is_file():
        items.append(
            Figure(
                "lr-find",
                "Learning-rate search",
                "The loss at each rate tried; the dashed line is the rate that was chosen, where the loss falls "
                "steeply.",
                run.lr_find_png.read_bytes(),
            )
        )
    augment = record.get("settings", {}).get("augment")
    if view.folder and augment not in (None, "none"):
        items.append(_augmentation(view, augment))
    return Section("Training", items)


def _augmentation(view: View, augment: str) -> Figure:
    split = view.folder.split(TRAIN)
    rows = np.linspace(0, len(split) - 1, min(AUGMENTED, len(split))).astype(int)
    before = split_images(view.folder, TRAIN, view.saved.size, rows)
    gray = to_float(torch.from_numpy(np.ascontiguousarray(before))[:, None])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        views = [random_view(gray.clone(), find_policy(augment), view.saved.size)[:, 0] for _ in range(DRAWS)]
    return drawn(
        "augmentation",
        "Augmentation",
        f"In the first row training digits as they are, below how the augmentation {augment!r} showed them. Each "
        "should "
        "still be read as its label.",
        draw_augmentation(before, [draw.clamp(0, 1).numpy() for draw in views], [split.labels[row] for row in rows]),
        is_chart=False,
    )


def one_digit_section(view: View, row: int) -> Section:
    if view.images is None:
        return Section("One digit")
    image = view.images[row]
    with torch.no_grad():
        maps = feature_maps(view.saved.module, next(view.batches(image[None])))
    title = f"{view.ids[row]}: true {view.labels[row]}, predicted {view.pair(row)[1]}"
    items = [
        drawn(
            "values",
            f"Its gray levels ({title})",
            "0 is black, 255 white: this is all that the network is given.",
            draw_values(image, title),
            is_chart=False,
        )
    ]
    if maps:
        items.append(
            drawn(
                "feature-maps",
                "Layer by layer",
                "What each convolution and pooling layer makes of it, the first twelve channels of each: strokes "
                "and edges "
                "at first, later maps too coarse to read.",
                draw_feature_maps(maps),
                is_chart=False,
            )
        )
    return Section("One digit", items, folded=True)


def network_section(view: View) -> Section:
    module, size = view.saved.module, view.saved.size
    layers = layer_table(module, torch.zeros(1, len(view.saved.mean), size, size))
    weights, filters = weight_statistics(module), first_filters(module)
    total = sum(layer.parameters for layer in layers)
    items = [
        drawn(
            "network",
            "Drawing",
            "Layers in the order of the computation: the higher a box, the larger its maps; the wider, the more "
            "channels.",
            draw_network(layers),
        )
    ]
    if len(filters):
        items.append(
            drawn(
                "first-filters",
                "First-layer filters",
                "White adds, black takes away. Smooth spots and edges were learnt; noise was not, or too hard.",
                draw_filters(filters),
                is_chart=False,
            )
        )
    items += [
        Table(
            "layers",
            "Layers",
            f"{total:,} trainable parameters.",
            ["layer", "kind", "output", "parameters"],
            [[x.name, x.kind, " x ".join(map(str, x.output_shape)), f"{x.parameters:,}"] for x in layers],
        ),
        drawn(
            "weights",
            "Weights",
            "A layer whose weights pile up in one spike at zero does little; one with a few far outliers may be "
            "unstable.",
            draw_weights(weights),
        ),
        Table(
            "weight-statistics",
            "Weights in numbers",
            "Biases and normalisation are left out.",
            ["layer", "shape", "mean", "deviation", "least", "most"],
            [
                [
                    w.name,
                    "x".join(map(str, w.shape)),
                    f"{w.mean:+.5f}",
                    f"{w.std:.5f}",
                    f"{w.least:+.4f}",
                    f"{w.most:+.4f}",
                ]
                for w in weights
            ],
        ),
    ]
    return Section("Network", items, folded=True)


def origin_section(view: View) -> Section:
    record, result = view.run.record(), view.run.result()
    stages = "; ".join(f"{stage['name']}: {stage['epochs']} epochs, {stage['schedule']}" for stage in record["stages"])
    lines = [
        f"Command: {record['command'] or 'from Python'}",
        f"Data: {record['data']} (digest {record['data_digest'][:16]})",
        f"Starting weights: {record['weights']}",
        f"Stages: {stages}",
        "Settings: "
        f"{', '.join(f'{name} {value}' for name, value in record.get('settings', {}).items() if value is not None)}",
        f"{result['epochs']} epochs in {result['seconds'] / 60:.1f} minutes on {record['device']} in "
        f"{record['precision']}; the "
        f"weights are those of epoch {result['kept_epoch']:g}",
        f"Versions: {', '.join(f'{name} {version}' for name, version in record['versions'].items())}",
        *record.get("notes", []),
    ]
    return Section("How it was made", [Text(lines)], folded=True)
