"""Pictures drawn by rule, as strokes of somebody's pen: digits in the ways that people write them, and what is no
digit. It knows hands, pens, paper and cameras; no tables and no models.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "no_digit": ["KINDS", "KINDS_OF_DIGITS", "SEEN_KINDS", "SEVERAL_DIGITS"],
        "pictures": [
            "DIGITS",
            "digit_photo",
            "drawn_digits",
            "drawn_others",
            "no_digit_photo",
            "side_by_side",
            "styles_of",
        ],
    },
)
