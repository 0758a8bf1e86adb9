"""How everything looks, said once: colours, spaces and type, for the pages as a stylesheet and for figures as
matplotlib's settings. It knows nothing of what is shown.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "figure_style": ["SEQUENTIAL", "STYLE", "sequential_map"],
        "tokens": ["DARK", "LIGHT", "contrast", "tokens_css"],
    },
)
