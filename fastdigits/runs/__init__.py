"""The run directory: the names of its files, its records, its history, its checkpoints. No other room knows them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "beginning": ["reopen_run", "start_run"],
        "directory": ["Run"],
        "generators": ["random_states", "restore_random_states"],
    },
)
