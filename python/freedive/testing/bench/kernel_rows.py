"""The kernels that training is made of, what bounds them and what they should reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .row import Goal, Row

FILE = str(Path(__file__).with_name("kernel_workloads.py"))
_FLOAT = 4


def _row(name: str, function: str, args: dict[str, Any], **options: Any) -> Row:
    options.setdefault("libs", ("freedive", "kernels", "numpy", "torch", "jax"))
    return Row(name, FILE, function, args, **options)


def _gemm(m: int, k: int, n: int, goal: Goal) -> Row:
    return _row(f"gemm {m}x{k}x{n}", "gemm", {"m": m, "k": k, "n": n}, flops=2.0 * m * k * n, goal=goal)


def _conv(n: int, c: int, size: int, outputs: int, kernel: int, padding: int, backward: bool = False) -> Row:
    out = size + 2 * padding - kernel + 1
    name = f"conv {'f+b' if backward else 'forward'} {n}x{c}x{size}x{size} to {outputs}, {kernel}x{kernel}"
    args = {"shape": [n, c, size, size], "outputs": outputs, "kernel": kernel, "padding": padding, "backward": backward}
    work = 2.0 * n * c * out * out * outputs * kernel * kernel * (3 if backward else 1)
    return _row(name, "conv2d", args, flops=work, libs=("freedive", "kernels", "torch"))


def _cross_entropy(rows: int, classes: int, goal: Goal) -> Row:
    # Logits are read once, gradients written once.
    moved = 2.0 * rows * classes * _FLOAT
    return _row(
        f"cross-entropy {rows}x{classes}", "cross_entropy", {"rows": rows, "classes": classes}, bytes=moved, goal=goal
    )


def _batch_norm(rows: int, channels: int, goal: Goal) -> Row:
    # Forward reads x and writes y; backward reads x and the gradient and writes one.
    moved = 5.0 * rows * channels * _FLOAT
    args = {"rows": rows, "channels": channels}
    return _row(f"batch norm f+b {rows}x{channels}", "batch_norm", args, bytes=moved, goal=goal)


def _adam(name: str, sizes: list[int], goal: Goal) -> Row:
    # Parameter and both means are read and written, the gradient read.
    return _row(f"adam {name}", "adam", {"sizes": sizes}, bytes=7.0 * sum(sizes) * _FLOAT, goal=goal)


_MLP = [784 * 256, 256, 256 * 10, 10]

KERNEL_ROWS = (
    _gemm(64, 64, 64, Goal(peers=1 / 1.8)),
    _gemm(128, 128, 128, Goal(peers=1 / 1.5)),
    _gemm(256, 256, 256, Goal(peers=1 / 1.2)),
    _gemm(1024, 1024, 1024, Goal(floor=1 / 0.92, peers=1.0)),
    _gemm(2048, 2048, 2048, Goal(floor=1 / 0.92, peers=1.0)),
    _gemm(256, 256, 10, Goal(floor=6 / 2.4, microseconds=6)),
    _gemm(256, 784, 256, Goal(peers=1.0)),
    _conv(8, 64, 56, 64, 3, 1),
    _conv(8, 128, 28, 128, 3, 1),
    _conv(8, 256, 14, 256, 3, 1),
    _conv(256, 1, 28, 6, 5, 2),
    _conv(256, 6, 14, 16, 5, 0),
    _conv(8, 64, 56, 64, 3, 1, backward=True),
    _conv(256, 6, 14, 16, 5, 0, backward=True),
    _cross_entropy(256, 10, Goal(floor=4 / 0.3, microseconds=4)),
    _cross_entropy(8192, 1000, Goal(floor=1.4)),
    _cross_entropy(2048, 32000, Goal(floor=1.4)),
    _batch_norm(8192, 1024, Goal(floor=1.5)),
    _batch_norm(256, 256, Goal(peer={"torch": 20 / 56}, microseconds=20)),
    _row("dropout 8.4M", "dropout", {"n": 1 << 23}, bytes=2.0 * (1 << 23) * _FLOAT, goal=Goal(floor=1.35)),
    _adam("16.8M", [1 << 22] * 4, Goal(peer={"torch": 1.05})),
    _adam("MLP", _MLP, Goal(peer={"torch": 30 / 66}, microseconds=30)),
    _row(
        "sgd momentum MLP",
        "sgd",
        {"sizes": _MLP, "momentum": 0.9},
        bytes=5.0 * sum(_MLP) * _FLOAT,
        goal=Goal(peer={"torch": 20 / 55}, microseconds=20),
    ),
    _row("exp 1M", "unary", {"name": "exp", "n": 1_000_000}, bytes=8e6, goal=Goal(floor=1.3)),
    _row("tanh 1M", "unary", {"name": "tanh", "n": 1_000_000}, bytes=8e6),
    _row("sum axis 0 1000x1000", "total", {"rows": 1000, "columns": 1000, "axis": 0}, bytes=4e6,
         goal=Goal(peer={"torch": 25 / 29}, microseconds=25)),
    _row("sum axis 1 1000x1000", "total", {"rows": 1000, "columns": 1000, "axis": 1}, bytes=4e6),
    _row("softmax 8192x1000", "softmax", {"rows": 8192, "columns": 1000}, bytes=2.0 * 8192 * 1000 * _FLOAT),
    _row("minibatch 256x784", "minibatch", {"images": 60_000, "pixels": 784, "batch": 256}, bytes=256 * 784 * 5.0),
)  # fmt: skip
