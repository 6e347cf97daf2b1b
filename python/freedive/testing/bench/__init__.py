"""`freedive bench`: how far the kernels are from what this machine can do, and from NumPy, PyTorch and JAX.

Every library runs in a fresh process of its own that stays alive, so that ceiling, freedive and peers take turns within
a tenth of a second: machines change their speed over minutes, and only what was measured side by side is compared. A
verdict is the median of the ratios of at least 30 such rounds (`--quick`: 7).
"""

from __future__ import annotations

from .command import main
from .row import Goal, Row

__all__ = ["Goal", "Row", "main"]
