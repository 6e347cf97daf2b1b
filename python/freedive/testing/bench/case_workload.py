"""What a worker runs for a Case. Loaded by path."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def case(lib: str, name: str) -> Callable[[], Any] | None:
    """The forward pass of one Case. NumPy takes part where one of its own functions is the twin."""
    from freedive.testing import all_cases

    found = next(c for c in all_cases() if c.name == name)
    arrays = found.arrays("float32", sizes=found.bench)
    if lib == "numpy":
        import numpy as np

        twin = found.twin
        own = isinstance(twin, np.ufunc) or str(getattr(twin, "__module__", "")).startswith("numpy")
        own = own and not isinstance(twin, np.vectorize)
        return (lambda: twin(*arrays)) if own else None
    library = importlib.import_module(lib)
    tensors = [library.tensor(a) for a in arrays]
    return lambda: found.run(library, *tensors)
