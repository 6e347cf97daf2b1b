"""Layer normalisation (book 11.7; Ba, Kiros, Hinton 2016)."""

from __future__ import annotations

import freedive as fd

from . import functional as F
from ._affine import AffineModule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from freedive import Tensor
    from freedive.nn._types import Device

__all__ = ["LayerNorm"]


class LayerNorm(AffineModule):
    """Normalises over the last dimensions, of sizes normalized_shape, with a weight and a bias per element."""

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Device = None,
        dtype: fd.dtype | None = None,
    ) -> None:
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._register_affine(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
