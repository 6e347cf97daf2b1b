"""DataModule: where a model's minibatches come from (Dive into Deep Learning, section 3.2)."""

from __future__ import annotations

from freedive.data.dataset import TensorDataset
from freedive.data.loader import DataLoader

from .hyperparameters import HyperParameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


class DataModule(HyperParameters):
    """Base class of data sets: subclasses define `get_dataloader(train)`.

    root: folder for downloaded files. num_workers: passed on to DataLoader.
    """

    def __init__(self, root: str = "../data", num_workers: int = 4) -> None:
        self.save_hyperparameters()

    def get_dataloader(self, train: bool) -> Iterable:
        """The loader for training (train=True) or validation."""
        raise NotImplementedError(f"{type(self).__name__} needs a get_dataloader(self, train)")

    def train_dataloader(self) -> Iterable:
        """The loader for training."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Iterable | None:
        """The loader for validation, or None to do without."""
        return self.get_dataloader(train=False)

    def get_tensorloader(self, tensors: Sequence[Any], train: bool, indices: slice = slice(0, None)) -> DataLoader:
        """A loader over rows `indices` of tensors of equal length, shuffled for training; needs self.batch_size."""
        dataset = TensorDataset(*(a[indices] for a in tensors))
        return DataLoader(dataset, self.batch_size, shuffle=train)
