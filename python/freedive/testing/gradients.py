"""Derivatives against central differences, for functions of float64 tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import freedive as fd


def gradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    step: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> bool:
    """Compares the gradients of function(*inputs) with central differences.

    Args:
        function: takes the inputs, returns a tensor or several; called often, so it must be deterministic.
        inputs: a tensor or several. Those that require grad are checked; they must be float64.
        step: how far an element is moved.
        rtol: allowed |gradient - difference| is atol + rtol |difference|.
        atol: see rtol.

    Returns:
        True.

    Raises:
        AssertionError: a gradient differs; the message names the input and the element.
        ValueError: no input requires grad, or one that does is not float64.
    """
    tensors = _checked(inputs)
    moved = [t.detach().clone() for t in tensors]
    wanted = [i for i, t in enumerate(tensors) if t.requires_grad]
    leaves = [moved[i].requires_grad_(True) if i in wanted else t for i, t in enumerate(moved)]
    total = _weighted(function(*leaves))
    found = fd.autograd.grad(total, [leaves[i] for i in wanted], allow_unused=True) if total.requires_grad else None
    for place, i in enumerate(wanted):
        gradient = found[place] if found is not None else None
        _compare(function, leaves, i, gradient, step, rtol, atol)
    return True


def gradgradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    step: float = 1e-6,
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> bool:
    """As gradcheck, of the gradients themselves: checks what create_graph=True records."""
    tensors = _checked(inputs)
    wanted = [i for i, t in enumerate(tensors) if t.requires_grad]

    def slopes(*args: fd.Tensor) -> tuple[fd.Tensor, ...]:
        # Finite differences call this under no_grad with plain tensors.
        with fd.enable_grad():
            leaves = [t if t.requires_grad or i not in wanted else _leaf(t) for i, t in enumerate(args)]
            grads = fd.autograd.grad(
                _weighted(function(*leaves)), [leaves[i] for i in wanted], create_graph=True, materialize_grads=True
            )
        return tuple(grads)

    return gradcheck(slopes, inputs, step=step, rtol=rtol, atol=atol)


def _leaf(t: fd.Tensor) -> fd.Tensor:
    return t.detach().requires_grad_(True)


def _checked(inputs: Any) -> Sequence[fd.Tensor]:
    tensors = [inputs] if isinstance(inputs, fd.Tensor) else list(inputs)
    if not any(t.requires_grad for t in tensors):
        raise ValueError("gradcheck: no input requires grad")
    for i, t in enumerate(tensors):
        if t.requires_grad and t.dtype is not fd.float64:
            raise ValueError(f"gradcheck: input {i} is {t.dtype}; finite differences need float64")
    return tensors


def _weighted(result: Any) -> fd.Tensor:
    """A scalar that weighs every element of the results differently, so that no error cancels."""
    parts = result if isinstance(result, (tuple, list)) else [result]
    total = fd.zeros((), dtype=fd.float64)
    for shift, part in enumerate(parts):
        if part.dtype.is_floating_point:
            weights = fd.sin(fd.arange(part.numel(), dtype=fd.float64) + (1 + shift)).reshape(part.shape)
            total = total + (part * weights).sum()
    return total


def _compare(
    function: Callable[..., Any],
    leaves: list[fd.Tensor],
    which: int,
    gradient: fd.Tensor | None,
    step: float,
    rtol: float,
    atol: float,
) -> None:
    import numpy as np

    array = np.array(leaves[which].detach().numpy(), order="C")
    got = np.zeros_like(array) if gradient is None else gradient.detach().numpy()
    for at in np.ndindex(array.shape):
        sides = []
        for sign in (1, -1):
            moved = array.copy()
            moved[at] += sign * step
            args = [t.detach() for t in leaves]
            args[which] = fd.tensor(moved)
            with fd.no_grad():
                sides.append(_weighted(function(*args)).item())
        slope = (sides[0] - sides[1]) / (2 * step)
        if not abs(got[at] - slope) <= atol + rtol * abs(slope):
            raise AssertionError(f"gradcheck: input {which} at {at}: gradient {got[at]!r}, difference {slope!r}")
