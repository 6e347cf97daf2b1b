"""A Case: what one operation computes, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["real", "distinct", "integer", "mask", "probabilities"]

# The sizes that symbols of shapes stand for when nobody says otherwise.
DEFAULT_SIZES: dict[str, int] = {"b": 2, "n": 5, "m": 4, "k": 7, "c": 6}


@dataclass(frozen=True)
class Input:
    """How one argument looks and what it may hold.

    shape: symbols and numbers, such as "n c" or "n 3"; "" is a scalar.
    kind: real: uniform in [low, high); distinct: no two equal, at least a step apart; integer: in [0, below), where
        below may be a symbol; mask: bool; probabilities: rows that sum to 1.
    """

    shape: str
    kind: Kind = "real"
    low: float = -2.0
    high: float = 2.0
    below: str | int = 2

    def sizes(self, of: Mapping[str, int]) -> tuple[int, ...]:
        """The shape with every symbol replaced."""
        return tuple(int(s) if s.isdigit() else of[s] for s in self.shape.split())

    def values(self, shape: tuple[int, ...], of: Mapping[str, int], dtype: str, rng: np.random.Generator) -> Any:
        """An array of this kind."""
        import numpy as np

        if self.kind == "mask":
            return rng.random(shape) < 0.5
        if self.kind == "integer":
            return rng.integers(0, max(self.below if isinstance(self.below, int) else of[self.below], 1), shape)
        if self.kind == "distinct":
            count = int(np.prod(shape))
            steps = np.linspace(self.low, self.high, count, endpoint=False) + 0.25 * (self.high - self.low) / (
                count + 1
            )
            return rng.permutation(steps).reshape(shape).astype(dtype)
        x = rng.uniform(self.low, self.high, shape)
        if self.kind == "probabilities":
            x = np.exp(x)
            x = x / x.sum(-1, keepdims=True)
        return x.astype(dtype)

    @property
    def differentiable(self) -> bool:
        """Whether a gradient can flow to it."""
        return self.kind not in ("integer", "mask")


def real(shape: str, low: float = -2.0, high: float = 2.0) -> Input:
    """Uniform numbers in [low, high)."""
    return Input(shape, "real", low, high)


def distinct(shape: str, low: float = -2.0, high: float = 2.0) -> Input:
    """Numbers no two of which are equal, so that their order is beyond doubt."""
    return Input(shape, "distinct", low, high)


def integer(shape: str, below: str | int) -> Input:
    """Integers in [0, below)."""
    return Input(shape, "integer", below=below)


def mask(shape: str) -> Input:
    """Bools."""
    return Input(shape, "mask")


def probabilities(shape: str) -> Input:
    """Rows of positive numbers that sum to 1."""
    return Input(shape, "probabilities")


@dataclass(frozen=True)
class Case:
    """One operation.

    name: unique.
    run: (lib, *tensors) -> a tensor or several, where lib is freedive or PyTorch: names are the same.
    twin: (*arrays) -> what NumPy makes of the same arguments in float64; only its value counts, not its speed.
    inputs: the arguments.
    ulp: float results differ from the twin by at most so many steps of their dtype, relative to the expected value.
    noise: more steps allowed relative to the largest expected value (or 1), where terms cancel.
    dtypes: of its real inputs.
    differentiable, twice: whether gradcheck and gradgradcheck hold.
    broadcasts: any operand may have sizes of 1 or lack leading dims.
    least: the smallest size a symbol may take when shapes are drawn at random.
    sizes: what symbols stand for by default, over DEFAULT_SIZES.
    bench: sizes for the benchmark row; None: no row.
    work: operations of one call as a function of the sizes, where they bound it and not memory.
    moved: bytes of one call as a function of the sizes; by default inputs are read and results written once.
    """

    name: str
    run: Callable[..., Any]
    twin: Callable[..., Any]
    inputs: tuple[Input, ...]
    ulp: float = 4.0
    noise: float = 0.0
    dtypes: tuple[str, ...] = ("float32", "float64")
    differentiable: bool = True
    twice: bool = True
    broadcasts: bool = False
    least: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    bench: Mapping[str, int] | None = None
    work: Callable[[Mapping[str, int]], float] | None = None
    moved: Callable[[Mapping[str, int]], float] | None = None

    def __repr__(self) -> str:
        return f"Case({self.name!r})"

    def symbols(self) -> tuple[str, ...]:
        """The symbols in its inputs' shapes, in order."""
        seen: dict[str, None] = {}
        for item in self.inputs:
            seen.update(dict.fromkeys(s for s in item.shape.split() if not s.isdigit()))
        return tuple(seen)

    def all_sizes(self, given: Mapping[str, int] | None = None) -> dict[str, int]:
        """A size for every symbol."""
        return {**DEFAULT_SIZES, **self.sizes, **(given or {})}

    def arrays(
        self,
        dtype: str = "float32",
        sizes: Mapping[str, int] | None = None,
        shapes: tuple[tuple[int, ...], ...] | None = None,
        seed: int = 0,
    ) -> list[Any]:
        """Arguments as NumPy arrays: of these sizes, or of these shapes."""
        import numpy as np

        rng = np.random.default_rng(seed)
        of = self.all_sizes(sizes)
        shapes = shapes or tuple(item.sizes(of) for item in self.inputs)
        return [item.values(shape, of, dtype, rng) for item, shape in zip(self.inputs, shapes, strict=True)]

    def expected(self, arrays: list[Any]) -> list[Any]:
        """What the twin makes of them in float64."""
        import numpy as np

        with np.errstate(all="ignore"):
            results = self.twin(*[a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays])
        return list(results) if isinstance(results, (tuple, list)) else [results]
