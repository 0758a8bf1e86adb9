"""The image folder: its layout and manifest, splits, folds, decoded pixels, and how it is written. All that is trained
on or scored is read here; nothing here knows a network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "decoded": ["DecodedSplit", "decoded_split"],
        "folder": [
            "ImageFolder",
            "MANIFEST",
            "MANIFEST_SCHEMA",
            "TEST",
            "TRAIN",
            "VALID",
            "check_normalise",
            "check_trainable",
            "is_image_folder",
            "pixel_statistics",
            "read_folder",
        ],
        "folds": ["fold_folders"],
        "inputs": ["model_input", "resize", "split_images", "to_float"],
        "memory": ["memory_folder"],
        "pictures": ["Pictures", "read_pictures"],
        "pseudo_labels": ["SURE", "add_pseudo_rows", "read_pseudo_labels"],
        "shard_writing": ["put_together", "write_shard"],
        "shards": ["Shard", "ShardDone", "check_alike", "last_one", "read_arrays", "read_shard", "table_order"],
        "splitting": ["SplitMethod", "choose_valid", "evenly_spaced", "read_groups"],
        "writing": ["Written", "move_to_valid", "write_table"],
    },
)
