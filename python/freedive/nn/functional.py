"""Functions of neural networks: the compiled ones under their own names, and short compositions of them.

A compiled function is re-exported as it is, so `F.relu` is the C++ function itself.
"""

from __future__ import annotations

import math

import freedive as fd
from freedive import _core

from ._pad import pad

_C = _core.functional

__all__ = [
    # products and normalisation
    "linear", "batch_norm", "layer_norm", "normalize", "cosine_similarity", "pairwise_distance",
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

linear = _C.linear
batch_norm = _C.batch_norm
relu = _C.relu
leaky_relu = _C.leaky_relu
elu = _C.elu
gelu = _C.gelu
silu = _C.silu
mish = _C.mish
sigmoid = _C.sigmoid
tanh = _C.tanh
softplus = _C.softplus
logsigmoid = _C.logsigmoid
hardtanh = _C.hardtanh
softmax = _C.softmax
log_softmax = _C.log_softmax
dropout = _C.dropout
cross_entropy = _C.cross_entropy
nll_loss = _C.nll_loss
mse_loss = _C.mse_loss
l1_loss = _C.l1_loss
smooth_l1_loss = _C.smooth_l1_loss
huber_loss = _C.huber_loss
kl_div = _C.kl_div
binary_cross_entropy = _C.binary_cross_entropy
binary_cross_entropy_with_logits = _C.binary_cross_entropy_with_logits

# ------------------------------------------------------------------------------------------------ activations


def _written(input, output, inplace):
    """output, or input itself holding output's values: the one meaning of `inplace=True`."""
    return input.copy_(output) if inplace else output


def relu_(input):
    """relu in place."""
    return relu(input, inplace=True)


def leaky_relu_(input, negative_slope=0.01):
    """leaky_relu in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input, alpha=1.0):
    """elu in place."""
    return elu(input, alpha, inplace=True)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """hardtanh in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input, inplace=False):
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def _scaled_elu(input, alpha, inverse):
    return relu(input) + alpha * (input.clamp(max=0) * inverse).expm1()


def celu(input, alpha=1.0, inplace=False):
    """x for x > 0, else alpha (exp(x / alpha) - 1) (Barron 2017)."""
    if alpha == 0:
        raise ZeroDivisionError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _written(input, _scaled_elu(input, alpha, 1.0 / alpha), inplace)


# The fixed point (0, 1) of mean and variance: Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def selu(input, inplace=False):
    """scale (x for x > 0, else alpha (exp(x) - 1)) with the constants of Klambauer et al."""
    return _written(input, _SELU_SCALE * _scaled_elu(input, _SELU_ALPHA, 1.0), inplace)


def softsign(input):
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def hardsigmoid(input, inplace=False):
    """relu6(x + 3) / 6."""
    return _written(input, relu6(input + 3) / 6, inplace)


def hardswish(input, inplace=False):
    """x relu6(x + 3) / 6 (Howard et al., ICCV 2019)."""
    return _written(input, input * (relu6(input + 3) / 6), inplace)


def prelu(input, weight):
    """x for x > 0, else weight x; one weight for all or one per channel (dimension 1)."""
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.numel() != channels:
            raise ValueError(f"prelu: {weight.numel()} weights but {channels} channels; expected one per channel")
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2))
    return fd.where(input > 0, input, weight * input)


def threshold(input, threshold, value, inplace=False):
    """x where x > threshold, else value."""
    return _written(input, input.masked_fill(~(input > threshold), value), inplace)


def glu(input, dim=-1):
    """a sigmoid(b), where a and b are the halves of the input along dim (Dauphin et al. 2017)."""
    size = input.shape[dim]
    if size % 2:
        raise ValueError(f"glu: dimension {dim} has size {size}; expected an even size to halve")
    a, b = input.chunk(2, dim)
    return a * sigmoid(b)


def tanhshrink(input):
    """x - tanh(x)."""
    return input - tanh(input)


def hardshrink(input, lambd=0.5):
    """x where |x| > lambd, else 0."""
    return input.masked_fill(input.abs() <= lambd, 0)


def softshrink(input, lambd=0.5):
    """x pulled towards 0 by lambd."""
    if lambd < 0:
        raise ValueError(f"softshrink: lambd is {lambd}; expected at least 0")
    return input - input.clamp(-lambd, lambd)


def softmin(input, dim=None, dtype=None):
    """softmax(-x)."""
    return softmax(-input, dim=dim, dtype=dtype)


# -------------------------------------------------------------------------------------- normalisation, attention


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """(x - mean) / √(var + eps) over the last len(normalized_shape) dimensions, times weight, plus bias."""
    shape = tuple(normalized_shape)
    if not shape or tuple(input.shape[-len(shape) :]) != shape:
        raise fd.ShapeError(
            f"layer_norm: input of shape {tuple(input.shape)}; expected its last dimensions to be {shape}"
        )
    dims = tuple(range(-len(shape), 0))
    centred = input - input.mean(dims, keepdim=True)
    out = centred * ((centred * centred).mean(dims, keepdim=True) + eps).rsqrt()
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """Divides by the p-norm along dim, or by eps where that is larger."""
    result = input / input.norm(p, dim, keepdim=True).clamp(min=eps)
    return result if out is None else out.copy_(result)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """Cosine of the angle between x1 and x2 along dim; norms count as at least eps."""
    x1, x2 = fd.broadcast_tensors(x1, x2)
    return (x1 * x2).sum(dim) / (x1.norm(2, dim).clamp(min=eps) * x2.norm(2, dim).clamp(min=eps))


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """p-norm of x1 - x2 + eps along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
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


def check_probability(p):
    """ValueError unless p is in [0, 1]."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _dropout_channels(input, p, training, inplace, batched):
    check_probability(p)
    if not training or p == 0:
        return input
    leading = 2 if batched else 1
    ones = fd.ones(tuple(input.shape[:leading]) + (1,) * (input.ndim - leading), dtype=input.dtype, device=input.device)
    mask = dropout(ones, p, True)
    return input.mul_(mask) if inplace else input * mask


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Drops whole channels of [n, c, l] or [c, l]."""
    if input.ndim not in (2, 3):
        raise fd.ShapeError(f"dropout1d: input has {input.ndim} dimensions; expected 2 or 3")
    return _dropout_channels(input, p, training, inplace, input.ndim == 3)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Drops whole channels of [n, c, h, w] or [c, h, w]."""
    if input.ndim not in (3, 4):
        raise fd.ShapeError(f"dropout2d: input has {input.ndim} dimensions; expected 3 or 4")
    return _dropout_channels(input, p, training, inplace, input.ndim == 4)


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
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
    out = weight[input]
    if padding_idx is not None and out.requires_grad:
        padding_idx %= weight.shape[0]
        out = fd.where((input == padding_idx).unsqueeze(-1), out.detach(), out)
    return out


def one_hot(tensor, num_classes=-1):
    """Class numbers (int64, any shape) to [..., num_classes] with a 1 at each number; -1: the largest plus one."""
    if tensor.dtype != fd.int64:
        raise fd.DTypeError(f"one_hot: tensor is {tensor.dtype}; expected int64 class numbers")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise ValueError("one_hot: no class numbers, and num_classes is not given")
        return fd.zeros((*tensor.shape, num_classes), dtype=fd.int64, device=tensor.device)
    low, high = int(tensor.min()), int(tensor.max())
    if low < 0:
        raise IndexError(f"one_hot: class number {low} is negative")
    if num_classes == -1:
        num_classes = high + 1
    elif num_classes < 1:
        raise ValueError(f"one_hot: num_classes is {num_classes}; expected at least 1, or -1")
    elif high >= num_classes:
        raise IndexError(f"one_hot: class number {high} is out of range for {num_classes} classes")
    out = fd.zeros((*tensor.shape, num_classes), dtype=fd.int64, device=tensor.device)
    return out.scatter_(-1, tensor.unsqueeze(-1), 1)
