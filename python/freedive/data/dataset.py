"""Datasets: anything with `len()` and `[index]`, and a fast way to fetch a whole minibatch at once.

A dataset may offer `gather(rows)`: the minibatch of the int64 tensor `rows`, already collated, in one call per tensor
instead of one per sample. DataLoader uses it where the user asked for no collate function of their own.
"""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any


class Dataset:
    """A map from 0 ≤ index < len(self) to a sample; subclasses define `__getitem__` and `__len__`."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __getitem__(self, index)")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """A stream of samples: subclasses define `__iter__`. It cannot be shuffled or indexed."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} needs an __iter__(self)")


class TensorDataset(Dataset):
    """Samples `(t0[i], t1[i], …)` of tensors or NumPy arrays of equal length.

    Raises ValueError if the lengths differ, TypeError for anything that is neither tensor nor array.
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset: needs at least one tensor")
        self.tensors = tuple(_as_tensor(t, i) for i, t in enumerate(tensors))
        lengths = [len(t) for t in self.tensors]
        if len(set(lengths)) > 1:
            raise ValueError(f"TensorDataset: all tensors need the same length, got {lengths}")

    def __getitem__(self, index: Any) -> tuple:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def gather(self, rows: fd.Tensor) -> list:
        """Rows of every tensor."""
        return [t[rows] for t in self.tensors]


class ImageDataset(Dataset):
    """Images kept as bytes, handed out as `(float image, label)` with value = byte · scale + shift.

    images: uint8 of shape (n, *shape); labels: of length n. A minibatch is gathered and scaled by one fused kernel, so
    that 60,000 images take 47 MB instead of 188. `shape` reshapes each image, for instance to (1, 28, 28).
    """

    def __init__(
        self,
        images: fd.Tensor,
        labels: fd.Tensor,
        scale: float = 1 / 255,
        shift: float = 0.0,
        shape: Sequence[int] | None = None,
    ) -> None:
        if images.dtype != fd.uint8:
            raise TypeError(f"ImageDataset: images must be uint8, got {images.dtype}")
        if len(images) != len(labels):
            raise ValueError(f"ImageDataset: {len(images)} images but {len(labels)} labels")
        self.data, self.targets = images, labels
        self.scale, self.shift = float(scale), float(shift)
        self.shape = tuple(shape if shape is not None else images.shape[1:])

    def __getitem__(self, index: int) -> tuple:
        image = self.data[index].to(fd.float32) * self.scale + self.shift
        return image.reshape(self.shape), self.targets[index]

    def __len__(self) -> int:
        return len(self.data)

    def gather(self, rows: fd.Tensor) -> list:
        """(float images, labels) of these rows."""
        return [minibatch(self.data, rows, self.scale, self.shift, self.shape), self.targets[rows]]


class Subset(Dataset):
    """The samples of `dataset` at `indices` (a sequence of integers or an int64 tensor)."""

    def __init__(self, dataset: Any, indices: Any) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def gather(self) -> Callable[[fd.Tensor], list] | None:
        """The inner dataset's gather on the chosen indices, or None if it has none."""
        inner = gather_of(self.dataset)
        if inner is None:
            return None
        indices = fd.as_tensor(self.indices, dtype=fd.int64)
        return lambda rows: inner(indices[rows])


class ConcatDataset(Dataset):
    """Several datasets one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: needs at least one dataset")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise TypeError("ConcatDataset: an IterableDataset has no length and cannot be concatenated")
        self.cumulative_sizes: list[int] = []
        for d in self.datasets:
            self.cumulative_sizes.append(len(d) + (self.cumulative_sizes or [0])[-1])

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        from bisect import bisect_right

        i = index + len(self) if index < 0 else index
        if not 0 <= i < len(self):
            raise IndexError(f"ConcatDataset: index {index} out of range for {len(self)} samples")
        which = bisect_right(self.cumulative_sizes, i)
        return self.datasets[which][i - (self.cumulative_sizes[which - 1] if which else 0)]


def random_split(dataset: Any, lengths: Sequence[float], generator: fd.Generator | None = None) -> list[Subset]:
    """Cut `dataset` at random into disjoint subsets.

    lengths: sample counts that sum to len(dataset), or fractions that sum to 1 (what rounding leaves over is handed out
    one by one from the first). The same generator state gives the same split. Raises ValueError otherwise.
    """
    n = len(dataset)
    counts = _split_counts(n, list(lengths))
    order = fd.randperm(n, generator=generator).tolist()
    parts, start = [], 0
    for count in counts:
        parts.append(Subset(dataset, order[start : start + count]))
        start += count
    return parts


def _split_counts(n: int, lengths: list) -> list[int]:
    if any(x < 0 for x in lengths):
        raise ValueError(f"random_split: negative length in {lengths}")
    if abs(sum(lengths) - 1) < 1e-6 and any(isinstance(x, float) for x in lengths):
        counts = [int(n * x) for x in lengths]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
        return counts
    if sum(lengths) != n:
        raise ValueError(f"random_split: lengths {lengths} sum to {sum(lengths)}, but the dataset has {n} samples")
    return [int(x) for x in lengths]


def gather_of(dataset: Any) -> Callable[[fd.Tensor], Any] | None:
    """The dataset's whole-minibatch fetch, or None; one that a subclass has outdated by a `__getitem__` of its own
    does not count. A tensor is a dataset of its rows.
    """
    if type(dataset) is fd.Tensor:
        return dataset.__getitem__
    for cls in type(dataset).__mro__:
        if "gather" in vars(cls):
            return dataset.gather
        if "__getitem__" in vars(cls):
            return None
    return None


def minibatch(images: fd.Tensor, rows: fd.Tensor, scale: float, shift: float, shape: Sequence[int]) -> fd.Tensor:
    """float32 (len(rows), *shape): images[rows] · scale + shift, gathered and converted in one pass."""
    return fd._core.minibatch(images, rows, scale, shift, fd.float32).reshape((len(rows), *shape))


def _as_tensor(value: Any, position: int) -> fd.Tensor:
    if isinstance(value, fd.Tensor):
        return value
    if hasattr(value, "__array_interface__"):
        return fd.from_numpy(value)
    raise TypeError(f"TensorDataset: argument {position} must be a tensor or NumPy array, got {type(value).__name__}")
