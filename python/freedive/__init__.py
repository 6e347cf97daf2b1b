"""freedive: train neural networks the way "Dive into Deep Learning" teaches, on hand-written kernels.

Names and behaviour follow PyTorch's, so `import freedive as torch` runs the book's code. The compiled core holds
tensors, autograd and every kernel; what is Python here is thin. Heavy parts load when they are first used.
"""

from __future__ import annotations

import importlib

from . import _core
from ._core import *  # noqa: F403
from ._core import bool, dtype, float, int
from ._core import Tensor, __version__
from ._extend import extend_tensor
from .autograd import enable_grad, inference_mode, no_grad, set_grad_enabled

extend_tensor(Tensor)

long = _core.int64
double = _core.float64
half = _core.float16
inf = _core.inf
nan = _core.nan
pi = _core.pi
e = _core.e
newaxis = None
strided = "strided"
contiguous_format = "contiguous_format"
preserve_format = "preserve_format"

_MODULES = (
    "amp", "autograd", "cuda", "d2l", "data", "distributions", "kernels", "linalg", "nn", "optim", "testing",
    "training", "utils", "vision",
)  # fmt: skip
_LAZY = {
    "autocast": "amp",
    "save": "_serialize",
    "load": "_serialize",
    "set_printoptions": "_tensor_str",
    "get_printoptions": "_tensor_str",
    "printoptions": "_tensor_str",
    "show_config": "_config",
    "DataModule": "training",
    "HyperParameters": "training",
    "Trainer": "training",
    "ProgressBoard": "training",
    "inverse": "linalg",
    "det": "linalg",
    "logdet": "linalg",
    "slogdet": "linalg",
    "matrix_power": "linalg",
    "cosine_similarity": "nn.functional",
    "group_norm": "nn.functional",
    "instance_norm": "nn.functional",
    "pairwise_distance": "nn.functional",
    "pixel_shuffle": "nn.functional",
    "pixel_unshuffle": "nn.functional",
    "prelu": "nn.functional",
    "threshold": "nn.functional",
}
# Methods that are functions of the namespace too.
_IN_PLACE = (
    "abs_", "acos_", "asin_", "atan_", "ceil_", "clamp_", "cos_", "cosh_", "detach_", "erf_", "exp2_", "exp_",
    "expm1_", "fill_", "floor_", "log10_", "log1p_", "log2_", "log_", "neg_", "reciprocal_", "relu_", "round_",
    "rsqrt_", "sigmoid_", "sin_", "sinh_", "sqrt_", "square_", "tan_", "tanh_", "trunc_", "zero_",
)  # fmt: skip


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _LAZY:
        value = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    if name in _IN_PLACE:
        return getattr(Tensor, name)
    if not name.startswith("_"):
        composed = importlib.import_module(f"{__name__}._compose")
        if name in composed.__all__:
            globals()[name] = value = getattr(composed, name)
            return value
    raise AttributeError(f"module 'freedive' has no attribute {name!r}")


def __dir__():
    from ._compose import __all__ as composed

    return sorted({*globals(), *_MODULES, *_LAZY, *_IN_PLACE, *composed})
