"""Gradient clipping (book 9.5): Pascanu, Mikolov, Bengio, ICML 2013."""

from __future__ import annotations

import math

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from freedive import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "get_total_norm"]


def _gradients(parameters):
    parameters = [parameters] if isinstance(parameters, fd.Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(
    tensors: Iterable[Tensor] | Tensor,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors taken as one vector, as a 0-dim tensor; inf takes the largest absolute value."""
    norm_type = float(norm_type)
    tensors = [tensors] if isinstance(tensors, fd.Tensor) else list(tensors)
    if not tensors:
        return fd.tensor(0.0)
    with fd.no_grad():
        norms = fd.stack([tensor.norm(norm_type) for tensor in tensors])
        total = norms.max() if norm_type == math.inf else norms.norm(norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients is {total.item()}, so it cannot be clipped; "
            f"to disable this error, set `error_if_nonfinite=False`"
        )
    return total


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales all gradients in place so that their norm, taken as one vector, is at most max_norm.

    Args:
        parameters: a tensor or an iterable of tensors; those without a gradient are skipped.
        norm_type: order of the norm; inf for the largest absolute value.

    Returns:
        The norm before clipping, a 0-dim tensor.
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    with fd.no_grad():
        factor = (float(max_norm) / (total + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)
    return total


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float, foreach: bool | None = None) -> None:
    """Clamps every gradient element in place to [-clip_value, clip_value]."""
    clip_value = float(clip_value)
    with fd.no_grad():
        for gradient in _gradients(parameters):
            gradient.clamp_(-clip_value, clip_value)
