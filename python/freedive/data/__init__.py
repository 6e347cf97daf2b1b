"""Datasets and loaders. The names of the first group are PyTorch's `torch.utils.data`."""

from .collate import default_collate, default_convert
from .dataset import ConcatDataset, Dataset, ImageDataset, IterableDataset, Subset, TensorDataset, random_split
from .digits import digits_split, load_digits
from .fashion_mnist import DataNotFound, load_fashion_mnist, load_mnist
from .fetch import DownloadError
from .idx import DataFileError
from .loader import DataLoader
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataFileError",
    "DataLoader",
    "DataNotFound",
    "Dataset",
    "DownloadError",
    "ImageDataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "SyntheticRegressionData",
    "TensorDataset",
    "default_collate",
    "default_convert",
    "digits_split",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "random_split",
]


def __getattr__(name: str) -> object:
    if name == "SyntheticRegressionData":  # built on training.DataModule, which itself imports this package
        from .synthetic import SyntheticRegressionData

        return SyntheticRegressionData
    raise AttributeError(f"module 'freedive.data' has no attribute {name!r}")
