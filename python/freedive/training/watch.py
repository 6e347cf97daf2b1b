"""Finding the layer where numbers stopped being finite."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ADVICE = "a smaller learning rate or gradient clipping usually helps"


def is_finite(tensor: Any) -> bool:
    """Whether a tensor holds neither NaN nor infinity."""
    if not tensor.numel() or not tensor.dtype.is_floating_point:
        return True
    largest = float(tensor.detach().abs().max())
    return largest - largest == 0


def explain_loss(model: Any, batch: Sequence[Any], value: float) -> str:
    """Why the loss of this batch is `value` (NaN or infinite): one clause that names the layer."""
    for which, tensor in enumerate(batch):
        if isinstance(tensor, fd.Tensor) and not is_finite(tensor):
            name = "labels" if which == len(batch) - 1 else f"input {which}"
            return f"the minibatch itself has NaN or infinite {name}"
    found = explain_parameters(model)
    if found is not None:
        return found
    layer, largest = _suspect(model, batch)
    if largest - largest != 0:
        return f"output of layer {layer} is the first that is not finite; {ADVICE}"
    return f"output of layer {layer} reaches {largest:.3g} and the loss overflows; {ADVICE}"


def explain_parameters(model: Any) -> str | None:
    """Which parameters or gradients are not finite, if any.

    Backward runs from the output to the input and carries a NaN along, so the culprit is the last layer affected.
    """
    named = list(model.named_parameters())
    bad_gradients = [(n, p) for n, p in named if p.grad is not None and not is_finite(p.grad)]
    bad_values = [(n, p) for n, p in named if not is_lazy(p) and not is_finite(p)]
    if bad_gradients:
        return f"gradient of {_describe(model, bad_gradients[-1][0])} is not finite; {ADVICE}"
    if bad_values:
        return f"parameter {_describe(model, bad_values[0][0])} is not finite; {ADVICE}"
    return None


def is_lazy(parameter: Any) -> bool:
    """Whether a parameter still waits for its shape."""
    return "Uninitialized" in type(parameter).__name__


def _describe(model: Any, name: str) -> str:
    path = name.rpartition(".")[0]
    return f"{name} ({type(dict(model.named_modules())[path]).__name__})"


def _suspect(model: Any, batch: Sequence[Any]) -> tuple[str, float]:
    """(name, largest absolute output) of the first layer whose output is not finite, else of the last layer.

    Runs forward again with an ear at every layer.
    """
    heard: list[tuple[str, float]] = []
    names = {id(module): name for name, module in model.named_modules()}

    def listen(module: Any, args: Any, output: Any) -> None:
        if isinstance(output, fd.Tensor) and output.numel():
            name = f"{names[id(module)] or 'model'} ({type(module).__name__})"
            heard.append((name, float(output.abs().max())))

    handles = [module.register_forward_hook(listen) for module in model.modules()]
    try:
        with fd.no_grad():
            model(*batch[:-1])
    finally:
        for handle in handles:
            handle.remove()
    bad = [entry for entry in heard if entry[1] - entry[1] != 0]
    inner = [entry for entry in heard if not entry[0].startswith("model ")] or heard
    return (bad or inner[-1:] or [(type(model).__name__, float("nan"))])[0]
