"""What models say: pictures to probabilities, labels and submissions, sheets to numbers. Whether the answers are right
is asked in `scores`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "answering": ["answer"],
        "inference": ["EXACT_BATCH", "Inference"],
        "opening": ["find_model", "open_model", "open_models"],
        "predictions": ["Predictions", "holds_notes", "notes_file_of"],
        "reading": ["Reading", "read_sheet", "reading_of"],
        "shards": ["joined_shards", "predict_shard"],
        "submissions": ["submission_sample", "submission_table"],
        "to_predict": ["source_to_predict", "table_to_predict"],
        "verdicts": ["ENOUGH", "SURE", "Judge", "counted", "verdict_line"],
        "written": ["check_table_file"],
    },
)
