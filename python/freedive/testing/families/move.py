"""Moving and repeating elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Case, real

BENCH = {"m": 1000, "n": 1000}


def _case(name: str, run: Callable[..., Any], twin: Callable[..., Any], shape: str = "m n", **options: Any) -> Case:
    return Case(name, run, twin, (real(shape),), ulp=0, **options)


CASES = (
    _case("flip", lambda lib, x: x.flip(1), lambda x: x[:, ::-1], bench=BENCH),
    _case("roll", lambda lib, x: x.roll((1, -2), (0, 1)), lambda x: np.roll(x, (1, -2), (0, 1)), bench=BENCH),
    _case("rot90", lambda lib, x: lib.rot90(x, 1, (0, 1)), lambda x: np.rot90(x)),
    _case("repeat", lambda lib, x: x.repeat(2, 1, 3), lambda x: np.tile(x, (2, 1, 3))),
    _case("repeat_interleave", lambda lib, x: x.repeat_interleave(2, 0), lambda x: np.repeat(x, 2, 0)),
    _case("tril", lambda lib, x: x.tril(-1), lambda x: np.tril(x, -1), bench=BENCH),
    _case("triu", lambda lib, x: x.triu(1), lambda x: np.triu(x, 1)),
    _case("diag", lambda lib, x: lib.diag(x), np.diag, "n"),
    _case("trace", lambda lib, x: lib.trace(x), np.trace, noise=8),
    _case(
        "pad", lambda lib, x: lib.nn.functional.pad(x, (1, 2, 0, 1)), lambda x: np.pad(x, ((0, 1), (1, 2))), bench=BENCH
    ),
    _case(
        "pad_reflect",
        lambda lib, x: lib.nn.functional.pad(x, (1, 1), mode="reflect"),
        lambda x: np.pad(x, ((0, 0), (1, 1)), mode="reflect"),
        least=2,
    ),
    _case("clone", lambda lib, x: x.clone(), np.copy, bench=BENCH),
    _case("transposed_copy", lambda lib, x: x.T.contiguous(), lambda x: x.T, bench=BENCH),
)
