"""From a Case: the comparison with NumPy, with finite differences, and of every instruction set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import freedive as fd

from .case import Case
from .close import assert_close, eps_of, to_array
from .gradients import gradcheck, gradgradcheck
from .isa import isas, use_isa

LAYOUTS = ("contiguous", "transposed", "strided", "offset")


def as_tensor(array: Any, layout: str = "contiguous") -> fd.Tensor:
    """A tensor with the array's values whose memory is laid out as said."""
    array = np.asarray(array)
    if layout == "transposed" and array.ndim >= 2:
        return fd.tensor(np.ascontiguousarray(array.swapaxes(-1, -2))).transpose(-1, -2)
    if layout == "strided" and array.ndim >= 1:
        wide = np.repeat(array, 2, axis=-1)
        return fd.tensor(wide)[..., ::2]
    if layout == "offset" and array.ndim >= 1:
        return fd.tensor(np.concatenate([array[..., :1], array], axis=-1))[..., array[..., :1].shape[-1] :]
    return fd.tensor(array)


def results(case: Case, arrays: Sequence[Any], layout: str = "contiguous") -> list[Any]:
    """What freedive makes of the arrays."""
    out = case.run(fd, *[as_tensor(a, layout) for a in arrays])
    return list(out) if isinstance(out, (tuple, list)) else [out]


def against_numpy(case: Case, arrays: Sequence[Any], layout: str = "contiguous") -> None:
    """Asserts that the results are the twin's, within the case's tolerance."""
    found, right = results(case, arrays, layout), case.expected(list(arrays))
    assert len(found) == len(right), f"{case.name}: {len(found)} results, the twin has {len(right)}"
    for got, want in zip(found, right, strict=True):
        eps, want = eps_of(got), np.asarray(want)
        finite = np.abs(want[np.isfinite(want)]) if want.dtype.kind == "f" else want
        largest = max(float(finite.max()), 1.0) if finite.size else 1.0
        assert_close(
            to_array(got),
            want.astype(to_array(got).dtype),
            rtol=case.ulp * eps,
            atol=case.noise * eps * largest,
            what=f"{case.name} {[a.shape for a in arrays]} {arrays[0].dtype} {layout} on {fd._core._isa()}",
        )


def against_differences(case: Case, seed: int = 0, second: bool = True) -> None:
    """Asserts its gradients, and theirs if the case promises them, with small float64 inputs."""
    tensors = [fd.tensor(a) for a in case.arrays("float64", seed=seed)]
    for t, item in zip(tensors, case.inputs, strict=True):
        t.requires_grad_(item.differentiable)

    def function(*args: fd.Tensor) -> Any:
        return case.run(fd, *args)

    gradcheck(function, tensors)
    if second and case.twice:
        gradgradcheck(function, tensors)


def across_isas(case: Case, arrays: Sequence[Any]) -> None:
    """Asserts the comparison with NumPy on every instruction set of this CPU."""
    for isa in isas():
        with use_isa(isa):
            against_numpy(case, arrays)


def check(cases: Case | Iterable[Case]) -> None:
    """Everything a case promises: values in every dtype and layout on every instruction set, and its gradients.

    Raises:
        AssertionError: with the case, the shape, the dtype and the place that differ.
    """
    for case in [cases] if isinstance(cases, Case) else cases:
        for dtype in case.dtypes:
            arrays = case.arrays(dtype)
            across_isas(case, arrays)
            for layout in LAYOUTS[1:]:
                against_numpy(case, arrays, layout)
        if case.differentiable:
            against_differences(case)
