"""Reads the plain tensors of a PyTorch zip checkpoint without unpickling anything else.

Such a file is a zip archive with one pickle, data.pkl, that describes containers and tensors, and one stored entry of
raw data per storage (https://pytorch.org/docs/stable/notes/serialization.html). The unpickler here knows the handful
of names that describe tensors, and refuses every other one.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import Counter, OrderedDict, defaultdict

import freedive as fd

from ._serialize import _Bad, from_bytes

_STORAGES = {
    "FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip
_DTYPES = {*_STORAGES.values()}


def _latin1(text, encoding):
    """How a pickle of protocol 2 writes bytes: _codecs.encode(text, "latin1")."""
    return text.encode("latin1")


_PLAIN = {
    ("_codecs", "encode"): _latin1,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("torch", "Size"): tuple,
}


class _StorageType:
    def __init__(self, dtype):
        self.dtype = dtype


def _tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    """A tensor over a storage; the numbers come from the file and are checked."""
    size, stride = tuple(size), tuple(stride)
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in numbers):
        raise _Bad("corrupted: a tensor's shape makes no sense")
    empty = 0 in size
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if not empty and last >= storage.numel():
        raise _Bad("corrupted: a tensor reaches beyond its storage")
    tensor = fd.empty(size, dtype=storage.dtype) if empty else storage.as_strided(size, stride, offset)
    return tensor.requires_grad_(requires_grad) if requires_grad is True else tensor


def _parameter(data, requires_grad=True, hooks=None, state=None):
    return fd.nn.Parameter(data, bool(requires_grad))


_BUILDERS = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, archive, prefix, map_location):
        super().__init__(file)
        self._archive = archive
        self._prefix = prefix
        self._map_location = map_location
        self._storages = {}

    def find_class(self, module, name):
        key = (module, name)
        if key in _PLAIN:
            return _PLAIN[key]
        if key in _BUILDERS:
            return _BUILDERS[key]
        if key == ("collections", "defaultdict"):
            return _PlainDefaultDict
        if key == ("torch", "device"):
            return fd.device
        if module == "torch" and name in _STORAGES:
            return _StorageType(getattr(fd, _STORAGES[name]))
        if module == "torch" and name in _DTYPES:
            return getattr(fd, name)
        raise _Bad(f"holds a {module}.{name}; only plain tensors and containers of them are read")

    def persistent_load(self, pid):
        try:
            kind, storage_type, key, _, count = pid
            dtype = storage_type.dtype
        except (TypeError, ValueError, AttributeError):
            kind = None
        if kind != "storage" or not isinstance(key, str):
            raise _Bad("corrupted: a storage's description makes no sense")
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._prefix}data/{key}"))
            storage = from_bytes(data, dtype, (-1,) if data else (0,))
            if storage.numel() != count:
                raise _Bad(f"corrupted: storage {key} should have {count} elements, not {storage.numel()}")
            self._storages[key] = storage if self._map_location is None else storage.to(self._map_location)
        return self._storages[key]


class _PlainDefaultDict(defaultdict):
    """A defaultdict of the file: its factory is never taken over."""

    def __init__(self, *ignored):
        super().__init__(None)


def load(file, map_location):
    """What the archive holds; _Bad says what is wrong with it."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
            if len(names) != 1:
                raise _Bad("a zip archive, but not a PyTorch checkpoint")
            prefix = names[0][: -len("data.pkl")]
            order = f"{prefix}byteorder"
            if order in archive.namelist() and archive.read(order) != b"little":
                raise _Bad("written on a big-endian machine, which is not supported")
            with archive.open(names[0]) as pickled:
                return _Unpickler(pickled, archive, prefix, map_location).load()
    except (_Bad, MemoryError):
        raise
    except Exception as error:
        raise _Bad(f"truncated or corrupted: {type(error).__name__}: {error}".split("\n")[0]) from None
