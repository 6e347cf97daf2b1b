"""Every Case, by family."""

from __future__ import annotations

import importlib

from ..case import Case

FAMILIES = (
    "elementwise",
    "compare",
    "reduce",
    "gemm",
    "softmax",
    "loss",
    "norm",
    "view",
    "index",
    "join",
    "move",
    "sort",
    "conv",
    "pool",
)


def cases_of(family: str) -> tuple[Case, ...]:
    """The cases of one family.

    Raises:
        ValueError: there is no such family.
    """
    if family not in FAMILIES:
        raise ValueError(f"no family of cases is named {family!r}; there are {', '.join(FAMILIES)}")
    return importlib.import_module(f"{__name__}.{family}").CASES


def all_cases() -> tuple[Case, ...]:
    """Every case; names are unique."""
    return tuple(case for family in FAMILIES for case in cases_of(family))
