"""An image folder and a network become a run: options, the Learner, its stages and callbacks, folds, and what a run
ends with. Pages about runs are made in `reports`, searches over many in `search`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "arguments": ["FinetuneArguments", "TrainArguments"],
        "card": ["model_card"],
        "fitting": ["command_of", "fit", "method_of"],
        "folds": ["FOLDS_RECORD", "FoldResult"],
        "learner": ["epoch_seconds", "find_preset", "prepare_learner", "renew_optimizer"],
        "lr_search": ["find_lr", "write_search"],
        "method": ["Method"],
        "options": ["DEFAULTS", "LEARNER_OPTIONS", "chosen_options", "enough_steps"],
        "result": ["Result"],
        "run": ["fit_run"],
        "scratch": ["Scratch"],
        "transfer": ["Transfer"],
    },
)
