"""An image folder and a network become a run: options, the Learner, its stages and callbacks, folds, and what a run
ends with. Pages about runs are made in `reports`, searches over many in `search`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "callbacks.batch": ["TemperedLoss"],
        "folds": ["Fit", "FoldResult", "RECORD", "fit_or_folds"],
        "learner": ["epoch_seconds", "find_preset", "prepare_learner", "renew_optimizer", "run_name"],
        "model_card": ["model_card"],
        "options": [
            "DEFAULTS",
            "Keep",
            "LEARNER_OPTIONS",
            "OnEpoch",
            "STAGE_OPTIONS",
            "Scaling",
            "check_options",
            "check_valid",
            "chosen_options",
            "given_arguments",
            "training_folder",
        ],
        "result": ["Result"],
        "rules": ["Rules", "chosen_rules"],
        "run": ["Training", "fit_run"],
    },
)
