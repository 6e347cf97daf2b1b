"""save and load: nested containers, numbers and tensors in a file that no reader can be made to execute.

The file is a safetensors file (https://github.com/huggingface/safetensors, "Format"): eight bytes of header length, a
JSON header of names, dtypes, shapes and offsets, then the raw data. A saved state_dict is therefore an ordinary
safetensors file. Everything that is not a tensor, and how the tensors nest, stands as JSON in the header's metadata.
"""

from __future__ import annotations

import os
import zlib
from collections import Counter, OrderedDict

import freedive as fd

from ._files import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from freedive import Tensor

__all__ = ["load", "save"]

_NAMES = {
    "BOOL": "bool", "U8": "uint8", "I32": "int32", "I64": "int64", "F16": "float16", "BF16": "bfloat16",
    "F32": "float32", "F64": "float64",
}  # fmt: skip
_ITEM_SIZE = {"BOOL": 1, "U8": 1, "I32": 4, "I64": 8, "F16": 2, "BF16": 2, "F32": 4, "F64": 8}
_MAX_HEADER = 100_000_000  # the format's own limit


def _dtype(code):
    return getattr(fd, _NAMES[code])


def _code(dtype):
    for code, name in _NAMES.items():
        if getattr(fd, name) == dtype:
            return code
    raise TypeError(f"save: cannot store tensors of {dtype}")


# ------------------------------------------------------------------------------------------------------- saving


class _Encoder:
    """Turns an object into JSON in which tensors stand by name.

    None, True, numbers and strings stand for themselves; everything else is a list whose first item says what it is.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._name_of: dict[int, str] = {}

    def encode(self, value, path=""):
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if value - value == 0 else ["float", repr(value)]
        if isinstance(value, fd.Tensor):
            return self._tensor(value, path)
        if kind in (list, tuple, set, frozenset):
            items = [self.encode(item, _join(path, i)) for i, item in enumerate(value)]
            return [kind.__name__, items]
        if isinstance(value, (dict, Counter)):
            name = "Counter" if kind is Counter else "OrderedDict" if isinstance(value, OrderedDict) else "dict"
            pairs = [
                [self.encode(key, _join(path, "key")), self.encode(item, _join(path, key))]
                for key, item in value.items()
            ]
            return [name, pairs]
        if kind in (bytes, bytearray):
            return [kind.__name__, value.hex()]
        if isinstance(value, fd.dtype):
            return ["dtype", _NAMES[_code(value)]]
        if isinstance(value, fd.device):
            return ["device", str(value)]
        if isinstance(value, tuple) and kind.__name__ == "Size":
            return ["tuple", [int(item) for item in value]]
        if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            return self.encode(value.item(), path)
        hint = "; save its state_dict() instead" if hasattr(value, "state_dict") else ""
        where = f" at {path!r}" if path else ""
        raise TypeError(
            f"save: cannot store a {kind.__name__}{where}{hint}; "
            f"expected tensors, numbers, strings, bytes, None, and dicts, lists, tuples or sets of these"
        )

    def _tensor(self, tensor, path):
        name = self._name_of.get(id(tensor))
        if name is None:
            if type(tensor).__name__.startswith("Uninitialized"):
                raise TypeError(
                    f"save: {path or 'the tensor'} is uninitialized; call the lazy layer once before saving"
                )
            name = base = path or "tensor"
            count = 1
            while name in self.tensors or name == "__metadata__":
                count += 1
                name = f"{base}#{count}"
            self.tensors[name] = tensor
            self._name_of[id(tensor)] = name
        kind = "parameter" if isinstance(tensor, fd.nn.Parameter) else "tensor"
        return [kind, name, tensor.requires_grad and tensor.is_leaf]


def _join(path, key):
    return f"{path}.{key}" if path else str(key)


def _raw(tensor):
    """The tensor's elements in C order, as bytes-like memory."""
    plain = tensor.detach().cpu().contiguous()
    if plain.numel() == 0:
        return b""
    if plain.dtype == fd.bfloat16:
        plain = plain.view(fd.float16)  # NumPy has no bfloat16; only the bytes matter here
    return memoryview(plain.reshape(-1).numpy().view("uint8"))


def _pack(value):
    """The parts of the file, in order."""
    import json  # slow to import: only those who save or load pay for it

    encoder = _Encoder()
    tree = json.dumps(encoder.encode(value))
    # Widest elements first, so that every tensor lies aligned in the file.
    order = sorted(encoder.tensors.items(), key=lambda item: -_ITEM_SIZE[_code(item[1].dtype)])
    header, parts, offset = {}, [], 0
    for name, tensor in order:
        part = _raw(tensor)
        size = len(part)
        header[name] = {
            "dtype": _code(tensor.dtype), "shape": list(tensor.shape), "data_offsets": [offset, offset + size],
        }  # fmt: skip
        offset += size
        parts.append(part)
    checksum = _header_checksum(header, tree)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    header["__metadata__"] = {"format": "freedive", "version": "1", "crc32": str(checksum), "tree": tree}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little"), text, *parts]


def _header_checksum(entries, tree):
    import json

    return zlib.crc32(json.dumps([entries, tree]).encode())


def save(obj: Any, f: Any) -> None:
    """Writes obj to a file.

    Args:
        obj: tensors, numbers, strings, bytes, None, dtypes and devices, and dicts, lists, tuples and sets of these.
            One tensor object stored twice is loaded as one. Views of one memory are stored apart.
        f: a path or a binary file object. A file of that name is replaced only when the new one is complete and on
            the disk, so that an error (a full disk, a killed process) leaves the old file whole.

    Raises:
        TypeError: obj holds something else; the message says where.
        OSError: the file cannot be written.
    """
    parts = _pack(obj)
    if hasattr(f, "write"):
        for part in parts:
            f.write(part)
        return
    write_atomically(os.fspath(f), *parts, make_folder=False)


# ------------------------------------------------------------------------------------------------------ loading


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
) -> Any:
    """Reads what save wrote, a .safetensors file (a dict of tensors), or the tensors of a PyTorch zip checkpoint.

    No code of the file is ever executed, whatever weights_only says; pickle_module and mmap are ignored.

    Args:
        f: a path or a binary file object.
        map_location: device to put the tensors on; None leaves them where they are read, on the CPU.

    Raises:
        ValueError: the file is none of these, truncated or corrupted; or a checkpoint holds more than plain tensors.
        OSError: the file cannot be read.
    """
    if hasattr(f, "read"):
        return _load(f, getattr(f, "name", "the file"), map_location)
    with open(f, "rb") as file:
        return _load(file, os.fspath(f), map_location)


def _load(file, name, map_location):
    try:
        start = file.read(8)
        if start[:4] == b"PK\x03\x04":
            from . import _torch_checkpoint

            file.seek(-len(start), os.SEEK_CUR)
            return _torch_checkpoint.load(file, map_location)
        return _load_safetensors(file, start, map_location)
    except _Bad as error:
        raise ValueError(f"load: {name}: {error}") from None


class _Bad(Exception):
    """What is wrong with the file, in words."""


def _load_safetensors(file, start, map_location):
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > _MAX_HEADER:
        older = start[:1] == b"\x80"
        raise _Bad(
            "a pickle, as older PyTorch versions wrote; save it anew with a recent PyTorch" if older
            else "not a freedive, safetensors or PyTorch file"
        )  # fmt: skip
    text = file.read(length)
    if len(text) < length:
        raise _Bad(f"truncated or not a tensor file: the header should have {length} bytes, {len(text)} are there")
    header = _parse(text)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise _Bad("corrupted: the metadata is no dictionary")
    tree = metadata.get("tree", "")
    tensors, checksum = {}, _header_checksum(header, tree)
    for name, begin, entry in _in_order(header):
        tensors[name], checksum = _read_tensor(file, name, entry, begin, checksum)
    if file.read(1):
        raise _Bad("corrupted: there is more data than the header says")
    if map_location is not None:
        tensors = {name: tensor.to(map_location) for name, tensor in tensors.items()}
    if "tree" not in metadata and "crc32" not in metadata:
        return {name: tensors[name] for name in header}
    if metadata.get("crc32") != str(checksum):
        raise _Bad("corrupted: the checksum does not fit the data")
    return _Decoder(tensors).decode(_parse(tree, dict_only=False))


def _parse(text, dict_only=True):
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _Bad("corrupted or not a tensor file: the header is no JSON") from None
    if dict_only and not isinstance(value, dict):
        raise _Bad("corrupted: the header is no dictionary")
    return value


def _in_order(header):
    """(name, offset, entry) of each tensor as they lie in the file; they must lie without gaps."""
    found = []
    for name, entry in header.items():
        try:
            begin, end = entry["data_offsets"]
            shape, code = entry["shape"], entry["dtype"]
            good = all(type(n) is int and n >= 0 for n in (begin, end, *shape))
        except (TypeError, KeyError, ValueError):
            good = False
        if not good:
            raise _Bad(f"corrupted: the entry of tensor {name!r} makes no sense")
        if code not in _ITEM_SIZE:
            raise _Bad(f"tensor {name!r} is of dtype {code}, which freedive does not have")
        size = _ITEM_SIZE[code]
        for n in shape:
            size *= n
        if end - begin != size:
            raise _Bad(
                f"corrupted: tensor {name!r} of shape {tuple(shape)} should have {size} bytes, not {end - begin}"
            )
        found.append((begin, end, name, entry))
    found.sort(key=lambda item: item[:2])
    expected = 0
    for begin, end, name, entry in found:
        if begin != expected:
            raise _Bad(f"corrupted: tensor {name!r} begins at byte {begin}; expected {expected}")
        expected = end
        yield name, begin, entry


def _read_tensor(file, name, entry, begin, checksum):
    size = entry["data_offsets"][1] - begin
    data = bytearray()
    while len(data) < size:  # in pieces: a corrupted header must not make us ask for all memory at once
        piece = file.read(min(size - len(data), 1 << 26))
        if not piece:
            raise _Bad(f"truncated: tensor {name!r} should have {size} bytes, {len(data)} are there")
        data += piece
    return from_bytes(data, _dtype(entry["dtype"]), entry["shape"]), zlib.crc32(data, checksum)


def from_bytes(data, dtype, shape):
    """A tensor over the memory of a bytearray, in C order."""
    if len(data) == 0:
        return fd.empty(tuple(shape), dtype=dtype)
    return fd.frombuffer(data, dtype=dtype).reshape(tuple(shape))


class _Decoder:
    """Turns the encoder's JSON back into the object."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors
        self._made: dict[str, Tensor] = {}

    def decode(self, node):
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise _Bad("corrupted: the structure makes no sense")
            return node
        try:
            kind, *rest = node
            return getattr(self, f"_{kind}")(*rest)
        except (AttributeError, TypeError, ValueError, KeyError):
            raise _Bad("corrupted: the structure makes no sense") from None

    def _float(self, text):
        return float(text)

    def _list(self, items):
        return [self.decode(item) for item in items]

    def _tuple(self, items):
        return tuple(self._list(items))

    def _set(self, items):
        return set(self._list(items))

    def _frozenset(self, items):
        return frozenset(self._list(items))

    def _dict(self, pairs):
        return {self.decode(key): self.decode(value) for key, value in pairs}

    def _OrderedDict(self, pairs):
        return OrderedDict(self._dict(pairs))

    def _Counter(self, pairs):
        return Counter(self._dict(pairs))

    def _bytes(self, text):
        return bytes.fromhex(text)

    def _bytearray(self, text):
        return bytearray.fromhex(text)

    def _dtype(self, name):
        if name not in _NAMES.values():
            raise ValueError(name)
        return getattr(fd, name)

    def _device(self, text):
        return fd.device(text)

    def _tensor(self, name, requires_grad):
        tensor = self._made.get(name)
        if tensor is None:
            tensor = self._made[name] = self._tensors[name].requires_grad_(requires_grad)
        return tensor

    def _parameter(self, name, requires_grad):
        tensor = self._made.get(name)
        if tensor is None:
            tensor = self._made[name] = fd.nn.Parameter(self._tensors[name], requires_grad)
        return tensor
