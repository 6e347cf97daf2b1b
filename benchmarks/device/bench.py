"""freedive against PyTorch on one GPU, with the ceilings of the same run: python benchmarks/device/bench.py OUT.csv.

Each row is timed in turns with its peer, so that clocks and temperature are shared; times are medians of rounds, ratios
medians of the rounds' ratios. Values are random: on zeros a GPU is faster than it is.
"""

import csv
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import freedive as fd
from freedive import nn as fnn
from freedive.nn import functional as FF

try:
    import torch
except ImportError:
    torch = None

ROUNDS, SECONDS = 7, 0.03
GB, TERA = 1e9, 1e12


class Side:
    """One library: what it is called, and how it waits."""

    def __init__(self, lib, nn, functional, wait):
        self.lib, self.nn, self.F, self.wait = lib, nn, functional, wait

    def seconds(self, run):
        """Seconds a call, from about SECONDS of calls."""
        run()
        self.wait()
        start = time.perf_counter()
        run()
        self.wait()
        times = max(1, int(SECONDS / max(time.perf_counter() - start, 1e-7)))
        start = time.perf_counter()
        for _ in range(times):
            run()
        self.wait()
        return (time.perf_counter() - start) / times


OURS = Side(fd, fnn, FF, fd.cuda.synchronize)
PEER = Side(torch, torch.nn, torch.nn.functional, torch.cuda.synchronize) if torch else None


def no_tf32():
    if torch:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False


# Each row: name, make(side) -> callable, bytes moved or None, operations or None.


def copy(n):
    def make(s):
        x, y = s.lib.randn(n, device="cuda"), s.lib.empty(n, device="cuda")
        return lambda: y.copy_(x)

    return make, 8 * n, None


def matmul(n):
    def make(s):
        a, b = s.lib.randn(n, n, device="cuda"), s.lib.randn(n, n, device="cuda")
        return lambda: a @ b

    return make, None, 2 * n**3


def unary(name, n):
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


def cross_entropy(rows, cols):
    """Loss and gradient."""

    def make(s):
        x = s.lib.randn(rows, cols, device="cuda").requires_grad_(True)
        y = s.lib.randint(0, cols, (rows,), device="cuda")

        def run():
            x.grad = None
            s.F.cross_entropy(x, y).backward()

        return run

    return make, 8 * rows * cols, None


def dropout(n):
    def make(s):
        x = s.lib.randn(n, device="cuda")
        return lambda: s.F.dropout(x, 0.5)

    return make, 8 * n, None


def batch_norm(n, c, side):
    def make(s):
        x = s.lib.randn(n, c, side, side, device="cuda")
        module = s.nn.BatchNorm2d(c).to("cuda")
        return lambda: module(x)

    return make, 12 * n * c * side * side, None


def adam(parameters):
    """One step of 124 million parameters in tensors of a transformer's shapes."""

    def make(s):
        each = parameters // 100
        params = [s.lib.randn(each, device="cuda").requires_grad_(True) for _ in range(100)]
        for p in params:
            p.grad = s.lib.randn(each, device="cuda")
        options = {} if s is OURS else {"fused": True}
        optimizer = s.lib.optim.Adam(params, lr=1e-3, **options)
        return optimizer.step

    return make, 28 * parameters, None


def mlp_step(batch):
    """Forward, loss, backward and SGD of 784-256-10, eager."""

    def make(s):
        net = s.nn.Sequential(s.nn.Flatten(), s.nn.Linear(784, 256), s.nn.ReLU(), s.nn.Linear(256, 10)).to("cuda")
        optimizer = s.lib.optim.SGD(net.parameters(), lr=0.1)
        x, y = s.lib.randn(batch, 1, 28, 28, device="cuda"), s.lib.randint(0, 10, (batch,), device="cuda")

        def run():
            optimizer.zero_grad()
            s.F.cross_entropy(net(x), y).backward()
            optimizer.step()

        return run

    return make, None, None


def captured(batch):
    """The same step from CUDA graphs: ours captures forward and backward, the peer the update too."""

    def make(s):
        net = s.nn.Sequential(s.nn.Flatten(), s.nn.Linear(784, 256), s.nn.ReLU(), s.nn.Linear(256, 10)).to("cuda")
        optimizer = s.lib.optim.SGD(net.parameters(), lr=0.1)
        x, y = s.lib.randn(batch, 1, 28, 28, device="cuda"), s.lib.randint(0, 10, (batch,), device="cuda")

        def forward_backward(x, y):
            loss = s.F.cross_entropy(net(x), y)
            loss.backward()
            return loss

        if s is OURS:
            step = fd.cuda.graph(forward_backward, net)

            def run():
                step(x, y)
                optimizer.step()

            return run

        side = torch.cuda.Stream()
        with torch.cuda.stream(side):  # as PyTorch's documentation has it: warm up elsewhere, then capture
            for _ in range(3):
                optimizer.zero_grad(set_to_none=True)
                forward_backward(x, y)
                optimizer.step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        optimizer.zero_grad(set_to_none=True)
        fixed_x, fixed_y = x.clone(), y.clone()
        with torch.cuda.graph(graph):
            forward_backward(fixed_x, fixed_y)
            optimizer.step()

        def run():
            fixed_x.copy_(x)
            fixed_y.copy_(y)
            graph.replay()

        return run

    return make, None, None


def lenet_step(batch):
    """Forward, loss, backward and SGD of LeNet, eager."""

    def make(s):
        nn = s.nn
        net = nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
        ).to("cuda")
        optimizer = s.lib.optim.SGD(net.parameters(), lr=0.1)
        x, y = s.lib.randn(batch, 1, 28, 28, device="cuda"), s.lib.randint(0, 10, (batch,), device="cuda")

        def run():
            optimizer.zero_grad()
            s.F.cross_entropy(net(x), y).backward()
            optimizer.step()

        return run

    return make, None, None


def convolution(n, channels, side):
    def make(s):
        x = s.lib.randn(n, channels, side, side, device="cuda")
        w = s.lib.randn(channels, channels, 3, 3, device="cuda")
        return lambda: s.F.conv2d(x, w, padding=1)

    return make, None, 2 * 9 * n * channels**2 * side**2


MILLION = 1 << 20
ROWS = {
    "copy 256 MB": copy(64 * MILLION),
    "fp32 matmul 1024": matmul(1024),
    "fp32 matmul 4096": matmul(4096),
    "fp32 matmul 8192": matmul(8192),
    "exp 256 MB": unary("exp", 64 * MILLION),
    "relu 256 MB": unary("relu", 64 * MILLION),
    "add 256 MB": add(64 * MILLION),
    "add bias 16384x4096": add_bias(16384, 4096),
    "sum all 256 MB": total(16384, 4096, None),
    "sum rows 16384x4096": total(16384, 4096, 1),
    "sum columns 16384x4096": total(16384, 4096, 0),
    "softmax 16384x4096": softmax(16384, 4096),
    "cross_entropy 16384x32768, loss and gradient": cross_entropy(16384, 32768),
    "cross_entropy 4096x10, loss and gradient": cross_entropy(4096, 10),
    "dropout 256 MB": dropout(64 * MILLION),
    "batch_norm 64x256x56x56": batch_norm(64, 256, 56),
    "adam 124 M": adam(124_000_000),
    "conv2d 3x3, 64x64x56x56": convolution(64, 64, 56),
    "conv2d 3x3, 64x256x14x14": convolution(64, 256, 14),
    "mlp step 784-256-10, batch 256": mlp_step(256),
    "mlp step 784-256-10, batch 256, captured": captured(256),
    "lenet step, batch 256": lenet_step(256),
}


def measure(make):
    """Medians of seconds of both sides, and of their ratio."""
    sides = [OURS] if PEER is None else [OURS, PEER]
    runs = [side.seconds.__get__(side) for side in sides]
    calls = [make(side) for side in sides]
    rounds = [[run(call) for run, call in zip(runs, calls)] for _ in range(ROUNDS)]
    seconds = [median(column) for column in zip(*rounds)]
    ratio = median(r[1] / r[0] for r in rounds) if len(sides) == 2 else None
    return seconds, ratio


def main(path):
    no_tf32()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    about = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "device": fd.cuda.get_device_name(),
        "driver": _driver(),
        "torch": torch.__version__ if torch else "",
        "commit": commit.stdout.strip(),
    }
    print(", ".join(f"{k} {v}" for k, v in about.items()))
    table = []
    for name, (make, moved, work) in ROWS.items():
        try:
            seconds, ratio = measure(make)
        except Exception as error:  # the next row may well work
            print(f"{name}: {type(error).__name__}: {error}")
            continue
        row = {"name": name, "us": seconds[0] * 1e6, "peer_us": seconds[1] * 1e6 if len(seconds) > 1 else "", **about}
        row["times_peer"] = ratio if ratio is not None else ""
        row["gb_per_s"] = moved / seconds[0] / GB if moved else ""
        row["tflop_per_s"] = work / seconds[0] / TERA if work else ""
        table.append(row)
        numbers = [f"{row['us']:10.1f} us", f"peer {row['peer_us']:10.1f} us" if row["peer_us"] else ""]
        numbers += [f"{row[key]:8.2f} {key}" for key in ("times_peer", "gb_per_s", "tflop_per_s") if row[key] != ""]
        print(f"{name:48}", "  ".join(numbers), flush=True)
        fd.cuda.empty_cache()
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]) if table else ["name"])
        writer.writeheader()
        writer.writerows(table)
    return 0 if len(table) == len(ROWS) else 1


def _driver():
    try:
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True).stdout.split("\n")[0]
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
