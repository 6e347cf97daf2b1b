"""Initialisers: fill a tensor in place, outside autograd, and return it (book 5.4, 6.3).

Xavier: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
Kaiming: He et al., "Delving deep into rectifiers", ICCV 2015.
"""

from __future__ import annotations

import math

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from freedive import Tensor

__all__ = [
    "calculate_gain", "uniform_", "normal_", "trunc_normal_", "constant_", "ones_", "zeros_", "eye_", "dirac_",
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_",
]  # fmt: skip

_LINEAR = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps a signal's scale through this nonlinearity; param is leaky_relu's slope."""
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"negative_slope {param} not a valid number")
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _fans(tensor):
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: fd.Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    with fd.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: fd.Generator | None = None) -> Tensor:
    """Normal with this mean and standard deviation."""
    with fd.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: fd.Generator | None = None,
) -> Tensor:
    """Normal with this mean and standard deviation, conditioned on lying in [a, b]: its quantile of a uniform draw."""

    def cdf(x):
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    low, high = cdf((a - mean) / std), cdf((b - mean) / std)
    with fd.no_grad():
        draws = fd.empty(tensor.shape, dtype=fd.float64, device=tensor.device)
        draws.uniform_(2 * low - 1, 2 * high - 1, generator=generator)
        values = _inverse_erf(draws) * (std * math.sqrt(2.0)) + mean
        return tensor.copy_(values.clamp(a, b))


def _inverse_erf(y):
    """Winitzki's closed form (2008, error 2e-3), then three Newton steps on erf."""
    y = y.clamp(-1 + 1e-15, 1 - 1e-15)
    log = (1 - y * y).log()
    half = 2 / (math.pi * 0.147) + log / 2
    x = ((half * half - log / 0.147).sqrt() - half).sqrt() * y.sign()
    for _ in range(3):
        x = x - (x.erf() - y) * (x * x).exp() * (math.sqrt(math.pi) / 2)
    return x


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The value val everywhere."""
    with fd.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity in a matrix, zeros beside it."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with fd.no_grad():
        return tensor.copy_(fd.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight that hands each input channel on, as far as there are output channels."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    out_channels = tensor.shape[0] // groups
    middle = tuple(size // 2 for size in tensor.shape[2:])
    with fd.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(out_channels, tensor.shape[1])):
                at = (group * out_channels + channel, channel, *middle)
                tensor[at] = 1
        return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: fd.Generator | None = None) -> Tensor:
    """Uniform in ±gain √(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: fd.Generator | None = None) -> Tensor:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {list(modes)}")
    fan = _fans(tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: fd.Generator | None = None,
) -> Tensor:
    """Uniform in ±gain √(3 / fan); a is leaky_relu's slope."""
    if 0 in tensor.shape:
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: fd.Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain / √fan; a is leaky_relu's slope."""
    if 0 in tensor.shape:
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: fd.Generator | None = None) -> Tensor:
    """Orthonormal rows or columns of the tensor seen as [shape[0], rest], times gain (Saxe et al., ICLR 2014)."""
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    import numpy as np

    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    draws = fd.empty((max(rows, columns), min(rows, columns)), dtype=fd.float64)
    q, r = np.linalg.qr(normal_(draws, generator=generator).numpy())
    q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
    orthogonal = fd.tensor(np.ascontiguousarray(q.T if rows < columns else q))
    with fd.no_grad():
        return tensor.copy_(orthogonal.reshape(tensor.shape) * gain)
