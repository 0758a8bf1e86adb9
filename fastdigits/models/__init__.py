"""The networks that can be trained: torchvision and timm classifiers."""

from .backbones import Backbone, find_backbone, list_models

__all__ = ["Backbone", "find_backbone", "list_models"]
