"""The pages on which one draws: what stands on them, how they look and what their buttons do, whoever answers. A server
does, or the page itself: as one HTML file that holds its model it needs neither server nor network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "collecting": ["DIGITS_FILE", "WRITERS_FILE", "collecting_page"],
        "drawing": ["drawing_page"],
        "head": ["ASSETS", "page_head", "stylesheet"],
        "one_file": ["Embedded", "write_web"],
        "runtime": ["find_runtime"],
    },
)
