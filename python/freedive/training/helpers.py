"""Small things the book's chapters share: timers, counters, devices, downloads, accuracy."""

from __future__ import annotations

import os
import time

import freedive as fd
from freedive import nn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
DATA_HUB: dict[str, tuple[str, str]] = {}


class Timer:
    """A stopwatch that remembers every lap, in seconds; it starts when made."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Begin a lap."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """End the lap and return its length."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def avg(self) -> float:
        """Mean lap."""
        return sum(self.times) / len(self.times)

    def sum(self) -> float:
        """Sum of all laps."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """The total after each lap."""
        total, totals = 0.0, []
        for lap in self.times:
            total += lap
            totals.append(total)
        return totals


class Accumulator:
    """n running sums."""

    def __init__(self, n: int) -> None:
        self.data = [0.0] * n

    def add(self, *args: Any) -> None:
        """Add one number to each sum."""
        self.data = [a + float(b) for a, b in zip(self.data, args, strict=True)]

    def reset(self) -> None:
        """Set all sums to zero."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, idx: int) -> float:
        return self.data[idx]


class Benchmark:
    """`with Benchmark("what"):` prints how long the block took."""

    def __init__(self, description: str = "Done") -> None:
        self.description = description

    def __enter__(self) -> Benchmark:
        self.timer = Timer()
        return self

    def __exit__(self, *args: object) -> None:
        print(f"{self.description}: {self.timer.stop():.4f} sec")


def cpu() -> fd.device:
    """The CPU."""
    return fd.device("cpu")


def gpu(i: int = 0) -> fd.device:
    """The i-th GPU, whether or not there is one."""
    return fd.device(f"cuda:{i}")


def num_gpus() -> int:
    """How many GPUs can be used."""
    return fd.cuda.device_count()


def try_gpu(i: int = 0) -> fd.device:
    """The i-th GPU if there is one, else the CPU."""
    return gpu(i) if num_gpus() > i else cpu()


def try_all_gpus() -> list[fd.device]:
    """All GPUs; an empty list without any."""
    return [gpu(i) for i in range(num_gpus())]


def get_dataloader_workers() -> int:
    """Number of workers the book gives its loaders."""
    return 4


def check_shape(a: Any, shape: Any) -> None:
    """AssertionError unless a has this shape."""
    assert tuple(a.shape) == tuple(shape), f"tensor's shape {tuple(a.shape)} != expected shape {tuple(shape)}"


def corr2d(X: fd.Tensor, K: fd.Tensor) -> fd.Tensor:
    """Cross-correlation of a matrix with a kernel, without padding: (H, W), (h, w) → (H − h + 1, W − w + 1)."""
    h, w = K.shape
    Y = fd.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


def accuracy(y_hat: fd.Tensor, y: fd.Tensor) -> float:
    """How many predictions are right: y_hat holds a row of scores per sample, or the predicted classes."""
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(dim=1)
    return float((y_hat.type(y.dtype) == y).type(y.dtype).sum())


def evaluate_accuracy_gpu(net: Any, data_iter: Iterable, device: Any = None) -> float:
    """Share of right predictions over all minibatches, computed where the network's parameters are."""
    if isinstance(net, nn.Module):
        net.eval()
        device = device or next(iter(net.parameters())).device
    metric = Accumulator(2)
    with fd.no_grad():
        for X, y in data_iter:
            X = [x.to(device) for x in X] if isinstance(X, list) else X.to(device)
            y = y.to(device)
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def load_data_fashion_mnist(batch_size: int, resize: Any = None) -> tuple[Any, Any]:
    """(training loader, test loader) of Fashion-MNIST."""
    from .images import FashionMNIST

    size = (resize, resize) if isinstance(resize, int) else tuple(resize or (28, 28))
    data = FashionMNIST(batch_size, size)
    return data.train_dataloader(), data.val_dataloader()


def download(url: str, folder: str = "../data", sha1_hash: str | None = None) -> str:
    """Path of a local copy of `url`, or of a name in DATA_HUB, fetched at most once.

    A file of that name in `folder`, $FREEDIVE_DATA or the user's cache is used if its SHA-1 is right (or none is
    known). DownloadError tells why a file could not be had.
    """
    from freedive.data.fetch import DownloadError, digest_check, user_cache
    from freedive.data.fetch import download as fetch

    if not url.startswith(("http://", "https://", "file://")):
        if url not in DATA_HUB:
            raise KeyError(f"download: {url!r} is neither an address nor in DATA_HUB, which has {sorted(DATA_HUB)}")
        url, sha1_hash = DATA_HUB[url]
    name = url.split("/")[-1].split("?")[0]
    verify = digest_check("sha1", sha1_hash)
    places = [folder, os.environ.get("FREEDIVE_DATA"), user_cache()]
    for place in filter(None, places):
        path = os.path.join(place, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                if verify(file.read()) is None:
                    return path
    try:
        return fetch([url], os.path.join(folder, name), verify)
    except DownloadError as error:
        raise DownloadError(f"download: {error}; or put {name} into {folder} or $FREEDIVE_DATA") from error
