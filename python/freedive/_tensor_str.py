"""The printed form of a tensor: the text that PyTorch's users know, digit for digit.

All elements share one format, chosen from the finite nonzero ones: whole numbers with a bare point, four decimals, or
scientific where the range is too wide. Beyond `threshold` elements only the edges are read and shown.
"""

from __future__ import annotations

import math

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from freedive import Tensor

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_str"]

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options: dict[str, Any] = {**_PROFILES["default"], "sci_mode": None}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed; what is left out stays, but for sci_mode.

    Args:
        precision: digits after the point (4).
        threshold: tensors with more elements than this are abbreviated (1000).
        edgeitems: elements shown at each end of an abbreviated dimension (3).
        linewidth: characters in a line (80).
        profile: "default", "short" or "full": sets all of these first.
        sci_mode: True or False forces scientific form on or off; None chooses by the values.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: unknown profile {profile!r}; expected default, short or full")
        _options.update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    _options.update({name: value for name, value in given.items() if value is not None})
    _options["sci_mode"] = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The present options as a dict that set_printoptions takes."""
    return dict(_options)


class printoptions:
    """set_printoptions for the length of a `with` block."""

    def __init__(self, **options) -> None:
        self._new = options

    def __enter__(self):
        self._old = get_printoptions()
        set_printoptions(**self._new)

    def __exit__(self, *exc):
        set_printoptions(**self._old)


_ELLIPSIS = "..."


def _edge_indices(size):
    """Positions along a dimension that are shown; None stands for the ellipsis."""
    edge = _options["edgeitems"]
    if size <= 2 * edge:
        return range(size)
    return [*range(edge), None, *range(size - edge, size)]


def _read(tensor, abbreviated):
    """The shown elements as nested lists, with "..." for what is left out."""
    if not abbreviated:
        return tensor.tolist()
    if tensor.ndim == 0:
        return tensor.item()
    if tensor.ndim == 1:
        edge = _options["edgeitems"]
        size = tensor.shape[0]
        if size <= 2 * edge:
            return tensor.tolist()
        return [*tensor[:edge].tolist(), _ELLIPSIS, *tensor[size - edge :].tolist()]
    return [_ELLIPSIS if i is None else _read(tensor[i], True) for i in _edge_indices(tensor.shape[0])]


def _leaves(values):
    if not isinstance(values, list):
        if values is not _ELLIPSIS:
            yield values
        return
    for value in values:
        yield from _leaves(value)


class _Format:
    """One format for all elements, and its width."""

    def __init__(self, values: Any, floating) -> None:
        self.floating = floating
        self.precision = _options["precision"]
        self.whole = True
        self.scientific = False
        self.width = 1
        if floating:
            self._choose([v for v in values if v != 0 and math.isfinite(v)])
        else:
            self.width = max((len(str(v)) for v in values), default=1)

    def _choose(self, values):
        if values:
            sizes = [abs(v) for v in values]
            low, high = min(sizes), max(sizes)
            self.whole = all(v == math.floor(v) for v in values)
            self.scientific = high / low > 1000.0 or high > 1e8 or (not self.whole and low < 1e-4)
        if _options["sci_mode"] is not None:
            self.scientific = _options["sci_mode"]
        self.width = max((len(self._text(v)) for v in values), default=1)

    def _text(self, value):
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{self.precision}e}"
        if self.whole:
            text = f"{value:.0f}"
            return text + "." if math.isfinite(value) else text
        return f"{value:.{self.precision}f}"

    def __call__(self, value: float):
        return self._text(value).rjust(self.width)


def _vector(values, form, indent):
    per_line = max(1, (_options["linewidth"] - indent) // (form.width + 2))
    items = [" ..." if value is _ELLIPSIS else form(value) for value in values]
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _array(values, ndim, form, indent):
    if ndim == 0:
        return form(values)
    if ndim == 1:
        return _vector(values, form, indent)
    rows = [_ELLIPSIS if row is _ELLIPSIS else _array(row, ndim - 1, form, indent + 1) for row in values]
    return "[" + ("," + "\n" * (ndim - 1) + " " * (indent + 1)).join(rows) + "]"


def _gradient_suffix(tensor):
    node = tensor.grad_fn
    if node is not None:
        name = getattr(node, "name", None)
        name = name() if callable(name) else type(node).__name__
        return [f"grad_fn=<{name.rpartition('::')[2]}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _suffixes(tensor, empty):
    suffixes = []
    if tensor.device.type != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    if empty and tensor.ndim != 1:
        suffixes.append(f"size={tuple(tensor.shape)}")
    usual = (fd.get_default_dtype(),) if empty else (fd.get_default_dtype(), fd.int64, fd.bool)
    if tensor.dtype not in usual:
        suffixes.append(f"dtype={tensor.dtype}")
    return suffixes + _gradient_suffix(tensor)


def tensor_str(tensor: Tensor) -> str:
    """The tensor as `repr` shows it: values, then what cannot be seen from them (device, dtype, gradient)."""
    prefix = "tensor("
    empty = tensor.numel() == 0
    if empty:
        text = "[]"
    else:
        plain = tensor.detach()
        values = _read(plain, plain.numel() > _options["threshold"])
        form = _Format(list(_leaves(values)), plain.dtype.is_floating_point)
        text = _array(values, plain.ndim, form, len(prefix))
    text = prefix + text
    line = len(text) - text.rfind("\n") + 1  # of the last line, and the bracket and comma that may follow
    for suffix in _suffixes(tensor, empty):
        if line + len(suffix) + 2 > _options["linewidth"]:
            text += ",\n" + " " * len(prefix) + suffix
            line = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            line += len(suffix) + 2
    return text + ")"
