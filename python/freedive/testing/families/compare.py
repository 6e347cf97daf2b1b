"""Comparisons and predicates: bools out, no gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Case, integer, mask, real

BENCH = {"m": 1000, "n": 1000}


def _pair(name: str, twin: Callable[..., Any]) -> Case:
    # Quarters, so that equal elements occur.
    def run(lib: Any, a: Any, b: Any) -> Any:
        return getattr(lib, name)(lib.round(a * 2), lib.round(b * 2))

    return Case(
        name,
        run,
        lambda a, b: twin(np.round(a * 2), np.round(b * 2)),
        (real("m n"), real("m n")),
        differentiable=False,
        broadcasts=True,
    )


def _bits(name: str, twin: Callable[..., Any]) -> Case:
    return Case(
        name,
        lambda lib, a, b: getattr(lib, name)(a, b),
        twin,
        (integer("m n", 200), integer("m n", 50)),
        dtypes=("float32",),
        differentiable=False,
        broadcasts=True,
    )


CASES = (
    _pair("eq", np.equal),
    _pair("ne", np.not_equal),
    _pair("lt", np.less),
    _pair("le", np.less_equal),
    _pair("gt", np.greater),
    _pair("ge", np.greater_equal),
    _pair("logical_and", np.logical_and),
    _pair("logical_or", np.logical_or),
    _pair("logical_xor", np.logical_xor),
    Case("logical_not", lambda lib, x: ~x, np.logical_not, (mask("m n"),), dtypes=("float32",), differentiable=False),
    *(
        Case(
            name,
            lambda lib, x, name=name: getattr(lib, name)(1 / lib.round(x)),
            lambda x, twin=twin: twin(1 / np.round(x)),
            (real("m n"),),
            differentiable=False,
        )
        for name, twin in (("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite))
    ),
    Case(
        "greater_than_number",
        lambda lib, x: lib.gt(x, 0.25),
        lambda x: x > 0.25,
        (real("m n"),),
        differentiable=False,
        bench=BENCH,
    ),
    _bits("bitwise_and", np.bitwise_and),
    _bits("bitwise_or", np.bitwise_or),
    _bits("bitwise_xor", np.bitwise_xor),
)
