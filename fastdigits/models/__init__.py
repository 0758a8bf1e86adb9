"""The networks that can be trained: scratch networks, torchvision and timm classifiers."""

from .backbones import Backbone, find_backbone

__all__ = ["Backbone", "find_backbone"]
