"""From a Case: the comparison with NumPy, with finite differences, of every instruction set and of devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import freedive as fd

from .case import Case
from .close import assert_close, eps_of, to_array
from .gradients import gradcheck, gradgradcheck
from .isa import isas, use_isa

LAYOUTS = ("contiguous", "transposed", "strided", "offset")
# The CPU computes float32 functions in more than float32; a device does not, and its library is good to some steps.
DEVICE_SLACK = 4


def as_tensor(array: Any, layout: str = "contiguous", device: Any = "cpu") -> fd.Tensor:
    """A tensor with the array's values whose memory is laid out as said."""
    array = np.asarray(array)
    if layout == "transposed" and array.ndim >= 2:
        return fd.tensor(np.ascontiguousarray(array.swapaxes(-1, -2)), device=device).transpose(-1, -2)
    if layout == "strided" and array.ndim >= 1:
        wide = np.repeat(array, 2, axis=-1)
        return fd.tensor(wide, device=device)[..., ::2]
    if layout == "offset" and array.ndim >= 1:
        wide = np.concatenate([array[..., :1], array], axis=-1)
        return fd.tensor(wide, device=device)[..., array[..., :1].shape[-1] :]
    return fd.tensor(array, device=device)


def results(case: Case, arrays: Sequence[Any], layout: str = "contiguous", device: Any = "cpu") -> list[Any]:
    """What freedive makes of the arrays."""
    out = case.run(fd, *[as_tensor(a, layout, device) for a in arrays])
    out = list(out) if isinstance(out, (tuple, list)) else [out]
    assert all(t.device.type == fd.device(device).type for t in out), f"{case.name}: a result left {device}"
    return [t.cpu() for t in out]


def against_numpy(case: Case, arrays: Sequence[Any], layout: str = "contiguous", device: Any = "cpu") -> None:
    """Asserts that the results are the twin's, within the case's tolerance (DEVICE_SLACK times it on a device)."""
    found, right = results(case, arrays, layout, device), case.expected(list(arrays))
    slack = 1 if fd.device(device).type == "cpu" else DEVICE_SLACK
    assert len(found) == len(right), f"{case.name}: {len(found)} results, the twin has {len(right)}"
    for got, want in zip(found, right, strict=True):
        eps, want = eps_of(got), np.asarray(want)
        finite = np.abs(want[np.isfinite(want)]) if want.dtype.kind == "f" else want
        largest = max(float(finite.max()), 1.0) if finite.size else 1.0
        assert_close(
            to_array(got),
            want.astype(to_array(got).dtype),
            rtol=slack * case.ulp * eps,
            atol=slack * case.noise * eps * largest,
            what=f"{case.name} {[a.shape for a in arrays]} {arrays[0].dtype} {layout} on {device} {fd._core._isa()}",
        )


def gradients(case: Case, arrays: Sequence[Any], device: Any) -> list[Any]:
    """The gradients of the sum of squares of the floating results, as arrays; None where there is none."""
    tensors = [as_tensor(a, device=device) for a in arrays]
    for t, item in zip(tensors, case.inputs, strict=True):
        t.requires_grad_(item.differentiable)
    out = case.run(fd, *tensors)
    out = list(out) if isinstance(out, (tuple, list)) else [out]
    total = sum((t * t).sum() for t in out if t.dtype.is_floating_point and t.requires_grad)
    found = fd.autograd.grad(total, [t for t in tensors if t.requires_grad], allow_unused=True)
    return [None if g is None else to_array(g.cpu()) for g in found]


def on_device(case: Case, device: Any, sizes: Mapping[str, int] | None = None, seed: int = 0) -> None:
    """Asserts that a device gives what NumPy gives in every dtype and layout, and the CPU's gradients."""
    for dtype in case.dtypes:
        arrays = case.arrays(dtype, sizes=sizes, seed=seed)
        against_numpy(case, arrays, device=device)
    for layout in LAYOUTS[1:]:
        against_numpy(case, case.arrays(case.dtypes[0], sizes=sizes, seed=seed), layout, device)
    if not case.differentiable:
        return
    arrays = case.arrays("float64", sizes=sizes, seed=seed)
    for got, want in zip(gradients(case, arrays, device), gradients(case, arrays, "cpu"), strict=True):
        assert (got is None) == (want is None), f"{case.name}: a gradient is missing on one side"
        if want is not None:
            assert_close(got, want, rtol=1e-9, atol=1e-9, what=f"gradient of {case.name} on {device}")


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
