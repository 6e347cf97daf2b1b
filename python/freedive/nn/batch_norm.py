"""Batch normalisation (book 8.5; Ioffe and Szegedy, ICML 2015)."""

from __future__ import annotations

import freedive as fd

from . import functional as F
from . import init
from .lazy import LazyModule
from .module import Module
from .parameter import Parameter, UninitializedBuffer, UninitializedParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from freedive import Tensor
    from freedive.nn._types import Device

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d"]


class _BatchNorm(Module):
    """y = (x - mean) / √(var + eps) * weight + bias, per channel (dimension 1).

    In training mean and variance are the batch's, and the running ones follow with `momentum` (None: their plain
    average). In evaluation the running ones are used, or the batch's if track_running_stats is False.
    """

    dims: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device = None,
        dtype: fd.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self._set_options(num_features, eps, momentum, affine, track_running_stats)
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, Parameter(fd.empty(num_features, **place)) if wanted else None)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, fd.empty(num_features, **place) if track_running_stats else None)
        self._add_counter(device)
        self.reset_parameters()

    def _set_options(self, num_features, eps, momentum, affine, track_running_stats):
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

    def _add_counter(self, device):
        counter = fd.tensor(0, dtype=fd.int64, device=device) if self.track_running_stats else None
        self.register_buffer("num_batches_tracked", counter)

    def reset_running_stats(self) -> None:
        """Running mean 0, running variance 1, no batches seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and fresh running statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.dims:
            expected = "D or ".join(map(str, self.dims))
            raise ValueError(f"expected {expected}D input (got {input.ndim}D input)")
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        by_batch = self.training or self.running_mean is None
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            by_batch,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of [n, c] or [n, c, l]."""

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of [n, c, h, w]."""

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of [n, c, d, h, w]."""

    dims = (5,)


class _LazyBatchNorm(LazyModule, _BatchNorm):
    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device = None,
        dtype: fd.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        Module.__init__(self)
        self._set_options(0, eps, momentum, affine, track_running_stats)
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, UninitializedParameter(**place) if wanted else None)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, UninitializedBuffer(**place) if track_running_stats else None)
        self._add_counter(device)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Gives parameters and statistics one element per channel of this input."""
        if input.ndim not in self.dims:
            _BatchNorm.forward(self, input)  # raises, naming the dimensions
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                if tensor is not None:
                    tensor.materialize((self.num_features,))
            self.reset_parameters()
        self.num_features = input.shape[1] if self.weight is None else self.weight.shape[0]


class LazyBatchNorm1d(_LazyBatchNorm, BatchNorm1d):
    """A BatchNorm1d that takes num_features from its first input, and is a BatchNorm1d from then on."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyBatchNorm, BatchNorm2d):
    """A BatchNorm2d that takes num_features from its first input, and is a BatchNorm2d from then on."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyBatchNorm, BatchNorm3d):
    """A BatchNorm3d that takes num_features from its first input, and is a BatchNorm3d from then on."""

    cls_to_become = BatchNorm3d
