"""Automatic mixed precision (Micikevicius and others, ICLR 2018), with the names of torch.amp."""

from .autocast_mode import autocast
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
