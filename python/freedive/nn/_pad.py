"""F.pad: constant, reflect, replicate and circular borders."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from freedive import Tensor

_MODES = ("constant", "reflect", "replicate", "circular")


def pad(input: Tensor, pad: Iterable[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Adds borders to the last dimensions.

    Args:
        pad: (left, right) of the last dimension, then of the one before it, and so on; negative widths crop.
        mode: "constant" (value, 0 by default), "reflect", "replicate" or "circular".
    """
    pad = tuple(int(width) for width in pad)
    if len(pad) % 2:
        raise ValueError(f"pad: {len(pad)} widths; expected two for each padded dimension")
    if len(pad) > 2 * input.ndim:
        raise fd.ShapeError(f"pad: {len(pad)} widths but {input.ndim} dimensions; expected at most two per dimension")
    if mode not in _MODES:
        raise NotImplementedError(f"pad: unknown mode {mode!r}; expected one of {', '.join(_MODES)}")
    if mode != "constant" and value not in (None, 0):
        raise ValueError(f'pad: mode "{mode}" takes no value')
    for i in range(len(pad) // 2):
        left, right = pad[2 * i], pad[2 * i + 1]
        dim = input.ndim - 1 - i
        size = input.shape[dim]
        if left + right + size < 0:
            raise ValueError(f"pad: widths {left} and {right} crop more than dimension {dim} of size {size} has")
        if left < 0 or right < 0:
            start = max(-left, 0)
            input = input.narrow(dim, start, size - start - max(-right, 0))
            left, right = max(left, 0), max(right, 0)
        if left or right:
            input = (
                _constant(input, dim, left, right, value)
                if mode == "constant"
                else _copy(input, dim, left, right, mode)
            )
    return input


def _constant(input, dim, left, right, value):
    def border(width):
        shape = tuple(input.shape[:dim]) + (width,) + tuple(input.shape[dim + 1 :])
        return fd.full(shape, 0 if value is None else value, dtype=input.dtype, device=input.device)

    parts = ([border(left)] if left else []) + [input] + ([border(right)] if right else [])
    return fd.cat(parts, dim)


def _copy(input, dim, left, right, mode):
    size = input.shape[dim]
    most = {"reflect": size - 1, "circular": size, "replicate": max(left, right) if size else 0}[mode]
    if max(left, right) > most:
        raise fd.ShapeError(f"pad: {mode} width {max(left, right)} of dimension {dim} of size {size}; at most {most}")
    position = fd.arange(-left, size + right, device=input.device)
    if mode == "circular":
        position = position % size
    elif mode == "replicate":
        position = position.clamp(0, size - 1)
    else:
        position = size - 1 - (size - 1 - position.abs()).abs()
    return input.index_select(dim, position)
