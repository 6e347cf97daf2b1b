"""What bench.py times: each row makes the same work for both libraries and says what it moves and computes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import freedive as fd
from freedive import nn as fnn
from freedive.nn import functional as FF

try:
    import torch
except ImportError:
    torch = None


class Side:
    """One library: what it is called, and how it waits."""

    def __init__(self, lib, nn, functional, wait):
        self.lib, self.nn, self.F, self.wait = lib, nn, functional, wait

    def seconds(self, run, wanted):
        """Seconds a call, from about `wanted` seconds of calls."""
        for _ in range(3):  # a captured step runs, is captured and is replayed
            run()
        self.wait()
        start = time.perf_counter()
        run()
        self.wait()
        times = max(1, int(wanted / max(time.perf_counter() - start, 1e-7)))
        start = time.perf_counter()
        for _ in range(times):
            run()
        self.wait()
        return (time.perf_counter() - start) / times


EMULATED = fd._core._cuda_emulated()
OURS = Side(fd, fnn, FF, fd.cuda.synchronize)
HAS_PEER = torch is not None and torch.cuda.is_available() and not EMULATED
PEER = Side(torch, torch.nn, torch.nn.functional, torch.cuda.synchronize) if HAS_PEER else None


@dataclass
class Row:
    """sizes go to build, and tiny where the device is emulated. goal: what to reach, and against what."""

    name: str
    build: Callable[..., tuple[Callable[[Side], Any], int | None, int | None]]  # make(side), bytes moved, operations
    sizes: tuple
    tiny: tuple
    of_copy: float | None = None  # goals: share of copy bandwidth,
    of_peer: float | None = None  # the peer's time over ours,
    under: float | None = None  # seconds


def copy(n):
    def make(s):
        x, y = s.lib.randn(n, device="cuda"), s.lib.empty(n, device="cuda")
        return lambda: y.copy_(x)

    return make, 8 * n, None


def matmul(n, dtype="float32", turned=False):
    """turned: the second operand as a layer's weight lies, transposed."""

    def make(s):
        a, b = (s.lib.randn(n, n, device="cuda").to(getattr(s.lib, dtype)) for _ in range(2))
        b = b.t() if turned else b
        return lambda: a @ b

    return make, None, 2 * n**3


def matmul_tf32(n):
    def make(s):
        a, b = s.lib.randn(n, n, device="cuda"), s.lib.randn(n, n, device="cuda")

        def run():
            s.lib.set_float32_matmul_precision("high")
            a @ b
            s.lib.set_float32_matmul_precision("highest")

        return run

    return make, None, 2 * n**3


def unary(n, name):
    def make(s):
        x = s.lib.randn(n, device="cuda")
        return lambda: getattr(s.lib, name)(x)

    return make, 8 * n, None


def add(n):
    def make(s):
        x, y = s.lib.randn(n, device="cuda"), s.lib.randn(n, device="cuda")
        return lambda: x + y

    return make, 12 * n, None


def add_bias(rows, cols):
    def make(s):
        x, b = s.lib.randn(rows, cols, device="cuda"), s.lib.randn(cols, device="cuda")
        return lambda: x + b

    return make, 8 * rows * cols, None


def total(rows, cols, dim):
    def make(s):
        x = s.lib.randn(rows, cols, device="cuda")
        return (lambda: x.sum()) if dim is None else (lambda: x.sum(dim))

    return make, 4 * rows * cols, None


def softmax(rows, cols):
    def make(s):
        x = s.lib.randn(rows, cols, device="cuda")
        return lambda: s.lib.softmax(x, -1)

    return make, 8 * rows * cols, None


def cross_entropy(rows, cols, compiled=False):
    """Loss and gradient; compiled: the peer's by torch.compile."""

    def make(s):
        x = s.lib.randn(rows, cols, device="cuda").requires_grad_(True)
        y = s.lib.randint(0, cols, (rows,), device="cuda")
        loss = torch.compile(s.F.cross_entropy) if compiled and s is PEER else s.F.cross_entropy

        def run():
            x.grad = None
            loss(x, y).backward()

        return run

    return make, 8 * rows * cols, None


def dropout(n):
    def make(s):
        x = s.lib.randn(n, device="cuda")
        return lambda: s.F.dropout(x, 0.5)

    return make, 8 * n, None


def batch_norm(n, c, side):
    """Training: the statistics' pass and the pass that writes."""

    def make(s):
        x = s.lib.randn(n, c, side, side, device="cuda")
        module = s.nn.BatchNorm2d(c).to("cuda")
        return lambda: module(x)

    return make, 12 * n * c * side * side, None


def adam(parameters):
    """One step of 100 tensors that hold so many numbers together."""

    def make(s):
        each = parameters // 100
        params = [s.lib.randn(each, device="cuda").requires_grad_(True) for _ in range(100)]
        for p in params:
            p.grad = s.lib.randn(each, device="cuda")
        options = {} if s is OURS else {"fused": True}
        optimizer = s.lib.optim.Adam(params, lr=1e-3, **options)
        return optimizer.step

    return make, 28 * parameters, None


def mlp(s):
    return s.nn.Sequential(s.nn.Flatten(), s.nn.Linear(784, 256), s.nn.ReLU(), s.nn.Linear(256, 10)).to("cuda")


def lenet(s):
    nn = s.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    ).to("cuda")


def step(batch, network, captured, peer_captured):
    """Forward, loss, backward and SGD; each side from a CUDA graph or eager."""

    def make(s):
        net = network(s)
        optimizer = s.lib.optim.SGD(net.parameters(), lr=0.1)
        x, y = s.lib.randn(batch, 1, 28, 28, device="cuda"), s.lib.randint(0, 10, (batch,), device="cuda")

        def train(x, y):
            optimizer.zero_grad(set_to_none=True)
            loss = s.F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        if s is OURS and captured:
            train = fd.cuda.graph(train, net)
        if s is PEER and peer_captured:
            train = peer_graph(train, x, y)
        return lambda: train(x, y)

    return make, None, None


def peer_graph(train, x, y):
    """As PyTorch's documentation has it: warm up on another stream, then capture; inputs are copied in."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            train(x, y)
    torch.cuda.current_stream().wait_stream(stream)
    graph, fixed_x, fixed_y = torch.cuda.CUDAGraph(), x.clone(), y.clone()
    with torch.cuda.graph(graph):
        train(fixed_x, fixed_y)

    def replay(x, y):
        fixed_x.copy_(x)
        fixed_y.copy_(y)
        graph.replay()

    return replay


def epoch(examples, batch):
    """An epoch of the MLP on images that lie on the device as bytes; shuffled there, every step one replay."""

    def make(s):
        images = s.lib.randint(0, 256, (examples, 784), device="cuda").to(s.lib.uint8)
        labels = s.lib.randint(0, 10, (examples,), device="cuda")
        net = mlp(s)
        optimizer = s.lib.optim.SGD(net.parameters(), lr=0.1)

        def train(rows):
            optimizer.zero_grad(set_to_none=True)
            if s is OURS:
                x = fd._core.minibatch(images, rows, 1 / 255, 0.0, fd.float32)
            else:
                x = images[rows].float() / 255
            s.F.cross_entropy(net(x), labels[rows]).backward()
            optimizer.step()

        take = fd.cuda.graph(train, net) if s is OURS else train

        def run():
            order = s.lib.randperm(examples).to("cuda")
            for first in range(0, examples - batch + 1, batch):
                take(order[first : first + batch])

        return run

    return make, None, None


def convolution(n, channels, side):
    def make(s):
        x = s.lib.randn(n, channels, side, side, device="cuda")
        w = s.lib.randn(channels, channels, 3, 3, device="cuda")
        return lambda: s.F.conv2d(x, w, padding=1)

    return make, None, 2 * 9 * n * channels**2 * side**2


MILLION = 1 << 20
BIG = 64 * MILLION
CLASSES = "cross_entropy 16384x32768, loss and gradient"
SMALL_STEP = "mlp step 784-256-10, batch 256"
ROWS = [
    Row("copy 256 MB", copy, (BIG,), (999,)),
    Row("fp32 matmul 1024", matmul, (1024,), (17,)),
    Row("fp32 matmul 4096", matmul, (4096,), (33,), of_peer=0.9),
    Row("fp32 matmul 8192", matmul, (8192,), (65,)),
    Row("tf32 matmul 4096", matmul_tf32, (4096,), (33,)),
    Row("bf16 matmul 1024", matmul, (1024, "bfloat16"), (17, "bfloat16")),
    Row("bf16 matmul 4096", matmul, (4096, "bfloat16"), (33, "bfloat16"), of_peer=0.9),
    Row("bf16 matmul 4096, turned", matmul, (4096, "bfloat16", True), (33, "bfloat16", True), of_peer=0.9),
    Row("bf16 matmul 8192", matmul, (8192, "bfloat16"), (65, "bfloat16"), of_peer=0.9),
    Row("fp16 matmul 4096", matmul, (4096, "float16"), (33, "float16")),
    Row("bf16 matmul 4100, rows not aligned", matmul, (4100, "bfloat16"), (33, "bfloat16")),
    Row("exp 256 MB", unary, (BIG, "exp"), (999, "exp"), of_copy=0.85),
    Row("relu 256 MB", unary, (BIG, "relu"), (999, "relu"), of_copy=0.85),
    Row("add 256 MB", add, (BIG,), (999,), of_copy=0.85),
    Row("add bias 16384x4096", add_bias, (16384, 4096), (9, 33), of_copy=0.85),
    Row("sum all 256 MB", total, (16384, 4096, None), (9, 33, None), of_copy=0.85),
    Row("sum rows 16384x4096", total, (16384, 4096, 1), (9, 33, 1), of_copy=0.85),
    Row("sum columns 16384x4096", total, (16384, 4096, 0), (9, 33, 0), of_copy=0.85),
    Row("softmax 16384x4096", softmax, (16384, 4096), (9, 33), of_copy=0.85),
    Row(CLASSES, cross_entropy, (16384, 32768), (9, 33), of_copy=0.85, of_peer=3),
    Row(CLASSES + ", peer compiled", cross_entropy, (16384, 32768, True), (9, 33), of_peer=1.2),
    Row("cross_entropy 4096x10, loss and gradient", cross_entropy, (4096, 10), (9, 10)),
    Row("dropout 256 MB", dropout, (BIG,), (999,), of_copy=0.85),
    Row("batch_norm 64x256x56x56", batch_norm, (64, 256, 56), (2, 3, 5), of_copy=0.85),
    Row("adam 124 M", adam, (124_000_000,), (1000,), of_copy=0.85, of_peer=1),
    Row("conv2d 3x3, 64x64x56x56", convolution, (64, 64, 56), (1, 2, 7)),
    Row("conv2d 3x3, 64x256x14x14", convolution, (64, 256, 14), (1, 3, 5)),
    Row(SMALL_STEP + ", eager", step, (256, mlp, False, False), (4, mlp, False, False)),
    Row(SMALL_STEP + ", captured against eager", step, (256, mlp, True, False), (4, mlp, True, False), of_peer=8),
    Row(SMALL_STEP + ", both captured", step, (256, mlp, True, True), (4, mlp, True, True), of_peer=1.5),
    Row("mlp epoch, 60000 images on the device", epoch, (60_000, 256), (20, 8), under=0.04),
    Row("lenet step, batch 256, eager", step, (256, lenet, False, False), (2, lenet, False, False)),
    Row("lenet step, batch 256, captured against eager", step, (256, lenet, True, False), (2, lenet, True, False),
        of_peer=4),
    Row("lenet step, batch 256, both captured", step, (256, lenet, True, True), (2, lenet, True, True)),
]  # fmt: skip
