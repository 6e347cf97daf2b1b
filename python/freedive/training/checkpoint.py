"""Checkpoints: everything a run needs to go on bit for bit, in one safetensors file that is there whole or not at all.

Tensors are stored under model/, loose/ (trained tensors that are no module parameters), optim/ and so on; all else as
JSON in the file's metadata. Nothing in such a file is ever executed.
"""

from __future__ import annotations

import os
import sys

import freedive as fd
from freedive._files import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
KEY = "freedive"
TENSOR, TUPLE, PAIRS = "__tensor__", "__tuple__", "__pairs__"


class CheckpointError(ValueError):
    """A checkpoint or model file is damaged or belongs to something else; the message names it."""


def save(path: str, state: Any) -> None:
    """Write nested dictionaries, lists and tuples of tensors and plain values."""
    import json

    from safetensors.numpy import save as serialise

    tensors: dict[str, Any] = {}
    text = json.dumps({"format": FORMAT, "state": _pack(state, "", tensors)})
    path = os.fspath(path)
    try:
        write_atomically(path, serialise(tensors, {KEY: text}), partial=path + ".partial")
    except OSError as error:
        raise type(error)(error.errno, f"cannot write checkpoint: {error.strerror}", path) from error


def load(path: str) -> Any:
    """What `save` was given. CheckpointError names a file that is damaged or no checkpoint."""
    import json

    from safetensors import SafetensorError, safe_open

    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dictionary)
        document = json.loads(text) if text is not None else None
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged or not a safetensors file ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a freedive checkpoint of format {FORMAT}")
    try:
        return _unpack(document["state"], tensors)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: damaged checkpoint ({error!r})") from error


def random_state() -> dict[str, Any]:
    """The state of every generator that training may draw from: freedive's, and Python's and NumPy's if in use."""
    state: dict[str, Any] = {"freedive": fd.get_rng_state()}
    if "random" in sys.modules:
        state["python"] = sys.modules["random"].getstate()
    if "numpy.random" in sys.modules:
        kind, keys, *rest = sys.modules["numpy.random"].get_state()
        state["numpy"] = (kind, fd.from_numpy(keys.astype("int64")), *rest)
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Take over what `random_state` gave."""
    fd.set_rng_state(state["freedive"])
    if "python" in state:
        import random

        random.setstate(state["python"])
    if "numpy" in state:
        import numpy as np

        kind, keys, *rest = state["numpy"]
        np.random.set_state((kind, keys.numpy().astype("uint32"), *rest))


def loose_parameters(model: Any, optimizer: Any) -> list[Any]:
    """Tensors that the optimizer trains though the model does not list them, as in the book's from-scratch models."""
    groups = getattr(optimizer, "param_groups", None)
    trained = [p for group in groups for p in group["params"]] if groups else list(getattr(optimizer, "params", []))
    listed = {id(p) for _, p in model.named_parameters()}
    return [p for p in trained if id(p) not in listed]


def _pack(value: Any, name: str, tensors: dict[str, Any]) -> Any:
    if isinstance(value, fd.Tensor):
        import numpy as np

        name = name or "tensor"
        tensors[name] = np.asarray(value.detach().cpu().numpy(), order="C")
        return {TENSOR: name}
    if isinstance(value, dict):
        items = [(k, _pack(v, f"{name}/{k}" if name else str(k), tensors)) for k, v in value.items()]
        plain = all(isinstance(k, str) and k not in (TENSOR, TUPLE, PAIRS) for k in value)
        return dict(items) if plain else {PAIRS: [[k, v] for k, v in items]}
    if isinstance(value, (list, tuple)):
        packed = [_pack(v, f"{name}/{i}", tensors) for i, v in enumerate(value)]
        return {TUPLE: packed} if isinstance(value, tuple) else packed
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"checkpoint: cannot store {name}, a {type(value).__name__}")


def _unpack(value: Any, tensors: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_unpack(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    if TENSOR in value:
        return fd.from_numpy(tensors[value[TENSOR]].copy())
    if TUPLE in value:
        return tuple(_unpack(v, tensors) for v in value[TUPLE])
    if PAIRS in value:
        return {k: _unpack(v, tensors) for k, v in value[PAIRS]}
    return {k: _unpack(v, tensors) for k, v in value.items()}
