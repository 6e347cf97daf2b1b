"""PyTorch's `torch.utils`, as far as readers use it."""

from . import data

__all__ = ["data"]
