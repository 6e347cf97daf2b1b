"""Writes python/freedive/_core.pyi: what editors and type checkers see of the compiled module.

    python scripts/make_stubs.py            # after the extension changed and was installed

Signatures and docstrings are read from the module itself; only what CPython's own slots do not tell (types of Tensor's
attributes and operators, results that are tuples) is stated here, and a name that is missing here is an error.
"""

from __future__ import annotations

import inspect
import keyword
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import freedive
from freedive import _compose, _core, _extend, linalg

HEADER = """# Written by scripts/make_stubs.py from the compiled module.
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
"""

# The annotations of the bindings, and what they are called where Tensor's own members hide builtins.
NAMES = [
    (r"freedive\._core\.device", "_device"),
    (r"freedive\._core\.", ""),
    (r"freedive\.Tensor", "Tensor"),
    (r"freedive\.dtype|\bdtype\b", "_dtype"),
    (r"collections\.abc\.Sequence", "Sequence"),
    (r"\b(bool|int|float)\b", r"_\1"),
]
PAIRS = {"max", "min", "cummax", "cummin", "sort", "topk", "kthvalue", "median", "mode"}
TUPLES = {"split", "chunk", "tensor_split", "unbind", "meshgrid", "broadcast_tensors"}
PROPERTIES = {
    "shape": "Size", "dtype": "_dtype", "device": "_device", "ndim": "_int", "itemsize": "_int", "nbytes": "_int",
    "is_cuda": "_bool", "requires_grad": "_bool", "is_leaf": "_bool", "retains_grad": "_bool", "grad": "Tensor | None",
    "grad_fn": "Node | None", "data": "Tensor", "T": "Tensor", "mT": "Tensor", "H": "Tensor", "_version": "_int",
    "_base": "Tensor | None", "__cuda_array_interface__": "dict[str, Any]",
}  # fmt: skip
WRITABLE = {"requires_grad", "grad", "data"}
SLOTS = {
    "__abs__": "self", "__neg__": "self", "__pos__": "self", "__invert__": "self", "__bool__": "_bool",
    "__int__": "_int", "__float__": "_float", "__index__": "_int", "__len__": "_int", "__hash__": "_int",
    "__iter__": "Iterator[Tensor]",
}  # fmt: skip
HIDDEN = {"__delitem__", "__dict__", "__doc__", "__module__", "__new__", "__array_priority__", "__buffer__",
          "__release_buffer__", "__repr__", "__str__", "__format__", "__deepcopy__", "__reduce_ex__"}  # fmt: skip


def renamed(annotation: str) -> str:
    """A binding's annotation in the names of the stub."""
    for pattern, name in NAMES:
        annotation = re.sub(pattern, name, annotation)
    return annotation


def default(value: Any) -> str:
    """A default value, spelled out where that is short."""
    plain = value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and abs(value) < 1e300)
    return repr(value) if plain else "..."


def parameter(text: str, defaults: tuple[Any, ...] | None) -> str:
    """`name: type = <number of the default>` of a binding as the stub has it."""
    value = ""
    if found := re.search(r" = \\(\d+)$", text):
        value = f" = {default((defaults or ())[int(found[1])])}"
        text = text[: found.start()]
    name, _, annotation = text.partition(": ")
    name += "_" if keyword.iskeyword(name) else ""
    if not annotation:
        return f"{name}: Any" if name.startswith("*") and name != "*" else name
    return f"{name}: {renamed(annotation)}{value}"


def split_parameters(text: str) -> list[str]:
    """Cuts at commas outside brackets."""
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "[(") - (c in "])")
        if c == "," and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
    return [p for p in [*parts, text[begin:].strip()] if p]


def result(name: str, annotation: str) -> str:
    """What a function gives back; the bindings say `object` where it is a tuple or several types."""
    if annotation != "object":
        return renamed(annotation)
    if name in TUPLES:
        return "tuple[Tensor, ...]"
    return "_Pair" if name in PAIRS else "Any"


def docstring(text: str | None, indent: str) -> list[str]:
    """A docstring in quotes, or nothing."""
    if not text:
        return []
    lines = inspect.cleandoc(text).replace("\\", "\\\\").replace('"""', "'''").splitlines()
    quoted = [f'"""{lines[0]}', *lines[1:]]
    if len(lines) == 1:
        quoted[0] += '"""'
    else:
        quoted.append('"""')
    return [f"{indent}{line}".rstrip() for line in quoted]


def function(name: str, fn: Any, indent: str = "", decorator: str = "") -> list[str]:
    """All overloads of a bound function; the docstring goes with the first."""
    out: list[str] = []
    overloads = fn.__nb_signature__
    for i, (signature, doc, defaults) in enumerate(overloads):
        found = re.fullmatch(r"def \w* ?\((.*)\) -> (.*)", signature, re.DOTALL) or re.fullmatch(
            r"def \w+\((.*)\) -> (.*)", signature, re.DOTALL
        )
        if not found:
            raise ValueError(f"cannot read the signature of {name}: {signature}")
        parameters = ", ".join(parameter(p, defaults) for p in split_parameters(found[1]))
        if len(overloads) > 1:
            out.append(f"{indent}@overload")
        if decorator:
            out.append(f"{indent}@{decorator}")
        line = f"{indent}def {name}({parameters}) -> {result(name, found[2])}:"
        body = docstring(doc, indent + "    ") if i == 0 else []
        out += [line, *body] if body else [f"{line} ..."]
    return out


def composed(name: str, module: ModuleType = _compose) -> list[str]:
    """A method that is a function of this module."""
    signature = inspect.signature(getattr(module, name))
    parts, star = ["self"], False
    for i, p in enumerate(signature.parameters.values()):
        if i == 0:
            continue
        if p.kind is p.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        prefix = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        annotation = "Any" if p.annotation is p.empty else renamed(p.annotation.replace("fd.", ""))
        value = "" if p.default is p.empty else f" = {default(p.default)}"
        parts.append(f"{prefix}{p.name}: {annotation}{value}")
    returned = "Any" if signature.return_annotation is signature.empty else renamed(signature.return_annotation)
    return [f"    def {name}({', '.join(parts)}) -> {returned.replace('fd.', '')}: ..."]


def slot(name: str) -> list[str]:
    """An operator of Tensor."""
    if name == "__getitem__":
        return ["    def __getitem__(self, index: Any, /) -> Tensor: ..."]
    if name == "__setitem__":
        return ["    def __setitem__(self, index: Any, value: Any, /) -> None: ..."]
    if name in SLOTS:
        returned = "Tensor" if SLOTS[name] == "self" else SLOTS[name]
        return [f"    def {name}(self) -> {returned}: ..."]
    return [f"    def {name}(self, other: Any, /) -> Tensor: ..."]


def tensor_class() -> list[str]:
    """Tensor: attributes, operators, bound methods and those of _compose."""
    out = ["class Tensor:", *docstring(_core.Tensor.__doc__, "    ")]
    out.append("    def __init__(self, data: object = None) -> None: ...")
    for name, value in sorted(vars(_core.Tensor).items()):
        kind = type(value).__name__
        if name in HIDDEN:
            continue
        if kind == "getset_descriptor":
            out += ["    @property", f"    def {name}(self) -> {PROPERTIES[name]}:"]
            out += docstring(value.__doc__, " " * 8)
            if name in WRITABLE:
                accepted = "Any" if name == "grad" else PROPERTIES[name]
                out += [f"    @{name}.setter", f"    def {name}(self, value: {accepted}, /) -> None: ..."]
        elif kind == "nb_method":
            out += function(name, value, "    ")
        elif name == "_make_subclass":
            out += function(name, value, "    ", "staticmethod")
        elif kind == "wrapper_descriptor":
            out += slot(name)
        elif name in _extend.COMPOSED:
            out += composed(name)
        elif name in _extend.LINALG:
            out += composed(name, linalg)
        elif name[:-1] in _extend.IN_PLACE:
            out.append(f"    def {name}(self, *args: Any, **kwargs: Any) -> Tensor: ...")
        elif not name.startswith("_"):
            raise ValueError(f"make_stubs.py does not know Tensor.{name} ({kind})")
    return out


def bound_class(name: str, cls: type) -> list[str]:
    """A class that nanobind made."""
    out = [f"class {name}:"]
    for member, value in sorted(vars(cls).items()):
        if type(value).__name__ == "nb_method":
            out += function(member, value, "    ")
        elif isinstance(value, property):
            ((signature, doc, _),) = value.fget.__nb_signature__  # type: ignore[union-attr]
            out += ["    @property", f"    def {member}(self) -> {renamed(signature.rpartition(' -> ')[2])}:"]
            out += docstring(doc, " " * 8) or ["        ..."]
    return out


def stub() -> str:
    """The text of _core.pyi."""
    lines = HEADER.splitlines()
    members = sorted((n, v) for n, v in vars(_core).items() if not (n.startswith("__") and n != "__version__"))
    for name, value in members:
        if type(value).__name__ == "nb_type":
            lines += ["", *bound_class(name, value)]
    lines += ["", "_device = device", "", *tensor_class(), ""]
    for name, value in members:
        kind = type(value).__name__
        if kind == "nb_func":
            lines += function(name, value)
        elif kind not in ("type", "nb_type"):
            lines.append(f"{name}: {'_' + kind if kind in ('int', 'float', 'bool') else kind}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the stub next to the package."""
    target = Path(__file__).parents[1] / "python" / "freedive" / "_core.pyi"
    target.write_text(stub())
    sys.stdout.write(f"{target}: {freedive.__version__}\n")


if __name__ == "__main__":
    main()
