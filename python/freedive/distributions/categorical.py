"""The categorical distribution: one throw of a die (Dive into Deep Learning, section 2.6)."""

from __future__ import annotations

import math

import freedive as fd

from .distribution import Distribution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from freedive import Tensor


class Categorical(Distribution):
    """The number of one of k outcomes. probs (…, k): weights, normalised here; or logits, their logarithms."""

    names = ("probs",)

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Categorical: give either probs or logits")
        given = probs if probs is not None else logits
        if given is None or given.ndim < 1:
            raise ValueError("Categorical: the parameters need at least one dimension, the outcomes")
        if probs is not None:
            sums = probs.sum(-1, keepdim=True)
            holds = fd.logical_and(probs >= 0, sums > 0)
            self.check(holds, "probs that are not negative and not all zero", validate_args)
            self.probs = probs / sums
            smallest = fd.finfo(probs.dtype).eps
            self.logits = fd.log(self.probs.clamp(smallest, 1 - smallest))
        else:
            self.names = ("logits",)
            self.logits = fd.log_softmax(given, -1)
            self.probs = fd.exp(self.logits)
        super().__init__(self.probs.shape[:-1])

    @property
    def mean(self) -> Tensor:
        return fd.full(self.batch_shape, math.nan, dtype=self.probs.dtype)  # numbers of outcomes have no mean

    @property
    def variance(self) -> Tensor:
        return self.mean

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Outcomes 0 to k - 1, int64, of shape (*sample_shape, *probs.shape without its last)."""
        count = math.prod(sample_shape)
        with fd.no_grad():
            rows = self.probs.reshape(-1, self.probs.shape[-1])
            draws = fd.multinomial(rows, count, replacement=True)
        return draws.T.reshape(self.shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of these outcomes."""
        outcomes = value.to(fd.int64).unsqueeze(-1)
        shape: Any = fd.broadcast_shapes(outcomes.shape[:-1], self.batch_shape)
        logits = self.logits.expand((*shape, self.logits.shape[-1]))
        return logits.gather(-1, outcomes.expand((*shape, 1))).squeeze(-1)

    def entropy(self) -> Tensor:
        """-Σ p log p, in nats."""
        return -(self.probs * self.logits).sum(-1)
