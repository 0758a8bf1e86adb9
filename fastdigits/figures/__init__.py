"""Figures: each function draws one, shows it in a notebook, and writes it as a PNG where it is given a path. They draw
what they are given and compute no scores.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "canvas": ["COLUMN", "Drawing", "in_style", "label_lines", "new_drawing", "png_of", "untitled"],
        "network": ["draw_feature_maps", "draw_filters", "draw_network", "draw_weights"],
        "pictures": ["draw_heat", "draw_neighbours", "draw_pictures", "draw_reading", "draw_values"],
        "scores": [
            "draw_class_heat_map",
            "draw_class_intervals",
            "draw_confusion",
            "draw_coverage",
            "draw_expectation",
            "draw_groups",
            "draw_reliability",
        ],
        "stress": ["draw_stress", "draw_stressed"],
        "study": ["draw_importances", "draw_parallel", "draw_search_history"],
        "table": ["draw_table"],
        "tokens": ["tokens_css"],
        "training": ["draw_augmentation", "draw_batch", "draw_curves", "draw_lr_find", "draw_several_curves"],
    },
)
