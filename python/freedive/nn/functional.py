"""Functions of neural networks: the compiled ones under their own names, and short compositions of them.

A compiled function is re-exported as it is, so `F.relu` is the C++ function itself.
"""

from __future__ import annotations

import math

import freedive as fd
from freedive import _core
from freedive.nn._interpolate import interpolate
from freedive.nn._windows import fold, pixel_shuffle, pixel_unshuffle, unfold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from freedive import Tensor

__all__ = [
    # windows
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "interpolate", "unfold", "fold",
    "pixel_shuffle", "pixel_unshuffle",
    # products and normalisation
    "linear", "batch_norm", "layer_norm", "group_norm", "instance_norm", "local_response_norm", "normalize",
    "cosine_similarity", "pairwise_distance",
    "scaled_dot_product_attention",
    # activations
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "elu", "elu_", "celu", "selu", "gelu", "silu", "mish",
    "sigmoid", "tanh", "softplus", "softsign", "logsigmoid", "hardtanh", "hardtanh_", "hardswish", "hardsigmoid",
    "prelu", "threshold", "glu", "tanhshrink", "hardshrink", "softshrink", "softmax", "log_softmax", "softmin",
    # dropout, tables, shapes
    "dropout", "dropout1d", "dropout2d", "embedding", "one_hot", "pad",
    # losses
    "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div",
    "binary_cross_entropy", "binary_cross_entropy_with_logits",
]  # fmt: skip

conv1d = _core.conv1d
conv2d = _core.conv2d
conv3d = _core.conv3d
conv_transpose1d = _core.conv_transpose1d
conv_transpose2d = _core.conv_transpose2d
conv_transpose3d = _core.conv_transpose3d
max_pool1d = _core.max_pool1d
max_pool2d = _core.max_pool2d
max_pool3d = _core.max_pool3d
avg_pool1d = _core.avg_pool1d
avg_pool2d = _core.avg_pool2d
avg_pool3d = _core.avg_pool3d
adaptive_max_pool1d = _core.adaptive_max_pool1d
adaptive_max_pool2d = _core.adaptive_max_pool2d
adaptive_max_pool3d = _core.adaptive_max_pool3d
adaptive_avg_pool1d = _core.adaptive_avg_pool1d
adaptive_avg_pool2d = _core.adaptive_avg_pool2d
adaptive_avg_pool3d = _core.adaptive_avg_pool3d
linear = _core.linear
batch_norm = _core.batch_norm
layer_norm = _core.layer_norm
relu = _core.relu
leaky_relu = _core.leaky_relu
elu = _core.elu
celu = _core.celu
selu = _core.selu
gelu = _core.gelu
silu = _core.silu
mish = _core.mish
sigmoid = _core.sigmoid
tanh = _core.tanh
softplus = _core.softplus
logsigmoid = _core.logsigmoid
hardtanh = _core.hardtanh
hardsigmoid = _core.hardsigmoid
hardswish = _core.hardswish
softmax = _core.softmax
log_softmax = _core.log_softmax
softmin = _core.softmin
dropout = _core.dropout
dropout1d = _core.dropout1d
dropout2d = _core.dropout2d
one_hot = _core.one_hot
pad = _core.pad
cross_entropy = _core.cross_entropy
nll_loss = _core.nll_loss
mse_loss = _core.mse_loss
l1_loss = _core.l1_loss
smooth_l1_loss = _core.smooth_l1_loss
huber_loss = _core.huber_loss
kl_div = _core.kl_div
binary_cross_entropy = _core.binary_cross_entropy
binary_cross_entropy_with_logits = _core.binary_cross_entropy_with_logits

# ------------------------------------------------------------------------------------------------ activations


def _written(input, output, inplace):
    """output, or input itself holding output's values: the one meaning of `inplace=True`."""
    return input.copy_(output) if inplace else output


def relu_(input: Tensor) -> Tensor:
    """relu in place."""
    return relu(input, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """leaky_relu in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """elu in place."""
    return elu(input, alpha, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """hardtanh in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x for x > 0, else weight x; one weight for all or one per channel (dimension 1)."""
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.numel() != channels:
            raise ValueError(f"prelu: {weight.numel()} weights but {channels} channels; expected one per channel")
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2))
    return fd.where(input > 0, input, (weight if input.ndim else weight.reshape(())) * input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value."""
    return _written(input, input.masked_fill(input <= threshold, value), inplace)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), where a and b are the halves of the input along dim (Dauphin et al. 2017)."""
    size = input.shape[dim]
    if size % 2:
        raise ValueError(f"glu: dimension {dim} has size {size}; expected an even size to halve")
    a, b = input.chunk(2, dim)
    return a * sigmoid(b)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - tanh(input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0."""
    return input.masked_fill(input.abs() <= lambd, 0)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x pulled towards 0 by lambd."""
    if lambd < 0:
        raise ValueError(f"softshrink: lambd is {lambd}; expected at least 0")
    return input - input.clamp(-lambd, lambd)


# -------------------------------------------------------------------------------------- normalisation, attention


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Divides by the p-norm along dim, or by eps where that is larger."""
    result = input / input.norm(p, dim, keepdim=True).clamp(min=eps)
    return result if out is None else out.copy_(result)


def _per_channel(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """normal * weight + bias, one of each per channel (dimension 1)."""
    shape = (1, -1) + (1,) * (normal.ndim - 2)
    if weight is not None:
        normal = normal * weight.reshape(shape)
    return normal if bias is None else normal + bias.reshape(shape)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each of num_groups runs of channels of each sample of [n, c, ...] brought to mean 0 and variance 1."""
    if input.ndim < 2 or num_groups <= 0 or input.shape[1] % num_groups:
        raise fd.ShapeError(
            f"group_norm: input of shape {tuple(input.shape)}; expected (n, c, …) with c a multiple of {num_groups}"
        )
    size = input.shape[1] // num_groups * math.prod(input.shape[2:])
    normal = layer_norm(input.reshape(len(input), num_groups, size), (size,), eps=eps) if input.numel() else input
    return _per_channel(normal.reshape(input.shape), weight, bias)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample of [n, c, ...] brought to mean 0 and variance 1, or by the running statistics.

    Running statistics, if given with use_input_stats, move towards the mean over the samples.
    """
    if input.ndim < 3:
        raise fd.ShapeError(f"instance_norm: input has shape {tuple(input.shape)}; expected (n, c, …)")
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if math.prod(input.shape[2:]) == 1:
        raise ValueError(f"instance_norm: one value per channel in input of shape {tuple(input.shape)} has no variance")
    if running_mean is not None and running_var is not None:
        with fd.no_grad():
            flat = input.flatten(2)
            running_mean.lerp_(flat.mean((0, 2)).to(running_mean.dtype), momentum)
            running_var.lerp_(flat.var(2).mean(0).to(running_var.dtype), momentum)
    return group_norm(input, max(1, input.shape[1]), weight, bias, eps)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * mean of the squares of the `size` channels around)^beta (Krizhevsky et al. 2012)."""
    if input.ndim < 3:
        raise fd.ShapeError(f"local_response_norm: input has shape {tuple(input.shape)}; expected (n, c, …)")
    squares = (input * input).flatten(2).movedim(1, 2)
    around = avg_pool1d(pad(squares, (size // 2, (size - 1) // 2)), size, 1)
    return input / (k + alpha * around.movedim(2, 1).reshape(input.shape)) ** beta


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Cosine of the angle between x1 and x2 along dim; norms count as at least eps."""
    x1, x2 = fd.broadcast_tensors(x1, x2)
    return (x1 * x2).sum(dim) / (x1.norm(2, dim).clamp(min=eps) * x2.norm(2, dim).clamp(min=eps))


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """p-norm of x1 - x2 + eps along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ scale + mask) v (book 11.3): q [..., l, e], k [..., s, e], v [..., s, d] to [..., l, d].

    attn_mask is added, or if it is bool says which positions take part; is_causal lets each row see the rows up to
    its own; scale is 1 / √e if not given. enable_gqa repeats key and value heads to the count of query heads.
    """
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal, not both")
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = (query * scale) @ key.transpose(-2, -1)
    if is_causal:
        attn_mask = fd.ones(scores.shape[-2:], dtype=fd.bool, device=query.device).tril()
    if attn_mask is not None:
        if attn_mask.dtype == fd.bool:
            scores = scores.masked_fill(~attn_mask, -math.inf)
        else:
            scores = scores + attn_mask
    weights = softmax(scores, -1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return weights @ value


# ---------------------------------------------------------------------------------------------- dropout, tables


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of weight [rows, width] by number: input of any shape to [..., width].

    The row padding_idx gets no gradient. With max_norm the rows looked up are first scaled down in place to at most
    that norm.
    """
    if scale_grad_by_freq or sparse:
        raise ValueError("embedding: scale_grad_by_freq and sparse gradients are not supported")
    if max_norm is not None:
        with fd.no_grad():
            index = input.reshape(-1)
            rows = weight[index]
            norms = rows.norm(norm_type, 1, keepdim=True)
            weight[index] = fd.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)
    return _core.embedding(weight, input, -1 if padding_idx is None else padding_idx % weight.shape[0])
