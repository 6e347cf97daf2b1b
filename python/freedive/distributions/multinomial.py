"""The multinomial distribution (Dive into Deep Learning, section 2.6)."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Multinomial:
    """How often each of k outcomes comes up in `total_count` independent draws.

    probs (…, k): non-negative weights, normalised here; or logits (…, k): their logarithms up to a constant. Give
    exactly one. Raises ValueError for weights that are negative, NaN or sum to zero, or a negative count.
    """

    def __init__(
        self,
        total_count: int = 1,
        probs: fd.Tensor | None = None,
        logits: fd.Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int) or total_count < 0:
            raise ValueError(f"Multinomial: total_count must be an integer ≥ 0, got {total_count!r}")
        if (probs is None) == (logits is None):
            raise ValueError("Multinomial: give either probs or logits")
        weights = probs if probs is not None else fd.softmax(logits, -1)  # type: ignore[arg-type]
        if weights.ndim < 1:
            raise ValueError("Multinomial: probs needs at least one dimension, the outcomes")
        sums = weights.sum(-1, keepdim=True)
        if validate_args is not False and not (bool((weights >= 0).all()) and bool((sums > 0).all())):
            raise ValueError("Multinomial: probs must be non-negative and not all zero")
        self.total_count, self.probs = total_count, weights / sums

    @property
    def logits(self) -> fd.Tensor:
        """Logarithms of probs."""
        return fd.log(self.probs)

    @property
    def mean(self) -> fd.Tensor:
        """Expected counts."""
        return self.probs * self.total_count

    @property
    def variance(self) -> fd.Tensor:
        """Variance of each count."""
        return self.probs * (1 - self.probs) * self.total_count

    @property
    def batch_shape(self) -> Sequence[int]:
        """Shape of probs without the outcomes."""
        return self.probs.shape[:-1]

    @property
    def event_shape(self) -> Sequence[int]:
        """(number of outcomes,)"""
        return self.probs.shape[-1:]

    def sample(self, sample_shape: Sequence[int] = ()) -> fd.Tensor:
        """Counts of shape (*sample_shape, *probs.shape), in the dtype of probs; each row sums to total_count."""
        k, lead, batch = self.probs.shape[-1], tuple(sample_shape), tuple(self.probs.shape[:-1])
        repeats = 1
        for size in lead:
            repeats *= size
        counts = fd.zeros((*lead, *batch, k), dtype=self.probs.dtype)
        if not self.total_count or not counts.numel():
            return counts
        with fd.no_grad():
            rows = self.probs.reshape((-1, k))
            draws = fd.multinomial(rows, repeats * self.total_count, replacement=True)
            # (rows, repeats, total) → (repeats, rows, total): the sample shape comes first.
            draws = draws.reshape((len(rows), repeats, self.total_count)).permute(1, 0, 2)
            flat = counts.reshape((repeats, len(rows), k))
            return flat.scatter_add(2, draws, fd.ones_like(draws, dtype=counts.dtype)).reshape(counts.shape)

    def log_prob(self, value: fd.Tensor) -> fd.Tensor:
        """Log P(value) for counts of shape (…, k); normalised to total_count draws."""
        table = fd.cat([fd.zeros(1), fd.log(fd.arange(1, self.total_count + 1, dtype=self.probs.dtype))]).cumsum(0)
        factorials = table[value.to(fd.int64)].sum(-1)
        # 0 · log 0 = 0: an outcome that cannot happen, and did not.
        terms = fd.where(value == 0, fd.zeros_like(self.probs), value * fd.log(self.probs))
        return table[self.total_count] - factorials + terms.sum(-1)

    def __repr__(self) -> str:
        return f"Multinomial(total_count: {self.total_count}, probs: {tuple(self.probs.shape)})"
