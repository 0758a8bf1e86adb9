"""How networks are trained: the published recipes and our own, stages, learning-rate schedules, optimisers. It is a
book of what to do; `training` does it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "definition": ["Recipe"],
        "optimizers": ["FusedAdam", "find_optimizer"],
        "published": ["KANNADA", "MNIST", "PUBLISHED_RECIPES"],
        "registry": ["RECIPES", "find_recipe"],
        "schedules": ["EpochSchedule", "OneCycle", "find_schedule", "peak_of", "without_valid"],
        "stages": [
            "DIGIT_LR",
            "PHOTO_LR_MULT",
            "Stage",
            "DEFAULT_EPOCHS",
            "epochs_within",
            "plan_stages",
            "unfrozen_rates",
        ],
    },
)
