"""Comparing results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# Of bfloat16, which NumPy does not know.
_BFLOAT16_EPS = 2.0**-7
_DEFAULT_EPS_MULTIPLE = 16


def to_array(value: Any) -> np.ndarray:
    """A tensor (also one that requires grad, also bfloat16), an array or a number as a NumPy array."""
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach()
        return (value.float() if str(value.dtype).endswith("bfloat16") else value).numpy()
    return np.asarray(value)


def eps_of(value: Any) -> float:
    """The distance from 1 to the next number of value's dtype; 0 for integers and bool."""
    import numpy as np

    if str(getattr(value, "dtype", "")).endswith("bfloat16"):
        return _BFLOAT16_EPS
    dtype = to_array(value).dtype
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    check_dtype: bool = True,
    what: str = "",
) -> None:
    """Asserts that actual equals expected: shape, dtype, and |actual - expected| <= atol + rtol |expected|.

    Args:
        actual: a tensor, an array, a number, or (nested) tuples and lists of them.
        expected: the same.
        rtol: by default 16 steps of actual's dtype (exact for integers and bool).
        atol: as rtol.
        equal_nan: NaN equals NaN.
        check_dtype: False lets dtypes differ.
        what: said in the message.

    Raises:
        AssertionError: with the first place where they differ.
    """
    import numpy as np

    if isinstance(expected, (tuple, list)) and isinstance(actual, (tuple, list)):
        assert len(actual) == len(expected), f"{what}: {len(actual)} results, expected {len(expected)}"
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            assert_close(
                a, e, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=check_dtype, what=f"{what} result {i}"
            )
        return
    default = _DEFAULT_EPS_MULTIPLE * eps_of(actual)
    rtol, atol = default if rtol is None else rtol, default if atol is None else atol
    a, e = to_array(actual), to_array(expected)
    if check_dtype:
        assert a.dtype == e.dtype, f"{what}: dtype {a.dtype}, expected {e.dtype}"
    assert a.shape == e.shape, f"{what}: shape {a.shape}, expected {e.shape}"
    near = np.isclose(a, e, rtol=rtol, atol=atol, equal_nan=equal_nan) if a.dtype.kind == "f" else a == e
    if not np.all(near):
        at = tuple(int(i) for i in np.argwhere(~near)[0]) if a.ndim else ()
        raise AssertionError(
            f"{what}: {np.count_nonzero(~near)} of {a.size} elements differ, the first at {at}: {a[at]!r}, expected "
            f"{e[at]!r} (rtol {rtol:g}, atol {atol:g})"
        )
