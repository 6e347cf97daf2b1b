"""Bilinear image resizing as two matrix products, one per axis."""

from __future__ import annotations

import freedive as fd

_weights: dict[tuple[int, int], fd.Tensor] = {}


def resize(images: fd.Tensor, size: tuple[int, int]) -> fd.Tensor:
    """Images (…, H, W) resized to (…, *size); uint8 stays uint8, rounded after each axis as PIL does."""
    height, width = images.shape[-2:]
    if (height, width) == tuple(size):
        return images
    is_bytes = images.dtype == fd.uint8
    with fd.no_grad():
        values = images.to(fd.float32)
        if width != size[1]:
            values = _rounded(fd.matmul(values, interpolation(width, size[1]).t()), is_bytes)
        if height != size[0]:
            values = _rounded(fd.matmul(interpolation(height, size[0]), values), is_bytes)
    return values.to(fd.uint8) if is_bytes else values


def interpolation(old: int, new: int) -> fd.Tensor:
    """float32 (new, old): row i holds the weights of the old pixels in new pixel i.

    A triangle around the new pixel's centre, as wide as one old pixel to each side, or as one new pixel when shrinking.
    """
    if (old, new) not in _weights:
        scale = old / new
        reach = max(scale, 1.0)
        rows = []
        for i in range(new):
            centre = (i + 0.5) * scale
            row = [max(0.0, 1.0 - abs(j + 0.5 - centre) / reach) for j in range(old)]
            total = sum(row)
            rows.append([w / total for w in row])
        _weights[old, new] = fd.tensor(rows, dtype=fd.float32)
    return _weights[old, new]


def _rounded(values: fd.Tensor, is_bytes: bool) -> fd.Tensor:
    return (values + 0.5).floor().clamp(0, 255) if is_bytes else values
