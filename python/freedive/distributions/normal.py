"""The normal distribution."""

from __future__ import annotations

import math

import freedive as fd

from .distribution import Distribution, parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor


class Normal(Distribution):
    """Mean `loc` and standard deviation `scale` > 0; numbers, or tensors that broadcast."""

    names = ("loc", "scale")

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = parameters(loc, scale)
        self.check(self.scale > 0, "scale above 0", validate_args)
        super().__init__(self.loc.shape)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.scale**2

    @property
    def stddev(self) -> Tensor:
        return self.scale

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + scale * standard normal numbers."""
        noise = fd.randn(self.shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + self.scale * noise

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at value."""
        return -((value - self.loc) ** 2) / (2 * self.variance) - fd.log(self.scale) - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most value."""
        return 0.5 * (1 + fd.erf((value - self.loc) / (self.scale * math.sqrt(2))))

    def icdf(self, value: Tensor) -> Tensor:
        """The number below which a share `value` lies."""
        return self.loc + self.scale * math.sqrt(2) * fd.erfinv(2 * value - 1)

    def entropy(self) -> Tensor:
        """log(scale * √(2πe)), in nats."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + fd.log(self.scale)
