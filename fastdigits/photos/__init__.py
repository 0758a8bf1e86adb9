"""Ink on paper: picture files, a photo of one digit brought to the form of MNIST's pictures, a sheet of several cut
apart. It knows gray levels, and not what they mean: no labels, no models.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "contents": ["BLANK", "DIGIT", "OTHER", "SEVERAL", "contents_of"],
        "digit": ["SIDE", "normalised"],
        "files": [
            "PICTURE_ENDINGS",
            "gray_levels",
            "is_picture",
            "left_out",
            "list_pictures",
            "natural_order",
            "picture_id",
            "picture_ids",
            "picture_size",
            "read_gray",
        ],
        "ground": ["Ground", "Turning", "is_on_light"],
        "ink": ["averaged"],
        "properties": ["FAR", "Summary", "differences", "properties_of", "summary_of"],
        "scale": ["BYTES", "FEW_LEVELS", "GrayScale", "scale_of"],
        "sheet": ["Box", "Cut", "Sheet", "cut_sheet"],
    },
)
