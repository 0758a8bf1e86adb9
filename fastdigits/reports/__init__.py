"""A run becomes a page: its sections, several runs beside each other, and how a page is written. It only reads runs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "comparison": ["comparison_report"],
        "page": ["NUMBERS_FILE", "Section", "Table", "Text", "drawn", "write_page"],
        "run": ["run_report"],
    },
)
