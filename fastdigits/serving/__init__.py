"""A drawing page and a JSON endpoint over models, for a person or a class in front of one machine: routes, limits,
uploads, batches, the digits that are collected.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "server": ["run_labelling", "run_server"],
    },
)
