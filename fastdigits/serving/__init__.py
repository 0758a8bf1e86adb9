"""serve(): a drawing page and a JSON endpoint over models, for a person or a class in front of one machine."""

from .server import serve

__all__ = ["serve"]
