"""The book's helper names, so that a reader's notebook runs after changing its imports.

Classes and longer functions come from `freedive.training`; here are the tensor aliases. Nothing imports matplotlib or
NumPy before it is used.
"""

# ruff: noqa: F401 (names are here to be used by others)
from __future__ import annotations

from freedive import (
    abs,
    arange,
    cos,
    cosh,
    exp,
    eye,
    float32,
    int32,
    int64,
    linspace,
    log,
    matmul,
    meshgrid,
    nn,
    normal,
    ones,
    ones_like,
    rand,
    randn,
    sigmoid,
    sin,
    sinh,
    stack,
    tanh,
    tensor,
    zeros,
    zeros_like,
)
from freedive import bmm as batch_matmul
from freedive import cat as concat
from freedive.data.synthetic import SyntheticRegressionData
from freedive.training import (
    MLP,
    SGD,
    Classifier,
    DataModule,
    DropoutMLP,
    DropoutMLPScratch,
    FashionMNIST,
    HyperParameters,
    LinearRegression,
    LinearRegressionScratch,
    MLPScratch,
    Module,
    ProgressBoard,
    SoftmaxRegression,
    SoftmaxRegressionScratch,
    Trainer,
    WeightDecay,
    add_to_class,
    dropout_layer,
    init_cnn,
)
from freedive.training.helpers import (
    DATA_HUB,
    DATA_URL,
    Accumulator,
    Benchmark,
    Timer,
    accuracy,
    check_shape,
    corr2d,
    cpu,
    download,
    evaluate_accuracy_gpu,
    get_dataloader_workers,
    gpu,
    load_data_fashion_mnist,
    num_gpus,
    try_all_gpus,
    try_gpu,
)
from freedive.training.optimization import (
    evaluate_loss,
    get_data_ch11,
    linreg,
    load_array,
    sgd,
    squared_loss,
    synthetic_data,
    train_2d,
    train_ch11,
    train_concise_ch11,
)
from freedive.training.plotting import (
    Animator,
    annotate,
    plot,
    pyplot,
    set_axes,
    set_figsize,
    show_heatmaps,
    show_images,
    show_trace_2d,
    use_svg_display,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from freedive import Tensor

nn_Module = nn.Module  # noqa: N816 (the book's name)


def numpy(x: Tensor) -> Any:
    """x.detach().numpy()"""
    return x.detach().numpy()


def reshape(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.reshape(…)"""
    return x.reshape(*args, **kwargs)


def to(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.to(…)"""
    return x.to(*args, **kwargs)


def reduce_sum(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.sum(…)"""
    return x.sum(*args, **kwargs)


def reduce_mean(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.mean(…)"""
    return x.mean(*args, **kwargs)


def argmax(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.argmax(…)"""
    return x.argmax(*args, **kwargs)


def astype(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.type(…)"""
    return x.type(*args, **kwargs)


def transpose(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.t()"""
    return x.t(*args, **kwargs)


def size(x: Tensor) -> int:
    """x.numel()"""
    return x.numel()


def expand_dims(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.unsqueeze(…)"""
    return x.unsqueeze(*args, **kwargs)


def swapaxes(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.swapaxes(…)"""
    return x.swapaxes(*args, **kwargs)


def repeat(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """x.repeat(…)"""
    return x.repeat(*args, **kwargs)


def __getattr__(name: str) -> Any:
    if name == "plt":
        return pyplot()
    raise AttributeError(f"module 'freedive.d2l' has no attribute {name!r}")


__all__ = [
    name for name in dir() if not name.startswith("_") and name not in ("TYPE_CHECKING", "annotations", "pyplot")
]
