"""Image data sets and transforms under torchvision's names, without PIL."""

from . import datasets, transforms

__all__ = ["datasets", "transforms"]
