"""What univariate distributions share: parameters of one shape, samples in front of it."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor


def parameters(*values: Tensor | float) -> list[Tensor]:
    """The parameters as tensors of one shape; numbers take the dtype of the tensors, or the default one."""
    tensors = [v for v in values if isinstance(v, fd.Tensor)]
    dtype = tensors[0].dtype if tensors else fd.get_default_dtype()
    made = [v if isinstance(v, fd.Tensor) else fd.tensor(float(v), dtype=dtype) for v in values]
    return list(fd.broadcast_tensors(*made))


class Distribution:
    """Base of the distributions; `names` are the parameters that its printed form shows."""

    names: tuple[str, ...] = ()
    batch_shape: Sequence[int] = ()
    event_shape: Sequence[int] = ()

    def __init__(self, batch_shape: Sequence[int], event_shape: Sequence[int] = ()) -> None:
        self.batch_shape = fd.Size(batch_shape)
        self.event_shape = fd.Size(event_shape)

    def check(self, holds: Tensor, what: str, validate_args: bool | None) -> None:
        """ValueError unless the condition on the parameters holds everywhere."""
        if validate_args is not False and not bool(holds.all()):
            raise ValueError(f"{type(self).__name__}: expected {what}")

    def shape(self, sample_shape: Sequence[int]) -> tuple[int, ...]:
        """(*sample_shape, *batch_shape, *event_shape)"""
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """A sample that the parameters' gradients pass through; NotImplementedError where there is none."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample")

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """A sample of shape (*sample_shape, *batch_shape, *event_shape), without gradient."""
        with fd.no_grad():
            return self.rsample(sample_shape)

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError(f"{type(self).__name__} has no mean")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError(f"{type(self).__name__} has no variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def __repr__(self) -> str:
        values = [getattr(self, name) for name in self.names]
        shown = [str(v.item()) if v.numel() == 1 else str(v.size()) for v in values]
        return f"{type(self).__name__}({', '.join(map('{}: {}'.format, self.names, shown))})"
