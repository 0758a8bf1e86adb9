"""The run directory: the names of its files, its records, its history, its checkpoints, the pictures that it was
trained on. Other rooms ask here; only the name of run.json is known to `system` too, which keeps runs from being
replaced.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "beginning": ["check_same", "reopen_run", "start_run"],
        "data": ["unchanged_folder"],
        "directory": ["Run", "checkpoint_weights"],
        "generators": ["random_states", "restore_random_states"],
    },
)
