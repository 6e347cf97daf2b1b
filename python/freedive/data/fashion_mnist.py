"""Fashion-MNIST and MNIST: found on this machine, or downloaded, verified and cached.

Fashion-MNIST: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms", arXiv:1708.07747 (MIT licence). MNIST: LeCun, Cortes, Burges.
"""

from __future__ import annotations

import os

import freedive as fd

from .fetch import DownloadError, digest_check, download, find, folders, user_cache
from .idx import read_images_and_labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 28
CLASSES = 10
STEMS = {
    True: ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    False: ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
FASHION_LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FASHION_URLS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
MNIST_URLS = ("https://ossci-datasets.s3.amazonaws.com/mnist/",)
# Of the decompressed files, because the same file is distributed in several compressed forms.
FASHION_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
# Of the compressed files, as widely published.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}


class DataNotFound(FileNotFoundError):
    """A data set is neither on this machine nor can it be fetched; the message lists what to do."""


def load_fashion_mnist(
    train: bool = True, data_dir: str | None = None, fetch: bool = True
) -> tuple[fd.Tensor, fd.Tensor]:
    """(images, labels): uint8 (n, 28, 28) and int64 (n,), n = 60,000 for training and 10,000 for testing.

    Looked for in `data_dir`, $FREEDIVE_DATA, the user's cache and /usr/share/datasets/fashion-mnist (Debian's package
    dataset-fashion-mnist), as .gz or raw IDX files; else downloaded into the cache (into `data_dir` if given).
    Raises DataNotFound, which lists these choices, or DataFileError, which names a damaged file.
    """
    verifiers = {stem: digest_check("sha256", digest, decompress=True) for stem, digest in FASHION_SHA256.items()}
    return _load("fashion-mnist", train, data_dir, fetch, FASHION_URLS, verifiers)


def load_mnist(train: bool = True, data_dir: str | None = None, fetch: bool = True) -> tuple[fd.Tensor, fd.Tensor]:
    """MNIST, with the same shapes, search and errors as `load_fashion_mnist` (folder name: mnist)."""
    verifiers = {stem: digest_check("md5", digest) for stem, digest in MNIST_MD5.items()}
    return _load("mnist", train, data_dir, fetch, MNIST_URLS, verifiers)


def _load(
    name: str,
    train: bool,
    data_dir: str | None,
    fetch: bool,
    urls: tuple[str, ...],
    verifiers: dict[str, Callable[[bytes], str | None]],
) -> tuple[fd.Tensor, fd.Tensor]:
    stems = STEMS[bool(train)]
    data_dir = os.path.expanduser(os.fspath(data_dir)) if data_dir is not None else None
    paths = find(stems, folders(name, data_dir))
    if paths is None:
        if not fetch:
            raise DataNotFound(_choices(name, data_dir, "and downloading was not asked for"))
        target = os.path.join(data_dir or user_cache(), name)
        try:
            paths = [
                download([base + stem + ".gz" for base in urls], os.path.join(target, stem + ".gz"), verifiers[stem])
                for stem in stems
            ]
        except DownloadError as error:
            raise DataNotFound(_choices(name, data_dir, f"and the download failed ({error})")) from error
    return read_images_and_labels(paths[0], paths[1], SIDE, SIDE, CLASSES)


def _choices(name: str, data_dir: str | None, why: str) -> str:
    debian = " (1) apt install dataset-fashion-mnist;" if name == "fashion-mnist" else ""
    rest = "(2)" if debian else "(1)"
    last = "(3)" if debian else "(2)"
    return (
        f"{name} was not found in {', '.join(folders(name, data_dir))}, {why}. Choices:{debian} {rest} put the four"
        f" IDX files, gzip-compressed or not, into a folder and name it by --data-dir or $FREEDIVE_DATA; {last} connect"
        " to the network once: the files are then kept in the cache"
    )
