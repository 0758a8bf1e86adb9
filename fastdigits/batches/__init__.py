"""fastai's loaders, and all that bends a batch: augmentation and the graded stresses. It turns an image folder into
tensors, and does not know what they are for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "augmentation": ["NO_AUGMENTATION", "POLICIES", "averaged_views", "find_policy", "random_view"],
        "loaders": ["digit_block", "digit_loaders"],
        "stress": ["STRESSES", "stressed"],
    },
)
