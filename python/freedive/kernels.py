"""The kernels themselves on NumPy arrays: for training in plain NumPy and for measuring.

    >>> import numpy as np
    >>> from freedive import kernels
    >>> logits, labels = np.random.randn(256, 10).astype(np.float32), np.random.randint(0, 10, 256)
    >>> loss, grad = kernels.softmax_cross_entropy(logits, labels)

Every function takes float32 or float64 arrays (some also integers), releases the interpreter lock for long work, and
writes to `out=` where it is given. Errors are ShapeError, DTypeError, IndexError and ValueError with one clear line.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util

from . import _core


def _load():
    """The second module of the compiled file: an ExtensionFileLoader finds it by its name's init function."""
    loader = importlib.machinery.ExtensionFileLoader("freedive._kernels", _core.__file__)
    spec = importlib.util.spec_from_loader("freedive._kernels", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


_kernels = _load()
__all__ = [name for name in dir(_kernels) if not name.startswith("_")]
globals().update({name: getattr(_kernels, name) for name in __all__})
