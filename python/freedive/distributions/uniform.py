"""The uniform distribution on an interval."""

from __future__ import annotations

import math

import freedive as fd

from .distribution import Distribution, parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor


class Uniform(Distribution):
    """Equal density on [low, high); numbers, or tensors that broadcast."""

    names = ("low", "high")

    def __init__(self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None) -> None:
        self.low, self.high = parameters(low, high)
        self.check(self.low < self.high, "low below high", validate_args)
        super().__init__(self.low.shape)

    @property
    def mean(self) -> Tensor:
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """low + (high - low) * uniform numbers in [0, 1)."""
        share = fd.rand(self.shape(sample_shape), dtype=self.low.dtype, device=self.low.device)
        return self.low + (self.high - self.low) * share

    def log_prob(self, value: Tensor) -> Tensor:
        """-log(high - low) within, minus infinity outside."""
        inside = fd.logical_and(self.low <= value, value < self.high)
        return fd.where(inside, -fd.log(self.high - self.low), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most value."""
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def entropy(self) -> Tensor:
        """log(high - low), in nats."""
        return fd.log(self.high - self.low)
