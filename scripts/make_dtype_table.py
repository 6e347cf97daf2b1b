"""Writes docs/dtypes.md: which dtypes each family takes, found out by calling it.

python scripts/make_dtype_table.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import freedive as fd
import freedive.nn.functional as F
from freedive import Tensor

HEADER = """# Dtypes

What each family of operations takes, on the CPU and on a GPU alike. `scripts/make_dtype_table.py` writes this table by
calling each of them; `tests/house/test_dtypes.py` checks that it still holds, and `tests/device/test_dtypes.py` that it
holds on a GPU or its emulator. Where there is a dash the call raises `DTypeError` (a TypeError) that names the
operation and what it takes, or on a GPU `DeviceError` that says there is no kernel. float16 and bfloat16 are storage:
arithmetic on them is done in float32 and rounded once.

"""
DTYPES = (fd.float32, fd.float64, fd.float16, fd.bfloat16, fd.int64, fd.int32, fd.uint8, fd.bool)


def _matrix(x: Tensor) -> Tensor:
    return x.reshape(2, 2)


def _image(x: Tensor) -> Tensor:
    return x.reshape(1, 1, 2, 2)


def _labels(x: Tensor) -> Tensor:
    return fd.tensor([0, 1], device=x.device)


def _kind(x: Tensor) -> dict:
    return {"dtype": x.dtype, "device": x.device}


FAMILIES: dict[str, Callable[[Tensor], object]] = {
    "create: zeros, ones, full": lambda x: (fd.zeros(2, **_kind(x)), fd.ones_like(x), fd.full_like(x, 1)),
    "create: arange": lambda x: fd.arange(3, **_kind(x)),
    "create: linspace": lambda x: fd.linspace(0, 1, 3, **_kind(x)),
    "move: reshape, permute, cat, stack": lambda x: fd.cat([_matrix(x).permute(1, 0), fd.stack([x[:2], x[2:]])]),
    "cast: to any dtype": lambda x: [x.to(d) for d in DTYPES],
    "arithmetic: + * maximum": lambda x: (x + x, x * x, fd.maximum(x, x)),
    "arithmetic: - abs neg": lambda x: (x - x, x.abs(), -x),
    "arithmetic: / exp log sin": lambda x: (x / x, x.exp(), x.log(), x.sin()),
    "comparisons, where": lambda x: fd.where(x == x, x, x),
    "logical: and or not": lambda x: (x.logical_and(x), x.logical_not()),
    "bitwise: and, or, xor, not": lambda x: (x & x, x | x, x ^ x, ~x),
    "shifts: << >>": lambda x: (x << x, x >> x),
    "activations: relu": F.relu,
    "activations: sigmoid, tanh, gelu, softplus": lambda x: (x.sigmoid(), x.tanh(), F.gelu(x), F.softplus(x)),
    "reduce: sum, prod, any, all": lambda x: (x.sum(), x.prod(), x.any(), x.all()),
    "reduce: max, min, argmax": lambda x: (x.max(), x.min(), x.argmax()),
    "reduce: mean, var, norm, logsumexp": lambda x: (x.mean(), x.var(), x.norm(), x.logsumexp(0)),
    "scan: cumsum, cumprod": lambda x: (x.cumsum(0), x.cumprod(0)),
    "gemm: @, mm, bmm": lambda x: (_matrix(x) @ _matrix(x), _matrix(x).mm(_matrix(x))),
    "gemm: linear": lambda x: F.linear(_matrix(x), _matrix(x)),
    "softmax: softmax, log_softmax": lambda x: (x.softmax(0), x.log_softmax(0)),
    "cross_entropy": lambda x: F.cross_entropy(_matrix(x), _labels(x)),
    "losses: mse, l1, huber": lambda x: (F.mse_loss(x, x), F.l1_loss(x, x), F.smooth_l1_loss(x, x)),
    "dropout": lambda x: F.dropout(x, 0.5),
    "batch_norm": lambda x: F.batch_norm(_matrix(x), None, None, training=True),
    "layer_norm": lambda x: F.layer_norm(_matrix(x), (2,)),
    "conv: conv2d": lambda x: F.conv2d(_image(x), _image(x)[..., :1, :1]),
    "pool: max_pool2d": lambda x: F.max_pool2d(_image(x), 2),
    "pool: avg_pool2d": lambda x: F.avg_pool2d(_image(x), 2),
    "index: gather, slices, masks": lambda x: (x.gather(0, _labels(x)), x[_labels(x)], x[1:], x[x == x]),
    "index: scatter, index_add": lambda x: (x.scatter(0, _labels(x), x[:2]), x.index_add(0, _labels(x), x[:2])),
    "sort: sort, topk": lambda x: (x.sort(), x.topk(2)),
    "random: rand, randn": lambda x: (fd.rand(2, **_kind(x)), fd.randn(2, **_kind(x))),
    "random: randint": lambda x: fd.randint(0, 2, (2,), **_kind(x)),
}


def takes(family: Callable[[Tensor], object], dtype: fd.dtype, device: str = "cpu") -> bool:
    """Whether a call with this dtype is answered; a DTypeError is the answer no, anything else is a fault.

    A GPU may also say no by a DeviceError.
    """
    refusals = fd.DTypeError if device == "cpu" else (fd.DTypeError, fd.DeviceError)
    try:
        family(fd.tensor([1, 0, 1, 1]).to(dtype).to(device))
    except refusals:
        return False
    return True


def table(device: str = "cpu") -> str:
    """The text of docs/dtypes.md."""
    names = [str(d).rpartition(".")[2] for d in DTYPES]
    rows = ["| family | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for name, family in FAMILIES.items():
        cells = ("yes" if takes(family, d, device) else "-" for d in DTYPES)
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return HEADER + "\n".join(rows) + "\n"


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "dtypes.md").write_text(table())
