"""All parameters as one vector, and back."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from freedive import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The parameters, flattened and joined in order into one vector."""
    return fd.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Gives each parameter its part of the vector as its data, in order."""
    if not isinstance(vec, fd.Tensor):
        raise TypeError(f"vector_to_parameters: vec must be a Tensor, not {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        size = parameter.numel()
        parameter.data = vec[start : start + size].view_as(parameter).data
        start += size
