"""The Bernoulli distribution: one toss of a coin (Dive into Deep Learning, section 2.6)."""

from __future__ import annotations

import freedive as fd

from .distribution import Distribution, parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor


class Bernoulli(Distribution):
    """1 with probability `probs` in [0, 1], or sigmoid(logits), else 0. Give exactly one."""

    names = ("probs",)

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Bernoulli: give either probs or logits")
        if probs is not None:
            (self.probs,) = parameters(probs)
            self.check(fd.logical_and(self.probs >= 0, self.probs <= 1), "probs from 0 to 1", validate_args)
            self.logits = fd.logit(self.probs, eps=fd.finfo(self.probs.dtype).eps)
        elif logits is not None:
            self.names = ("logits",)
            (self.logits,) = parameters(logits)
            self.probs = fd.sigmoid(self.logits)
        super().__init__(self.probs.shape)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Zeros and ones of probs' dtype, of shape (*sample_shape, *probs.shape)."""
        with fd.no_grad():
            return fd.bernoulli(self.probs.expand(self.shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """log probs where value is 1, log(1 - probs) where it is 0."""
        logits, value = fd.broadcast_tensors(self.logits, value)
        loss = fd.nn.functional.binary_cross_entropy_with_logits
        return -loss(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        """-p log p - (1 - p) log(1 - p), in nats."""
        return fd.nn.functional.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
