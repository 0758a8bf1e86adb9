"""What a table or an image folder holds and what its split hides: copies, writers, the order of rows, how test rows
differ. It asks a quick classifier, and no model of the user's.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "adaptation": ["adapted", "answer_and_expect", "check_adapts"],
        "duplicates": ["find_copies"],
        "exploration": ["Exploration", "explored", "write_copies"],
        "pictures": ["Pictures", "read_pictures"],
        "quick_classifier": ["held_out_probabilities", "stroke_features"],
        "shift": ["shift_of"],
        "writers": ["Audit", "audit_rows", "random_folds", "write_blocks"],
    },
)
