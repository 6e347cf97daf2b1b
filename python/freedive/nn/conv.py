"""Convolutions (book 7.1 to 7.4) and transposed ones (14.10), over one, two and three dimensions."""

from __future__ import annotations

import math

import freedive as fd

from . import functional as F
from . import init
from .lazy import LazyModule
from .module import Module
from .parameter import Parameter, UninitializedParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from freedive import Tensor
    from freedive.nn._types import Device

    Sizes: TypeAlias = int | Sequence[int]

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
    "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
]  # fmt: skip


def _each(value: Sizes, dims: int) -> tuple[int, ...]:
    """One number per dimension."""
    return (value,) * dims if isinstance(value, int) else tuple(value)


class _ConvNd(Module):
    """Options, parameters and printing of all convolutions. A subclass says how many dimensions there are."""

    dims = 0
    transposed = False

    def _set_options(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
    ):
        name, dims = type(self).__name__, self.dims
        if groups <= 0:
            raise ValueError(f"{name}: groups is {groups}; expected at least 1")
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: {in_channels} input and {out_channels} output channels; "
                f"expected multiples of groups = {groups}"
            )
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"{name}: padding_mode is {padding_mode!r}; expected 'zeros', 'reflect', 'replicate' or 'circular'"
            )
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"{name}: padding is {padding!r}; expected numbers, 'same' or 'valid'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _each(kernel_size, dims)
        self.stride = _each(stride, dims)
        self.padding = padding if isinstance(padding, str) else _each(padding, dims)
        self.dilation = _each(dilation, dims)
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ValueError(f"{name}: padding 'same' needs a stride of 1, got {stride}")
        self.output_padding = (0,) * dims
        self.groups = groups
        self.padding_mode = padding_mode

    def _weight_shape(self) -> tuple[int, ...]:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)

    def _add_parameters(self, make: Callable[[tuple[int, ...]], Parameter], bias: bool) -> None:
        self.weight = make(self._weight_shape())
        self.register_parameter("bias", make((self.out_channels,)) if bias else None)

    def reset_parameters(self) -> None:
        """Draws weight and bias anew, uniform in ±1/√n where n elements of the input make one of the output."""
        if self.weight.numel() == 0:
            return
        bound = (self.weight.shape[1] * math.prod(self.kernel_size)) ** -0.5
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}",
        ]
        zeros, ones = (0,) * self.dims, (1,) * self.dims
        if self.padding != zeros:
            parts.append(f"padding={self.padding}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != zeros:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Conv(_ConvNd):
    function: Callable[..., Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: fd.dtype | None = None,
    ) -> None:
        super().__init__()
        self._set_options(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)
        self._add_parameters(lambda shape: Parameter(fd.empty(shape, device=device, dtype=dtype)), bias)
        self.reset_parameters()

    def _borders(self) -> list[int]:
        """The widths that F.pad takes, last dimension first."""
        widths: list[int] = []
        for d in reversed(range(self.dims)):
            if isinstance(self.padding, str):
                total = self.dilation[d] * (self.kernel_size[d] - 1) if self.padding == "same" else 0
                widths += [total // 2, total - total // 2]
            else:
                widths += [self.padding[d]] * 2
        return widths

    def forward(self, input: Tensor) -> Tensor:
        return self._activated(input, "none")

    def _activated(self, input: Tensor, activation: str) -> Tensor:
        """The output and its activation from one kernel."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._borders(), mode=self.padding_mode), 0
        return self.function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups, activation
        )


class Conv1d(_Conv):
    """Cross-correlation of [n, in, l] (or [in, l]) with weight [out, in / groups, k], plus bias [out].

    stride, padding, dilation: an int. padding may be 'same' or 'valid'; padding_mode 'reflect', 'replicate' or
    'circular' fills the border from the input instead of with zeros.

    Raises:
        ValueError: channels are no multiples of groups, or an option is unknown.
    """

    dims = 1
    function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Cross-correlation of [n, in, h, w] (or [in, h, w]) with weight [out, in / groups, kh, kw], plus bias [out].

    kernel_size, stride, padding, dilation: an int or a pair; the rest as Conv1d's.
    """

    dims = 2
    function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Cross-correlation of [n, in, d, h, w] (or [in, d, h, w]) with weight [out, in / groups, kd, kh, kw], plus bias.

    kernel_size, stride, padding, dilation: an int or three; the rest as Conv1d's.
    """

    dims = 3
    function = staticmethod(F.conv3d)


class _ConvTranspose(_ConvNd):
    transposed = True
    function: Callable[..., Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: fd.dtype | None = None,
    ) -> None:
        super().__init__()
        self._set_transposed(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            groups,
            bias,
            dilation,
            padding_mode,
        )
        self._add_parameters(lambda shape: Parameter(fd.empty(shape, device=device, dtype=dtype)), bias)
        self.reset_parameters()

    def _set_transposed(
        self, in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation, mode
    ):
        if mode != "zeros":
            raise ValueError(f"{type(self).__name__}: padding_mode is {mode!r}; expected 'zeros'")
        self._set_options(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, mode)
        self.output_padding = _each(output_padding, self.dims)

    def _padding_for(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The output_padding that gives output_size (its last `dims` numbers)."""
        if output_size is None:
            return self.output_padding
        wanted, sizes = tuple(output_size)[-self.dims :], tuple(input.shape)[-self.dims :]
        extra = []
        for d, (size, out) in enumerate(zip(sizes, wanted, strict=True)):
            reach = self.dilation[d] * (self.kernel_size[d] - 1) + 1
            least = (size - 1) * self.stride[d] - 2 * int(self.padding[d]) + reach
            if not least <= out < least + self.stride[d]:
                raise ValueError(
                    f"{type(self).__name__}: output_size {out} is out of reach; expected {least} to "
                    f"{least + self.stride[d] - 1} for an input of size {size}"
                )
            extra.append(out - least)
        return tuple(extra)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self._padding_for(input, output_size)
        return self.function(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTranspose):
    """The transposed convolution: the gradient of Conv1d with respect to its input. Weight [in, out / groups, k]."""

    dims = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transposed convolution: the gradient of Conv2d with respect to its input. Weight [in, out / groups, kh, kw].

    output_padding adds to one side of the output, whose size is otherwise ambiguous for strides above 1.
    """

    dims = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transposed convolution: the gradient of Conv3d with respect to its input."""

    dims = 3
    function = staticmethod(F.conv_transpose3d)


class _LazyConvNd(LazyModule):
    """Takes in_channels from the first input. Mixed with one of the classes above, which it becomes."""

    if TYPE_CHECKING:
        dims: int
        in_channels: int
        weight: Parameter | UninitializedParameter
        bias: Any

        def _weight_shape(self) -> tuple[int, ...]: ...

    def _add_uninitialized(self, bias, device, dtype):
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        made = UninitializedParameter(device=device, dtype=dtype) if bias else None
        self.register_parameter("bias", made)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any) -> None:
        """Gives weight and bias the shapes that this input asks for, and draws them."""
        if not self.has_uninitialized_params():
            return
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise ValueError(
                f"{type(self).__name__}: input has shape {tuple(input.shape)}; expected {self.dims + 1} or "
                f"{self.dims + 2} dimensions"
            )
        channels = input.shape[-1 - self.dims]
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: {channels} input channels; expected a multiple of groups = {self.groups}"
            )
        with fd.no_grad():
            self.in_channels = channels
            self.weight.materialize(self._weight_shape())  # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
            self.reset_parameters()


class _LazyConv(_LazyConvNd, _Conv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: fd.dtype | None = None,
    ) -> None:
        Module.__init__(self)
        self._set_options(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)
        self._add_uninitialized(bias, device, dtype)


class _LazyConvTranspose(_LazyConvNd, _ConvTranspose):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: fd.dtype | None = None,
    ) -> None:
        Module.__init__(self)
        self._set_transposed(
            0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation, padding_mode
        )
        self._add_uninitialized(bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A Conv1d that takes in_channels from its first input, and is a Conv1d from then on."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A Conv2d that takes in_channels from its first input, and is a Conv2d from then on."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A Conv3d that takes in_channels from its first input, and is a Conv3d from then on."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A ConvTranspose1d that takes in_channels from its first input, and is a ConvTranspose1d from then on."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A ConvTranspose2d that takes in_channels from its first input, and is a ConvTranspose2d from then on."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A ConvTranspose3d that takes in_channels from its first input, and is a ConvTranspose3d from then on."""

    cls_to_become = ConvTranspose3d
