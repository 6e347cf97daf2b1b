"""Choosing the instruction set that kernels use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from freedive import _core


def isas() -> list[str]:
    """The instruction sets that this CPU and this build share, the reference loops first."""
    return list(_core._isas())


@contextlib.contextmanager
def use_isa(name: str) -> Iterator[None]:
    """Runs the block on the kernels of one instruction set, then goes back to the one before.

    The choice is the process's, not the thread's.

    Raises:
        ValueError: the name is unknown.
        DeviceError: this CPU or this build lacks it.
    """
    before = _core._isa()
    _core._use_isa(name)
    try:
        yield
    finally:
        _core._use_isa(before)
