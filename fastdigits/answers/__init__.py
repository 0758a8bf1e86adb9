"""What models say: pictures to probabilities, labels and submissions, sheets to numbers. Whether the answers are right
is asked in `scores`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "inference": ["EXACT_BATCH", "Inference"],
        "prediction": ["Predictions", "find_model", "open_model", "open_models", "predict"],
        "probabilities": ["split_probabilities", "table_probabilities"],
        "reading": ["least_sure", "reading_of"],
        "submissions": ["submission_table"],
    },
)
