"""Figures: each function draws one, shows it in a notebook, and writes it as a PNG where it is given a path."""

from .network import draw_feature_maps, draw_filters, draw_network, draw_weights
from .pictures import draw_heat, draw_neighbours, draw_pictures, draw_reading, draw_values
from .scores import (
    draw_class_heat_map,
    draw_class_intervals,
    draw_confusion,
    draw_coverage,
    draw_groups,
    draw_reliability,
)
from .stress import draw_stress, draw_stressed
from .study import draw_importances, draw_parallel, draw_search_history
from .table import draw_table
from .training import draw_augmentation, draw_batch, draw_curves, draw_lr_find, draw_several_curves

__all__ = [
    "draw_augmentation",
    "draw_batch",
    "draw_class_heat_map",
    "draw_class_intervals",
    "draw_confusion",
    "draw_coverage",
    "draw_curves",
    "draw_feature_maps",
    "draw_filters",
    "draw_groups",
    "draw_heat",
    "draw_importances",
    "draw_lr_find",
    "draw_neighbours",
    "draw_network",
    "draw_parallel",
    "draw_pictures",
    "draw_reading",
    "draw_reliability",
    "draw_search_history",
    "draw_several_curves",
    "draw_stress",
    "draw_stressed",
    "draw_table",
    "draw_values",
    "draw_weights",
]
