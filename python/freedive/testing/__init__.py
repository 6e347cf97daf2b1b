"""What the tests and the benchmark of freedive are made of, and what tests of your own operations can use.

    >>> import freedive as fd
    >>> from freedive.testing import gradcheck
    >>> x = fd.randn(3, 4, dtype=fd.float64, requires_grad=True)
    >>> gradcheck(lambda x: (x.sigmoid() ** 2).sum(), x)
    True

A `Case` says once what an operation computes; `check` turns it into the comparison with NumPy in float64, finite
differences, every instruction set of this CPU, and `freedive bench` into a row. NumPy loads when it is first needed.
"""

from __future__ import annotations

import importlib

_HOME = {
    "assert_close": "close",
    "Case": "case",
    "Input": "case",
    "all_cases": "families",
    "check": "checks",
    "on_device": "checks",
    "gradcheck": "gradients",
    "gradgradcheck": "gradients",
    "use_isa": "isa",
    "isas": "isa",
}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in ("bench", "families"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*__all__, "bench", "families"]
