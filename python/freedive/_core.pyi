# Written by scripts/make_stubs.py from the compiled module.
# mypy: disable-error-code="overload-overlap,overload-cannot-match,override,misc,assignment"
# ruff: noqa
from builtins import bool as _bool, float as _float, int as _int
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

class _Pair(NamedTuple):
    values: Tensor
    indices: Tensor

class ShapeError(ValueError, RuntimeError): ...
class DTypeError(TypeError, RuntimeError): ...
class DeviceError(RuntimeError): ...
class GradError(RuntimeError): ...

class dtype:
    @property
    def itemsize(self) -> _int: ...
    @property
    def is_floating_point(self) -> _bool: ...
    @property
    def is_complex(self) -> _bool: ...
    @property
    def is_signed(self) -> _bool: ...

_dtype = dtype

class Size(tuple[_int, ...]):
    def numel(self) -> _int: ...

class Generator:
    def __getstate__(self) -> tuple[_int, _int]: ...
    def __init__(self, device: object = 'cpu') -> None: ...
    def __setstate__(self, arg: tuple[_int, _int], /) -> None: ...
    def clone_state(self) -> Generator:
        """A generator that goes on from the same state."""
    @property
    def device(self) -> _device:
        """Always the CPU."""
    def get_state(self) -> Tensor:
        """The state as 16 bytes in a uint8 tensor."""
    def initial_seed(self) -> _int:
        """The seed of the current sequence."""
    def manual_seed(self, seed: _int) -> Generator:
        """Starts the sequence named by seed; returns the generator."""
    def seed(self) -> _int:
        """Starts an unpredictable sequence; returns its seed."""
    def set_state(self, state: Tensor) -> None:
        """Takes up a state that get_state gave."""

class HookHandle:
    def __enter__(self) -> Any: ...
    def __exit__(self, *args: Any) -> None: ...
    def remove(self) -> None:
        """Takes the hook off."""

class Node:
    def __eq__(self, arg: Node, /) -> _bool: ...
    def __hash__(self) -> _int: ...
    def __repr__(self) -> str: ...
    def name(self) -> str:
        """What the step computes backwards, such as 'AddBackward0'."""
    @property
    def next_functions(self) -> tuple:
        """The steps that made this step's inputs, with the output number of each."""

class _CudaEvent:
    def __init__(self, device: _int) -> None: ...
    def milliseconds_since(self, start: _CudaEvent) -> _float: ...
    def query(self) -> _bool: ...
    def record(self) -> None: ...
    def synchronize(self) -> None: ...

class _CudaGraph:
    def __init__(self, device: _int) -> None: ...
    def abandon(self) -> None: ...
    def begin(self) -> None: ...
    def end(self) -> None: ...
    def replay(self, written: Sequence[Tensor]) -> _bool: ...

class device:
    def __eq__(self, arg: _device, /) -> _bool: ...
    def __hash__(self) -> _int: ...
    @overload
    def __init__(self, device: _device) -> None: ...
    @overload
    def __init__(self, device: str) -> None: ...
    @overload
    def __init__(self, type: str, index: _int) -> None: ...
    def __reduce__(self) -> tuple: ...
    def __repr__(self) -> str: ...
    def __str__(self) -> str: ...
    @property
    def index(self) -> _int | None:
        """Which GPU; None for the CPU."""
    @property
    def type(self) -> str:
        """'cpu' or 'cuda'."""

_device = device

class Tensor:
    """Tensor(data=None)

    An n-dimensional array of one dtype that can record how it was computed.

    Made by freedive.tensor(), zeros(), randn() and the like. Names and behaviour follow PyTorch's Tensor.
    """
    def __init__(self, data: object = None) -> None: ...
    @property
    def H(self) -> Tensor:
        """As mT: all dtypes are real."""
    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions reversed (a view)."""
    def __abs__(self) -> Tensor: ...
    def __add__(self, other: Any, /) -> Tensor: ...
    def __and__(self, other: Any, /) -> Tensor: ...
    def __array__(self, dtype: object | None = None, copy: object | None = None) -> Any: ...
    def __bool__(self) -> _bool: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Where a GPU tensor's elements are, for CuPy, Numba and PyTorch; everything asked for is computed first."""
    def __dlpack__(self, *, stream: object | None = None, max_version: object | None = None, dl_device: object | None = None, copy: _bool | None = None) -> Any:
        """This tensor as a DLPack capsule."""
    def __dlpack_device__(self) -> tuple:
        """The DLPack device: (1, 0) for the CPU, (2, i) for GPU i."""
    def __eq__(self, other: Any, /) -> Tensor: ...
    def __float__(self) -> _float: ...
    def __floordiv__(self, other: Any, /) -> Tensor: ...
    def __ge__(self, other: Any, /) -> Tensor: ...
    def __getitem__(self, index: Any, /) -> Tensor: ...
    def __gt__(self, other: Any, /) -> Tensor: ...
    def __hash__(self) -> _int: ...
    def __iadd__(self, other: Any, /) -> Tensor: ...
    def __iand__(self, other: Any, /) -> Tensor: ...
    def __ifloordiv__(self, other: Any, /) -> Tensor: ...
    def __imod__(self, other: Any, /) -> Tensor: ...
    def __imul__(self, other: Any, /) -> Tensor: ...
    def __index__(self) -> _int: ...
    def __int__(self) -> _int: ...
    def __invert__(self) -> Tensor: ...
    def __ior__(self, other: Any, /) -> Tensor: ...
    def __ipow__(self, other: Any, /) -> Tensor: ...
    def __isub__(self, other: Any, /) -> Tensor: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __itruediv__(self, other: Any, /) -> Tensor: ...
    def __ixor__(self, other: Any, /) -> Tensor: ...
    def __le__(self, other: Any, /) -> Tensor: ...
    def __len__(self) -> _int: ...
    def __lshift__(self, other: Any, /) -> Tensor: ...
    def __lt__(self, other: Any, /) -> Tensor: ...
    def __matmul__(self, other: Any, /) -> Tensor: ...
    def __mod__(self, other: Any, /) -> Tensor: ...
    def __mul__(self, other: Any, /) -> Tensor: ...
    def __ne__(self, other: Any, /) -> Tensor: ...
    def __neg__(self) -> Tensor: ...
    def __or__(self, other: Any, /) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __pow__(self, other: Any, /) -> Tensor: ...
    def __radd__(self, other: Any, /) -> Tensor: ...
    def __rand__(self, other: Any, /) -> Tensor: ...
    def __rfloordiv__(self, other: Any, /) -> Tensor: ...
    def __rlshift__(self, other: Any, /) -> Tensor: ...
    def __rmatmul__(self, other: Any, /) -> Tensor: ...
    def __rmod__(self, other: Any, /) -> Tensor: ...
    def __rmul__(self, other: Any, /) -> Tensor: ...
    def __ror__(self, other: Any, /) -> Tensor: ...
    def __rpow__(self, other: Any, /) -> Tensor: ...
    def __rrshift__(self, other: Any, /) -> Tensor: ...
    def __rshift__(self, other: Any, /) -> Tensor: ...
    def __rsub__(self, other: Any, /) -> Tensor: ...
    def __rtruediv__(self, other: Any, /) -> Tensor: ...
    def __rxor__(self, other: Any, /) -> Tensor: ...
    def __setitem__(self, index: Any, value: Any, /) -> None: ...
    def __sub__(self, other: Any, /) -> Tensor: ...
    def __truediv__(self, other: Any, /) -> Tensor: ...
    def __xor__(self, other: Any, /) -> Tensor: ...
    @property
    def _base(self) -> Tensor | None:
        """The tensor this is a view of, or None."""
    @staticmethod
    def _make_subclass(cls: object, data: Tensor, requires_grad: _bool = False) -> Any: ...
    @property
    def _version(self) -> _int:
        """How often the memory was written in place."""
    def abs(self) -> Tensor:
        """|x|."""
    def abs_(self) -> Tensor:
        """In place."""
    def absolute(self) -> Tensor:
        """|x|."""
    def absolute_(self) -> Tensor:
        """In place."""
    def acos(self) -> Tensor:
        """The inverse cosine in radians."""
    def acos_(self) -> Tensor:
        """In place."""
    def acosh(self) -> Tensor:
        """The inverse hyperbolic cosine."""
    def acosh_(self) -> Tensor:
        """In place."""
    def add(self, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """input + alpha * other."""
    def add_(self, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """In place."""
    def addcdiv(self, tensor1: Tensor, tensor2: Tensor, *, value: _float | _int | _bool = 1) -> Tensor:
        """input + value * tensor1 / tensor2."""
    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: _float | _int | _bool = 1) -> Tensor:
        """In place."""
    def addcmul(self, tensor1: Tensor, tensor2: Tensor, *, value: _float | _int | _bool = 1) -> Tensor:
        """input + value * tensor1 * tensor2."""
    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: _float | _int | _bool = 1) -> Tensor:
        """In place."""
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: _float | _int | _bool = 1, alpha: _float | _int | _bool = 1) -> Tensor:
        """beta * input + alpha * (mat1 @ mat2)."""
    def addmv(self, mat: Tensor, vec: Tensor, *, beta: _float | _int | _bool = 1, alpha: _float | _int | _bool = 1) -> Tensor:
        """beta * input + alpha * (mat @ vec)."""
    def addr(self, vec1: Tensor, vec2: Tensor, *, beta: _float = 1, alpha: _float = 1) -> Tensor: ...
    def addr_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def adjoint(self) -> Tensor: ...
    @overload
    def all(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """Whether all elements over dim are nonzero."""
    @overload
    def all(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def all(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def all(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def allclose(self, other: Tensor, rtol: _float = 1e-05, atol: _float = 1e-08, equal_nan: _bool = False) -> _bool:
        """Whether all elements are close."""
    @overload
    def amax(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """The largest element over dim; equal ones share the gradient."""
    @overload
    def amax(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def amax(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def amax(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    @overload
    def amin(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """The smallest element over dim; equal ones share the gradient."""
    @overload
    def amin(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def amin(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def amin(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def aminmax(self, *, dim: _int | None = None, keepdim: _bool = False) -> tuple[Tensor, Tensor]: ...
    @overload
    def any(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """Whether any element over dim is nonzero."""
    @overload
    def any(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def any(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def any(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def arccos(self) -> Tensor:
        """The inverse cosine in radians."""
    def arccos_(self) -> Tensor:
        """In place."""
    def arccosh(self) -> Tensor:
        """The inverse hyperbolic cosine."""
    def arccosh_(self) -> Tensor:
        """In place."""
    def arcsin(self) -> Tensor:
        """The inverse sine in radians."""
    def arcsin_(self) -> Tensor:
        """In place."""
    def arcsinh(self) -> Tensor:
        """The inverse hyperbolic sine."""
    def arcsinh_(self) -> Tensor:
        """In place."""
    def arctan(self) -> Tensor:
        """The inverse tangent in radians."""
    def arctan2(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """The angle of the point (other, input) in radians."""
    def arctan2_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def arctan_(self) -> Tensor:
        """In place."""
    def arctanh(self) -> Tensor:
        """The inverse hyperbolic tangent."""
    def arctanh_(self) -> Tensor:
        """In place."""
    @overload
    def argmax(self, dim: _int | None = None, keepdim: _bool = False) -> Tensor:
        """The position (int64) of the extreme element along dim, or in the flattened tensor."""
    @overload
    def argmax(self, *, axis: _int | None = None, keepdims: _bool = False) -> Tensor: ...
    @overload
    def argmin(self, dim: _int | None = None, keepdim: _bool = False) -> Tensor:
        """The position (int64) of the extreme element along dim, or in the flattened tensor."""
    @overload
    def argmin(self, *, axis: _int | None = None, keepdims: _bool = False) -> Tensor: ...
    def argsort(self, dim: _int = -1, descending: _bool = False, stable: _bool = False) -> Tensor:
        """The positions that sort along dim, int64."""
    def argwhere(self) -> Tensor:
        """Positions of the nonzero elements: int64 [count, ndim]."""
    def as_strided(self, size: _int | Sequence[_int], stride: _int | Sequence[_int], storage_offset: _int | None = None) -> Tensor:
        """A window on the storage with any size and strides (in elements)."""
    def asin(self) -> Tensor:
        """The inverse sine in radians."""
    def asin_(self) -> Tensor:
        """In place."""
    def asinh(self) -> Tensor:
        """The inverse hyperbolic sine."""
    def asinh_(self) -> Tensor:
        """In place."""
    def atan(self) -> Tensor:
        """The inverse tangent in radians."""
    def atan2(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """The angle of the point (other, input) in radians."""
    def atan2_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def atan_(self) -> Tensor:
        """In place."""
    def atanh(self) -> Tensor:
        """The inverse hyperbolic tangent."""
    def atanh_(self) -> Tensor:
        """In place."""
    def backward(self, gradient: Tensor | None = None, retain_graph: _bool | None = None, create_graph: _bool = False, inputs: object | None = None) -> None:
        """Adds the gradient of this tensor to .grad of the leaves it was computed from (book section 2.5).

        gradient: of the final value with respect to this tensor; needed unless it has one element. Raises GradError for
        a tensor without history, a graph that was freed (retain_graph), or saved values that were overwritten.
        """
    def baddbmm(self, batch1: Tensor, batch2: Tensor, *, beta: _float | _int | _bool = 1, alpha: _float | _int | _bool = 1) -> Tensor:
        """beta * input + alpha * (batch1 @ batch2)."""
    def bernoulli(self, *, generator: Generator | None = None) -> Tensor:
        """1 with the probability that input holds at that place, else 0. ValueError outside of 0 to 1."""
    def bernoulli_(self, p: Tensor | _float | _int | _bool = 0.5, *, generator: Generator | None = None) -> Tensor:
        """Fills with 1 at probability p (a number, or a tensor that broadcasts), else 0."""
    def bfloat16(self) -> Tensor:
        """This tensor in that dtype."""
    def bincount(self, weights: Tensor | None = None, minlength: _int = 0) -> Tensor:
        """How often each of 0, 1, 2, ... occurs in a vector of non-negative integers, or the sum of its weights."""
    def bitwise_and(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input & other."""
    def bitwise_and_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def bitwise_left_shift(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input << other."""
    def bitwise_left_shift_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def bitwise_not(self) -> Tensor:
        """~x of integers and bool."""
    def bitwise_not_(self) -> Tensor:
        """In place."""
    def bitwise_or(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input | other."""
    def bitwise_or_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def bitwise_right_shift(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input >> other."""
    def bitwise_right_shift_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def bitwise_xor(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input ^ other."""
    def bitwise_xor_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def bmm(self, mat2: Tensor) -> Tensor:
        """Products of two batches of matrices, (b, n, k) by (b, k, m)."""
    def bool(self) -> Tensor:
        """This tensor in that dtype."""
    def broadcast_to(self, size: _int | Sequence[_int]) -> Tensor:
        """Expanded to size without a copy."""
    def byte(self) -> Tensor:
        """This tensor in that dtype."""
    def ceil(self) -> Tensor:
        """The smallest integer not below x."""
    def ceil_(self) -> Tensor:
        """In place."""
    def chunk(self, chunks: _int, dim: _int = 0) -> tuple[Tensor, ...]:
        """At most `chunks` views of equal size (the last may be smaller) along dim."""
    def clamp(self, min: Tensor | _float | _int | _bool | None = None, max: Tensor | _float | _int | _bool | None = None) -> Tensor:
        """input limited to [min, max]; either may be None, a number or a tensor."""
    def clamp_(self, min: Tensor | _float | _int | _bool | None = None, max: Tensor | _float | _int | _bool | None = None) -> Tensor:
        """In place."""
    def clamp_max(self, max: Tensor | _float) -> Tensor: ...
    def clamp_max_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def clamp_min(self, min: Tensor | _float) -> Tensor: ...
    def clamp_min_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def clip(self, min: Tensor | _float | _int | _bool | None = None, max: Tensor | _float | _int | _bool | None = None) -> Tensor:
        """input limited to [min, max]; either may be None, a number or a tensor."""
    def clip_(self, min: Tensor | _float | _int | _bool | None = None, max: Tensor | _float | _int | _bool | None = None) -> Tensor:
        """In place."""
    def clone(self) -> Tensor:
        """A copy, with gradients flowing through."""
    def contiguous(self) -> Tensor:
        """This tensor in C order; itself if it is already."""
    def copy_(self, other: Tensor | _float | _int | _bool, non_blocking: _bool = False) -> Tensor:
        """Overwrites the elements with other's, which broadcasts and is converted."""
    def copysign(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """The magnitude of input with the sign of other."""
    def copysign_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def corrcoef(self) -> Tensor:
        """The correlation matrix of variables in rows."""
    def cos(self) -> Tensor:
        """The cosine of x in radians."""
    def cos_(self) -> Tensor:
        """In place."""
    def cosh(self) -> Tensor:
        """The hyperbolic cosine."""
    def cosh_(self) -> Tensor:
        """In place."""
    @overload
    def count_nonzero(self, dim: _int | Sequence[_int] | None = None) -> Tensor:
        """How many elements over dim are nonzero, int64."""
    @overload
    def count_nonzero(self, *, axis: _int | Sequence[_int] | None) -> Tensor: ...
    def cov(self, *, correction: _int = 1) -> Tensor:
        """The covariance matrix of variables in rows; divides by the count less correction."""
    def cpu(self) -> Tensor:
        """This tensor in host memory; itself if it is there."""
    def cross(self, other: Tensor, dim: _int | None = None) -> Tensor:
        """The cross product along dim, by default the first of size 3."""
    def cuda(self, device: object | None = None, non_blocking: _bool = False) -> Tensor:
        """This tensor on a GPU, the first unless device says. Raises DeviceError where there is none."""
    def cummax(self, dim: _int) -> _Pair:
        """The running maximum along dim and its positions."""
    def cummin(self, dim: _int) -> _Pair:
        """The running minimum along dim and its positions."""
    @overload
    def cumprod(self, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
        """The running product along dim."""
    @overload
    def cumprod(self, *, axis: _int, dtype: _dtype | None = None) -> Tensor: ...
    def cumprod_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def cumsum(self, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
        """The running sum along dim."""
    @overload
    def cumsum(self, *, axis: _int, dtype: _dtype | None = None) -> Tensor: ...
    def cumsum_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    @property
    def data(self) -> Tensor:
        """The same memory without history; assigning replaces memory and shape."""
    @data.setter
    def data(self, value: Tensor, /) -> None: ...
    def data_ptr(self) -> _int:
        """The address of the first element."""
    def deg2rad(self) -> Tensor: ...
    def deg2rad_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def det(self) -> Tensor: ...
    def detach(self) -> Tensor:
        """The same memory without history."""
    def detach_(self) -> Any:
        """Cuts this tensor from its history in place."""
    @property
    def device(self) -> _device:
        """Where the tensor lives."""
    def diag(self, diagonal: _int = 0) -> Tensor:
        """A matrix with the vector on its diagonal, or the diagonal of a matrix (a copy)."""
    def diag_embed(self, offset: _int = 0, dim1: _int = -2, dim2: _int = -1) -> Tensor:
        """Matrices with the last dimension on their diagonals."""
    def diagflat(self, offset: _int = 0) -> Tensor:
        """A matrix with all elements on its diagonal."""
    def diagonal(self, offset: _int = 0, dim1: _int = 0, dim2: _int = 1) -> Tensor:
        """The diagonal over dim1 and dim2 as the last dimension (a view)."""
    def diff(self, n: _int = 1, dim: _int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor: ...
    def digamma(self) -> Tensor: ...
    def digamma_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def dim(self) -> _int:
        """The number of dimensions."""
    def dist(self, other: Tensor, p: _float = 2) -> Tensor: ...
    def div(self, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
        """input / other."""
    def div_(self, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
        """In place."""
    def divide(self, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
        """input / other."""
    def divide_(self, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
        """In place."""
    def dot(self, tensor: Tensor) -> Tensor:
        """The sum of products of two vectors of one length."""
    def double(self) -> Tensor:
        """This tensor in that dtype."""
    def dsplit(self, indices_or_sections: _int | Sequence[_int]) -> tuple[Tensor, ...]: ...
    @property
    def dtype(self) -> _dtype:
        """Type of the elements."""
    def element_size(self) -> _int:
        """Bytes of one element."""
    def eq(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input == other, elementwise, bool."""
    def eq_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def equal(self, other: Tensor) -> _bool:
        """Whether both have the same shape and elements."""
    def erf(self) -> Tensor:
        """The error function."""
    def erf_(self) -> Tensor:
        """In place."""
    def erfc(self) -> Tensor: ...
    def erfc_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def erfinv(self) -> Tensor: ...
    def erfinv_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def exp(self) -> Tensor:
        """e to the power x."""
    def exp2(self) -> Tensor:
        """2 to the power x."""
    def exp2_(self) -> Tensor:
        """In place."""
    def exp_(self) -> Tensor:
        """In place."""
    def expand(self, *size: Any) -> Tensor:
        """Dimensions of size 1 repeated without a copy; -1 keeps a size."""
    def expand_as(self, other: Tensor) -> Tensor:
        """Expanded to other's shape without a copy."""
    def expm1(self) -> Tensor:
        """exp(x) - 1, exact near 0."""
    def expm1_(self) -> Tensor:
        """In place."""
    def exponential_(self, lambd: _float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fills with exponential values of rate lambd."""
    def fill_(self, value: Tensor | _float | _int | _bool) -> Tensor:
        """Overwrites every element with value."""
    def fill_diagonal_(self, fill_value: _float, wrap: _bool = False) -> Tensor: ...
    def fix(self) -> Tensor:
        """x without its fraction."""
    def fix_(self) -> Tensor:
        """In place."""
    def flatten(self, start_dim: _int = 0, end_dim: _int = -1) -> Tensor:
        """Dimensions start_dim to end_dim as one."""
    @overload
    def flip(self, *dims: Any) -> Tensor:
        """The order reversed along dims (a copy)."""
    @overload
    def flip(self, dims: _int | Sequence[_int]) -> Tensor: ...
    def fliplr(self) -> Tensor:
        """The order reversed along dim 1."""
    def flipud(self) -> Tensor:
        """The order reversed along dim 0."""
    def float(self) -> Tensor:
        """This tensor in that dtype."""
    def float_power(self, exponent: Tensor | _float) -> Tensor: ...
    def float_power_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def floor(self) -> Tensor:
        """The largest integer not above x."""
    def floor_(self) -> Tensor:
        """In place."""
    def floor_divide(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input / other rounded to minus infinity. Integers: ValueError on division by 0."""
    def floor_divide_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def fmax(self, other: Tensor) -> Tensor: ...
    def fmin(self, other: Tensor) -> Tensor: ...
    def fmod(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """The remainder with the sign of input."""
    def fmod_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def frac(self) -> Tensor: ...
    def frac_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def gather(self, dim: _int, index: Tensor, *, sparse_grad: _bool = False) -> Tensor:
        """out[i][j] = input[index[i][j]][j] for dim 0, and so on. IndexError outside [0, size)."""
    def ge(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input >= other, elementwise, bool."""
    def ge_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def ger(self, vec2: Tensor) -> Tensor:
        """All products of elements of two vectors, [n, m]."""
    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward() accumulated, or None."""
    @grad.setter
    def grad(self, value: Any, /) -> None: ...
    @property
    def grad_fn(self) -> Node | None:
        """The recorded step that made this tensor, or None."""
    def greater(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input > other, elementwise, bool."""
    def greater_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def greater_equal(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input >= other, elementwise, bool."""
    def greater_equal_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def gt(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input > other, elementwise, bool."""
    def gt_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def half(self) -> Tensor:
        """This tensor in that dtype."""
    def heaviside(self, values: Tensor) -> Tensor: ...
    def heaviside_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def histc(self, bins: _int = 100, min: _float = 0, max: _float = 0) -> Tensor: ...
    def hsplit(self, indices_or_sections: _int | Sequence[_int]) -> tuple[Tensor, ...]: ...
    def hypot(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """sqrt(input^2 + other^2) without overflow."""
    def hypot_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def index_add(self, dim: _int, index: Tensor, source: Tensor, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """Adds alpha times the slices of source to those of input at index along dim; repeated indices add up."""
    def index_add_(self, dim: _int, index: Tensor, source: Tensor, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """Adds alpha times the slices of source to those of input at index along dim; repeated indices add up."""
    def index_copy(self, dim: _int, index: Tensor, source: Tensor) -> Tensor:
        """Writes the slices of source to those of input at index along dim."""
    def index_copy_(self, dim: _int, index: Tensor, source: Tensor) -> Tensor:
        """Writes the slices of source to those of input at index along dim."""
    def index_fill(self, dim: _int, index: Tensor, value: Tensor | _float | _int | _bool) -> Tensor:
        """Fills the slices of input at index along dim with a number or a 0-dim tensor."""
    def index_fill_(self, dim: _int, index: Tensor, value: Tensor | _float | _int | _bool) -> Tensor:
        """Fills the slices of input at index along dim with a number or a 0-dim tensor."""
    def index_put(self, indices: Sequence[Tensor | None], values: Tensor, accumulate: _bool = False) -> Tensor:
        """input[indices] = values, or += with accumulate, where repeated indices add up."""
    def index_put_(self, indices: Sequence[Tensor | None], values: Tensor, accumulate: _bool = False) -> Tensor:
        """input[indices] = values, or += with accumulate, where repeated indices add up."""
    def index_select(self, dim: _int, index: Tensor) -> Tensor:
        """The slices of input at index (integers, one dimension) along dim, copied. IndexError outside [0, size)."""
    def inner(self, other: Tensor) -> Tensor:
        """Sums of products over the last dimension of both."""
    def int(self) -> Tensor:
        """This tensor in that dtype."""
    def inverse(self) -> Tensor: ...
    def is_complex(self) -> _bool:
        """Always False."""
    def is_contiguous(self) -> _bool:
        """Whether the elements lie in C order without gaps."""
    @property
    def is_cuda(self) -> _bool:
        """Whether the tensor lives on a GPU."""
    def is_floating_point(self) -> _bool:
        """Whether the dtype is floating."""
    @property
    def is_leaf(self) -> _bool:
        """Whether it is no result of a recorded operation."""
    def is_pinned(self) -> _bool:
        """Whether this tensor lies in page-locked host memory."""
    def is_set_to(self, tensor: Tensor) -> _bool:
        """Whether both are the same window on the same memory."""
    def isclose(self, other: Tensor, rtol: _float = 1e-05, atol: _float = 1e-08, equal_nan: _bool = False) -> Tensor:
        """|input - other| <= atol + rtol * |other|, elementwise."""
    def isfinite(self) -> Tensor:
        """Whether an element is neither NaN nor infinite."""
    def isinf(self) -> Tensor:
        """Whether an element is infinite."""
    def isnan(self) -> Tensor:
        """Whether an element is NaN."""
    def isneginf(self) -> Tensor: ...
    def isposinf(self) -> Tensor: ...
    def item(self) -> Any:
        """The single element as a Python number."""
    @property
    def itemsize(self) -> _int:
        """Bytes of one element."""
    def kron(self, other: Tensor) -> Tensor:
        """The Kronecker product."""
    def kthvalue(self, k: _int, dim: _int = -1, keepdim: _bool = False) -> _Pair:
        """The k-th smallest along dim, k from 1: (values, indices)."""
    def ldexp(self, other: Tensor) -> Tensor: ...
    def ldexp_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def le(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input <= other, elementwise, bool."""
    def le_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def lerp(self, end: Tensor, weight: Tensor | _float | _int | _bool) -> Tensor:
        """input + weight * (end - input)."""
    def lerp_(self, end: Tensor, weight: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def less(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input < other, elementwise, bool."""
    def less_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def less_equal(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input <= other, elementwise, bool."""
    def less_equal_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def lgamma(self) -> Tensor: ...
    def lgamma_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def log(self) -> Tensor:
        """The natural logarithm; -inf at 0, NaN below."""
    def log10(self) -> Tensor:
        """The logarithm to base 10."""
    def log10_(self) -> Tensor:
        """In place."""
    def log1p(self) -> Tensor:
        """log(1 + x), exact near 0."""
    def log1p_(self) -> Tensor:
        """In place."""
    def log2(self) -> Tensor:
        """The logarithm to base 2."""
    def log2_(self) -> Tensor:
        """In place."""
    def log_(self) -> Tensor:
        """In place."""
    def log_softmax(self, dim: _int | None = None, dtype: _dtype | None = None) -> Tensor:
        """log(softmax(x)) along dim, stable. Arguments and errors as softmax's."""
    def logaddexp(self, other: Tensor) -> Tensor: ...
    def logaddexp2(self, other: Tensor) -> Tensor: ...
    @overload
    def logcumsumexp(self, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
        """The logarithm of the running sum of exponentials along dim."""
    @overload
    def logcumsumexp(self, *, axis: _int, dtype: _dtype | None = None) -> Tensor: ...
    def logdet(self) -> Tensor: ...
    def logical_and(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """Both nonzero, bool."""
    def logical_and_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def logical_not(self) -> Tensor:
        """Whether an element is zero."""
    def logical_not_(self) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def logical_or(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """Either nonzero, bool."""
    def logical_or_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def logical_xor(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """Exactly one nonzero, bool."""
    def logical_xor_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def logit(self, eps: _float | None = None) -> Tensor: ...
    def logit_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def logsumexp(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """log(sum(exp(x))) over dim, stable."""
    @overload
    def logsumexp(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def logsumexp(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def logsumexp(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def long(self) -> Tensor:
        """This tensor in that dtype."""
    def lt(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input < other, elementwise, bool."""
    def lt_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    @property
    def mT(self) -> Tensor:
        """The tensor with its last two dimensions swapped (a view)."""
    def masked_fill(self, mask: Tensor, value: Tensor | _float | _int | _bool) -> Tensor:
        """input with value (a number or a 0-dim tensor) where mask (bool, broadcast) holds."""
    def masked_fill_(self, mask: Tensor, value: Tensor | _float | _int | _bool) -> Tensor:
        """masked_fill in place."""
    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """input with the elements of source, in order, where mask (bool, broadcast) holds."""
    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """masked_scatter in place."""
    def masked_select(self, mask: Tensor) -> Tensor:
        """The elements where mask (bool, broadcast) holds, in one dimension."""
    def matmul(self, other: Tensor) -> Tensor:
        """The matrix product of the last two dimensions, others broadcasting; 1-d operands are vectors
        (book section 2.3). Raises ShapeError if the inner sizes differ, DTypeError if the dtypes do.
        """
    def matrix_power(self, n: _int) -> Tensor: ...
    @overload
    def max(self) -> Tensor:
        """The largest element; with dim (values, indices) along it; with another tensor the larger of both."""
    @overload
    def max(self, dim: _int, keepdim: _bool = False) -> _Pair: ...
    @overload
    def max(self, *, axis: _int, keepdims: _bool = False) -> _Pair: ...
    @overload
    def max(self, other: Tensor) -> Tensor: ...
    def maximum(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """The larger of both; NaN wins."""
    def maximum_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    @overload
    def mean(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """The mean over dim (an int, a tuple, or None for all) of floating elements."""
    @overload
    def mean(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def mean(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def mean(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    @overload
    def median(self) -> Tensor:
        """The median, the lower of two middle elements; along dim (values, indices). NaN wins."""
    @overload
    def median(self, dim: _int, keepdim: _bool = False) -> _Pair: ...
    @overload
    def median(self, *, axis: _int, keepdims: _bool = False) -> _Pair: ...
    @overload
    def min(self) -> Tensor:
        """The smallest element; with dim (values, indices) along it; with another tensor the smaller of both."""
    @overload
    def min(self, dim: _int, keepdim: _bool = False) -> _Pair: ...
    @overload
    def min(self, *, axis: _int, keepdims: _bool = False) -> _Pair: ...
    @overload
    def min(self, other: Tensor) -> Tensor: ...
    def minimum(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """The smaller of both; NaN wins."""
    def minimum_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def mm(self, mat2: Tensor) -> Tensor:
        """The product of two matrices, (n, k) by (k, m)."""
    def mode(self, dim: _int = -1, keepdim: _bool = False) -> tuple[Tensor, Tensor]: ...
    def moveaxis(self, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
        """Dimensions moved to new places, the others in their order (a view)."""
    def movedim(self, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
        """Dimensions moved to new places, the others in their order (a view)."""
    def msort(self) -> Tensor:
        """Sorted along dim 0."""
    def mul(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input * other."""
    def mul_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def multinomial(self, num_samples: _int, replacement: _bool = False, *, generator: Generator | None = None) -> Tensor:
        """num_samples category numbers (int64) for each row of weights: input (c,) or (n, c), floating.

        ValueError for negative or NaN weights, a row that sums to 0, or more samples than positive
        weights without replacement.
        """
    def multiply(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input * other."""
    def multiply_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def mv(self, vec: Tensor) -> Tensor:
        """The product of a matrix (n, k) and a vector (k,)."""
    def nan_to_num(self, nan: _float | None = None, posinf: _float | None = None, neginf: _float | None = None) -> Tensor: ...
    def nan_to_num_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def nanmean(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False) -> Tensor: ...
    def nanmedian(self, dim: _int | None = None, keepdim: _bool = False) -> Tensor | tuple[Tensor, Tensor]: ...
    @overload
    def nansum(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """The sum over dim, NaN counting as 0."""
    @overload
    def nansum(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def nansum(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def nansum(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def narrow(self, dim: _int, start: _int, length: _int) -> Tensor:
        """length elements from start along dim (a view)."""
    @property
    def nbytes(self) -> _int:
        """Bytes of all elements."""
    @property
    def ndim(self) -> _int:
        """Number of dimensions."""
    def ndimension(self) -> _int:
        """The number of dimensions."""
    def ne(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input != other, elementwise, bool."""
    def ne_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def neg(self) -> Tensor:
        """-x."""
    def neg_(self) -> Tensor:
        """In place."""
    def negative(self) -> Tensor:
        """-x."""
    def negative_(self) -> Tensor:
        """In place."""
    def nelement(self) -> _int:
        """The number of elements."""
    def new_empty(self, *size: Any, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
        """An uninitialised tensor of this dtype and device."""
    def new_full(self, size: _int | Sequence[_int], fill_value: _float | _int | _bool, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
        """A filled tensor of this dtype and device."""
    def new_ones(self, *size: Any, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
        """Ones of this dtype and device."""
    def new_tensor(self, data: object, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
        """A new tensor of this dtype with a copy of data."""
    def new_zeros(self, *size: Any, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
        """Zeros of this dtype and device."""
    def nonzero(self, *, as_tuple: _bool = False) -> Any:
        """Positions of the nonzero elements: int64 [count, ndim], or one tensor per dimension."""
    def norm(self, p: object = 'fro', dim: _int | Sequence[_int] | None = None, keepdim: _bool = False) -> Tensor:
        """The p-norm over dim, or of all elements (book section 2.3)."""
    def normal_(self, mean: _float = 0.0, std: _float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fills with normal values. ValueError for a negative std."""
    def not_equal(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input != other, elementwise, bool."""
    def not_equal_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place: 1 or 0 in this tensor's dtype."""
    def numel(self) -> _int:
        """The number of elements."""
    def numpy(self, *, force: _bool = False) -> Any:
        """A NumPy array over this tensor's memory. Raises GradError if it requires grad or is on a GPU (force=True detaches
        and copies).
        """
    def outer(self, vec2: Tensor) -> Tensor:
        """All products of elements of two vectors, [n, m]."""
    @overload
    def permute(self, dims: _int | Sequence[_int]) -> Tensor:
        """The dimensions in another order (a view)."""
    @overload
    def permute(self, *dims: Any) -> Tensor: ...
    def pin_memory(self) -> Tensor:
        """A copy in page-locked host memory, from which a GPU reads while the host goes on; itself if it lies there.
        Raises DeviceError where there is no GPU, or if the tensor is on one.
        """
    def positive(self) -> Tensor: ...
    def pow(self, exponent: Tensor | _float | _int | _bool) -> Tensor:
        """input to the power exponent."""
    def pow_(self, exponent: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    @overload
    def prod(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """The product over dim, or of all elements."""
    @overload
    def prod(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def prod(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def prod(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def quantile(self, q: Tensor | _float | _int | _bool, dim: _int | None = None, keepdim: _bool = False, *, interpolation: str = 'linear') -> Tensor:
        """The values below which a part q (in [0, 1], a number or a vector) lies. Between two elements: interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest'."""
    def rad2deg(self) -> Tensor: ...
    def rad2deg_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def random_(self, to: _int, *, generator: Generator | None = None) -> Tensor:
        """Fills with integers uniform in [0, to)."""
    @overload
    def random_(self, from_: _int = 0, to: _int | None = None, *, generator: Generator | None = None) -> Tensor: ...
    def ravel(self) -> Tensor:
        """The elements in one dimension."""
    def reciprocal(self) -> Tensor:
        """1 / x."""
    def reciprocal_(self) -> Tensor:
        """In place."""
    def register_hook(self, hook: object) -> HookHandle:
        """Calls hook(grad) whenever this tensor's gradient is computed; its result, if any, replaces it."""
    def register_post_accumulate_grad_hook(self, hook: object) -> HookHandle:
        """Calls hook(param) after a gradient was added to this leaf's .grad."""
    def relu(self, inplace: _bool = False) -> Tensor:
        """max(x, 0) (book section 5.1)."""
    def relu_(self) -> Tensor:
        """In place."""
    def remainder(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """input % other, with the sign of other."""
    def remainder_(self, other: Tensor | _float | _int | _bool) -> Tensor:
        """In place."""
    def repeat(self, *sizes: Any) -> Tensor:
        """The tensor repeated sizes[i] times along each dimension (a copy); more sizes add dimensions."""
    @overload
    def repeat_interleave(self, repeats: _int, dim: _int | None = None, *, output_size: _int | None = None) -> Tensor:
        """Each element repeated in place, `repeats` times or as often as a tensor of counts says, along dim or flattened."""
    @overload
    def repeat_interleave(self, repeats: Tensor, dim: _int | None = None, *, output_size: _int | None = None) -> Tensor: ...
    @property
    def requires_grad(self) -> _bool:
        """Whether gradients flow to this tensor."""
    @requires_grad.setter
    def requires_grad(self, value: _bool, /) -> None: ...
    def requires_grad_(self, requires_grad: _bool = True) -> Any:
        """Sets requires_grad in place and returns the tensor."""
    @overload
    def reshape(self, shape: _int | Sequence[_int]) -> Tensor:
        """The elements in another shape (one size may be -1)."""
    @overload
    def reshape(self, *shape: Any) -> Tensor: ...
    def reshape_as(self, other: Tensor) -> Tensor:
        """In other's shape."""
    def retain_grad(self) -> None:
        """Keeps the gradient of this non-leaf in .grad."""
    @property
    def retains_grad(self) -> _bool:
        """Whether a non-leaf keeps its gradient."""
    def roll(self, shifts: _int | Sequence[_int], dims: _int | Sequence[_int] | None = None) -> Tensor:
        """Shifted along dims; what leaves at the end comes back in front. Without dims: flattened."""
    def rot90(self, k: _int = 1, dims: _int | Sequence[_int] = ...) -> Tensor:
        """Turned by k times 90 degrees from the first of dims towards the second."""
    def round(self, *, decimals: _int = 0) -> Tensor:
        """To the nearest integer, halves to even."""
    def round_(self, *, decimals: _int = 0) -> Tensor:
        """In place."""
    def rsqrt(self) -> Tensor:
        """1 / sqrt(x)."""
    def rsqrt_(self) -> Tensor:
        """In place."""
    @overload
    def scatter(self, dim: _int, index: Tensor, src: Tensor, *, reduce: str | None = None) -> Tensor:
        """input[index[i][j]][j] = src[i][j] for dim 0, and so on; src may be a number. reduce='add' or 'multiply' combines with what is there."""
    @overload
    def scatter(self, dim: _int, index: Tensor, value: _float | _int | _bool, *, reduce: str | None = None) -> Tensor: ...
    @overload
    def scatter_(self, dim: _int, index: Tensor, src: Tensor, *, reduce: str | None = None) -> Tensor:
        """input[index[i][j]][j] = src[i][j] for dim 0, and so on; src may be a number. reduce='add' or 'multiply' combines with what is there."""
    @overload
    def scatter_(self, dim: _int, index: Tensor, value: _float | _int | _bool, *, reduce: str | None = None) -> Tensor: ...
    def scatter_add(self, dim: _int, index: Tensor, src: Tensor) -> Tensor:
        """input[index[i][j]][j] += src[i][j] for dim 0, and so on, in order of i."""
    def scatter_add_(self, dim: _int, index: Tensor, src: Tensor) -> Tensor:
        """input[index[i][j]][j] += src[i][j] for dim 0, and so on, in order of i."""
    def scatter_reduce(self, dim: _int, index: Tensor, src: Tensor, reduce: str, *, include_self: _bool = True) -> Tensor:
        """What src brings to each element of input: its 'sum', 'prod', 'mean', 'amax' or 'amin', with the element itself or without."""
    def scatter_reduce_(self, dim: _int, index: Tensor, src: Tensor, reduce: str, *, include_self: _bool = True) -> Tensor:
        """scatter_reduce in place."""
    def select(self, dim: _int, index: _int) -> Tensor:
        """One position along dim (a view without that dimension)."""
    def sgn(self) -> Tensor:
        """-1, 0 or 1 by the sign of x; NaN stays."""
    def sgn_(self) -> Tensor:
        """In place."""
    @property
    def shape(self) -> Size:
        """Size of each dimension, a freedive.Size."""
    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x)) (book section 5.1)."""
    def sigmoid_(self) -> Tensor:
        """In place."""
    def sign(self) -> Tensor:
        """-1, 0 or 1 by the sign of x; NaN stays."""
    def sign_(self) -> Tensor:
        """In place."""
    def signbit(self) -> Tensor: ...
    def sin(self) -> Tensor:
        """The sine of x in radians."""
    def sin_(self) -> Tensor:
        """In place."""
    def sinc(self) -> Tensor: ...
    def sinc_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def sinh(self) -> Tensor:
        """The hyperbolic sine."""
    def sinh_(self) -> Tensor:
        """In place."""
    def size(self, dim: _int | None = None) -> Any:
        """The shape, or the size of one dimension."""
    def slogdet(self) -> tuple[Tensor, Tensor]: ...
    def softmax(self, dim: _int | None = None, dtype: _dtype | None = None) -> Tensor:
        """exp(x) / sum(exp(x)) along dim, stable (book section 4.1).

        input: floating, any shape; the result has its shape. dtype converts it first. IndexError for a
        dim that does not exist, DTypeError for integers.
        """
    def softmin(self, dim: _int | None = None, dtype: _dtype | None = None) -> Tensor:
        """softmax(-x)."""
    @overload
    def sort(self, dim: _int = -1, descending: _bool = False, stable: _bool = False) -> _Pair:
        """Sorted along dim, with the positions: (values, indices). Equal elements keep their order."""
    @overload
    def sort(self, *, stable: _bool, dim: _int = -1, descending: _bool = False) -> _Pair: ...
    @overload
    def split(self, split_size: _int, dim: _int = 0) -> tuple[Tensor, ...]:
        """Views of split_size each (the last may be smaller), or of the listed sizes, along dim."""
    @overload
    def split(self, split_size: Sequence[_int], dim: _int = 0) -> tuple[Tensor, ...]: ...
    def sqrt(self) -> Tensor:
        """The square root; NaN below 0."""
    def sqrt_(self) -> Tensor:
        """In place."""
    def square(self) -> Tensor:
        """x * x."""
    def square_(self) -> Tensor:
        """In place."""
    @overload
    def squeeze(self) -> Tensor:
        """Without dimensions of size 1."""
    @overload
    def squeeze(self, dim: _int | Sequence[_int]) -> Tensor: ...
    @overload
    def std(self, unbiased: _bool) -> Tensor:
        """The standard deviation over dim, of n - correction (1: unbiased)."""
    @overload
    def std(self, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> Tensor: ...
    @overload
    def std(self, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> Tensor: ...
    @overload
    def std_mean(self, unbiased: _bool) -> tuple[Tensor, Tensor]:
        """The standard deviation and the mean over dim."""
    @overload
    def std_mean(self, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def std_mean(self, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
    def storage_offset(self) -> _int:
        """Elements before the first in its storage."""
    def stride(self, dim: _int | None = None) -> Any:
        """Steps between neighbours in each dimension, in elements."""
    def sub(self, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """input - alpha * other."""
    def sub_(self, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """In place."""
    def subtract(self, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """input - alpha * other."""
    def subtract_(self, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
        """In place."""
    @overload
    def sum(self, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
        """The sum over dim (an int, a tuple, or None for all). Integers give int64."""
    @overload
    def sum(self, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
    @overload
    def sum(self, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
    @overload
    def sum(self, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
    def swapaxes(self, axis0: _int, axis1: _int) -> Tensor:
        """Two dimensions swapped (a view)."""
    def swapdims(self, dim0: _int, dim1: _int) -> Tensor:
        """Two dimensions swapped (a view)."""
    def t(self) -> Tensor:
        """The matrix transposed (a view)."""
    def take(self, index: Tensor) -> Tensor:
        """Elements of the flattened input, in the shape of index."""
    def take_along_dim(self, indices: Tensor, dim: _int | None = None) -> Tensor:
        """gather with broadcasting and negative indices; dim None: of the flattened tensors."""
    def tan(self) -> Tensor:
        """The tangent of x in radians."""
    def tan_(self) -> Tensor:
        """In place."""
    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
    def tanh_(self) -> Tensor:
        """In place."""
    @overload
    def tensor_split(self, sections: _int, dim: _int = 0) -> tuple[Tensor, ...]:
        """`sections` views whose sizes differ by at most one, or views cut at the listed positions, along dim."""
    @overload
    def tensor_split(self, indices: Sequence[_int], dim: _int = 0) -> tuple[Tensor, ...]: ...
    def tile(self, *dims: Any) -> Tensor:
        """The tensor repeated dims[i] times along each dimension; missing ones count as 1."""
    @overload
    def to(self, dtype: _dtype, non_blocking: _bool = False, copy: _bool = False) -> Tensor:
        """This tensor in another dtype or on another device."""
    @overload
    def to(self, other: Tensor) -> Tensor: ...
    @overload
    def to(self, device: object | None = None, dtype: _dtype | None = None, non_blocking: _bool = False, copy: _bool = False) -> Tensor: ...
    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a number for a 0-dim tensor."""
    def topk(self, k: _int, dim: _int = -1, largest: _bool = True, sorted: _bool = True) -> _Pair:
        """The k largest (or smallest) along dim in order: (values, indices)."""
    def trace(self) -> Tensor:
        """The sum of a matrix' diagonal."""
    def transpose(self, dim0: _int, dim1: _int) -> Tensor:
        """Two dimensions swapped (a view)."""
    def tril(self, diagonal: _int = 0) -> Tensor:
        """The lower triangle of matrices, the rest 0."""
    def tril_(self, diagonal: _int = 0) -> Tensor:
        """tril in place."""
    def triu(self, diagonal: _int = 0) -> Tensor:
        """The upper triangle of matrices, the rest 0."""
    def triu_(self, diagonal: _int = 0) -> Tensor:
        """triu in place."""
    def true_divide(self, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
        """input / other."""
    def true_divide_(self, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
        """In place."""
    def trunc(self) -> Tensor:
        """x without its fraction."""
    def trunc_(self) -> Tensor:
        """In place."""
    def type(self, dtype: object | None = None) -> Any:
        """This tensor in another dtype, or the name of its own."""
    def type_as(self, other: Tensor) -> Tensor:
        """In other's dtype."""
    def unbind(self, dim: _int = 0) -> tuple[Tensor, ...]:
        """Views of every position along dim, without that dimension."""
    def unflatten(self, dim: _int, sizes: _int | Sequence[_int]) -> Tensor:
        """Dimension dim as several of the given sizes (one may be -1)."""
    def unfold(self, dimension: _int, size: _int, step: _int) -> Tensor:
        """Windows of `size` every `step` along a dimension, as a new last dimension (a view)."""
    def uniform_(self, from_: _float = 0.0, to: _float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fills with uniform values in [from, to)."""
    def unique(self, sorted: _bool = True, return_inverse: _bool = False, return_counts: _bool = False, dim: _int | None = None) -> Any:
        """The distinct elements in order, or the distinct slices along dim; with return_inverse where each went, with return_counts how often each came."""
    def unique_consecutive(self, return_inverse: _bool = False, return_counts: _bool = False, dim: _int | None = None) -> Any:
        """The elements, or the slices along dim, without repetitions of their predecessor."""
    def unsqueeze(self, dim: _int) -> Tensor:
        """With a dimension of size 1 inserted at dim."""
    @overload
    def var(self, unbiased: _bool) -> Tensor:
        """The variance over dim, divided by n - correction (1: unbiased)."""
    @overload
    def var(self, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> Tensor: ...
    @overload
    def var(self, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> Tensor: ...
    @overload
    def var_mean(self, unbiased: _bool) -> tuple[Tensor, Tensor]:
        """The variance and the mean over dim."""
    @overload
    def var_mean(self, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def var_mean(self, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
    def vdot(self, other: Tensor) -> Tensor:
        """The sum of products of two vectors of one length."""
    @overload
    def view(self, shape: _int | Sequence[_int]) -> Tensor:
        """The elements in another shape without a copy. Raises ShapeError where that is impossible."""
    @overload
    def view(self, dtype: _dtype) -> Tensor: ...
    @overload
    def view(self, *shape: Any) -> Tensor: ...
    def view_as(self, other: Tensor) -> Tensor:
        """In other's shape, without a copy."""
    def vsplit(self, indices_or_sections: _int | Sequence[_int]) -> tuple[Tensor, ...]: ...
    def where(self, condition: Tensor, other: Tensor | _float | _int | _bool) -> Tensor:
        """self where condition (bool) holds, else other."""
    def xlogy(self, other: Tensor | _float) -> Tensor: ...
    def xlogy_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def zero_(self) -> Tensor:
        """Overwrites every element with 0."""

__version__: str
def _backward(tensors: object, grad_tensors: object | None = None, retain_graph: _bool | None = None, create_graph: _bool = False, inputs: object | None = None) -> None: ...
def _capture_key(tensors: Sequence[Tensor]) -> bytes: ...
def _copy_bandwidth(bytes: _int, seconds: _float, threads: _int) -> _float:
    """Bytes per second, read plus written, of non-temporal copies."""
def _cuda_count() -> _int: ...
def _cuda_empty_cache(device: _int) -> None: ...
def _cuda_emulated() -> _bool: ...
def _cuda_memory(device: _int) -> tuple[_int, _int]: ...
def _cuda_memory_stats(device: _int) -> dict: ...
def _cuda_name(device: _int) -> str: ...
def _cuda_stream(device: _int) -> _int: ...
def _cuda_synchronize(device: _int) -> None: ...
def _cuda_unavailable() -> str: ...
def _fma_peak(seconds: _float, threads: _int) -> _float:
    """Operations per second of float32 multiply-adds."""
def _get_autocast(cuda: _bool) -> tuple[_bool, _dtype]: ...
def _grad(outputs: object, inputs: object, grad_outputs: object | None = None, retain_graph: _bool | None = None, create_graph: _bool = False, allow_unused: _bool | None = None, materialize_grads: _bool = False) -> Any: ...
def _has_hooks(tensor: Tensor) -> _bool: ...
def _isa() -> str: ...
def _isa_reason() -> str: ...
def _isas() -> list[str]: ...
def _record_function(ctx: object, name: str, inputs: list, outputs: list) -> None: ...
def _set_autocast(cuda: _bool, on: _bool, dtype: _dtype) -> None: ...
def _set_grad_enabled(mode: _bool) -> None: ...
def _use_isa(name: str) -> None: ...
@overload
def abs(input: Tensor) -> Tensor:
    """|x|."""
@overload
def abs(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def absolute(input: Tensor) -> Tensor:
    """|x|."""
@overload
def absolute(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def acos(input: Tensor) -> Tensor:
    """The inverse cosine in radians."""
@overload
def acos(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def acosh(input: Tensor) -> Tensor:
    """The inverse hyperbolic cosine."""
@overload
def acosh(input: Tensor, *, out: Tensor) -> Tensor: ...
def adam_step(params: Sequence[Tensor], grads: Sequence[Tensor], exp_avgs: Sequence[Tensor], exp_avg_sqs: Sequence[Tensor], max_exp_avg_sqs: Sequence[Tensor] | None, lr: _float, beta1: _float, beta2: _float, eps: _float, weight_decay: _float, decoupled: _bool, amsgrad: _bool, maximize: _bool, step: _int, grad_scale: _float | None = None, live: Tensor | None = None) -> None:
    """One step of Adam (Kingma and Ba, ICLR 2015; book section 12.10), or of AdamW if decoupled, for all params, in
    place. step counts from 1. Lists and errors as sgd_step's.
    """
def adaptive_avg_pool1d(input: Tensor, output_size: object) -> Tensor:
    """Average pooling to a given size (Lin, Chen and Yan 2014 for size 1); windows as adaptive_max_pool2d's."""
def adaptive_avg_pool2d(input: Tensor, output_size: object) -> Tensor:
    """Average pooling to a given size (Lin, Chen and Yan 2014 for size 1); windows as adaptive_max_pool2d's."""
def adaptive_avg_pool3d(input: Tensor, output_size: object) -> Tensor:
    """Average pooling to a given size (Lin, Chen and Yan 2014 for size 1); windows as adaptive_max_pool2d's."""
def adaptive_max_pool1d(input: Tensor, output_size: object, return_indices: _bool = False) -> Any:
    """Max pooling to a given size: window i covers floor(i in / out) to ceil((i + 1) in / out). An int for all
    dimensions or one for each; None keeps the input's.
    """
def adaptive_max_pool2d(input: Tensor, output_size: object, return_indices: _bool = False) -> Any:
    """Max pooling to a given size: window i covers floor(i in / out) to ceil((i + 1) in / out). An int for all
    dimensions or one for each; None keeps the input's.
    """
def adaptive_max_pool3d(input: Tensor, output_size: object, return_indices: _bool = False) -> Any:
    """Max pooling to a given size: window i covers floor(i in / out) to ceil((i + 1) in / out). An int for all
    dimensions or one for each; None keeps the input's.
    """
@overload
def add(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
    """input + alpha * other."""
@overload
def add(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1, out: Tensor) -> Tensor: ...
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: _float | _int | _bool = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: _float | _int | _bool = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: _float | _int | _bool = 1, alpha: _float | _int | _bool = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2)."""
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: _float | _int | _bool = 1, alpha: _float | _int | _bool = 1) -> Tensor:
    """beta * input + alpha * (mat @ vec)."""
@overload
def all(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """Whether all elements over dim are nonzero."""
@overload
def all(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def all(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def all(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
def allclose(input: Tensor, other: Tensor, rtol: _float = 1e-05, atol: _float = 1e-08, equal_nan: _bool = False) -> _bool:
    """Whether all elements are close."""
@overload
def amax(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """The largest element over dim; equal ones share the gradient."""
@overload
def amax(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def amax(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def amax(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
@overload
def amin(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """The smallest element over dim; equal ones share the gradient."""
@overload
def amin(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def amin(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def amin(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
@overload
def any(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """Whether any element over dim is nonzero."""
@overload
def any(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def any(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def any(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
@overload
def arange(end: _float | _int | _bool, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """[start, start + step, …) up to but not including end, 1-d; int64 for integers."""
@overload
def arange(start: _float | _int | _bool, end: _float | _int | _bool, step: _float | _int | _bool = 1, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor: ...
@overload
def arccos(input: Tensor) -> Tensor:
    """The inverse cosine in radians."""
@overload
def arccos(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def arccosh(input: Tensor) -> Tensor:
    """The inverse hyperbolic cosine."""
@overload
def arccosh(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def arcsin(input: Tensor) -> Tensor:
    """The inverse sine in radians."""
@overload
def arcsin(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def arcsinh(input: Tensor) -> Tensor:
    """The inverse hyperbolic sine."""
@overload
def arcsinh(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def arctan(input: Tensor) -> Tensor:
    """The inverse tangent in radians."""
@overload
def arctan(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def arctan2(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """The angle of the point (other, input) in radians."""
@overload
def arctan2(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def arctanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
@overload
def arctanh(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def argmax(input: Tensor, dim: _int | None = None, keepdim: _bool = False) -> Tensor:
    """The position (int64) of the extreme element along dim, or in the flattened tensor."""
@overload
def argmax(input: Tensor, *, axis: _int | None = None, keepdims: _bool = False) -> Tensor: ...
@overload
def argmin(input: Tensor, dim: _int | None = None, keepdim: _bool = False) -> Tensor:
    """The position (int64) of the extreme element along dim, or in the flattened tensor."""
@overload
def argmin(input: Tensor, *, axis: _int | None = None, keepdims: _bool = False) -> Tensor: ...
def argsort(input: Tensor, dim: _int = -1, descending: _bool = False, stable: _bool = False) -> Tensor:
    """The positions that sort along dim, int64."""
def argwhere(input: Tensor) -> Tensor:
    """Positions of the nonzero elements: int64 [count, ndim]."""
def as_strided(input: Tensor, size: _int | Sequence[_int], stride: _int | Sequence[_int], storage_offset: _int | None = None) -> Tensor:
    """A window on the storage with any size and strides (in elements)."""
def as_tensor(data: object, *, dtype: _dtype | None = None, device: object | None = None) -> Tensor:
    """data as a tensor, sharing memory where that is possible."""
def asarray(data: object, *, dtype: _dtype | None = None, device: object | None = None) -> Tensor:
    """data as a tensor, sharing memory where that is possible."""
@overload
def asin(input: Tensor) -> Tensor:
    """The inverse sine in radians."""
@overload
def asin(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def asinh(input: Tensor) -> Tensor:
    """The inverse hyperbolic sine."""
@overload
def asinh(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def atan(input: Tensor) -> Tensor:
    """The inverse tangent in radians."""
@overload
def atan(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def atan2(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """The angle of the point (other, input) in radians."""
@overload
def atan2(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def atanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
@overload
def atanh(input: Tensor, *, out: Tensor) -> Tensor: ...
def atleast_1d(*tensors: Any) -> Any:
    """With at least one dimension."""
def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions, new ones in front."""
def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions."""
def avg_pool1d(input: Tensor, kernel_size: _int | Sequence[_int], stride: _int | Sequence[_int] | None = None, padding: _int | Sequence[_int] = 0, ceil_mode: _bool = False, count_include_pad: _bool = True, divisor_override: _int | None = None) -> Tensor:
    """The average of each window of each channel (book section 7.5).

    Padding counts as zeros, or not at all without count_include_pad; divisor_override divides the sum instead of
    the count. Other arguments and errors as max_pool2d's.
    """
def avg_pool2d(input: Tensor, kernel_size: _int | Sequence[_int], stride: _int | Sequence[_int] | None = None, padding: _int | Sequence[_int] = 0, ceil_mode: _bool = False, count_include_pad: _bool = True, divisor_override: _int | None = None) -> Tensor:
    """The average of each window of each channel (book section 7.5).

    Padding counts as zeros, or not at all without count_include_pad; divisor_override divides the sum instead of
    the count. Other arguments and errors as max_pool2d's.
    """
def avg_pool3d(input: Tensor, kernel_size: _int | Sequence[_int], stride: _int | Sequence[_int] | None = None, padding: _int | Sequence[_int] = 0, ceil_mode: _bool = False, count_include_pad: _bool = True, divisor_override: _int | None = None) -> Tensor:
    """The average of each window of each channel (book section 7.5).

    Padding counts as zeros, or not at all without count_include_pad; divisor_override divides the sum instead of
    the count. Other arguments and errors as max_pool2d's.
    """
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: _float | _int | _bool = 1, alpha: _float | _int | _bool = 1) -> Tensor:
    """beta * input + alpha * (batch1 @ batch2)."""
def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None, bias: Tensor | None = None, training: _bool = False, momentum: _float = 0.1, eps: _float = 1e-05) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias per channel (Ioffe and Szegedy, ICML 2015; book section 8.5).

    input: (n, c) or (n, c, ...), floating; the other tensors (c,). In training mean and variance are the
    batch's, and the running ones move towards them by momentum, in place; else the running ones are used.
    ValueError for one value per channel in training, or without running statistics in evaluation.
    """
def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that input holds at that place, else 0. ValueError outside of 0 to 1."""
bfloat16: dtype
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: _bool | None = None, reduce: _bool | None = None, reduction: str = 'mean') -> Tensor:
    """-(target log(input) + (1 - target) log(1 - input)), logarithms at least -100.

    Floating tensors of one shape; weight broadcasts. ValueError for input outside of 0 to 1, ShapeError if
    shapes differ.
    """
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: _bool | None = None, reduce: _bool | None = None, reduction: str = 'mean', pos_weight: Tensor | None = None) -> Tensor:
    """binary_cross_entropy of sigmoid(input), stable. weight and pos_weight (of the positive part) broadcast.
    ShapeError if input and target differ in shape.
    """
def bincount(input: Tensor, weights: Tensor | None = None, minlength: _int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs in a vector of non-negative integers, or the sum of its weights."""
@overload
def bitwise_and(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input & other."""
@overload
def bitwise_and(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def bitwise_left_shift(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input << other."""
@overload
def bitwise_left_shift(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def bitwise_not(input: Tensor) -> Tensor:
    """~x of integers and bool."""
@overload
def bitwise_not(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def bitwise_or(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input | other."""
@overload
def bitwise_or(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def bitwise_right_shift(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input >> other."""
@overload
def bitwise_right_shift(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def bitwise_xor(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input ^ other."""
@overload
def bitwise_xor(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two batches of matrices, (b, n, k) by (b, k, m)."""
@overload
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor) -> Tensor: ...
bool: dtype
def broadcast_shapes(*shapes: Any) -> _int | Sequence[_int]:
    """The shape that the shapes broadcast to."""
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors expanded to the shape they broadcast to."""
def broadcast_to(input: Tensor, size: _int | Sequence[_int]) -> Tensor:
    """Expanded to size without a copy."""
def bucketize(input: Tensor | _float | _int | _bool, boundaries: Tensor, *, out_int32: _bool = False, right: _bool = False) -> Tensor:
    """The number of the bucket between sorted boundaries that each value falls into."""
@overload
def cat(tensors: Sequence[Tensor], dim: _int = 0) -> Tensor:
    """The tensors one after another along dim; other sizes must agree (book section 2.1). Dtypes are promoted."""
@overload
def cat(tensors: Sequence[Tensor], *, axis: _int) -> Tensor: ...
@overload
def cat(tensors: Sequence[Tensor], dim: _int = 0, *, out: Tensor) -> Tensor: ...
def cdist(x1: Tensor, x2: Tensor, p: _float = 2.0, compute_mode: str | None = None) -> Tensor:
    """p-norm distances of the rows of x1 [..., m, d] and x2 [..., n, d]: [..., m, n]."""
@overload
def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below x."""
@overload
def ceil(input: Tensor, *, out: Tensor) -> Tensor: ...
def celu(input: Tensor, alpha: _float = 1.0, inplace: _bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron 2017)."""
def chunk(input: Tensor, chunks: _int, dim: _int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size (the last may be smaller) along dim."""
def clamp(input: Tensor, min: Tensor | _float | _int | _bool | None = None, max: Tensor | _float | _int | _bool | None = None) -> Tensor:
    """input limited to [min, max]; either may be None, a number or a tensor."""
def clip(input: Tensor, min: Tensor | _float | _int | _bool | None = None, max: Tensor | _float | _int | _bool | None = None) -> Tensor:
    """input limited to [min, max]; either may be None, a number or a tensor."""
def clone(input: Tensor) -> Tensor:
    """A copy, with gradients flowing through."""
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side, vectors as columns."""
@overload
def concat(tensors: Sequence[Tensor], dim: _int = 0) -> Tensor:
    """The tensors one after another along dim; other sizes must agree (book section 2.1). Dtypes are promoted."""
@overload
def concat(tensors: Sequence[Tensor], *, axis: _int) -> Tensor: ...
@overload
def concat(tensors: Sequence[Tensor], dim: _int = 0, *, out: Tensor) -> Tensor: ...
@overload
def concatenate(tensors: Sequence[Tensor], dim: _int = 0) -> Tensor:
    """The tensors one after another along dim; other sizes must agree (book section 2.1). Dtypes are promoted."""
@overload
def concatenate(tensors: Sequence[Tensor], *, axis: _int) -> Tensor: ...
@overload
def concatenate(tensors: Sequence[Tensor], dim: _int = 0, *, out: Tensor) -> Tensor: ...
def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _int | Sequence[_int] = 1, padding: object = 0, dilation: _int | Sequence[_int] = 1, groups: _int = 1, activation: str = 'none') -> Tensor:
    """Cross-correlation along one dimension: input (n, c, l) or (c, l), weight (out, c / groups, k). Arguments and errors as conv2d's."""
def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _int | Sequence[_int] = 1, padding: object = 0, dilation: _int | Sequence[_int] = 1, groups: _int = 1, activation: str = 'none') -> Tensor:
    """Cross-correlation of input with weight, plus bias (book sections 7.1 to 7.4).

    input: (n, c, h, w) or (c, h, w), float32 or float64 (halves are computed in float32); weight: (out, c / groups,
    kh, kw); bias: (out,). stride, padding, dilation: a number or a pair; padding may be 'same' (output as large as
    input, stride 1) or 'valid'. Each of `groups` groups of channels meets only its own outputs. The result is
    (n, out, h', w') with h' = (h + 2 padding - dilation (kh - 1) - 1) // stride + 1.
    activation ('none', 'relu', 'sigmoid' or 'tanh'; not in PyTorch) is applied by the same kernel.
    ShapeError if channels do not fit or the kernel is larger than the padded input, ValueError for numbers out of
    range, DTypeError if dtypes differ.
    """
def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _int | Sequence[_int] = 1, padding: object = 0, dilation: _int | Sequence[_int] = 1, groups: _int = 1, activation: str = 'none') -> Tensor:
    """Cross-correlation over volumes: input (n, c, d, h, w) or (c, d, h, w), weight (out, c / groups, kd, kh, kw). Arguments and errors as conv2d's."""
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _int | Sequence[_int] = 1, padding: _int | Sequence[_int] = 0, output_padding: _int | Sequence[_int] = 0, groups: _int = 1, dilation: _int | Sequence[_int] = 1) -> Tensor:
    """Transposed conv1d; arguments and errors as conv_transpose2d's."""
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _int | Sequence[_int] = 1, padding: _int | Sequence[_int] = 0, output_padding: _int | Sequence[_int] = 0, groups: _int = 1, dilation: _int | Sequence[_int] = 1) -> Tensor:
    """Transposed cross-correlation (book section 14.10): the gradient of conv2d with respect to its input.

    input: (n, c, h, w) or (c, h, w); weight: (c, out / groups, kh, kw); bias: (out,). The result has height
    (h - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Errors as conv2d's.
    """
def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _int | Sequence[_int] = 1, padding: _int | Sequence[_int] = 0, output_padding: _int | Sequence[_int] = 0, groups: _int = 1, dilation: _int | Sequence[_int] = 1) -> Tensor:
    """Transposed conv3d; arguments and errors as conv_transpose2d's."""
@overload
def copysign(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """The magnitude of input with the sign of other."""
@overload
def copysign(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
def corrcoef(input: Tensor) -> Tensor:
    """The correlation matrix of variables in rows."""
@overload
def cos(input: Tensor) -> Tensor:
    """The cosine of x in radians."""
@overload
def cos(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine."""
@overload
def cosh(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def count_nonzero(input: Tensor, dim: _int | Sequence[_int] | None = None) -> Tensor:
    """How many elements over dim are nonzero, int64."""
@overload
def count_nonzero(input: Tensor, *, axis: _int | Sequence[_int] | None) -> Tensor: ...
def cov(input: Tensor, *, correction: _int = 1) -> Tensor:
    """The covariance matrix of variables in rows; divides by the count less correction."""
def cross(input: Tensor, other: Tensor, dim: _int | None = None) -> Tensor:
    """The cross product along dim, by default the first of size 3."""
def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: _bool | None = None, ignore_index: _int = -100, reduce: _bool | None = None, reduction: str = 'mean', label_smoothing: _float = 0.0) -> Tensor:
    """Cross-entropy of softmax(input) (book section 4.1).

    input: logits (n, c), (c,) or (n, c, d1, ...), floating. target: class numbers in input's shape without c
    (integers; those equal to ignore_index count nothing), or probabilities in input's shape. weight: (c,), of
    each class. 'mean' divides by the sum of the labels' weights; over no labels it is nan. label_smoothing in
    [0, 1] mixes targets with the uniform distribution (Szegedy et al., CVPR 2016).
    ShapeError if shapes disagree, IndexError for a label outside of 0 to c - 1, naming it and its row.
    """
def cummax(input: Tensor, dim: _int) -> _Pair:
    """The running maximum along dim and its positions."""
def cummin(input: Tensor, dim: _int) -> _Pair:
    """The running minimum along dim and its positions."""
@overload
def cumprod(input: Tensor, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
    """The running product along dim."""
@overload
def cumprod(input: Tensor, *, axis: _int, dtype: _dtype | None = None) -> Tensor: ...
@overload
def cumsum(input: Tensor, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
    """The running sum along dim."""
@overload
def cumsum(input: Tensor, *, axis: _int, dtype: _dtype | None = None) -> Tensor: ...
default_generator: Generator
def detach(input: Tensor) -> Tensor:
    """The same memory without history."""
def diag(input: Tensor, diagonal: _int = 0) -> Tensor:
    """A matrix with the vector on its diagonal, or the diagonal of a matrix (a copy)."""
def diag_embed(input: Tensor, offset: _int = 0, dim1: _int = -2, dim2: _int = -1) -> Tensor:
    """Matrices with the last dimension on their diagonals."""
def diagflat(input: Tensor, offset: _int = 0) -> Tensor:
    """A matrix with all elements on its diagonal."""
def diagonal(input: Tensor, offset: _int = 0, dim1: _int = 0, dim2: _int = 1) -> Tensor:
    """The diagonal over dim1 and dim2 as the last dimension (a view)."""
@overload
def div(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, floating for integers; rounding_mode 'floor' or 'trunc' keeps integers."""
@overload
def div(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None, out: Tensor) -> Tensor: ...
@overload
def divide(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, floating for integers; rounding_mode 'floor' or 'trunc' keeps integers."""
@overload
def divide(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None, out: Tensor) -> Tensor: ...
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of products of two vectors of one length."""
double: dtype
def dropout(input: Tensor, p: _float = 0.5, training: _bool = True, inplace: _bool = False) -> Tensor:
    """Zeroes each element with probability p and divides the others by 1 - p, in training; else input itself
    (Srivastava et al., JMLR 2014; book section 5.6).

    input: floating, any shape. The mask is drawn from the default generator and is not stored. ValueError for p
    outside of 0 to 1.
    """
def dropout1d(input: Tensor, p: _float = 0.5, training: _bool = True, inplace: _bool = False) -> Tensor:
    """Drops whole channels of (n, c, l) or (c, l)."""
def dropout2d(input: Tensor, p: _float = 0.5, training: _bool = True, inplace: _bool = False) -> Tensor:
    """Drops whole channels of (n, c, h, w) or (c, h, w)."""
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors along dim 2."""
e: _float
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products of elements over named dimensions, as 'ij,jk->ik' or 'b...d,d->b...'."""
def elu(input: Tensor, alpha: _float = 1.0, inplace: _bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016)."""
def embedding(weight: Tensor, indices: Tensor, padding_idx: _int = -1) -> Tensor:
    """Rows of weight [rows, width] at indices (any shape); row padding_idx gets no gradient (book 15.1)."""
@overload
def empty(size: _int | Sequence[_int], *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """A tensor of shape size whose contents are undefined."""
@overload
def empty(*size: Any, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor: ...
def empty_cache() -> None:
    """Gives cached host memory back to the system."""
def empty_like(input: Tensor, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """An uninitialised tensor of input's shape and dtype."""
def empty_strided(size: _int | Sequence[_int], stride: _int | Sequence[_int], *, dtype: _dtype | None = None) -> Tensor:
    """An uninitialised tensor with these strides (in elements)."""
def eq(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input == other, elementwise, bool."""
def equal(input: Tensor, other: Tensor) -> _bool:
    """Whether both have the same shape and elements."""
@overload
def erf(input: Tensor) -> Tensor:
    """The error function."""
@overload
def erf(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def exp(input: Tensor) -> Tensor:
    """e to the power x."""
@overload
def exp(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def exp2(input: Tensor) -> Tensor:
    """2 to the power x."""
@overload
def exp2(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def expm1(input: Tensor) -> Tensor:
    """exp(x) - 1, exact near 0."""
@overload
def expm1(input: Tensor, *, out: Tensor) -> Tensor: ...
def eye(n: _int, m: _int | None = None, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """The n × m matrix with ones on its diagonal."""
@overload
def fix(input: Tensor) -> Tensor:
    """x without its fraction."""
@overload
def fix(input: Tensor, *, out: Tensor) -> Tensor: ...
def flatten(input: Tensor, start_dim: _int = 0, end_dim: _int = -1) -> Tensor:
    """Dimensions start_dim to end_dim as one."""
def flip(input: Tensor, dims: _int | Sequence[_int]) -> Tensor:
    """The order reversed along dims (a copy)."""
def fliplr(input: Tensor) -> Tensor:
    """The order reversed along dim 1."""
def flipud(input: Tensor) -> Tensor:
    """The order reversed along dim 0."""
float: dtype
float16: dtype
float32: dtype
float64: dtype
@overload
def floor(input: Tensor) -> Tensor:
    """The largest integer not above x."""
@overload
def floor(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def floor_divide(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input / other rounded to minus infinity. Integers: ValueError on division by 0."""
@overload
def floor_divide(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def fmod(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """The remainder with the sign of input."""
@overload
def fmod(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
def from_dlpack(ext_tensor: object) -> Tensor:
    """A tensor over the memory of another library's array (PyTorch, NumPy, JAX, CuPy), without a copy."""
def from_numpy(ndarray: object) -> Tensor:
    """A tensor over the memory of a NumPy array (or any buffer), without a copy.

    Writing to either changes both. Raises DTypeError for element types without a dtype here and ValueError for
    negative strides.
    """
def frombuffer(buffer: object, *, dtype: _dtype, count: _int = -1, offset: _int = 0) -> Tensor:
    """A 1-d tensor over the bytes of a buffer, without a copy; count -1 takes all that follow offset (in bytes)."""
def full(size: _int | Sequence[_int], fill_value: _float | _int | _bool, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """A tensor of shape size filled with fill_value, whose kind decides the dtype."""
def full_like(input: Tensor, fill_value: _float | _int | _bool, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """A tensor of input's shape and dtype filled with fill_value."""
def gather(input: Tensor, dim: _int, index: Tensor, *, sparse_grad: _bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on. IndexError outside [0, size)."""
def ge(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input >= other, elementwise, bool."""
def gelu(input: Tensor, *, approximate: str = 'none') -> Tensor:
    """x * Phi(x), Phi the normal distribution function; approximate='tanh' for its tanh form (Hendrycks, Gimpel 2016)."""
def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of elements of two vectors, [n, m]."""
def get_default_dtype() -> _dtype:
    """The dtype of tensors made from Python floats."""
def get_float32_matmul_precision() -> str:
    """'highest' or 'high', as set_float32_matmul_precision left it ('medium' is the same as 'high' here)."""
def get_num_threads() -> _int:
    """How many threads kernels use."""
def get_rng_state() -> Tensor:
    """The default generator's state, a uint8 tensor."""
def greater(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input > other, elementwise, bool."""
def greater_equal(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input >= other, elementwise, bool."""
def gt(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input > other, elementwise, bool."""
half: dtype
def hardsigmoid(input: Tensor, inplace: _bool = False) -> Tensor:
    """relu6(x + 3) / 6."""
def hardswish(input: Tensor, inplace: _bool = False) -> Tensor:
    """x * relu6(x + 3) / 6 (Howard et al., ICCV 2019)."""
def hardtanh(input: Tensor, min_val: _float = -1.0, max_val: _float = 1.0, inplace: _bool = False) -> Tensor:
    """x clipped to [min_val, max_val]."""
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side: along dim 1, vectors along dim 0."""
def huber_loss(input: Tensor, target: Tensor, reduction: str = 'mean', delta: _float = 1.0, weight: Tensor | None = None) -> Tensor:
    """d^2 / 2 where the difference |d| <= delta, else delta (|d| - delta / 2) (Huber 1964). ValueError for delta
    not above 0.
    """
@overload
def hypot(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """sqrt(input^2 + other^2) without overflow."""
@overload
def hypot(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
def index_add(input: Tensor, dim: _int, index: Tensor, source: Tensor, *, alpha: _float | _int | _bool = 1) -> Tensor:
    """Adds alpha times the slices of source to those of input at index along dim; repeated indices add up."""
def index_copy(input: Tensor, dim: _int, index: Tensor, source: Tensor) -> Tensor:
    """Writes the slices of source to those of input at index along dim."""
def index_fill(input: Tensor, dim: _int, index: Tensor, value: Tensor | _float | _int | _bool) -> Tensor:
    """Fills the slices of input at index along dim with a number or a 0-dim tensor."""
def index_put(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: _bool = False) -> Tensor:
    """input[indices] = values, or += with accumulate, where repeated indices add up."""
def index_select(input: Tensor, dim: _int, index: Tensor) -> Tensor:
    """The slices of input at index (integers, one dimension) along dim, copied. IndexError outside [0, size)."""
inf: _float
def initial_seed() -> _int:
    """The default generator's seed."""
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last dimension of both."""
int: dtype
int32: dtype
int64: dtype
def is_complex(input: Tensor) -> _bool:
    """Always False."""
def is_floating_point(input: Tensor) -> _bool:
    """Whether the dtype is floating."""
def is_grad_enabled() -> _bool:
    """Whether operations record gradients on this thread."""
def is_tensor(obj: object | None) -> _bool:
    """Whether obj is a tensor."""
def isclose(input: Tensor, other: Tensor, rtol: _float = 1e-05, atol: _float = 1e-08, equal_nan: _bool = False) -> Tensor:
    """|input - other| <= atol + rtol * |other|, elementwise."""
def isfinite(input: Tensor) -> Tensor:
    """Whether an element is neither NaN nor infinite."""
def isin(elements: Tensor | _float | _int | _bool, test_elements: Tensor | _float | _int | _bool, *, assume_unique: _bool = False, invert: _bool = False) -> Tensor:
    """Whether each element occurs in test_elements."""
def isinf(input: Tensor) -> Tensor:
    """Whether an element is infinite."""
def isnan(input: Tensor) -> Tensor:
    """Whether an element is NaN."""
def kl_div(input: Tensor, target: Tensor, size_average: _bool | None = None, reduce: _bool | None = None, reduction: str = 'mean', log_target: _bool = False) -> Tensor:
    """target (log(target) - input), where input holds log-probabilities (and target too if log_target).

    reduction 'batchmean' divides the sum by size(0), which is the divergence; 'mean' divides by elements.
    """
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product."""
def kthvalue(input: Tensor, k: _int, dim: _int = -1, keepdim: _bool = False) -> _Pair:
    """The k-th smallest along dim, k from 1: (values, indices)."""
def l1_loss(input: Tensor, target: Tensor, size_average: _bool | None = None, reduce: _bool | None = None, reduction: str = 'mean', weight: Tensor | None = None) -> Tensor:
    """|input - target|. Shapes and errors as mse_loss's."""
def layer_norm(input: Tensor, normalized_shape: _int | Sequence[_int], weight: Tensor | None = None, bias: Tensor | None = None, eps: _float = 1e-05) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions (Ba, Kiros and Hinton 2016).

    normalized_shape: sizes of those dimensions, which weight and bias have too; ShapeError otherwise.
    """
def le(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input <= other, elementwise, bool."""
def leaky_relu(input: Tensor, negative_slope: _float = 0.01, inplace: _bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x."""
def lerp(input: Tensor, end: Tensor, weight: Tensor | _float | _int | _bool) -> Tensor:
    """input + weight * (end - input)."""
def less(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input < other, elementwise, bool."""
def less_equal(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input <= other, elementwise, bool."""
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, activation: str = 'none') -> Tensor:
    """activation(input @ weight.T + bias) in one kernel (book section 4.4).

    input (..., in), weight (out, in), bias (out,) or None give (..., out). activation: 'none', 'relu', 'sigmoid' or
    'tanh'. Raises ShapeError or DTypeError where they do not fit.
    """
def linspace(start: _float | _int | _bool, end: _float | _int | _bool, steps: _int, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """steps values from start to end, both included, evenly spaced."""
@overload
def log(input: Tensor) -> Tensor:
    """The natural logarithm; -inf at 0, NaN below."""
@overload
def log(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
@overload
def log10(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def log1p(input: Tensor) -> Tensor:
    """log(1 + x), exact near 0."""
@overload
def log1p(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
@overload
def log2(input: Tensor, *, out: Tensor) -> Tensor: ...
def log_softmax(input: Tensor, dim: _int | None = None, dtype: _dtype | None = None) -> Tensor:
    """log(softmax(x)) along dim, stable. Arguments and errors as softmax's."""
@overload
def logcumsumexp(input: Tensor, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
    """The logarithm of the running sum of exponentials along dim."""
@overload
def logcumsumexp(input: Tensor, *, axis: _int, dtype: _dtype | None = None) -> Tensor: ...
def logical_and(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """Both nonzero, bool."""
def logical_not(input: Tensor) -> Tensor:
    """Whether an element is zero."""
def logical_or(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """Either nonzero, bool."""
def logical_xor(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """Exactly one nonzero, bool."""
def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), stable."""
def logspace(start: _float | _int | _bool, end: _float | _int | _bool, steps: _int, base: _float = 10.0, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """steps values from base^start to base^end, evenly spaced in the exponent."""
@overload
def logsumexp(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """log(sum(exp(x))) over dim, stable."""
@overload
def logsumexp(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def logsumexp(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def logsumexp(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
long: dtype
def lt(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input < other, elementwise, bool."""
def manual_seed(seed: _int) -> Generator:
    """Seeds the default generator, which every random operation without its own draws from; returns it.
    ValueError for a seed outside of -2**63 to 2**64 - 1.
    """
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | _float | _int | _bool) -> Tensor:
    """input with value (a number or a 0-dim tensor) where mask (bool, broadcast) holds."""
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with the elements of source, in order, where mask (bool, broadcast) holds."""
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where mask (bool, broadcast) holds, in one dimension."""
@overload
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product of the last two dimensions, others broadcasting; 1-d operands are vectors
    (book section 2.3). Raises ShapeError if the inner sizes differ, DTypeError if the dtypes do.
    """
@overload
def matmul(input: Tensor, other: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def max(input: Tensor) -> Tensor:
    """The largest element; with dim (values, indices) along it; with another tensor the larger of both."""
@overload
def max(input: Tensor, dim: _int, keepdim: _bool = False) -> _Pair: ...
@overload
def max(input: Tensor, *, axis: _int, keepdims: _bool = False) -> _Pair: ...
@overload
def max(input: Tensor, other: Tensor) -> Tensor: ...
def max_pool1d(input: Tensor, kernel_size: _int | Sequence[_int], stride: _int | Sequence[_int] | None = None, padding: _int | Sequence[_int] = 0, dilation: _int | Sequence[_int] = 1, ceil_mode: _bool = False, return_indices: _bool = False) -> Any:
    """The maximum of each window of each channel (book section 7.5).

    input: (n, c, ...) or (c, ...), floating; stride is kernel_size if not given; padding (at most half of the
    kernel) counts as minus infinity. ceil_mode keeps a last window that reaches beyond the border. With
    return_indices (values, positions in the channel's plane, int64). The first of equals wins, NaN before all.
    ShapeError for a kernel larger than the padded input, ValueError for numbers out of range.
    """
def max_pool2d(input: Tensor, kernel_size: _int | Sequence[_int], stride: _int | Sequence[_int] | None = None, padding: _int | Sequence[_int] = 0, dilation: _int | Sequence[_int] = 1, ceil_mode: _bool = False, return_indices: _bool = False) -> Any:
    """The maximum of each window of each channel (book section 7.5).

    input: (n, c, ...) or (c, ...), floating; stride is kernel_size if not given; padding (at most half of the
    kernel) counts as minus infinity. ceil_mode keeps a last window that reaches beyond the border. With
    return_indices (values, positions in the channel's plane, int64). The first of equals wins, NaN before all.
    ShapeError for a kernel larger than the padded input, ValueError for numbers out of range.
    """
def max_pool3d(input: Tensor, kernel_size: _int | Sequence[_int], stride: _int | Sequence[_int] | None = None, padding: _int | Sequence[_int] = 0, dilation: _int | Sequence[_int] = 1, ceil_mode: _bool = False, return_indices: _bool = False) -> Any:
    """The maximum of each window of each channel (book section 7.5).

    input: (n, c, ...) or (c, ...), floating; stride is kernel_size if not given; padding (at most half of the
    kernel) counts as minus infinity. ceil_mode keeps a last window that reaches beyond the border. With
    return_indices (values, positions in the channel's plane, int64). The first of equals wins, NaN before all.
    ShapeError for a kernel larger than the padded input, ValueError for numbers out of range.
    """
@overload
def maximum(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """The larger of both; NaN wins."""
@overload
def maximum(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def mean(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """The mean over dim (an int, a tuple, or None for all) of floating elements."""
@overload
def mean(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def mean(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def mean(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
@overload
def median(input: Tensor) -> Tensor:
    """The median, the lower of two middle elements; along dim (values, indices). NaN wins."""
@overload
def median(input: Tensor, dim: _int, keepdim: _bool = False) -> _Pair: ...
@overload
def median(input: Tensor, *, axis: _int, keepdims: _bool = False) -> _Pair: ...
def memory_stats() -> dict:
    """Host memory in bytes: used by tensors, cached for reuse, and the most ever used."""
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinate grids of vectors (book section 12.2): grid i varies along dim i; indexing='xy' swaps the first two."""
@overload
def min(input: Tensor) -> Tensor:
    """The smallest element; with dim (values, indices) along it; with another tensor the smaller of both."""
@overload
def min(input: Tensor, dim: _int, keepdim: _bool = False) -> _Pair: ...
@overload
def min(input: Tensor, *, axis: _int, keepdims: _bool = False) -> _Pair: ...
@overload
def min(input: Tensor, other: Tensor) -> Tensor: ...
def minibatch(images: Tensor, rows: Tensor, scale: _float, shift: _float, dtype: _dtype) -> Tensor:
    """images[rows] * scale + shift in one pass: images (n, ...) uint8, rows (m,) integers; gives (m, ...) of the
    floating dtype. IndexError for a row outside of 0 to n - 1.
    """
@overload
def minimum(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """The smaller of both; NaN wins."""
@overload
def minimum(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
def mish(input: Tensor, inplace: _bool = False) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019)."""
@overload
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, k) by (k, m)."""
@overload
def mm(input: Tensor, mat2: Tensor, *, out: Tensor) -> Tensor: ...
def moveaxis(input: Tensor, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
    """Dimensions moved to new places, the others in their order (a view)."""
def movedim(input: Tensor, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
    """Dimensions moved to new places, the others in their order (a view)."""
def mse_loss(input: Tensor, target: Tensor, size_average: _bool | None = None, reduce: _bool | None = None, reduction: str = 'mean', weight: Tensor | None = None) -> Tensor:
    """(input - target)^2 (book section 3.1), reduced by 'mean', 'sum' or 'none'.

    Floating tensors of one shape; other shapes are broadcast with a warning. ShapeError if they cannot be.
    """
def msort(input: Tensor) -> Tensor:
    """Sorted along dim 0."""
@overload
def mul(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input * other."""
@overload
def mul(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
def multinomial(input: Tensor, num_samples: _int, replacement: _bool = False, *, generator: Generator | None = None) -> Tensor:
    """num_samples category numbers (int64) for each row of weights: input (c,) or (n, c), floating.

    ValueError for negative or NaN weights, a row that sums to 0, or more samples than positive
    weights without replacement.
    """
@overload
def multiply(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input * other."""
@overload
def multiply(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix (n, k) and a vector (k,)."""
@overload
def mv(input: Tensor, vec: Tensor, *, out: Tensor) -> Tensor: ...
nan: _float
@overload
def nansum(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """The sum over dim, NaN counting as 0."""
@overload
def nansum(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def nansum(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def nansum(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
def narrow(input: Tensor, dim: _int, start: _int, length: _int) -> Tensor:
    """length elements from start along dim (a view)."""
def ne(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input != other, elementwise, bool."""
@overload
def neg(input: Tensor) -> Tensor:
    """-x."""
@overload
def neg(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def negative(input: Tensor) -> Tensor:
    """-x."""
@overload
def negative(input: Tensor, *, out: Tensor) -> Tensor: ...
def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: _bool | None = None, ignore_index: _int = -100, reduce: _bool | None = None, reduction: str = 'mean') -> Tensor:
    """-input[target]: cross-entropy of log-probabilities. Shapes and errors as cross_entropy's with class numbers."""
def nonzero(input: Tensor, *, as_tuple: _bool = False) -> Any:
    """Positions of the nonzero elements: int64 [count, ndim], or one tensor per dimension."""
def norm(input: Tensor, p: object = 'fro', dim: _int | Sequence[_int] | None = None, keepdim: _bool = False) -> Tensor:
    """The p-norm over dim, or of all elements (book section 2.3)."""
def normal(mean: Tensor | _float | _int | _bool, std: Tensor | _float | _int | _bool = 1.0, size: _int | Sequence[_int] | None = None, *, generator: Generator | None = None, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """Normal with this mean and standard deviation: numbers with a size, or tensors that broadcast.
    ValueError for a negative std.
    """
def not_equal(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input != other, elementwise, bool."""
def numel(input: Tensor) -> _int:
    """The number of elements."""
def one_hot(tensor: Tensor, num_classes: _int = -1) -> Tensor:
    """Class numbers (any shape) to int64 [..., num_classes] with a 1 at each; -1: the largest plus one."""
@overload
def ones(size: _int | Sequence[_int], *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """A tensor of ones of shape size; float32 unless dtype is given."""
@overload
def ones(*size: Any, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor: ...
def ones_like(input: Tensor, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """Ones of input's shape and dtype."""
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of elements of two vectors, [n, m]."""
def pad(input: Tensor, pad: Sequence[_int], mode: str = 'constant', value: _float | _int | _bool | None = None) -> Tensor:
    """Borders around the last dimensions: (before, after) of the last, then of the one before it; negative widths crop (book section 7.3)."""
def permute(input: Tensor, dims: _int | Sequence[_int]) -> Tensor:
    """The dimensions in another order (a view)."""
pi: _float
@overload
def pow(input: Tensor | _float | _int | _bool, exponent: Tensor | _float | _int | _bool) -> Tensor:
    """input to the power exponent."""
@overload
def pow(input: Tensor | _float | _int | _bool, exponent: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def prod(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """The product over dim, or of all elements."""
@overload
def prod(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def prod(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def prod(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
def promote_types(type1: _dtype, type2: _dtype) -> _dtype:
    """The dtype of an operation on tensors of both dtypes."""
def quantile(input: Tensor, q: Tensor | _float | _int | _bool, dim: _int | None = None, keepdim: _bool = False, *, interpolation: str = 'linear') -> Tensor:
    """The values below which a part q (in [0, 1], a number or a vector) lies. Between two elements: interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest'."""
def rand(*args: Any, size: _int | Sequence[_int] | None = None, generator: Generator | None = None, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """Uniform in [0, 1): rand(2, 3) or rand((2, 3)). DTypeError unless dtype is floating."""
def rand_like(input: Tensor, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False, generator: Generator | None = None) -> Tensor:
    """rand in the shape and dtype of input."""
@overload
def randint(low: _int, high: _int, size: _int | Sequence[_int], *, generator: Generator | None = None, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """Integers uniform in [low, high), of shape size (int64 unless dtype says otherwise). ValueError unless low < high."""
@overload
def randint(high: _int, size: _int | Sequence[_int], *, generator: Generator | None = None, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor: ...
@overload
def randint_like(input: Tensor, low: _int, high: _int, *, dtype: _dtype | None = None) -> Tensor:
    """Integers uniform in [low, high), of shape size (int64 unless dtype says otherwise). ValueError unless low < high."""
@overload
def randint_like(input: Tensor, high: _int, *, dtype: _dtype | None = None) -> Tensor: ...
def randn(*args: Any, size: _int | Sequence[_int] | None = None, generator: Generator | None = None, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """Standard normal: randn(2, 3) or randn((2, 3)). DTypeError unless dtype is floating."""
def randn_like(input: Tensor, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False, generator: Generator | None = None) -> Tensor:
    """randn in the shape and dtype of input."""
def randperm(n: _int, *, generator: Generator | None = None, dtype: _dtype | None = None, device: object | None = None) -> Tensor:
    """0 to n - 1 in random order (Fisher and Yates), int64 unless dtype says otherwise."""
def ravel(input: Tensor) -> Tensor:
    """The elements in one dimension."""
@overload
def reciprocal(input: Tensor) -> Tensor:
    """1 / x."""
@overload
def reciprocal(input: Tensor, *, out: Tensor) -> Tensor: ...
def relu(input: Tensor, inplace: _bool = False) -> Tensor:
    """max(x, 0) (book section 5.1)."""
@overload
def remainder(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input % other, with the sign of other."""
@overload
def remainder(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, out: Tensor) -> Tensor: ...
@overload
def repeat_interleave(input: Tensor, repeats: _int, dim: _int | None = None, *, output_size: _int | None = None) -> Tensor:
    """Each element repeated in place, `repeats` times or as often as a tensor of counts says, along dim or flattened."""
@overload
def repeat_interleave(input: Tensor, repeats: Tensor, dim: _int | None = None, *, output_size: _int | None = None) -> Tensor: ...
@overload
def repeat_interleave(repeats: Tensor) -> Tensor: ...
def reshape(input: Tensor, shape: _int | Sequence[_int]) -> Tensor:
    """The elements in another shape (one size may be -1); a view where possible, else a copy (book section 2.1)."""
def result_type(tensor1: Tensor | _float | _int | _bool, tensor2: Tensor | _float | _int | _bool) -> _dtype:
    """The dtype of an operation on both."""
def roll(input: Tensor, shifts: _int | Sequence[_int], dims: _int | Sequence[_int] | None = None) -> Tensor:
    """Shifted along dims; what leaves at the end comes back in front. Without dims: flattened."""
def rot90(input: Tensor, k: _int = 1, dims: _int | Sequence[_int] = ...) -> Tensor:
    """Turned by k times 90 degrees from the first of dims towards the second."""
def round(input: Tensor, *, decimals: _int = 0) -> Tensor:
    """To the nearest integer, halves to even."""
def row_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors as rows, one below another."""
@overload
def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(x)."""
@overload
def rsqrt(input: Tensor, *, out: Tensor) -> Tensor: ...
def rsub(input: Tensor, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
    """other - alpha * input."""
@overload
def scatter(input: Tensor, dim: _int, index: Tensor, src: Tensor, *, reduce: str | None = None) -> Tensor:
    """input[index[i][j]][j] = src[i][j] for dim 0, and so on; src may be a number. reduce='add' or 'multiply' combines with what is there."""
@overload
def scatter(input: Tensor, dim: _int, index: Tensor, value: _float | _int | _bool, *, reduce: str | None = None) -> Tensor: ...
def scatter_add(input: Tensor, dim: _int, index: Tensor, src: Tensor) -> Tensor:
    """input[index[i][j]][j] += src[i][j] for dim 0, and so on, in order of i."""
def scatter_reduce(input: Tensor, dim: _int, index: Tensor, src: Tensor, reduce: str, *, include_self: _bool = True) -> Tensor:
    """What src brings to each element of input: its 'sum', 'prod', 'mean', 'amax' or 'amin', with the element itself or without."""
def searchsorted(sorted_sequence: Tensor, input: Tensor | _float | _int | _bool, *, out_int32: _bool = False, right: _bool = False, side: str | None = None) -> Tensor:
    """Where in the sorted last dimension each value belongs: before equal ones, or after with right."""
def seed() -> _int:
    """Seeds the default generator unpredictably; returns the seed."""
def select(input: Tensor, dim: _int, index: _int) -> Tensor:
    """One position along dim (a view without that dimension)."""
def selu(input: Tensor, inplace: _bool = False) -> Tensor:
    """Scaled ELU with the constants of Klambauer et al. 2017."""
def set_default_dtype(d: _dtype) -> None:
    """The dtype of tensors made from Python floats: a floating dtype."""
def set_float32_matmul_precision(precision: str) -> None:
    """How a GPU multiplies float32 matrices: 'highest' (from the start) exactly; 'high' and 'medium' on tensor cores,
    with operands rounded to TF32 (ten bits of fraction) and sums in float32. The CPU is always exact.
    Raises ValueError for another precision.
    """
def set_num_threads(num: _int) -> None:
    """How many threads kernels use; results do not depend on it."""
def set_rng_state(new_state: Tensor) -> None:
    """Takes up a state that get_rng_state gave."""
def sgd_step(params: Sequence[Tensor], grads: Sequence[Tensor], momentum_buffers: Sequence[Tensor] | None, lr: _float, momentum: _float, dampening: _float, weight_decay: _float, nesterov: _bool, maximize: _bool, step: _int, grad_scale: _float | None = None, live: Tensor | None = None) -> None:
    """One step of stochastic gradient descent for all params, in place (book sections 12.4 to 12.6).

    Lists of floating tensors, alike in shape and dtype by position. g = grad_scale grad + weight_decay p;
    buf = g at step 1, else momentum buf + (1 - dampening) g; p -= lr (g + momentum buf if nesterov, else buf).
    live: float64 [5] on the GPU of params, read by the device instead of the arguments of these names: lr,
    grad_scale, step, 1 - beta1^step, 1 - beta2^step (the last two for adam_step); what freedive.cuda.graph needs.
    Not recorded by autograd. ValueError for lists of different lengths, ShapeError or DTypeError naming the
    position; then nothing has been written.
    """
@overload
def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of x; NaN stays."""
@overload
def sgn(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)) (book section 5.1)."""
@overload
def sigmoid(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of x; NaN stays."""
@overload
def sign(input: Tensor, *, out: Tensor) -> Tensor: ...
def silu(input: Tensor, inplace: _bool = False) -> Tensor:
    """x * sigmoid(x)."""
@overload
def sin(input: Tensor) -> Tensor:
    """The sine of x in radians."""
@overload
def sin(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine."""
@overload
def sinh(input: Tensor, *, out: Tensor) -> Tensor: ...
def smooth_l1_loss(input: Tensor, target: Tensor, size_average: _bool | None = None, reduce: _bool | None = None, reduction: str = 'mean', beta: _float = 1.0) -> Tensor:
    """d^2 / (2 beta) where the difference |d| < beta, else |d| - beta / 2 (Girshick, ICCV 2015)."""
def softmax(input: Tensor, dim: _int | None = None, dtype: _dtype | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along dim, stable (book section 4.1).

    input: floating, any shape; the result has its shape. dtype converts it first. IndexError for a
    dim that does not exist, DTypeError for integers.
    """
def softmin(input: Tensor, dim: _int | None = None, dtype: _dtype | None = None) -> Tensor:
    """softmax(-x)."""
def softplus(input: Tensor, beta: _float = 1.0, threshold: _float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta; x itself where beta x > threshold."""
@overload
def sort(input: Tensor, dim: _int = -1, descending: _bool = False, stable: _bool = False) -> _Pair:
    """Sorted along dim, with the positions: (values, indices). Equal elements keep their order."""
@overload
def sort(input: Tensor, *, stable: _bool, dim: _int = -1, descending: _bool = False) -> _Pair: ...
@overload
def split(tensor: Tensor, split_size_or_sections: _int, dim: _int = 0) -> tuple[Tensor, ...]:
    """Views of split_size each (the last may be smaller), or of the listed sizes, along dim."""
@overload
def split(tensor: Tensor, split_size_or_sections: Sequence[_int], dim: _int = 0) -> tuple[Tensor, ...]: ...
@overload
def sqrt(input: Tensor) -> Tensor:
    """The square root; NaN below 0."""
@overload
def sqrt(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def square(input: Tensor) -> Tensor:
    """x * x."""
@overload
def square(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def squeeze(input: Tensor) -> Tensor:
    """Without dimensions of size 1."""
@overload
def squeeze(input: Tensor, dim: _int | Sequence[_int]) -> Tensor: ...
@overload
def stack(tensors: Sequence[Tensor], dim: _int = 0) -> Tensor:
    """Tensors of one shape along a new dimension dim."""
@overload
def stack(tensors: Sequence[Tensor], *, axis: _int) -> Tensor: ...
@overload
def stack(tensors: Sequence[Tensor], dim: _int = 0, *, out: Tensor) -> Tensor: ...
@overload
def std(input: Tensor, unbiased: _bool) -> Tensor:
    """The standard deviation over dim, of n - correction (1: unbiased)."""
@overload
def std(input: Tensor, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> Tensor: ...
@overload
def std(input: Tensor, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> Tensor: ...
@overload
def std_mean(input: Tensor, unbiased: _bool) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over dim."""
@overload
def std_mean(input: Tensor, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def std_mean(input: Tensor, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def sub(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
    """input - alpha * other."""
@overload
def sub(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1, out: Tensor) -> Tensor: ...
@overload
def subtract(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1) -> Tensor:
    """input - alpha * other."""
@overload
def subtract(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, alpha: _float | _int | _bool = 1, out: Tensor) -> Tensor: ...
@overload
def sum(input: Tensor, dim: _int | Sequence[_int] | None = None, keepdim: _bool = False, *, dtype: _dtype | None = None) -> Tensor:
    """The sum over dim (an int, a tuple, or None for all). Integers give int64."""
@overload
def sum(input: Tensor, *, axis: _int | Sequence[_int] | None = None, keepdims: _bool = False, dtype: _dtype | None = None) -> Tensor: ...
@overload
def sum(input: Tensor, dim: _int | Sequence[_int] | None = None, *, keepdims: _bool) -> Tensor: ...
@overload
def sum(input: Tensor, *, axis: _int | Sequence[_int] | None, keepdim: _bool) -> Tensor: ...
def swapaxes(input: Tensor, axis0: _int, axis1: _int) -> Tensor:
    """Two dimensions swapped (a view)."""
def swapdims(input: Tensor, dim0: _int, dim1: _int) -> Tensor:
    """Two dimensions swapped (a view)."""
def t(input: Tensor) -> Tensor:
    """The matrix transposed (a view)."""
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened input, in the shape of index."""
def take_along_dim(input: Tensor, indices: Tensor, dim: _int | None = None) -> Tensor:
    """gather with broadcasting and negative indices; dim None: of the flattened tensors."""
@overload
def tan(input: Tensor) -> Tensor:
    """The tangent of x in radians."""
@overload
def tan(input: Tensor, *, out: Tensor) -> Tensor: ...
@overload
def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
@overload
def tanh(input: Tensor, *, out: Tensor) -> Tensor: ...
def tensor(data: object, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """A new tensor with a copy of data: a number, nested sequences, an array or a tensor.

    Floats take the default dtype, ints int64, bools bool. Raises ShapeError for uneven nesting (book section 2.1).
    """
@overload
def tensor_split(input: Tensor, sections: _int, dim: _int = 0) -> tuple[Tensor, ...]:
    """`sections` views whose sizes differ by at most one, or views cut at the listed positions, along dim."""
@overload
def tensor_split(input: Tensor, indices: Sequence[_int], dim: _int = 0) -> tuple[Tensor, ...]: ...
@overload
def tensordot(a: Tensor, b: Tensor, dims: _int = 2) -> Tensor:
    """Sums of products over the last `dims` of a and the first of b, or over two lists of dims."""
@overload
def tensordot(a: Tensor, b: Tensor, dims: tuple[_int | Sequence[_int], _int | Sequence[_int]]) -> Tensor: ...
def tile(input: Tensor, dims: _int | Sequence[_int]) -> Tensor:
    """The tensor repeated dims[i] times along each dimension; missing ones count as 1."""
def topk(input: Tensor, k: _int, dim: _int = -1, largest: _bool = True, sorted: _bool = True) -> _Pair:
    """The k largest (or smallest) along dim in order: (values, indices)."""
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix' diagonal."""
def transpose(input: Tensor, dim0: _int, dim1: _int) -> Tensor:
    """Two dimensions swapped (a view)."""
def tril(input: Tensor, diagonal: _int = 0) -> Tensor:
    """The lower triangle of matrices, the rest 0."""
def triu(input: Tensor, diagonal: _int = 0) -> Tensor:
    """The upper triangle of matrices, the rest 0."""
@overload
def true_divide(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, floating for integers; rounding_mode 'floor' or 'trunc' keeps integers."""
@overload
def true_divide(input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool, *, rounding_mode: str | None = None, out: Tensor) -> Tensor: ...
@overload
def trunc(input: Tensor) -> Tensor:
    """x without its fraction."""
@overload
def trunc(input: Tensor, *, out: Tensor) -> Tensor: ...
uint8: dtype
def unbind(input: Tensor, dim: _int = 0) -> tuple[Tensor, ...]:
    """Views of every position along dim, without that dimension."""
def unflatten(input: Tensor, dim: _int, sizes: _int | Sequence[_int]) -> Tensor:
    """Dimension dim as several of the given sizes (one may be -1)."""
def unique(input: Tensor, sorted: _bool = True, return_inverse: _bool = False, return_counts: _bool = False, dim: _int | None = None) -> Any:
    """The distinct elements in order, or the distinct slices along dim; with return_inverse where each went, with return_counts how often each came."""
def unique_consecutive(input: Tensor, return_inverse: _bool = False, return_counts: _bool = False, dim: _int | None = None) -> Any:
    """The elements, or the slices along dim, without repetitions of their predecessor."""
def unsqueeze(input: Tensor, dim: _int) -> Tensor:
    """With a dimension of size 1 inserted at dim."""
@overload
def var(input: Tensor, unbiased: _bool) -> Tensor:
    """The variance over dim, divided by n - correction (1: unbiased)."""
@overload
def var(input: Tensor, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> Tensor: ...
@overload
def var(input: Tensor, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> Tensor: ...
@overload
def var_mean(input: Tensor, unbiased: _bool) -> tuple[Tensor, Tensor]:
    """The variance and the mean over dim."""
@overload
def var_mean(input: Tensor, dim: _int | Sequence[_int] | None = None, unbiased: _bool | None = None, keepdim: _bool = False, *, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def var_mean(input: Tensor, *, axis: _int | Sequence[_int] | None, unbiased: _bool | None = None, keepdims: _bool = False, correction: _float | _int | _bool | None = None) -> tuple[Tensor, Tensor]: ...
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The sum of products of two vectors of one length."""
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors as rows, one below another."""
@overload
def where(condition: Tensor, input: Tensor | _float | _int | _bool, other: Tensor | _float | _int | _bool) -> Tensor:
    """input where condition (bool) holds, else other; all broadcast."""
@overload
def where(condition: Tensor) -> Any: ...
@overload
def zeros(size: _int | Sequence[_int], *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """A tensor of zeros of shape size; float32 unless dtype is given."""
@overload
def zeros(*size: Any, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor: ...
def zeros_like(input: Tensor, *, dtype: _dtype | None = None, device: object | None = None, requires_grad: _bool = False) -> Tensor:
    """Zeros of input's shape and dtype."""
