"""The run directory: the names of its files, its records, its history, its checkpoints. No other room knows them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "run": ["Run", "random_states", "reopen_run", "restore_random_states", "start_run"],
    },
)
