"""Random programs of views, in-place writes, grad modes and backward, the same for freedive and PyTorch.

A program is a list of steps (name, numbers). What a step does depends only on its numbers and on the shapes of the
tensors made so far, so both libraries do the same unless one of them refuses. A refused step leaves no trace.
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

MOST_REGISTERS = 14
SHAPES = ((3, 4), (2, 3, 2), (4,), (2, 2), (3, 1), ())


@dataclass
class Outcome:
    """What a program did: per step None or the error, then what is left."""

    errors: list = field(default_factory=list)
    registers: list = field(default_factory=list)
    leaves: list = field(default_factory=list)
    given: list = field(default_factory=list)  # results of autograd.grad


def pick(items, number):
    return items[number % len(items)]


def dim_of(t, number):
    return number % t.dim() if t.dim() else None


VIEWS = {
    "select": lambda t, a, b: t.select(dim_of(t, a), b % t.shape[dim_of(t, a)]),
    "index": lambda t, a, b: t[b % t.shape[0]],
    "slice": lambda t, a, b: t[b % 2 :],
    "slice_last": lambda t, a, b: t[..., : max(t.shape[-1] - b % 2, 1)],
    "step": lambda t, a, b: t[:: 1 + b % 2],
    "narrow": lambda t, a, b: t.narrow(dim_of(t, a), 0, max(1, t.shape[dim_of(t, a)] - b % 2)),
    "transpose": lambda t, a, b: t.transpose(dim_of(t, a), dim_of(t, b)),
    "T": lambda t, a, b: t.permute(tuple(reversed(range(t.dim())))),
    "reshape": lambda t, a, b: t.reshape(-1),
    "view": lambda t, a, b: t.contiguous().view(-1, 1),  # elementwise results are always contiguous here
    "flatten": lambda t, a, b: t.flatten(),
    "unsqueeze": lambda t, a, b: t.unsqueeze(a % (t.dim() + 1)),
    "squeeze": lambda t, a, b: t.squeeze(),
    "expand": lambda t, a, b: t.expand(2, *t.shape),
    "diagonal": lambda t, a, b: t.diagonal(b % 2, 0, 1),
    "split": lambda t, a, b: pick(t.split(1 + a % 2, 0), b),
    "chunk": lambda t, a, b: pick(t.chunk(2, -1), b),
    "unbind": lambda t, a, b: pick(t.unbind(0), b),
    "detach": lambda t, a, b: t.detach(),
    "alias": lambda t, a, b: t,
    "whole": lambda t, a, b: t[...],
    "new_axis": lambda t, a, b: t[None],
}
MATHS = {
    "sin": lambda t, u, c: t.sin(),
    "tanh": lambda t, u, c: t.tanh(),
    "double": lambda t, u, c: t * c,
    "shift": lambda t, u, c: t + c,
    "square": lambda t, u, c: t * t,
    "mul": lambda t, u, c: t * u,
    "add": lambda t, u, c: t + u,
    "sub": lambda t, u, c: u - t,
    "div": lambda t, u, c: t / (u * u + 1),
    "sum": lambda t, u, c: t.sum(0) if t.dim() else t.sum(),
    "mean": lambda t, u, c: t.mean(),
    "clone": lambda t, u, c: t.clone(),
    "maximum": lambda t, u, c: t.maximum(u),
    "relu": lambda t, u, c: t.relu(),
    "sigmoid": lambda t, u, c: t.sigmoid(),
    "matmul": lambda t, u, c: t @ t.transpose(0, 1),
    "pow": lambda t, u, c: t**3,
}


def set_all(t, u, c):
    t[...] = c


def set_first(t, u, c):
    t[0] = c


def set_tensor(t, u, c):
    t[...] = u


def set_last(t, u, c):
    t[..., -1] = c


def set_from(t, u, c):
    t[0] = u


WRITES = {
    "add_": lambda t, u, c: t.add_(c),
    "mul_": lambda t, u, c: t.mul_(c),
    "add_tensor_": lambda t, u, c: t.add_(u),
    "mul_tensor_": lambda t, u, c: t.mul_(u),
    "sub_tensor_": lambda t, u, c: t.sub_(u),
    "div_tensor_": lambda t, u, c: t.div_(u * u + 1),
    "copy_": lambda t, u, c: t.copy_(u),
    "zero_": lambda t, u, c: t.zero_(),
    "fill_": lambda t, u, c: t.fill_(c),
    "sin_": lambda t, u, c: t.sin_(),
    "tanh_": lambda t, u, c: t.tanh_(),
    "relu_": lambda t, u, c: t.relu_(),
    "sigmoid_": lambda t, u, c: t.sigmoid_(),
    "clamp_": lambda t, u, c: t.clamp_(-1.0, 1.0),
    "set_all": set_all,
    "set_first": set_first,
    "set_last": set_last,
    "set_tensor": set_tensor,
    "set_from": set_from,
    "operator_add": lambda t, u, c: t.__iadd__(u),
    "operator_mul": lambda t, u, c: t.__imul__(c),
}
READS_ANOTHER = {n for n in WRITES if "tensor" in n or n in ("copy_", "set_from", "operator_add")}
OTHERS = ("leaf", "constant", "backward", "grad", "requires_grad", "retain_grad", "backward_twice", "free")
KINDS = (("view", 8), ("maths", 5), ("write", 7), ("other", 2))


def generate(seed):
    """A program: (kind, name, numbers) per step, numbers[5] says whether it runs under no_grad."""
    rng = np.random.default_rng(seed)
    names = [k for k, weight in KINDS for _ in range(weight)]
    steps = [("other", "leaf", list(rng.integers(0, 1000, 6))), ("other", "constant", list(rng.integers(0, 1000, 6)))]
    quiet = 0
    for _ in range(int(rng.integers(4, 22))):
        kind = pick(names, int(rng.integers(1000)))
        table = {"view": list(VIEWS), "maths": list(MATHS), "write": list(WRITES), "other": list(OTHERS)}[kind]
        numbers = [int(n) for n in rng.integers(0, 1000, 6)]
        quiet = max(quiet - 1, 0) if quiet else (3 if numbers[5] < 40 else 0)
        numbers[5] = quiet > 0
        steps.append((kind, pick(table, numbers[4]), numbers))
    return steps


def memory_of(t):
    return t.data_ptr() - t.storage_offset() * t.element_size()


def apart(u, t):
    """u, copied if it overlaps t without being the same: PyTorch refuses or reads half-written values there."""
    if memory_of(u) != memory_of(t):
        return u
    place = (u.storage_offset(), tuple(u.shape), tuple(u.stride()))
    return u if place == (t.storage_offset(), tuple(t.shape), tuple(t.stride())) else u.clone()


class Machine:
    """Runs a program with one library."""

    def __init__(self, lib):
        self.lib = lib
        self.registers, self.leaves = [], []
        self.outcome = Outcome()

    def chosen(self, number):
        # Later registers are likelier: chains grow.
        n = len(self.registers)
        return self.registers[n - 1 - min(number % n, (number // n) % n)]

    def keep(self, t):
        if len(self.registers) >= MOST_REGISTERS:
            del self.registers[2]
        self.registers.append(t)

    def run(self, steps, errors=None):
        """errors: those of the other library; a step that failed there is left out here."""
        for i, step in enumerate(steps):
            self.outcome.errors.append(self.step(*step))
            self.look()
            if errors is not None and (errors[i] is None) != (self.outcome.errors[-1] is None):
                return i  # the two differ: what follows means nothing
        return None

    def look(self):
        """Asks every tensor for its history: in PyTorch, whether a view is stale depends on who looked before."""
        for t in self.registers:
            with contextlib.suppress(RuntimeError):
                t.grad_fn

    def step(self, kind, name, numbers):
        # Shapes that do not fit would fail in both, for reasons that are no concern of autograd.
        try:
            if numbers[5] is True:
                with self.lib.no_grad():
                    return self.do(kind, name, numbers)
            return self.do(kind, name, numbers)
        except Exception as error:
            return error

    def do(self, kind, name, numbers):
        a, b, c, d = numbers[:4]
        value = (c % 7 - 3) / 2 + 0.1
        if kind == "other":
            return getattr(self, name)(a, b, c)
        t, u = self.chosen(a), self.chosen(b)
        if kind == "view":
            out = VIEWS[name](t, c, d)
            # PyTorch says that a view made under no_grad requires grad, against its documentation; see test_views.py.
            self.keep(out if self.lib.is_grad_enabled() or out is t else out.detach())
        elif kind == "maths":
            self.keep(MATHS[name](t, u, value))
        else:
            WRITES[name](t, apart(u, t) if name in READS_ANOTHER else u, value)
        return None

    def leaf(self, a, b, c):
        self.new(a, b).requires_grad_(True)
        self.leaves.append(self.registers[-1])

    def constant(self, a, b, c):
        self.new(a, b)

    def new(self, a, b):
        shape = pick(SHAPES, a)
        values = np.random.default_rng(b).uniform(-1, 1, shape)
        self.keep(self.lib.tensor(values, dtype=self.lib.float64))
        return self.registers[-1]

    def total(self, number):
        """A scalar from the newest registers that have a gradient."""
        total = None
        for t in self.registers[-1 - number % 4 :]:
            if t.requires_grad:
                weights = np.cos(np.arange(t.numel()) + 1.0).reshape(tuple(t.shape))
                part = (t * self.lib.tensor(weights)).sum()
                total = part if total is None else total + part
        return total

    def backward(self, a, b, c):
        total = self.total(a)
        if total is not None:
            total.backward(retain_graph=bool(b % 2))

    def backward_twice(self, a, b, c):
        total = self.total(a)
        if total is not None:
            total.backward(retain_graph=True)
            total.backward()

    def grad(self, a, b, c):
        total = self.total(a)
        if total is not None:
            wanted = [t for t in self.registers if t.requires_grad][-3:]
            self.outcome.given.append(
                self.lib.autograd.grad(total, wanted, allow_unused=True, retain_graph=bool(b % 2))
            )

    def requires_grad(self, a, b, c):
        t = self.chosen(a)
        # In PyTorch views follow their base even if they were made before it required grad; see test_views.py.
        if sum(memory_of(other) == memory_of(t) or other.numel() == 0 for other in self.registers) == 1:
            t.requires_grad_(bool(b % 3))

    def retain_grad(self, a, b, c):
        self.chosen(a).retain_grad()

    def free(self, a, b, c):
        del self.registers[a % (len(self.registers) - 1)]
