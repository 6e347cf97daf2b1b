"""Layers that change the size of images: resampling and borders."""

from __future__ import annotations

from . import functional as F
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from freedive import Tensor

__all__ = [
    "ConstantPad1d", "ConstantPad2d", "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
    "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "Upsample", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class Upsample(Module):
    """Resamples the spatial dimensions of [n, c, ...] to `size`, or by `scale_factor` (see F.interpolate)."""

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor: Any = scale_factor
        if isinstance(scale_factor, (tuple, list)):
            self.scale_factor = tuple(float(f) for f in scale_factor)
        elif scale_factor is not None:
            self.scale_factor = float(scale_factor)  # type: ignore[arg-type]
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        size = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{size}, mode={self.mode!r}"


class _Pad(Module):
    dims = 0
    mode = "constant"
    value: float = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        if self.mode == "constant":
            return F.pad(input, self.padding, value=self.value)
        return F.pad(input, self.padding, mode=self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad1d(_Pad):
    """Zeros around the last dimension: an int, or (left, right)."""

    dims = 1


class ZeroPad2d(_Pad):
    """Zeros around the last two dimensions: an int, or (left, right, top, bottom)."""

    dims = 2


class ZeroPad3d(_Pad):
    """Zeros around the last three dimensions: an int, or (left, right, top, bottom, front, back)."""

    dims = 3


class ConstantPad1d(_ConstantPad):
    """A value around the last dimension."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """A value around the last two dimensions."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """A value around the last three dimensions."""

    dims = 3


class ReflectionPad1d(_Pad):
    """The input mirrored at its last dimension's first and last elements."""

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """The input mirrored at its border of the last two dimensions."""

    dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """The input mirrored at its border of the last three dimensions."""

    dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """The border of the last dimension repeated."""

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """The border of the last two dimensions repeated."""

    dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """The border of the last three dimensions repeated."""

    dims = 3
    mode = "replicate"
