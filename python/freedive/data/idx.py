"""IDX files, raw or gzip-compressed, of unsigned bytes: the format of MNIST (http://yann.lecun.com/exdb/mnist/).

Layout, big-endian: two zero bytes, a type byte (8: unsigned byte), the number of dimensions, one 32-bit size per
dimension, then exactly the product of the sizes in bytes.
"""

from __future__ import annotations

import os

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UNSIGNED_BYTE = 8
GZIP_MAGIC = b"\x1f\x8b"


class DataFileError(ValueError):
    """A data file is corrupted, truncated or not what its name says; the message names it."""


def read_bytes(path: str) -> bytes:
    """The file's content, decompressed if it is gzip. DataFileError if it cannot be."""
    with open(path, "rb") as file:
        content = file.read()
    if not content.startswith(GZIP_MAGIC):
        return content
    import gzip
    import zlib

    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataFileError(
            f"{path}: corrupted or truncated gzip file ({error}); delete it and fetch it again"
        ) from error


def parse_idx(content: bytes, path: str, shape: Sequence[int | None]) -> fd.Tensor:
    """uint8 tensor of the IDX file's content. `shape` is what is expected, None for any size; else DataFileError."""
    ndim = content[3] if len(content) >= 4 else 0
    if content[:3] != bytes((0, 0, UNSIGNED_BYTE)) or ndim == 0 or len(content) < 4 + 4 * ndim:
        raise DataFileError(
            f"{path}: not an IDX file of unsigned bytes (it starts with {content[:4].hex() or 'nothing'})"
        )
    sizes = tuple(int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(ndim))
    if len(sizes) != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, sizes, strict=True)
    ):
        wanted = tuple("any" if want is None else want for want in shape)
        raise DataFileError(f"{path}: holds an array of shape {sizes}; expected {wanted}")
    expected = 4 + 4 * ndim + _product(sizes)
    if len(content) != expected:
        raise DataFileError(f"{path}: {len(content)} bytes, but its header promises {expected}: truncated or damaged")
    import numpy as np

    return fd.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(sizes).copy())


def read_idx(path: str, shape: Sequence[int | None]) -> fd.Tensor:
    """`parse_idx` of a file."""
    return parse_idx(read_bytes(os.fspath(path)), os.fspath(path), shape)


def read_images_and_labels(
    images_path: str, labels_path: str, height: int, width: int, classes: int
) -> tuple[fd.Tensor, fd.Tensor]:
    """(uint8 (n, height, width), int64 (n,)) of a pair of IDX files; DataFileError unless they belong together."""
    images = read_idx(images_path, (None, height, width))
    labels = read_idx(labels_path, (None,))
    if len(images) != len(labels):
        raise DataFileError(f"{labels_path}: {len(labels)} labels for {len(images)} images in {images_path}")
    labels = labels.to(fd.int64)
    if len(labels) and int(labels.max()) >= classes:
        raise DataFileError(f"{labels_path}: label {int(labels.max())} out of range; expected 0 to {classes - 1}")
    return images, labels


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
