"""Every kind of pixel source, read as streamed chunks of square gray pictures. It knows files and their columns, and
not what becomes of the rows. For trying things out it also writes a table of real digits.

csv · csv.gz · csv.zip · competition zip · parquet ── tables/ ──┐
npz · idx ─ arrays.py ──────────────────────────────────────────┼─▶ PixelSource ─▶ Chunk, Chunk, ...
sklearn:digits · torchvision:NAME ─ named.py ───────────────────┘
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "arrays": ["array_source", "rows_of_pictures"],
        "digit_tables": ["TEST_TABLE", "TRAIN_TABLE", "write_digit_tables"],
        "labels.log": ["NO_DIGIT", "UNSURE", "LabelLog", "is_label_log"],
        "location": ["Location"],
        "gate": ["through_gate", "turned_notes"],
        "missing": ["refuse_missing_values"],
        "notes": ["Notes"],
        "orientation": ["ORIENTATION_FILE", "orientation_features", "orientation_note"],
        "opening": [
            "holds_tables",
            "is_competition",
            "is_picture_folder",
            "is_trained_on",
            "locate",
            "open_source",
            "open_tables",
            "tables_of",
        ],
        "picture_files": ["picture_files_source"],
        "picture_folder": ["has_pictures"],
        "pixels": ["CHUNK_ROWS", "Chunk", "PixelSource", "class_name", "refuse_other_size", "scale_of_array"],
        "labels.given": ["refuse_unknown_ids", "with_given_labels", "without_given_labels"],
        "tables.small": ["read_small_csv"],
    },
)
