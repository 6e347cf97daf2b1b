"""`freedive.linalg`: norms and small dense matrices.

Norms, powers and cross products are made of recorded operations. inv, det, slogdet and solve use LAPACK through NumPy
and record their gradients (formulas: Giles 2008, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation"); the spectral ones (eigh, svd, qr and what is made of them) take no gradient.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

import freedive as fd
from freedive.autograd import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from freedive import Tensor, dtype

__all__ = [
    "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "multi_dot", "norm", "qr", "slogdet", "solve", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip

matmul = fd.matmul

_Eigh = namedtuple("_Eigh", ("eigenvalues", "eigenvectors"))
_SVD = namedtuple("_SVD", ("U", "S", "Vh"))
_QR = namedtuple("_QR", ("Q", "R"))
_Slogdet = namedtuple("_Slogdet", ("sign", "logabsdet"))

# ---- norms and products


def vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
) -> Tensor:
    """(sum |x|^ord)^(1/ord) over dim, or over all elements; ord may be infinite, or 0 to count nonzero elements."""
    x = x if dtype is None else x.to(dtype)
    if not x.is_floating_point():
        raise fd.DTypeError(f"vector_norm: expected a floating tensor, got {x.dtype}")
    if ord == math.inf:
        return x.abs().amax(dim, keepdim)
    if ord == -math.inf:
        return x.abs().amin(dim, keepdim)
    if ord == 0:
        return (x != 0).to(x.dtype).sum(dim, keepdim)
    if ord in (1, 2):
        return fd.norm(x, ord, dim, keepdim)
    return (x.abs() ** ord).sum(dim, keepdim) ** (1 / ord)


def matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
) -> Tensor:
    """The norm of the matrices in two dims: 'fro', 'nuc', 2 and -2 (singular values), 1, -1, inf or -inf (sums)."""
    A = A if dtype is None else A.to(dtype)
    _matrix("matrix_norm", A)
    if ord == "fro":
        return vector_norm(A, 2, dim, keepdim)
    rows, columns = (d % A.dim() for d in dim)
    if ord in ("nuc", 2, -2):
        values = svdvals(A.movedim((rows, columns), (-2, -1)))
        out = values.sum(-1) if ord == "nuc" else values.amax(-1) if ord == 2 else values.amin(-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = A.abs().sum(rows if abs(float(ord)) == 1 else columns, keepdim=True)
        out = (sums.amax if float(ord) > 0 else sums.amin)((rows, columns))
    else:
        raise ValueError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    if keepdim:
        for d in sorted((rows, columns)):
            out = out.unsqueeze(d)
    return out


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
) -> Tensor:
    """The vector norm, or the matrix norm where `ord` is given with two dims (or for a matrix): as PyTorch decides."""
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    two = A.dim() == 2 if dim is None else not isinstance(dim, int) and len(dim) == 2
    if two:
        pair = (-2, -1) if dim is None else tuple(dim)  # type: ignore[arg-type]
        return matrix_norm(A, ord, pair, keepdim, dtype=dtype)  # type: ignore[arg-type]
    if isinstance(ord, str):
        raise ValueError(f"norm: ord {ord!r} is for matrices; dim must name two dimensions")
    if dim is None and A.dim() != 1:
        raise fd.ShapeError(f"norm: with ord and without dim, expected a vector or a matrix, got {tuple(A.shape)}")
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product along dim, of size 3."""
    return fd.cross(input, other, dim=dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of the last two dimensions (a view)."""
    return A.diagonal(offset, dim1, dim2)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Sums of products along dim."""
    return (x * y).sum(dim)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices from left to right."""
    out = tensors[0]
    for t in tensors[1:]:
        out = out @ t
    return out


def matrix_power(A: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices by repeated squaring; negative n inverts."""
    _square("matrix_power", A)
    if n < 0:
        return matrix_power(inv(A), -n)
    out, square = None, A
    while n:
        if n & 1:
            out = square if out is None else out @ square
        n >>= 1
        if n:
            square = square @ square
    return fd.eye(A.shape[-1], dtype=A.dtype).expand(A.shape).clone() if out is None else out


# ---- LAPACK


def _matrix(name: str, A: Tensor) -> None:
    if A.dim() < 2:
        raise fd.ShapeError(f"{name}: expected a matrix, got shape {tuple(A.shape)}")
    if not A.is_floating_point():
        raise fd.DTypeError(f"{name}: expected a floating tensor, got {A.dtype}")


def _square(name: str, A: Tensor) -> None:
    _matrix(name, A)
    if A.shape[-1] != A.shape[-2]:
        raise fd.ShapeError(f"{name}: expected square matrices, got shape {tuple(A.shape)}")


def _plain(name: str, A: Tensor) -> Any:
    """The matrices as an array, of a tensor that needs no gradient."""
    if A.requires_grad and fd.is_grad_enabled():
        raise fd.GradError(f"{name}: has no gradient; detach() the matrix first")
    return A.detach().numpy()


def _like(array: Any, A: Tensor) -> Tensor:
    return fd.from_numpy(np.array(array)).to(A.dtype)


def _triangle(name: str, which: str) -> Literal["L", "U"]:
    if which not in ("L", "U"):
        raise ValueError(f"{name}: UPLO must be 'L' or 'U', got {which!r}")
    return "L" if which == "L" else "U"


class _Inverse(Function):
    @staticmethod
    def forward(ctx, A):
        try:
            out = _like(np.linalg.inv(A.detach().numpy()), A)
        except np.linalg.LinAlgError:
            raise RuntimeError("inv: the matrix is singular") from None
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        return -(out.mT @ grad @ out.mT)


class _Determinant(Function):
    @staticmethod
    def forward(ctx, A):
        out = _like(np.linalg.det(A.detach().numpy()), A)
        ctx.save_for_backward(A, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        A, out = ctx.saved_tensors
        return (grad * out).unsqueeze(-1).unsqueeze(-1) * inv(A).mT


class _LogDeterminant(Function):
    @staticmethod
    def forward(ctx, A):
        ctx.save_for_backward(A)
        return _like(np.linalg.slogdet(A.detach().numpy()).logabsdet, A)

    @staticmethod
    def backward(ctx, grad):
        (A,) = ctx.saved_tensors
        return grad.unsqueeze(-1).unsqueeze(-1) * inv(A).mT


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices [..., n, n]. RuntimeError if one is singular."""
    _square("inv", A)
    return _Inverse.apply(A)


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices [..., n, n]; its gradient needs them invertible."""
    _square("det", A)
    return _Determinant.apply(A)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X of A X = B (or X A = B with left=False), for a vector or a matrix B."""
    inverse = inv(A)
    if not left:
        return B @ inverse
    return (inverse @ B.unsqueeze(-1)).squeeze(-1) if B.dim() == A.dim() - 1 else inverse @ B


def slogdet(A: Tensor) -> tuple[Tensor, Tensor]:
    """The sign of the determinant and the logarithm of its size, whose gradient needs invertible matrices."""
    _square("slogdet", A)
    return _Slogdet(_like(np.linalg.slogdet(A.detach().numpy()).sign, A), _LogDeterminant.apply(A))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
    sign, size = slogdet(A)
    return fd.where(sign < 0, math.nan, size)


def inverse(A: Tensor) -> Tensor:
    """The inverse of square matrices, as `inv` gives it."""
    return inv(A)


def eigh(A: Tensor, UPLO: str = "L") -> _Eigh:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices. No gradient."""
    _square("eigh", A)
    return _Eigh(*(_like(part, A) for part in np.linalg.eigh(_plain("eigh", A), _triangle("eigh", UPLO))))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues of symmetric matrices, ascending. No gradient."""
    _square("eigvalsh", A)
    return _like(np.linalg.eigvalsh(_plain("eigvalsh", A), _triangle("eigvalsh", UPLO)), A)


def svd(A: Tensor, full_matrices: bool = True) -> _SVD:
    """U, S and Vh with A = U diag(S) Vh, S descending. No gradient."""
    _matrix("svd", A)
    return _SVD(*(_like(part, A) for part in np.linalg.svd(_plain("svd", A), full_matrices)))


def svdvals(A: Tensor) -> Tensor:
    """Singular values, descending. No gradient."""
    _matrix("svdvals", A)
    return _like(np.linalg.svd(_plain("svdvals", A), compute_uv=False), A)


def qr(A: Tensor, mode: str = "reduced") -> _QR:
    """Q with orthonormal columns and upper triangular R, A = Q R. No gradient."""
    _matrix("qr", A)
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', got {mode!r}")
    parts = np.linalg.qr(_plain("qr", A), "reduced" if mode == "reduced" else "complete")
    return _QR(*(_like(part, A) for part in parts))


def matrix_rank(A: Tensor) -> Tensor:
    """How many singular values exceed max(rows, columns) * eps * the largest, int64."""
    values = svdvals(A.detach())
    eps = np.finfo(values.numpy().dtype).eps
    return (values > values.amax(-1, keepdim=True) * (max(A.shape[-2:]) * float(eps))).sum(-1)
