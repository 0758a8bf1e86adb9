"""The image folder: its layout and manifest, splits, folds, decoded pixels, and how it is written. All that is trained
on or scored is read here, at the size that a network wants; which network it is, is not known here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "writing.conversion": ["Conversion", "KnownSplit"],
        "decoded": ["DecodedSplit", "decoded_split", "is_small"],
        "folds": ["fold_folders"],
        "inputs": ["model_input", "resize", "to_float"],
        "labelled": ["labelled_source"],
        "relabelled": ["Relabelled", "relabelled_folder", "relabelled_table"],
        "layout": [
            "ImageFolder",
            "MANIFEST",
            "check_normalise",
            "check_trainable",
            "is_image_folder",
            "pixel_statistics",
            "read_folder",
        ],
        "memory": ["held_back", "memory_folder", "usable_names"],
        "writing.pictures": ["check_name"],
        "writing.pseudo_labels": ["PSEUDO_CONFIDENCE", "read_pseudo_labels"],
        "shards": ["Shard", "ShardDone", "check_alike", "last_one", "read_part", "read_shard", "table_order"],
        "split_pictures": [
            "measured",
            "ground_of_split",
            "on_dark",
            "resized",
            "split_images",
            "split_source",
            "spread_pictures",
            "usual_side",
        ],
        "splits": ["TEST", "TRAIN", "VALID"],
        "splitting": ["SplitMethod", "SplitRule", "choose_valid", "evenly_spaced", "read_groups", "spread_rows"],
    },
)
