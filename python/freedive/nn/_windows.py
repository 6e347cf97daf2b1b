"""Windows of images as columns and back, and channels traded for pixels."""

from __future__ import annotations

import freedive as fd
from freedive import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def unfold(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The windows of [n, c, h, w] as columns: [n, c * kernel elements, windows]; fold adds them up again."""
    if input.dim() == 3:
        return unfold(input.unsqueeze(0), kernel_size, dilation, padding, stride).squeeze(0)
    if input.dim() != 4:
        raise fd.ShapeError(f"unfold: input has shape {tuple(input.shape)}; expected (c, h, w) or (n, c, h, w)")
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(_pair, (kernel_size, dilation, padding, stride))
    padded = _core.pad(input, (pw, pw, ph, ph))
    windows = padded.unfold(2, (kh - 1) * dh + 1, sh).unfold(3, (kw - 1) * dw + 1, sw)[..., ::dh, ::dw]
    rows, columns = windows.shape[2:4]
    return windows.permute(0, 1, 4, 5, 2, 3).reshape(len(input), input.shape[1] * kh * kw, rows * columns)


def fold(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Columns [n, c * kernel elements, windows] added up where their windows lie: [n, c, *output_size]."""
    if input.dim() == 2:
        return fold(input.unsqueeze(0), output_size, kernel_size, dilation, padding, stride).squeeze(0)
    (h, w), (kh, kw) = _pair(output_size), _pair(kernel_size)
    (dh, dw), (ph, pw), (sh, sw) = map(_pair, (dilation, padding, stride))
    rows, columns = (h + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (w + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    taps = kh * kw
    if input.dim() != 3 or input.shape[1] % taps or input.shape[2] != rows * columns:
        raise fd.ShapeError(
            f"fold: input has shape {tuple(input.shape)}; expected (n, a multiple of {taps}, {rows * columns})"
        )
    places = fd.eye(taps, dtype=input.dtype, device=input.device).reshape(taps, 1, kh, kw)
    images = input.reshape(-1, taps, rows, columns)
    spread = _core.conv_transpose2d(images, places, stride=(sh, sw), dilation=(dh, dw))
    below, right = h + 2 * ph - spread.shape[2], w + 2 * pw - spread.shape[3]  # rows that no window reaches
    return _core.pad(spread, (-pw, right - pw, -ph, below - ph)).reshape(len(input), -1, h, w)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """[..., c r², h, w] to [..., c, h r, w r]: the channels of a pixel become a block of pixels (Shi et al. 2016)."""
    r, (channels, h, w) = upscale_factor, input.shape[-3:]
    if channels % (r * r):
        raise fd.ShapeError(f"pixel_shuffle: {channels} channels are no multiple of {r} squared")
    blocks = input.reshape(*input.shape[:-3], channels // (r * r), r, r, h, w)
    return blocks.movedim((-4, -3), (-3, -1)).reshape(*input.shape[:-3], channels // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """[..., c, h r, w r] to [..., c r², h, w]: what pixel_shuffle does, undone."""
    r, (channels, h, w) = downscale_factor, input.shape[-3:]
    if h % r or w % r:
        raise fd.ShapeError(f"pixel_unshuffle: {h} by {w} pixels cannot be cut into blocks of {r} by {r}")
    blocks = input.reshape(*input.shape[:-3], channels, h // r, r, w // r, r)
    return blocks.movedim((-3, -1), (-4, -3)).reshape(*input.shape[:-3], channels * r * r, h // r, w // r)
