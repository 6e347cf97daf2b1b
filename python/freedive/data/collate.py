"""From a list of samples to a minibatch."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, through tuples, lists, named tuples and dictionaries.

    Tensors and arrays are stacked, numbers become a tensor (int64, float64, bool), strings and bytes stay a list.
    Raises ValueError for samples of unequal length, TypeError for a type it cannot stack.
    """
    if not samples:
        raise ValueError("default_collate: no samples to stack")
    first = samples[0]
    if isinstance(first, fd.Tensor):
        return fd.stack(list(samples), 0)
    if isinstance(first, (bool, int)):
        return fd.tensor(list(samples))
    if isinstance(first, float):
        return fd.tensor(list(samples), dtype=fd.float64)
    if isinstance(first, (str, bytes)):
        return list(samples)
    if isinstance(first, dict):
        return {key: default_collate([s[key] for s in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(s) != len(first) for s in samples):
            raise ValueError("default_collate: samples of one batch have different lengths")
        columns = [default_collate(column) for column in zip(*samples, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    if hasattr(first, "__array_interface__"):
        import numpy as np

        return fd.from_numpy(np.stack(samples)) if getattr(first, "ndim", 0) else fd.tensor(np.array(samples))
    raise TypeError(
        f"default_collate: cannot stack samples of type {type(first).__name__}; give the DataLoader a collate_fn"
    )


def default_convert(sample: Any) -> Any:
    """One sample with its arrays turned into tensors: what a DataLoader with batch_size=None yields."""
    if isinstance(sample, dict):
        return {key: default_convert(value) for key, value in sample.items()}
    if isinstance(sample, (tuple, list)):
        items = [default_convert(value) for value in sample]
        return type(sample)(*items) if hasattr(sample, "_fields") else items
    if hasattr(sample, "__array_interface__") and not isinstance(sample, fd.Tensor):
        return fd.as_tensor(sample)
    return sample
