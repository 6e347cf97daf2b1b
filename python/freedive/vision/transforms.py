"""Transforms of images: tensors of shape (…, H, W), or NumPy arrays of shape (H, W) or (H, W, C).

Each is called on one image; `batch` does the same to a stack of them, (N, H, W) or (N, C, H, W).
"""

from __future__ import annotations

import freedive as fd
from freedive.data.randomness import sample_generator

from .resample import resize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

BYTE_SCALE = 1 / 255


class Transform:
    """Base class: subclasses define `batch`, or `__call__` too where one image differs from a stack of one."""

    def __call__(self, image: Any) -> Any:
        """The transform of one image."""
        return self.batch(image[None])[0]

    def batch(self, images: fd.Tensor) -> fd.Tensor:
        """The transform of a stack of images."""
        raise NotImplementedError

    def leaves_alone(self, size: tuple[int, ...]) -> bool:
        """Whether images of this (H, W) come out as they went in."""
        return False


class Compose:
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Callable]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """All transforms of one image."""
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        lines = "".join(f"\n    {t}" for t in self.transforms)
        return f"Compose({lines}\n)"


class ToTensor(Transform):
    """float32 (C, H, W): bytes are divided by 255, an array's channels come first, a missing channel axis is added."""

    def __call__(self, image: Any) -> fd.Tensor:
        """The tensor of one image."""
        if not isinstance(image, fd.Tensor):
            image = _from_array(image)
        if image.ndim == 2:
            image = image.unsqueeze(0)
        if image.ndim != 3:
            raise ValueError(f"ToTensor: an image has 2 or 3 dimensions, got shape {tuple(image.shape)}")
        return _to_unit(image)

    def batch(self, images: fd.Tensor) -> fd.Tensor:
        """float32 (N, C, H, W)."""
        return _to_unit(images.unsqueeze(1) if images.ndim == 3 else images)

    def __repr__(self) -> str:
        return "ToTensor()"


class Resize(Transform):
    """Bilinear interpolation, with a wider filter when shrinking; bytes stay bytes, rounded as PIL does.

    size: (H, W), or one integer for the shorter side, keeping the proportions.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        values = (size,) if isinstance(size, int) else tuple(size)
        if len(values) not in (1, 2) or any(not isinstance(v, int) or v < 1 for v in values):
            raise ValueError(f"Resize: size must be a positive integer or a pair of them, got {size!r}")
        self.size = values[0] if len(values) == 1 else values

    def target(self, height: int, width: int) -> tuple[int, int]:
        """The size (H, W) that images of this size get."""
        if not isinstance(self.size, int):
            return self.size  # type: ignore[return-value]
        if height <= width:
            return self.size, int(self.size * width / height)
        return int(self.size * height / width), self.size

    def leaves_alone(self, size: tuple[int, ...]) -> bool:
        """Whether the size is theirs already."""
        return self.target(size[-2], size[-1]) == tuple(size[-2:])

    def __call__(self, image: Any) -> Any:
        """One image resized."""
        if not isinstance(image, fd.Tensor):
            image = _from_array(image)
        return self.batch(image)

    def batch(self, images: fd.Tensor) -> fd.Tensor:
        """Images (N, …, H, W) resized."""
        return resize(images, self.target(images.shape[-2], images.shape[-1]))

    def __repr__(self) -> str:
        return f"Resize(size={self.size})"


class Normalize(Transform):
    """(image − mean) / std per channel, for float images of shape (…, C, H, W)."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std = list(mean), list(std)
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise ValueError(f"Normalize: needs one mean and one std > 0 per channel, got {mean} and {std}")

    def batch(self, images: fd.Tensor) -> fd.Tensor:
        """Images normalised."""
        if not images.dtype.is_floating_point:
            raise TypeError(f"Normalize: needs float images (put ToTensor before it), got {images.dtype}")
        mean = fd.tensor(self.mean, dtype=images.dtype).reshape((-1, 1, 1))
        std = fd.tensor(self.std, dtype=images.dtype).reshape((-1, 1, 1))
        return (images - mean) / std

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class RandomHorizontalFlip(Transform):
    """Mirrors each image with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"RandomHorizontalFlip: p must be between 0 and 1, got {p}")
        self.p = p

    def batch(self, images: fd.Tensor) -> fd.Tensor:
        """Each image mirrored or not."""
        flipped = fd.rand(len(images), generator=sample_generator()) < self.p
        return fd.where(flipped.reshape((-1,) + (1,) * (images.ndim - 1)), images.flip(-1), images)

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip(p={self.p})"


class RandomCrop(Transform):
    """A window of `size` at a random place, after adding `padding` pixels of value `fill` on every side.

    size: (H, W) or one integer for a square. padding: one integer, (left/right, top/bottom), or (left, top, right,
    bottom). ValueError if the padded image is smaller than the window.
    """

    def __init__(self, size: int | Sequence[int], padding: int | Sequence[int] | None = None, fill: float = 0) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.fill = fill
        given = (padding or 0,) if isinstance(padding, int) or padding is None else tuple(padding)
        if len(given) not in (1, 2, 4):
            raise ValueError(f"RandomCrop: padding takes 1, 2 or 4 numbers, got {padding!r}")
        self.padding = (given * 4 if len(given) == 1 else given * 2)[:4]

    def batch(self, images: fd.Tensor) -> fd.Tensor:
        """A window of each image."""
        images = self._pad(images)
        height, width = self.size
        down, right = images.shape[-2] - height, images.shape[-1] - width
        if down < 0 or right < 0:
            raise ValueError(
                f"RandomCrop: window {self.size} is larger than the padded image {tuple(images.shape[-2:])}"
            )
        generator = sample_generator()
        tops = fd.randint(0, down + 1, (len(images),), generator=generator).tolist()
        lefts = fd.randint(0, right + 1, (len(images),), generator=generator).tolist()
        windows = [im[..., t : t + height, s : s + width] for im, t, s in zip(images, tops, lefts, strict=True)]
        return fd.stack(windows)

    def _pad(self, images: fd.Tensor) -> fd.Tensor:
        left, top, right, bottom = self.padding
        if not any(self.padding):
            return images
        *lead, height, width = images.shape
        padded = fd.full((*lead, height + top + bottom, width + left + right), self.fill, dtype=images.dtype)
        padded[..., top : top + height, left : left + width] = images
        return padded

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


def steps_of(transform: Any) -> list[Transform] | None:
    """The chain of transforms, or None if one of them is not ours and so can only take single images."""
    if transform is None:
        return []
    chain: list[Any] = transform.transforms if type(transform) is Compose else [transform]
    known = all(isinstance(step, Transform) and type(step).__module__ == __name__ for step in chain)
    return list(chain) if known else None


def _to_unit(images: fd.Tensor) -> fd.Tensor:
    return images.to(fd.float32) * BYTE_SCALE if images.dtype == fd.uint8 else images


def _from_array(image: Any) -> fd.Tensor:
    """An (H, W) or (H, W, C) array, or anything with __array__ such as a PIL image, as a tensor (H, W) or (C, H, W)."""
    import numpy as np

    array = np.asarray(image)
    if array.ndim == 3:
        array = array.transpose(2, 0, 1)
    return fd.from_numpy(np.ascontiguousarray(array))
