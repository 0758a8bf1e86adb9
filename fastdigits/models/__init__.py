"""The networks that can be trained: scratch networks, torchvision and timm classifiers."""

from .backbones import Backbone, file_part, find_backbone

__all__ = ["Backbone", "file_part", "find_backbone"]
